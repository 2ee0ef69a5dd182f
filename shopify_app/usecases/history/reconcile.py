"""Webhooks get lost: what changed in Shopify since we last looked is compared and mended.

Rows go by the same road as a webhook's. The cursor is the greatest stamp seen from Shopify and
the look begins a quarter of an hour before it, because news may surface late. `healed_rows` is
normally 0: it is the only proof that webhooks work.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.db import backfills, differences, inventory, reconciliations, shops
from shopify_app.db.connection import RECONCILE_LOCK, sweep_transaction, transaction, try_shop_lock
from shopify_app.domain.product import InventoryLevel, Location
from shopify_app.domain.shop import Shop
from shopify_app.errors import AppError
from shopify_app.metrics import HEALED_ROWS
from shopify_app.shopify import catalogue_api, orders_api
from shopify_app.shopify.client import AdminApi
from shopify_app.usecases.inbox import refetch
from shopify_app.usecases.inbox.spoiling_errors import SPOILING, told
from shopify_app.usecases.rounds import each
from shopify_app.usecases.shops import access, install

LOOK_BACK: Final = timedelta(minutes=15)
FIRST_LOOK: Final = timedelta(days=2)

log = structlog.get_logger()


def reconcile_shops(*, since: datetime | None = None) -> int:
    """Compare every installed shop whose history is in; rows mended in all. `since` widens the look."""
    with sweep_transaction() as conn:
        installed = shops.every(conn, states=["installed"])
    return each(installed, lambda shop: _reconcile_ready(shop, since), of="reconcile")


def _reconcile_ready(shop: Shop, since: datetime | None) -> int:
    return sum(reconcile_shop(shop, since=since).values()) if _history_is_in(shop) else 0


def _history_is_in(shop: Shop) -> bool:
    """Whether the back-fill has ended, well or not: what is still to come must not count as lost."""
    with transaction(shop.shop_id) as conn:
        states = {step.state for step in backfills.progress(conn, shop.shop_id)}
    return "failed" in states or states <= {"done"}


def reconcile_shop(shop: Shop, *, since: datetime | None = None) -> dict[str, int]:
    """Compare one shop; rows mended by kind. `since` widens the look (after an outage)."""
    healed: dict[str, int] = {}
    for kind, compare in COMPARE.items():
        try:
            healed[kind] = _reconcile(shop, kind, compare, since)
        except (AppError, *SPOILING) as error:
            log.warning(
                "reconcile_failed", shop_id=shop.shop_id, kind=kind, error_type=type(error).__name__
            )
            with transaction(shop.shop_id) as conn:
                reconciliations.record_reconciliation(
                    conn,
                    shop.shop_id,
                    kind,
                    checked_rows=0,
                    healed_rows=0,
                    error=told(error),
                )
    return healed


def compare_shop_facts() -> int:
    """Ask every installed shop for its name, currency, time zone and scopes: news of them may have been lost; how many differed."""
    with sweep_transaction() as conn:
        installed = shops.every(conn, states=["installed"])
    return each(installed, _mend_shop_facts, of="shop_facts")


def _mend_shop_facts(shop: Shop) -> int:
    healed, failure = 0, None
    try:
        healed = _compare_shop_facts(shop)
    except (AppError, *SPOILING) as error:
        failure = told(error)
        log.warning(
            "reconcile_failed", shop_id=shop.shop_id, kind="shop", error_type=type(error).__name__
        )
    with transaction(shop.shop_id) as conn:
        reconciliations.record_reconciliation(
            conn,
            shop.shop_id,
            "shop",
            checked_rows=int(failure is None),
            healed_rows=healed,
            error=failure,
        )
    HEALED_ROWS.labels("shop").inc(healed)
    return healed


Compare = Callable[[Shop, datetime], tuple[int, int, datetime | None]]


def _reconcile(shop: Shop, kind: str, compare: Compare, since: datetime | None) -> int:
    with transaction(shop.shop_id) as conn:
        if not try_shop_lock(conn, shop.shop_id, RECONCILE_LOCK):
            return 0
        cursor = (
            reconciliations.seen_until(conn, shop.shop_id, kind) or clock.now(shop) - FIRST_LOOK
        )
    checked, healed, seen = compare(shop, since or cursor - LOOK_BACK)
    with transaction(shop.shop_id) as conn:
        if seen is not None:
            reconciliations.advance(conn, shop.shop_id, kind, seen)
        reconciliations.record_reconciliation(
            conn, shop.shop_id, kind, checked_rows=checked, healed_rows=healed, error=None
        )
    HEALED_ROWS.labels(kind).inc(healed)
    if healed:
        log.info("reconciled", shop_id=shop.shop_id, kind=kind, checked=checked, healed=healed)
    return healed


def _compare_orders(shop: Shop, since: datetime) -> tuple[int, int, datetime | None]:
    changed = access.with_api(shop.shop_id, lambda api: list(orders_api.changed_orders(api, since)))
    with transaction(shop.shop_id) as conn:
        older = differences.orders_behind(
            conn, shop.shop_id, [(order.id, order.updated_at) for order in changed]
        )
        lacking = differences.orders_lacking_refunds(
            conn, shop.shop_id, [(order.id, one) for order in changed for one in order.refund_ids]
        )
        unaware = differences.orders_not_known_as_edited(
            conn, shop.shop_id, [order.id for order in changed if order.is_edited]
        )
    behind = sorted({*older, *lacking, *unaware})
    healed = sum(refetch.refetch_order(shop, number) in refetch.ANSWERED for number in behind)
    return len(changed), healed, max((order.updated_at for order in changed), default=None)


def _compare_products(shop: Shop, since: datetime) -> tuple[int, int, datetime | None]:
    changed = access.with_api(
        shop.shop_id, lambda api: list(catalogue_api.changed_product_ids(api, since))
    )
    with transaction(shop.shop_id) as conn:
        behind = differences.products_behind(conn, shop.shop_id, changed)
    healed = sum(refetch.refetch_product(shop, number) in refetch.ANSWERED for number in behind)
    return len(changed), healed, max((at for _, at in changed), default=None)


def _compare_inventory(shop: Shop, since: datetime) -> tuple[int, int, datetime | None]:
    places, levels = access.with_api(shop.shop_id, lambda api: _changed_levels(api, since))
    with transaction(shop.shop_id) as conn:
        refetch.take_locations(conn, shop.shop_id, places)
        behind = differences.levels_behind(conn, shop.shop_id, levels)
        inventory.upsert_levels(conn, shop.shop_id, behind)
    return len(levels), len(behind), max((level.updated_at for level in levels), default=None)


def _changed_levels(api: AdminApi, since: datetime) -> tuple[list[Location], list[InventoryLevel]]:
    places = catalogue_api.locations(api)
    return places, [
        level for place in places for level in catalogue_api.changed_levels(api, place.id, since)
    ]


def _compare_shop_facts(shop: Shop) -> int:
    """1 if Shopify says something else of the shop than we knew."""
    install.refresh_shop_facts(shop.shop_id)
    with transaction(shop.shop_id) as conn:
        now = shops.by_id(conn, shop.shop_id)
    return int(now is not None and _facts(now) != _facts(shop))


def _facts(shop: Shop) -> tuple[object, ...]:
    return (
        shop.name,
        shop.currency,
        shop.timezone,
        shop.country,
        shop.plan,
        shop.taxes_included,
        sorted(shop.granted_scopes),
    )


COMPARE: Final[dict[str, Compare]] = {
    "orders": _compare_orders,
    "products": _compare_products,
    "inventory": _compare_inventory,
}
