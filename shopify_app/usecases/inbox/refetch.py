"""What a webhook only hinted at is asked of Shopify, and applied by the same road as a webhook.

An answer that cannot be read waits longer each time, as one that did not come; its neighbours go on.
Where Shopify shows nothing, that is no deletion: the order may be older than our scopes let us see,
a scope may have been taken away, or Shopify's answer lags behind its news. What we hold stays.

    applied       rows follow the answer
    stale         we knew newer already
    not_visible   Shopify shows nothing: asked a few times more, then left
    too_old       Shopify does not show orders of that age without the scope read_all_orders: left at once
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.db import (
    daily_sales,
    inventory,
    orders,
    products,
    refetches,
    refunds,
    sales,
    shops,
)
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.domain.product import Location
from shopify_app.domain.shop import Shop
from shopify_app.errors import AppError, NotFoundError, ShopUnavailableError
from shopify_app.metrics import REFETCHES
from shopify_app.shopify import agreements_api, catalogue_api, orders_api
from shopify_app.usecases.inbox import ledgers
from shopify_app.usecases.inbox.spoiling_errors import SPOILING
from shopify_app.usecases.rounds import each
from shopify_app.usecases.shops import access, install

AT_ONCE: Final = 50
TRIES_UNSEEN: Final = 4
"""How often what Shopify does not show is asked for: 0, 5, 15 and 35 seconds after the hint."""

LEDGER: Final = "ledger"
"""The kind whose resources, orders' sales, are asked for together."""

Asked = tuple[str, int, str]
"""(kind, id, receipt)."""

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
    together = agreements_api.LARGEST_BATCH
    of_ledgers = [one for one in due if one[0] == LEDGER]
    batches = [of_ledgers[at : at + together] for at in range(0, len(of_ledgers), together)]
    try:
        for one in due:
            if one[0] != LEDGER:
                _refetch(shop, one)
        for batch in batches:
            _refetch_ledgers(shop, batch)
    except ShopUnavailableError:
        return 0
    return len(due)


def _refetch(shop: Shop, asked: Asked) -> None:
    kind, resource_id, asked_at = asked
    try:
        outcome = REFETCH[kind](shop, resource_id)
    except ShopUnavailableError:
        raise
    except (AppError, *SPOILING) as error:
        log.warning(
            "refetch_failed",
            shop_id=shop.shop_id,
            kind=kind,
            id=resource_id,
            error_type=type(error).__name__,
        )
        with transaction(shop.shop_id) as conn:
            refetches.postpone(conn, shop.shop_id, kind, resource_id)
    else:
        _end(shop, kind, resource_id, asked_at, outcome)


def _refetch_ledgers(shop: Shop, batch: Sequence[Asked]) -> None:
    """The sales of some orders in one call; each by itself where they cannot be read together."""
    try:
        outcomes = refetch_ledgers(shop, [order_id for _, order_id, _ in batch])
    except ShopUnavailableError:
        raise
    except (AppError, *SPOILING):
        for one in batch:
            _refetch(shop, one)
        return
    for kind, order_id, asked_at in batch:
        _end(shop, kind, order_id, asked_at, outcomes[order_id])


def refetch_ledgers(shop: Shop, order_ids: Sequence[int]) -> dict[int, Outcome]:
    """The sales of some orders. Where Shopify's answer is older than news that we have, it is as if it showed nothing yet."""
    shown = ledgers.read(shop, order_ids)
    with transaction(shop.shop_id) as conn:
        behind = sales.wanted_of(conn, shop.shop_id, order_ids)
        return {
            order_id: Outcome.APPLIED
            if order_id in shown - behind
            else _unseen_order(conn, shop, order_id)
            for order_id in order_ids
        }


def refetch_ledger(shop: Shop, order_id: int) -> Outcome:
    """The sales of one order."""
    return refetch_ledgers(shop, [order_id])[order_id]


def _unseen_order(conn: Connection, shop: Shop, order_id: int) -> Outcome:
    """Why Shopify does not show an order."""
    placed_at = orders.created_at(conn, shop.shop_id, order_id)
    if placed_at and not shop.sees_order_of(placed_at, now=clock.now(shop)):
        return Outcome.TOO_OLD
    return Outcome.NOT_VISIBLE


def _end(shop: Shop, kind: str, resource_id: int, asked_at: str, outcome: Outcome) -> None:
    """Have done with it, or ask once more for what Shopify does not show (yet)."""
    with transaction(shop.shop_id) as conn:
        if outcome is Outcome.NOT_VISIBLE and refetches.ask_once_more(
            conn, shop.shop_id, kind, resource_id, asked_at, tries=TRIES_UNSEEN
        ):
            return
        refetches.finish(conn, shop.shop_id, kind, resource_id, asked_at)
        if kind == LEDGER and outcome not in ANSWERED:
            sales.leave(conn, shop.shop_id, [resource_id])
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
            return _unseen_order(conn, shop, order_id)
        order, given_back = found
        result = orders.upsert_many(conn, shop.shop_id, shop.zone, [order])
        days, _ = refunds.upsert_many(conn, shop.shop_id, shop.zone, given_back)
        daily_sales.touch(conn, shop.shop_id, result.days | days)
        ledgers.note(conn, shop.shop_id, [order_id])
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
    """One location, and what is stocked there if it is open."""
    found = access.with_api(shop.shop_id, lambda api: catalogue_api.location(api, location_id))
    if found is None:
        return Outcome.NOT_VISIBLE
    levels = (
        access.with_api(
            shop.shop_id, lambda api: list(catalogue_api.changed_levels(api, location_id, None))
        )
        if found.is_active
        else []
    )
    with transaction(shop.shop_id) as conn:
        taken = inventory.upsert_locations(conn, shop.shop_id, [found])
        if taken and found.is_active:
            inventory.restock_location(conn, shop.shop_id, found, levels)
        return _outcome(taken)


def take_locations(conn: Connection, shop_id: int, places: Sequence[Location]) -> int:
    """Apply locations; how many were taken. One that opens again is asked for with its stock."""
    closed = inventory.closed(conn, shop_id, [place.id for place in places])
    taken = inventory.upsert_locations(conn, shop_id, places)
    still_closed = inventory.closed(conn, shop_id, closed)
    refetches.ask(conn, shop_id, "location", sorted(closed - still_closed))
    return taken


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
    "ledger": refetch_ledger,
}
