"""What a webhook only hinted at is asked of Shopify, and applied by the same road as a webhook.

An answer that cannot be read waits longer each time, as one that did not come; its neighbours go on.
Where Shopify shows nothing, that is no deletion: the order may be older than our scopes let us see,
a scope may have been taken away, or Shopify's answer lags behind its news. What we hold stays.

    applied       rows follow the answer
    stale         we knew newer already
    not_visible   Shopify shows nothing: asked a few times more, then left
    too_old       Shopify does not show orders of that age without the scope read_all_orders: left at once
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.db import daily_sales, inventory, orders, products, refetches, refunds, shops
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.shop import Shop
from shopify_app.errors import AppError, NotFoundError, ShopUnavailableError
from shopify_app.metrics import REFETCHES
from shopify_app.shopify import catalogue_api, orders_api
from shopify_app.usecases.inbox.spoiling_errors import SPOILING
from shopify_app.usecases.rounds import each
from shopify_app.usecases.shops import access, install

AT_ONCE: Final = 50
TRIES_UNSEEN: Final = 4
"""How often what Shopify does not show is asked for: 0, 5, 15 and 35 seconds after the hint."""

log = structlog.get_logger()


class Outcome(StrEnum):
    """What came of asking."""

    APPLIED = "applied"
    STALE = "stale"
    NOT_VISIBLE = "not_visible"
    TOO_OLD = "too_old"


ANSWERED: Final = frozenset({Outcome.APPLIED, Outcome.STALE})
"""Shopify showed the resource."""


def refetch_resources() -> int:
    """Ask for what is due in every shop; how many resources were asked for."""
    with sweep_transaction() as conn:
        due = refetches.due_shops(conn)
    return each(due, _refetch_shop, of="refetches")


def _refetch_shop(shop_id: int) -> int:
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        due = refetches.due(conn, shop_id, limit=AT_ONCE)
    if shop is None:
        raise NotFoundError(f"shop {shop_id}")
    for kind, resource_id, asked_at in due:
        try:
            outcome = REFETCH[kind](shop, resource_id)
        except ShopUnavailableError:
            return 0
        except (AppError, *SPOILING) as error:
            log.warning(
                "refetch_failed",
                shop_id=shop_id,
                kind=kind,
                id=resource_id,
                error_type=type(error).__name__,
            )
            with transaction(shop_id) as conn:
                refetches.postpone(conn, shop_id, kind, resource_id)
        else:
            _end(shop, kind, resource_id, asked_at, outcome)
    return len(due)


def _end(shop: Shop, kind: str, resource_id: int, asked_at: str, outcome: Outcome) -> None:
    """Have done with it, or ask once more for what Shopify does not show (yet)."""
    with transaction(shop.shop_id) as conn:
        if outcome is Outcome.NOT_VISIBLE and refetches.ask_once_more(
            conn, shop.shop_id, kind, resource_id, asked_at, tries=TRIES_UNSEEN
        ):
            return
        refetches.finish(conn, shop.shop_id, kind, resource_id, asked_at)
    REFETCHES.labels(kind, outcome).inc()
    if outcome not in ANSWERED:
        log.warning(
            "refetch_shows_nothing",
            shop_id=shop.shop_id,
            kind=kind,
            id=resource_id,
            outcome=str(outcome),
            sees_all_orders=shop.sees_all_orders,
        )


def refetch_order(shop: Shop, order_id: int) -> Outcome:
    """One order with its refunds."""
    found = access.with_api(shop.shop_id, lambda api: orders_api.order_with_refunds(api, order_id))
    with transaction(shop.shop_id) as conn:
        if found is None:
            placed_at = orders.created_at(conn, shop.shop_id, order_id)
            if placed_at and not shop.sees_order_of(placed_at, now=clock.now(shop)):
                return Outcome.TOO_OLD
            return Outcome.NOT_VISIBLE
        order, given_back = found
        result = orders.upsert_many(conn, shop.shop_id, shop.zone, [order])
        days, _ = refunds.upsert_many(conn, shop.shop_id, shop.zone, given_back)
        daily_sales.touch(conn, shop.shop_id, result.days | days)
        return _outcome(result.taken)


def refetch_product(shop: Shop, product_id: int) -> Outcome:
    """One product with all its variants."""
    found = access.with_api(
        shop.shop_id, lambda api: catalogue_api.product_with_variants(api, product_id)
    )
    if found is None:
        return Outcome.NOT_VISIBLE
    product, variants, items = found
    with transaction(shop.shop_id) as conn:
        if product_id not in products.upsert_many(conn, shop.shop_id, [product]):
            return Outcome.STALE
        changed = products.upsert_variants(
            conn, shop.shop_id, variants, listed_at={product_id: product.updated_at}
        )
        products.add_price_history(conn, shop.shop_id, changed, source="merchant")
        inventory.upsert_items(conn, shop.shop_id, items)
        products.retire_missing(
            conn, shop.shop_id, product_id, [v.id for v in variants], at=product.updated_at
        )
        return Outcome.APPLIED


def refetch_item(shop: Shop, item_id: int) -> Outcome:
    """One inventory item with its levels."""
    found = access.with_api(shop.shop_id, lambda api: catalogue_api.item_with_levels(api, item_id))
    if found is None:
        return Outcome.NOT_VISIBLE
    item, levels = found
    with transaction(shop.shop_id) as conn:
        taken = inventory.upsert_items(conn, shop.shop_id, [item])
        return _outcome(inventory.upsert_levels(conn, shop.shop_id, levels) + taken)


def refetch_location(shop: Shop, location_id: int) -> Outcome:
    """One location."""
    found = access.with_api(shop.shop_id, lambda api: catalogue_api.location(api, location_id))
    if found is None:
        return Outcome.NOT_VISIBLE
    with transaction(shop.shop_id) as conn:
        return _outcome(inventory.upsert_locations(conn, shop.shop_id, [found]))


def refetch_shop_facts(shop: Shop, _: int) -> Outcome:
    """What the shop says of itself."""
    install.refresh_shop_facts(shop.shop_id)
    return Outcome.APPLIED


def _outcome(taken: int) -> Outcome:
    return Outcome.APPLIED if taken else Outcome.STALE


REFETCH: Final[dict[str, Callable[[Shop, int], Outcome]]] = {
    "order": refetch_order,
    "product": refetch_product,
    "inventory_item": refetch_item,
    "location": refetch_location,
    "shop": refetch_shop_facts,
}
