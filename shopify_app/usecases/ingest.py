"""A kept webhook becomes rows.

Order-free and idempotent: each function may see its news twice, late, or before what it rests on.

    applied   rows follow the news
    stale     we knew newer already
    refetch   the body was only a hint: Shopify is asked
    ignored   nothing of ours follows from it
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from shopify_app.db import backfills, daily_sales, inventory, orders, products, refetches, refunds
from shopify_app.db.connection import Connection
from shopify_app.db.webhook_inbox import Delivery
from shopify_app.domain.shop import Shop
from shopify_app.errors import PoisonError
from shopify_app.shopify import payloads
from shopify_app.shopify.hostile_json import parse_object
from shopify_app.usecases import install

Body = dict[str, Any]
Apply = Callable[[Connection, Shop, Body, datetime], str]


def apply(conn: Connection, shop: Shop, delivery: Delivery) -> str:
    """Apply one delivery; what came of it.

    Raises
    ------
    PoisonError
        If the body can never be applied.
    """
    handler = HANDLERS.get(delivery.topic)
    if handler is None:
        return "ignored"
    body = parse_object(delivery.body)
    return handler(conn, shop, body, delivery.triggered_at or delivery.received_at)


def _order(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    if "line_items" not in body:  # a body that only names the order
        refetches.ask(conn, shop.shop_id, "order", [payloads.number(body, "id")])
        return "refetch"
    result = orders.upsert_many(conn, shop.shop_id, shop.zone, [payloads.order(body)])
    daily_sales.touch(conn, shop.shop_id, result.days)
    return "applied" if result.taken else "stale"


def _order_edited(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    edit = body.get("order_edit")
    if not isinstance(edit, dict):
        raise PoisonError("order_edit is missing")
    refetches.ask(conn, shop.shop_id, "order", [payloads.number(edit, "order_id")])
    return "refetch"


def _order_deleted(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    daily_sales.touch(
        conn, shop.shop_id, orders.bury(conn, shop.shop_id, payloads.number(body, "id"), at=at)
    )
    return "applied"


def _refund(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    """A refund's rows; the order itself is asked for, because its lines changed with it."""
    refund = payloads.refund(body)
    days, unknown = refunds.upsert_many(conn, shop.shop_id, shop.zone, [refund])
    daily_sales.touch(conn, shop.shop_id, days)
    refetches.ask(conn, shop.shop_id, "order", unknown)
    return "refetch" if unknown else "applied"


def _product(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    """A product's rows; a list cut short (large products) is completed by asking."""
    product_id = payloads.number(body, "id")
    if "title" not in body:
        refetches.ask(conn, shop.shop_id, "product", [product_id])
        return "refetch"
    product = payloads.product(body)
    variants, complete = payloads.variants(body)
    if product_id not in products.upsert_many(conn, shop.shop_id, [product]):
        return "stale"
    changed = products.upsert_variants(conn, shop.shop_id, variants)
    products.add_price_history(conn, shop.shop_id, changed, source="merchant")
    inventory.add_unknown_items(conn, shop.shop_id, payloads.tracked_items(body))
    if not complete:
        refetches.ask(conn, shop.shop_id, "product", [product_id])
        return "refetch"
    products.retire_missing(
        conn, shop.shop_id, product_id, [v.id for v in variants], at=product.updated_at
    )
    return "applied"


def _product_deleted(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    products.bury(conn, shop.shop_id, payloads.number(body, "id"), at=at)
    return "applied"


def _level(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    taken = inventory.upsert_levels(conn, shop.shop_id, [payloads.inventory_level(body)])
    return "applied" if taken else "stale"


def _level_disconnected(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    item_id, location_id = (
        payloads.number(body, "inventory_item_id"),
        payloads.number(body, "location_id"),
    )
    inventory.disconnect(conn, shop.shop_id, item_id, location_id, at=at)
    return "applied"


def _item(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    taken = inventory.upsert_items(conn, shop.shop_id, [payloads.inventory_item(body)])
    return "applied" if taken else "stale"


def _item_deleted(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    inventory.bury_item(conn, shop.shop_id, payloads.number(body, "id"), at=at)
    return "applied"


def _location(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    taken = inventory.upsert_locations(conn, shop.shop_id, [payloads.location(body)])
    return "applied" if taken else "stale"


def _location_deleted(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    inventory.bury_location(conn, shop.shop_id, payloads.number(body, "id"), at=at)
    return "applied"


def _bulk_finished(conn: Connection, shop: Shop, _: Body, __: datetime) -> str:
    backfills.poke(conn, shop.shop_id)
    return "applied"


def _shop_updated(conn: Connection, shop: Shop, body: Body, _: datetime) -> str:
    install.take_shop_payload(conn, shop, body)
    return "applied"


def _uninstalled(conn: Connection, shop: Shop, _: Body, at: datetime) -> str:
    return "applied" if install.uninstall_shop(conn, shop.shop_id, triggered_at=at) else "stale"


def _scopes_updated(conn: Connection, shop: Shop, body: Body, at: datetime) -> str:
    current = body.get("current")
    if not isinstance(current, list) or not all(isinstance(scope, str) for scope in current):
        raise PoisonError("current is not a list of scopes")
    kept = install.update_scopes(conn, shop, current, triggered_at=at)
    return "applied" if kept else "stale"


HANDLERS: Final[dict[str, Apply]] = {
    "orders/create": _order,
    "orders/updated": _order,
    "orders/cancelled": _order,
    "orders/edited": _order_edited,
    "orders/delete": _order_deleted,
    "refunds/create": _refund,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _product_deleted,
    "inventory_levels/update": _level,
    "inventory_levels/connect": _level,
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
    "app/uninstalled": _uninstalled,
    "app/scopes_update": _scopes_updated,
}
"""What follows from each topic we subscribe to (shopify.app.toml; a test holds the two together)."""
