"""A shop's history becomes rows, step by step, each step resumable.

    shop -> products -> inventory -> orders -> refunds -> ledger -> sales -> decisions

products, inventory and orders are bulk operations: started, polled (a webhook shortens the wait),
then their file is streamed; the byte offset is committed with the rows before it, so a killed
worker goes on where it was. A bulk line is written whole only when its children are known, and
children follow their parent, though not always next to it: parents are held back until the
next batch is full.

ledger reads Shopify's own sales of the orders whose lines alone do not tell their money: a few by
their ids, many in bulk first. Shopify has refused that bulk query for months before: then by their ids too.

A step that cannot be done, whatever spoils it, is tried again and at last shown as failed; other shops go on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from shopify_app import clock
from shopify_app.db import (
    backfills,
    daily_sales,
    due_work,
    inventory,
    orders,
    products,
    reconciliations,
    refunded_orders,
    refunds,
    shops,
    sizes,
)
from shopify_app.db import sales as sales_db
from shopify_app.db.backfills import BackfillStep
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.domain.product import InventoryItem, InventoryLevel, Variant
from shopify_app.domain.shop import RECENT_DAYS, Shop
from shopify_app.errors import AppError, ShopifyUserError, ShopUnavailableError, TransientError
from shopify_app.shopify import (
    agreements_api,
    bulk_operations,
    catalogue_api,
    nodes,
    orders_api,
)
from shopify_app.shopify.bulk_operations import BulkOperation
from shopify_app.shopify.gid import from_gid, kind_of
from shopify_app.usecases.history import sales
from shopify_app.usecases.inbox import ledgers
from shopify_app.usecases.inbox.spoiling_errors import SPOILING, told
from shopify_app.usecases.rounds import each
from shopify_app.usecases.shops import access, install

LEASE_SECONDS: Final = 120
POLL_SECONDS: Final = 5
TRIES: Final = 8
ROWS_AT_ONCE: Final = 10_000
"""Bulk lines a transaction; about two seconds of work, and what a kill costs."""

COUNTED_AFTER_SECONDS: Final = 7 * 86_400
"""What was just read in full is counted in full a week later."""

BUSY: Final = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})

MOST_LEDGERS_BY_ID: Final = 200
"""Orders whose sales are asked for by their ids: twenty calls; of more, most come in bulk."""

NO_NODE: Final = "must return a type that implements the 'Node' interface"
"""How Shopify refuses sales in bulk."""

log = structlog.get_logger()


def step_backfills() -> int:
    """Take every shop's back-fill one step further; how many steps were worked on."""
    with sweep_transaction() as conn:
        due = backfills.due_shops(conn)
    return each(due, step_shop, of="backfills")


def step_shop(shop_id: int) -> int:
    """Work on a shop's steps until one has to wait; how many were worked on."""
    worked = 0
    while True:
        with transaction(shop_id) as conn:
            step = backfills.claim(conn, shop_id, lease_seconds=LEASE_SECONDS)
            shop = shops.by_id(conn, shop_id)
        if step is None or shop is None:
            return worked
        worked += 1
        if not _work(shop, step):
            return worked


def _work(shop: Shop, step: BackfillStep) -> bool:
    """One step as far as it goes now; True if it is done."""
    try:
        done = WORK[step.step](shop, step)
    except (AppError, *SPOILING) as error:
        tries = TRIES if not isinstance(error, ShopUnavailableError) else TRIES * 100
        with transaction(shop.shop_id) as conn:
            backfills.fail(conn, shop.shop_id, step.step, error=told(error), tries=tries)
        log.warning(
            "backfill_step_failed",
            shop_id=shop.shop_id,
            step=step.step,
            error_type=type(error).__name__,
        )
        return False
    if done:
        with transaction(shop.shop_id) as conn:
            backfills.finish(conn, shop.shop_id, step.step)
        log.info("backfill_step_done", shop_id=shop.shop_id, step=step.step)
    return done


def _shop(shop: Shop, _: BackfillStep) -> bool:
    install.refresh_shop_facts(shop.shop_id)
    found = access.with_api(shop.shop_id, catalogue_api.locations)
    with transaction(shop.shop_id) as conn:
        inventory.upsert_locations(conn, shop.shop_id, found)
    return True


def _products(shop: Shop, step: BackfillStep) -> bool:
    return _bulk(shop, step, catalogue_api.BULK_PRODUCTS, None, _write_products)


def _inventory(shop: Shop, step: BackfillStep) -> bool:
    return _bulk(shop, step, catalogue_api.BULK_INVENTORY, None, _write_inventory)


def _orders(shop: Shop, step: BackfillStep) -> bool:
    since = step.window_since
    if since is None and not shop.sees_all_orders:
        since = clock.now(shop) - timedelta(days=RECENT_DAYS)
    return _bulk(shop, step, orders_api.bulk_orders_query(since), since, _write_orders)


def _refunds(shop: Shop, step: BackfillStep) -> bool:
    """Refund lines cannot be had in bulk: orders that show refunds are asked for in batches."""
    loaded = step.rows_loaded
    while True:
        with transaction(shop.shop_id) as conn:
            waiting = refunded_orders.waiting(
                conn, shop.shop_id, limit=orders_api.LARGEST_REFUND_BATCH
            )
            left = refunded_orders.count(conn, shop.shop_id)
        if not waiting:
            return True
        found = access.with_api(
            shop.shop_id, partial(orders_api.refunds_of_orders, order_ids=waiting)
        )
        with transaction(shop.shop_id) as conn:
            days, _ = refunds.upsert_many(conn, shop.shop_id, shop.zone, found)
            daily_sales.touch(conn, shop.shop_id, days)
            refunded_orders.done(conn, shop.shop_id, waiting)
            loaded += len(waiting)
            if not backfills.note_progress(
                conn,
                shop.shop_id,
                step.step,
                loaded_bytes=0,
                rows_loaded=loaded,
                rows_expected=loaded + left - len(waiting),
                lease_seconds=LEASE_SECONDS,
            ):
                return False
        _know_sizes()


def _ledger(shop: Shop, step: BackfillStep) -> bool:
    is_new = step.bulk_operation_id is None and step.rows_loaded == 0
    with transaction(shop.shop_id) as conn:
        if is_new:
            sales_db.note_wanted(conn, shop.shop_id, None)
        wanted = sales_db.count_wanted(conn, shop.shop_id)
    if step.bulk_operation_id is not None or (is_new and wanted > MOST_LEDGERS_BY_ID):
        since = step.window_since
        if since is None and not shop.sees_all_orders:
            since = clock.now(shop) - timedelta(days=RECENT_DAYS)
        try:
            query = agreements_api.bulk_ledgers_query(since)
            if not _bulk(shop, step, query, since, _write_ledgers):
                return False
        except ShopifyUserError as error:
            if NO_NODE not in str(error):
                raise
            log.warning("bulk_of_sales_refused", shop_id=shop.shop_id)
    return _ledgers_by_id(shop, step)


def _ledgers_by_id(shop: Shop, step: BackfillStep) -> bool:
    """The rest, the newest orders first; those that Shopify does not show stay derived. False if the install is gone."""
    loaded = step.rows_loaded
    while True:
        with transaction(shop.shop_id) as conn:
            waiting = sales_db.wanted(conn, shop.shop_id, limit=agreements_api.LARGEST_BATCH)
            left = sales_db.count_wanted(conn, shop.shop_id)
        if not waiting:
            return True
        ledgers.read(shop, waiting)
        loaded += len(waiting)
        with transaction(shop.shop_id) as conn:
            sales_db.leave(conn, shop.shop_id, waiting)
            if not backfills.note_progress(
                conn,
                shop.shop_id,
                step.step,
                loaded_bytes=step.loaded_bytes,
                rows_loaded=loaded,
                rows_expected=loaded + left - len(waiting),
                lease_seconds=LEASE_SECONDS,
            ):
                return False
        _know_sizes()


def _sales(shop: Shop, _: BackfillStep) -> bool:
    with transaction(shop.shop_id) as conn:
        daily_sales.touch_all(conn, shop.shop_id)
        due_work.ask(conn, shop.shop_id, "proof")
    sales.roll_up_shop(shop.shop_id)
    return True


def _decisions(shop: Shop, _: BackfillStep) -> bool:
    with transaction(shop.shop_id) as conn:
        due_work.forget_failures(
            conn, shop.shop_id, "suggestions"
        )  # they were over another history
        due_work.ask(conn, shop.shop_id, "suggestions")
        due_work.again(conn, shop.shop_id, "full_count", in_seconds=COUNTED_AFTER_SECONDS)
    return True


WORK: Final[dict[str, Callable[[Shop, BackfillStep], bool]]] = {
    "shop": _shop,
    "products": _products,
    "inventory": _inventory,
    "orders": _orders,
    "refunds": _refunds,
    "ledger": _ledger,
    "sales": _sales,
    "decisions": _decisions,
}

Write = Callable[[Connection, Shop, "list[Family]"], None]


@dataclass(slots=True)
class Family:
    """A bulk parent with its children."""

    parent: dict[str, Any]
    children: list[dict[str, Any]]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Children whose id is of this kind."""
        return [child for child in self.children if kind_of(child["id"]) == kind]


def _bulk(shop: Shop, step: BackfillStep, query: str, since: datetime | None, write: Write) -> bool:
    """Start, await and load one bulk query; True when its file is in."""
    if step.bulk_operation_id is None:
        _start(shop, step, query, since)
        return False
    operation = access.with_api(
        shop.shop_id, lambda api: bulk_operations.bulk_operation(api, step.bulk_operation_id or 0)
    )
    if operation is None or operation.status in ("FAILED", "CANCELED", "EXPIRED"):
        with transaction(shop.shop_id) as conn:
            backfills.note_bulk_operation(
                conn, shop.shop_id, step.step, operation_id=None, window_since=since
            )
        raise TransientError(
            f"bulk operation: {operation.error_code if operation else 'unknown to Shopify'}"
        )
    if operation.status != "COMPLETED":
        with transaction(shop.shop_id) as conn:
            backfills.note_progress(
                conn,
                shop.shop_id,
                step.step,
                loaded_bytes=0,
                rows_loaded=0,
                rows_expected=operation.object_count,
                lease_seconds=LEASE_SECONDS,
            )
            backfills.wait(conn, shop.shop_id, step.step, seconds=POLL_SECONDS)
        return False
    return operation.url is None or _load(shop, step, operation, write)


def _start(shop: Shop, step: BackfillStep, query: str, since: datetime | None) -> None:
    try:
        operation_id = access.with_api(
            shop.shop_id, lambda api: bulk_operations.run_bulk_query(api, query)
        )
    except ShopifyUserError as error:
        if error.code not in BUSY:
            raise
        with transaction(shop.shop_id) as conn:
            backfills.wait(conn, shop.shop_id, step.step, seconds=30)
        return
    with transaction(shop.shop_id) as conn:
        backfills.note_bulk_operation(
            conn, shop.shop_id, step.step, operation_id=operation_id, window_since=since
        )
        backfills.wait(conn, shop.shop_id, step.step, seconds=1)


def _know_sizes() -> None:
    """After each batch: the next is planned by what there is now."""
    with sweep_transaction() as conn:
        sizes.know_sizes(conn)


def _load(shop: Shop, step: BackfillStep, operation: BulkOperation, write: Write) -> bool:
    """Stream the file into rows; False if the install it was for is gone. A short file is asked for anew."""
    url = operation.url or ""
    rows = step.rows_loaded
    for families, offset, count in batches(
        bulk_operations.result_lines(url, from_byte=step.loaded_bytes)
    ):
        rows += count
        with transaction(shop.shop_id) as conn:
            write(conn, shop, families)
            if not backfills.note_progress(
                conn,
                shop.shop_id,
                step.step,
                loaded_bytes=offset,
                rows_loaded=rows,
                rows_expected=operation.object_count,
                lease_seconds=LEASE_SECONDS,
            ):
                return False
        _know_sizes()
    if rows < operation.object_count:
        with transaction(shop.shop_id) as conn:  # reading on would find nothing more
            backfills.note_bulk_operation(
                conn, shop.shop_id, step.step, operation_id=None, window_since=step.window_since
            )
        raise TransientError(f"the file held {rows} of {operation.object_count} objects")
    return True


def batches(
    lines: Iterable[tuple[dict[str, Any], int]],
) -> Iterator[tuple[list[Family], int, int]]:
    """Families in batches: (families, offset behind them, lines in them).

    A batch ends before a parent, so a family is never split while children stand next to their
    parent; with ungrouped files a child may come later, and then asks for its parent again.
    """
    families: dict[str, Family] = {}
    homes: dict[str, Family] = {}  # of a parent or a child: a grandchild names the child
    offset = count = 0
    for line, behind in lines:
        parent_id = line.get("__parentId")
        if parent_id is None and count >= ROWS_AT_ONCE:
            yield list(families.values()), offset, count
            families, homes, count = {}, {}, 0
        if parent_id is None:
            homes[line["id"]] = families[line["id"]] = Family(line, [])
        elif parent_id in homes:
            homes[parent_id].children.append(line)
            homes[line["id"]] = homes[parent_id]
        else:
            raise TransientError("a child came apart from its parent")
        offset, count = behind, count + 1
    if families:
        yield list(families.values()), offset, count


def _write_products(conn: Connection, shop: Shop, families: list[Family]) -> None:
    found = [nodes.product(family.parent) for family in families]
    taken = products.upsert_many(conn, shop.shop_id, found)
    variants: list[Variant] = []
    items: list[InventoryItem] = []
    for family in families:
        product_id = from_gid(family.parent["id"], "Product")
        if product_id in taken:  # else we know newer of it, or that it was deleted since
            variants += [nodes.variant(child, product_id) for child in family.children]
        items += [nodes.inventory_item(child["inventoryItem"]) for child in family.children]
    listed_at = {product.id: product.updated_at for product in found}
    changed = products.upsert_variants(conn, shop.shop_id, variants, listed_at=listed_at)
    products.add_price_history(conn, shop.shop_id, changed, source="import")
    inventory.upsert_items(conn, shop.shop_id, list({item.id: item for item in items}.values()))
    reconciliations.advance(
        conn, shop.shop_id, "products", max(product.updated_at for product in found)
    )


def _write_inventory(conn: Connection, shop: Shop, families: list[Family]) -> None:
    items = [nodes.inventory_item(family.parent) for family in families]
    inventory.upsert_items(conn, shop.shop_id, items)
    levels: list[InventoryLevel] = [
        nodes.inventory_level(child, from_gid(family.parent["id"], "InventoryItem"))
        for family in families
        for child in family.children
        if kind_of(child["id"]) == "InventoryLevel"
    ]
    inventory.upsert_levels(conn, shop.shop_id, levels)
    if levels:
        reconciliations.advance(
            conn, shop.shop_id, "inventory", max(level.updated_at for level in levels)
        )


def _write_orders(conn: Connection, shop: Shop, families: list[Family]) -> None:
    found = [
        nodes.order(family.parent, family.of_kind("LineItem"), family.of_kind("ShippingLine"))
        for family in families
    ]
    orders.upsert_many(conn, shop.shop_id, shop.zone, found)
    refunded = [
        from_gid(family.parent["id"], "Order")
        for family in families
        if float(family.parent["totalRefundedSet"]["shopMoney"]["amount"]) != 0
        or _gave_back(family)
    ]
    refunded_orders.add(conn, shop.shop_id, refunded)
    reconciliations.advance(conn, shop.shop_id, "orders", max(order.updated_at for order in found))


def _write_ledgers(conn: Connection, shop: Shop, families: list[Family]) -> None:
    """Sales of the orders that need them; of others, plain orders that were once unpaid, nothing is kept."""
    found = [
        one
        for family in families
        for one in agreements_api.ledgers_of_lines([family.parent, *family.children])
    ]
    wanted = sales_db.wanted_of(conn, shop.shop_id, [one.order_id for one in found])
    ledgers.book(conn, shop, [one for one in found if one.order_id in wanted])


def _gave_back(family: Family) -> bool:
    """Units were taken back though no money was (a free replacement's refund)."""
    return any(
        child["currentQuantity"] != child["quantity"] for child in family.of_kind("LineItem")
    )
