"""Once a week everything Shopify has is counted: what no news and no look at late changes would ever tell is mended.

    asked for --> products --> inventory (with locations) --> orders --> result kept; due again in a week

Each step is one bulk query: started, looked at until it is done, its file read in one go. A file that breaks off is read anew:
it does no harm twice. What differs is mended by the road of a webhook. Buried is only what a whole list, one that Shopify
calls complete and of which all objects were read, does not name, of which we know nothing from the moment the query began on,
and which Shopify does not show when asked for it by its id, under the scopes of then. Orders are buried only where all are visible:
the list itself must reach back past the 60 days.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.db import (
    backfills,
    daily_sales,
    differences,
    due_work,
    full_counts,
    inventory,
    orders,
    products,
    reconciliations,
    refetches,
    shops,
)
from shopify_app.db.connection import Connection, transaction
from shopify_app.db.full_counts import STEPS, FullCount, Tally
from shopify_app.domain.product import InventoryLevel
from shopify_app.domain.shop import RECENT_DAYS, Shop
from shopify_app.errors import AppError, NotFoundError, ShopifyUserError, TransientError
from shopify_app.metrics import HEALED_ROWS
from shopify_app.shopify import bulk_operations, catalogue_api, nodes, orders_api, shop_api
from shopify_app.shopify.bulk_operations import BulkOperation
from shopify_app.shopify.gid import from_gid, kind_of
from shopify_app.shopify.orders_api import ChangedOrder
from shopify_app.usecases.history.backfill import BUSY, Family, batches
from shopify_app.usecases.inbox import ingest_together, refetch
from shopify_app.usecases.inbox.ingest_together import ProductNews
from shopify_app.usecases.inbox.spoiling_errors import SPOILING, told
from shopify_app.usecases.shops import access

WHAT: Final = "full_count"
EVERY_SECONDS: Final = 7 * 86_400
POLL_SECONDS: Final = 5
BUSY_SECONDS: Final = 60
HISTORY_SECONDS: Final = 3_600
"""Before a shop is looked at again whose history is still being read."""

MOST_ASKED_AT_ONCE: Final = 500
"""Orders that are asked for one by one within the count; the rest are left to the refetches."""

log = structlog.get_logger()


def count_shop(shop_id: int) -> None:
    """Take a shop's count as far as it goes now; it sets its own next time.

    Raises
    ------
    AppError
        What stood in the way, kept with the shop's comparisons: the count goes on when it is tried again.
    """
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        if shop is None:
            raise NotFoundError(f"shop {shop_id}")
        if any(step.state != "done" for step in backfills.progress(conn, shop_id)):
            due_work.again(conn, shop_id, WHAT, in_seconds=HISTORY_SECONDS)
            return
        count = full_counts.under_way(conn, shop_id)
        if count is None or count.install_epoch != shop.install_epoch:
            full_counts.begin(conn, shop_id, install_epoch=shop.install_epoch)
    try:
        wait_seconds = _go_on(shop)
    except (AppError, *SPOILING) as error:
        with transaction(shop_id) as conn:
            full_counts.note_operation(conn, shop_id, None)
            reconciliations.record_reconciliation(
                conn, shop_id, WHAT, checked_rows=0, healed_rows=0, error=told(error)
            )
        raise
    with transaction(shop_id) as conn:
        due_work.again(conn, shop_id, WHAT, in_seconds=wait_seconds)


def _go_on(shop: Shop) -> float:
    """Work on the steps until one has to wait or all are done; seconds until there is more to do."""
    while True:
        with transaction(shop.shop_id) as conn:
            count = full_counts.under_way(conn, shop.shop_id)
        if count is None:
            return EVERY_SECONDS
        operation = _operation(shop, count)
        if not isinstance(operation, BulkOperation):
            return operation
        found = COUNT[count.step](shop, operation)
        with transaction(shop.shop_id) as conn:
            _step_done(conn, shop, count, found)


def _operation(shop: Shop, count: FullCount) -> BulkOperation | float:
    """The step's finished operation, or the seconds after which to look again."""
    if count.bulk_operation_id is None:
        try:
            started = access.with_api(
                shop.shop_id, lambda api: bulk_operations.run_bulk_query(api, QUERIES[count.step])
            )
        except ShopifyUserError as error:
            if error.code not in BUSY:
                raise
            return BUSY_SECONDS
        with transaction(shop.shop_id) as conn:
            full_counts.note_operation(conn, shop.shop_id, started)
        return 1
    number = count.bulk_operation_id
    operation = access.with_api(
        shop.shop_id, lambda api: bulk_operations.bulk_operation(api, number)
    )
    if operation is None or operation.status in ("FAILED", "CANCELED", "EXPIRED"):
        raise TransientError(
            f"bulk operation: {operation.error_code if operation else 'unknown to Shopify'}"
        )
    return operation if operation.status == "COMPLETED" else POLL_SECONDS


def _step_done(conn: Connection, shop: Shop, count: FullCount, found: Tally) -> None:
    following = STEPS[STEPS.index(count.step) + 1 :]
    if following:
        full_counts.go_on(conn, shop.shop_id, following[0], found)
        return
    whole = found + Tally(count.checked_rows, count.healed_rows, count.buried_rows, count.left_rows)
    full_counts.end(conn, shop.shop_id)
    reconciliations.record_reconciliation(
        conn,
        shop.shop_id,
        WHAT,
        checked_rows=whole.checked,
        healed_rows=whole.healed,
        buried_rows=whole.buried,
        left_rows=whole.left,
        error=None,
    )
    due_work.ask(conn, shop.shop_id, "suggestions")
    HEALED_ROWS.labels(WHAT).inc(whole.healed + whole.buried)
    log.info("fully_counted", shop_id=shop.shop_id, tally=_as_fields(whole))


def _as_fields(tally: Tally) -> dict[str, int]:
    return {
        "checked": tally.checked,
        "healed": tally.healed,
        "buried": tally.buried,
        "left": tally.left,
    }


def _families(operation: BulkOperation) -> Iterator[list[Family]]:
    """All objects of a file in batches.

    Raises
    ------
    TransientError
        At the end, if it held fewer than Shopify counted: nothing may be concluded from what it left out.
    """
    read = 0
    if operation.url is not None:
        for families, _, count in batches(bulk_operations.result_lines(operation.url)):
            read += count
            yield families
    if read < operation.object_count:
        raise TransientError(f"the file held {read} of {operation.object_count} objects")


# Products and their variants.


def _count_products(shop: Shop, operation: BulkOperation) -> Tally:
    found, listed, variants = Tally(), set[int](), set[int]()
    for families in _families(operation):
        news = [_news_of(family) for family in families]
        found += _mend_products(shop, news, operation.created_at)
        listed |= {one.product.id for one in news}
        variants |= {variant.id for one in news for variant in one.variants}
    at = operation.created_at
    with transaction(shop.shop_id) as conn:
        gone = full_counts.unlisted_products(conn, shop.shop_id, listed, before=at)
    found += _bury(shop, "Product", gone, partial(_bury_products, at=at))
    with transaction(shop.shop_id) as conn:  # of the products that are there
        gone = full_counts.unlisted_variants(conn, shop.shop_id, variants, before=at)
    return found + _bury(shop, "ProductVariant", gone, partial(_bury_variants, at=at))


def _news_of(family: Family) -> ProductNews:
    product = nodes.product(family.parent)
    return ProductNews(
        product,
        [nodes.variant(child, product.id) for child in family.children],
        is_whole=True,
        tracked={},
    )


def _mend_products(shop: Shop, news: Sequence[ProductNews], counted_at: datetime) -> Tally:
    """Newer versions are taken; what differs under one stamp, or is taken for deleted, is asked for."""
    with transaction(shop.shop_id) as conn:
        held = differences.held_products(conn, shop.shop_id, [one.product.id for one in news])
        behind, same, buried = [], [], []
        for one in news:
            stamp, deleted_at = held.get(one.product.id, (None, None))
            if deleted_at is not None and deleted_at >= one.product.updated_at:
                buried.append(one.product.id)
            elif stamp is None or stamp < one.product.updated_at:
                behind.append(one)
            elif stamp == one.product.updated_at:
                same.append((one.product, one.variants, True))
        ingest_together.write_products(conn, shop, behind)
        unclear = differences.products_unlike(conn, shop.shop_id, same)
    revived = _revived(shop, "Product", buried)
    asked = sorted({*unclear, *revived})
    named = [v.id for one in news if one.product.id in asked for v in one.variants]
    with transaction(shop.shop_id) as conn:
        full_counts.lift(conn, shop.shop_id, revived, named, before=counted_at)
    answered = sum(refetch.refetch_product(shop, one) in refetch.ANSWERED for one in asked)
    rows = len(news) + sum(len(one.variants) for one in news)
    return Tally(rows, len(behind) + answered, 0, len(asked) - answered)


def _revived(shop: Shop, kind: str, buried: Sequence[int]) -> list[int]:
    """Of what we take for deleted and the list names, what Shopify also shows when asked for it."""
    if not buried:
        return []
    return sorted(access.with_api(shop.shop_id, lambda api: catalogue_api.shown(api, kind, buried)))


def _bury_products(conn: Connection, shop: Shop, ids: Sequence[int], *, at: datetime) -> int:
    return sum(products.bury(conn, shop.shop_id, one, at=at) for one in ids)


def _bury_variants(conn: Connection, shop: Shop, ids: Sequence[int], *, at: datetime) -> int:
    return products.bury_variants(conn, shop.shop_id, ids, at=at)


Bury = Callable[[Connection, Shop, Sequence[int]], int]


def _bury(shop: Shop, kind: str, missing: Sequence[int], bury: Bury) -> Tally:
    """Bury what the whole list left out and Shopify does not show by its id either; what it does show stays, and is said."""
    if not missing:
        return Tally()
    shown = access.with_api(shop.shop_id, lambda api: catalogue_api.shown(api, kind, missing))
    scopes = access.with_api(shop.shop_id, shop_api.granted_scopes)
    if not set(shop.granted_scopes) <= set(scopes):
        raise TransientError("scopes were taken away during the count")
    with transaction(shop.shop_id) as conn:
        buried = bury(conn, shop, [one for one in missing if one not in shown])
    if shown:
        log.warning("count_left_out", shop_id=shop.shop_id, kind=kind, count=len(shown))
    return Tally(0, 0, buried, len(shown))


# Inventory items, locations and levels.


def _count_inventory(shop: Shop, operation: BulkOperation) -> Tally:
    at = operation.created_at
    found = _count_locations(shop, at)
    listed: set[int] = set()
    for families in _families(operation):
        found += _mend_items(shop, families, at)
        listed |= {from_gid(family.parent["id"], "InventoryItem") for family in families}
    with transaction(shop.shop_id) as conn:
        gone = full_counts.unlisted_items(conn, shop.shop_id, listed, before=at)
    return found + _bury(shop, "InventoryItem", gone, partial(_bury_items, at=at))


def _count_locations(shop: Shop, at: datetime) -> Tally:
    places = access.with_api(shop.shop_id, catalogue_api.locations)
    with transaction(shop.shop_id) as conn:
        unlike = differences.locations_unlike(conn, shop.shop_id, places)
        refetch.take_locations(conn, shop.shop_id, unlike)
        gone = full_counts.unlisted_locations(
            conn, shop.shop_id, [place.id for place in places], before=at
        )
    found = Tally(len(places), len(unlike), 0, 0)
    return found + _bury(shop, "Location", gone, partial(_bury_locations, at=at))


def _mend_items(shop: Shop, families: Sequence[Family], at: datetime) -> Tally:
    items = [nodes.inventory_item(family.parent) for family in families]
    levels = [level for family in families for level in _levels_of(family)]
    with transaction(shop.shop_id) as conn:
        behind, unclear, buried = differences.items_unlike(conn, shop.shop_id, items)
        inventory.upsert_items(conn, shop.shop_id, behind)
        unlike = differences.levels_behind(conn, shop.shop_id, levels)
        inventory.upsert_levels(conn, shop.shop_id, unlike)
        taken_off = full_counts.take_off_unlisted_levels(
            conn,
            shop.shop_id,
            [item.id for item in items],
            {level.key for level in levels},
            before=at,
        )
    revived = _revived(shop, "InventoryItem", buried)
    with transaction(shop.shop_id) as conn:
        full_counts.lift_items(conn, shop.shop_id, revived, before=at)
    asked = sorted({*unclear, *revived})
    answered = sum(refetch.refetch_item(shop, one) in refetch.ANSWERED for one in asked)
    healed = len(behind) + len(unlike) + taken_off + answered
    return Tally(len(items) + len(levels), healed, 0, len(asked) - answered)


def _levels_of(family: Family) -> list[InventoryLevel]:
    item_id = from_gid(family.parent["id"], "InventoryItem")
    return [
        nodes.inventory_level(child, item_id)
        for child in family.children
        if kind_of(child["id"]) == "InventoryLevel"
    ]


def _bury_items(conn: Connection, shop: Shop, ids: Sequence[int], *, at: datetime) -> int:
    return sum(inventory.bury_item(conn, shop.shop_id, one, at=at) for one in ids)


def _bury_locations(conn: Connection, shop: Shop, ids: Sequence[int], *, at: datetime) -> int:
    return sum(inventory.bury_location(conn, shop.shop_id, one, at=at) for one in ids)


# Orders.


@dataclass(slots=True)
class _Orders:
    """What a list of orders told."""

    listed: set[int] = field(default_factory=set)
    behind: set[int] = field(default_factory=set)
    oldest_at: datetime | None = None


def _count_orders(shop: Shop, operation: BulkOperation) -> Tally:
    found = _Orders()
    for families in _families(operation):
        _compare_orders(shop, families, found)
    healed, left = _mend_orders(shop, sorted(found.behind))
    tally = Tally(len(found.listed), healed, 0, left)
    at = operation.created_at
    with transaction(shop.shop_id) as conn:
        if not _sees_back(shop, found.oldest_at, full_counts.oldest_order(conn, shop.shop_id)):
            return tally
        gone = full_counts.unlisted_orders(conn, shop.shop_id, found.listed, before=at)
    return tally + _bury(shop, "Order", gone, partial(_bury_orders, at=at))


def _compare_orders(shop: Shop, families: Sequence[Family], found: _Orders) -> None:
    versions: list[ChangedOrder] = [orders_api.order_version(one.parent) for one in families]
    placed = [datetime.fromisoformat(one.parent["createdAt"]) for one in families]
    found.listed |= {one.id for one in versions}
    found.oldest_at = min([*placed, *([found.oldest_at] if found.oldest_at else [])])
    with transaction(shop.shop_id) as conn:
        found.behind |= {
            *differences.orders_behind(
                conn, shop.shop_id, [(one.id, one.updated_at) for one in versions]
            ),
            *differences.orders_not_known_as_edited(
                conn, shop.shop_id, [one.id for one in versions if one.is_edited]
            ),
            *differences.orders_lacking_refunds(
                conn,
                shop.shop_id,
                [(one.id, refund) for one in versions for refund in one.refund_ids],
            ),
        }


def _mend_orders(shop: Shop, behind: Sequence[int]) -> tuple[int, int]:
    """(mended, left); those that are too many for now are asked for by and by: neither yet."""
    now, later = behind[:MOST_ASKED_AT_ONCE], behind[MOST_ASKED_AT_ONCE:]
    with transaction(shop.shop_id) as conn:
        refetches.ask(conn, shop.shop_id, "order", later)
    answered = sum(refetch.refetch_order(shop, one) in refetch.ANSWERED for one in now)
    return answered, len(now) - answered


def _sees_back(shop: Shop, listed_from: datetime | None, held_from: datetime | None) -> bool:
    """Whether Shopify showed us orders of any age, by the scope and by its own list."""
    if not shop.sees_all_orders or listed_from is None or held_from is None:
        return False
    window = clock.now(shop) - timedelta(days=RECENT_DAYS)
    return listed_from < window or held_from >= window


def _bury_orders(conn: Connection, shop: Shop, ids: Sequence[int], *, at: datetime) -> int:
    days = [orders.bury(conn, shop.shop_id, one, at=at) for one in ids]
    daily_sales.touch(conn, shop.shop_id, {day for some in days for day in some})
    return sum(1 for some in days if some)


QUERIES: Final = {
    "products": catalogue_api.BULK_PRODUCTS,
    "inventory": catalogue_api.BULK_INVENTORY,
    "orders": orders_api.BULK_ORDER_VERSIONS,
}
COUNT: Final[dict[str, Callable[[Shop, BulkOperation], Tally]]] = {
    "products": _count_products,
    "inventory": _count_inventory,
    "orders": _count_orders,
}
