"""A kept webhook becomes rows. What comes in masses is taken together (`ingest_together`).

Order-free and idempotent: each function may see its news twice, late, or before what it rests on.

    applied   rows follow the news
    stale     we knew newer already
    refetch   the body was only a hint: Shopify is asked
    ignored   nothing of ours follows from it
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from shopify_app.db import (
    backfills,
    daily_sales,
    due_work,
    full_counts,
    inventory,
    orders,
    products,
    refetches,
)
from shopify_app.db.connection import Connection
from shopify_app.db.webhook_inbox import Delivery
from shopify_app.domain.shop import Shop
from shopify_app.errors import PoisonError
from shopify_app.shopify import payloads
from shopify_app.shopify.hostile_json import parse_object
from shopify_app.usecases.inbox import ingest_together, ledgers, refetch
from shopify_app.usecases.shops import install

Body = dict[str, Any]

TOLD_OF_AN_ITEM: Final = frozenset({"tracked", "cost", "updated_at"})
"""What an inventory item's body says; null is said too."""

Apply = Callable[[Connection, Shop, Body, datetime], str]
ApplyTogether = Callable[[Connection, Shop, Sequence[Body], Sequence[datetime]], list[str]]


def apply(conn: Connection, shop: Shop, delivery: Delivery) -> str:
    """Apply one delivery; what came of it.

    Raises
    ------
    PoisonError
        If the body can never be applied.
    """
    if delivery.topic in TOGETHER:
        return apply_together(conn, shop, [delivery])[0]
    handler = HANDLERS.get(delivery.topic)
    if handler is None:
        return "ignored"
    body = parse_object(delivery.body)
    payloads.check_shop(body, shop.domain, must_name=delivery.topic in NAMES_ITS_SHOP)
    return handler(conn, shop, body, _told_at(delivery))


def apply_together(conn: Connection, shop: Shop, deliveries: Sequence[Delivery]) -> list[str]:
    """Apply deliveries whose topics TOGETHER maps to one function; what came of each.

    Raises
    ------
    PoisonError
        If one of the bodies can never be applied: then none is.
    """
    bodies = [parse_object(one.body) for one in deliveries]
    for body in bodies:
        payloads.check_shop(body, shop.domain)
    told_at = [_told_at(one) for one in deliveries]
    return TOGETHER[deliveries[0].topic](conn, shop, bodies, told_at)


def _told_at(delivery: Delivery) -> datetime:
    return delivery.triggered_at or delivery.received_at


def _order_edited(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    edit = body.get("order_edit")
    if not isinstance(edit, dict):
        raise PoisonError("order_edit is missing")
    order_id = payloads.number(edit, "order_id")
    refetches.ask(conn, shop.shop_id, "order", [order_id])
    ledgers.want(conn, shop.shop_id, [order_id])
    return "refetch"


def _order_deleted(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    order_id = payloads.number(body, "id")
    if _is_alive(body):
        return _ask(conn, shop, "order", order_id)
    days = orders.bury(conn, shop.shop_id, order_id, at=at)
    daily_sales.touch(conn, shop.shop_id, days)
    return "applied" if days else "stale"


def _is_alive(body: Body) -> bool:
    """Whether a body under a topic of deletions is not of one: those name the thing and no more.

    The topic is not signed, so any news of a thing could come as that of its end; Shopify is asked.
    """
    return "updated_at" in body


def _product_deleted(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    product_id = payloads.number(body, "id")
    if _is_alive(body):
        return _ask(conn, shop, "product", product_id)
    buried = products.bury(conn, shop.shop_id, product_id, at=at)
    return "applied" if buried else "stale"


def _level_disconnected(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    item_id, location_id = (
        payloads.number(body, "inventory_item_id"),
        payloads.number(body, "location_id"),
    )
    if _is_alive(body):
        return _ask(conn, shop, "inventory_item", item_id)
    inventory.disconnect(conn, shop.shop_id, item_id, location_id, at=at)
    return "applied"


def _item(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    """A body that leaves out what we do not hold either is a hint."""
    item_id = payloads.number(body, "id")
    known = inventory.held_item(conn, shop.shop_id, item_id)
    held, deleted_at = known or (None, None)
    news = payloads.inventory_item(body, held) if "updated_at" in body else None
    if news is None or (held is None and not body.keys() >= TOLD_OF_AN_ITEM):
        return _ask(conn, shop, "inventory_item", item_id)
    if deleted_at is None and held is not None and held.updated_at == news.updated_at:
        is_same = not news.differs_from(held)
        return "stale" if is_same else _ask(conn, shop, "inventory_item", item_id)
    return "applied" if inventory.upsert_items(conn, shop.shop_id, [news]) else "stale"


def _ask(conn: Connection, shop: Shop, kind: str, resource_id: int) -> str:
    refetches.ask(conn, shop.shop_id, kind, [resource_id])
    return "refetch"


def _item_deleted(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    item_id = payloads.number(body, "id")
    if _is_alive(body):
        return _ask(conn, shop, "inventory_item", item_id)
    buried = inventory.bury_item(conn, shop.shop_id, item_id, at=at)
    return "applied" if buried else "stale"


def _location(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    """A location that opens again, or comes back from its tombstone, is asked for with its stock."""
    news = payloads.location(body)
    held, deleted_at = inventory.held_location(conn, shop.shop_id, news.id) or (None, None)
    if deleted_at is None and held is not None and held.updated_at == news.updated_at:
        return "stale" if held == news else _ask(conn, shop, "location", news.id)
    return "applied" if refetch.take_locations(conn, shop.shop_id, [news]) else "stale"


def _location_deleted(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    location_id = payloads.number(body, "id")
    if _is_alive(body):
        return _ask(conn, shop, "location", location_id)
    buried = inventory.bury_location(conn, shop.shop_id, location_id, at=at)
    return "applied" if buried else "stale"


def _bulk_finished(conn: Connection, shop: Shop, _: Body, __: datetime) -> str:
    backfills.poke(conn, shop.shop_id)
    if full_counts.under_way(conn, shop.shop_id):
        due_work.ask(conn, shop.shop_id, "full_count")
    return "applied"


def _shop_updated(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    told = install.take_shop_payload(conn, shop, body, told_at=at)
    if told is None:
        return _ask(conn, shop, "shop", payloads.number(body, "id"))
    return "applied" if told else "stale"


def _scopes_updated(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    current = body.get("current")
    if not isinstance(current, list) or not all(isinstance(scope, str) for scope in current):
        raise PoisonError("current is not a list of scopes")
    kept = install.update_scopes(conn, shop, current, triggered_at=at)
    return "applied" if kept else "stale"


HANDLERS: Final[dict[str, Apply]] = {
    "orders/edited": _order_edited,
    "orders/delete": _order_deleted,
    "products/delete": _product_deleted,
    "inventory_levels/disconnect": _level_disconnected,
    "inventory_items/create": _item,
    "inventory_items/update": _item,
    "inventory_items/delete": _item_deleted,
    "locations/create": _location,
    "locations/update": _location,
    "locations/activate": _location,
    "locations/deactivate": _location,
    "locations/delete": _location_deleted,
    "bulk_operations/finish": _bulk_finished,
    "shop/update": _shop_updated,
    "app/scopes_update": _scopes_updated,
}
"""What follows from a delivery alone."""

NAMES_ITS_SHOP: Final = frozenset({"shop/update"})
"""Topics whose body must say which shop it is of: the header is not signed, and any body could come under it.

So must those of `uninstalls` and `redact`.
"""

TOGETHER: Final[dict[str, ApplyTogether]] = {
    "orders/create": ingest_together.take_orders,
    "orders/updated": ingest_together.take_orders,
    "orders/cancelled": ingest_together.take_orders,
    "refunds/create": ingest_together.take_refunds,
    "products/create": ingest_together.take_products,
    "products/update": ingest_together.take_products,
    "inventory_levels/update": ingest_together.take_levels,
    "inventory_levels/connect": ingest_together.take_levels,
}
"""What comes in masses; topics of one function may stand in one batch.

HANDLERS, TOGETHER and `webhook_inbox.APART` are the topics we subscribe to (shopify.app.toml; a test holds them together).
"""
