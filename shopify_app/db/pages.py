"""What pages read besides cards. Every query names its shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from shopify_app.db.connection import (
    Connection,
    row_as,
    rows_as,
)
from shopify_app.domain.price_limits import NOT_SENT
from shopify_app.domain.product import ON_SALE
from shopify_app.domain.run import RunCounts
from shopify_app.domain.suggestion import PriceChangeState


@dataclass(frozen=True, slots=True)
class DataHealth:
    """How far the shop's data can be trusted now."""

    orders_until: datetime | None
    variants_followed: int
    variants_without_cost: int
    reconciled_at: datetime | None
    healed_rows: int


def data_health(conn: Connection, shop_id: int) -> DataHealth:
    """Freshness, coverage, and what the last comparison with Shopify had to mend."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT greatest((SELECT seen_until FROM sync_cursors WHERE shop_id = %(shop_id)s AND kind = 'orders'),
                            (SELECT max(created_at) FROM orders
                              WHERE shop_id = %(shop_id)s
                                AND processed_on = (SELECT max(processed_on) FROM orders
                                                     WHERE shop_id = %(shop_id)s))) AS orders_until,
                   v.followed AS variants_followed, v.without_cost AS variants_without_cost,
                   r.finished_at + (shop_now() - now()) AS reconciled_at, coalesce(r.healed_rows, 0) AS healed_rows
              FROM (SELECT count(*) AS followed, count(*) FILTER (WHERE i.unit_cost IS NULL) AS without_cost
                      FROM variants v
                      JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
                      LEFT JOIN inventory_items i ON (i.shop_id, i.id) = (v.shop_id, v.inventory_item_id)
                     WHERE v.shop_id = %(shop_id)s AND v.deleted_at IS NULL AND p.deleted_at IS NULL
                       AND p.status = ANY (%(on_sale)s) AND NOT p.is_gift_card) v
              LEFT JOIN (SELECT min(finished_at) AS finished_at, sum(healed_rows)::int AS healed_rows
                           FROM (SELECT DISTINCT ON (kind) finished_at, healed_rows FROM reconciliations
                                  WHERE shop_id = %(shop_id)s AND kind IN ('orders', 'products', 'inventory')
                                    AND error IS NULL AND finished_at IS NOT NULL
                                  ORDER BY kind, id DESC) newest) r ON true
            """,
            {"shop_id": shop_id, "on_sale": ON_SALE},
        )
        found = row_as(DataHealth, cur)
    return found or DataHealth(None, 0, 0, None, 0)


@dataclass(frozen=True, slots=True)
class LatestRun:
    """The newest finished run of the models; `counts` as suggestion_runs keeps it."""

    as_of: date
    finished_at: datetime
    counts: RunCounts


def latest_run(conn: Connection, shop_id: int) -> LatestRun | None:
    """The newest finished run; None before the first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT as_of, finished_at, counts FROM suggestion_runs
             WHERE shop_id = %(shop_id)s AND finished_at IS NOT NULL
             ORDER BY id DESC LIMIT 1
            """,
            {"shop_id": shop_id},
        )
        return row_as(LatestRun, cur)


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """How many decisions wait, and what waiting a week with the urgent ones costs."""

    open: int
    urgent: int
    urgent_low: Decimal
    urgent_high: Decimal


def open_counts(conn: Connection, shop_id: int) -> OpenCounts:
    """Counts over every open suggestion, not only those on a page."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT count(*) AS open, count(*) FILTER (WHERE is_urgent) AS urgent,
                   coalesce(sum(value_low) FILTER (WHERE is_urgent AND value_unit = 'margin_a_week'), 0) AS urgent_low,
                   coalesce(sum(value_high) FILTER (WHERE is_urgent AND value_unit = 'margin_a_week'), 0) AS urgent_high
              FROM suggestions
             WHERE shop_id = %(shop_id)s AND state = 'open'
            """,
            {"shop_id": shop_id},
        )
        found = row_as(OpenCounts, cur)
    return found or OpenCounts(0, 0, Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """What a merchant decided since a moment."""

    accepted: int
    dismissed: int
    undone: int


def decision_counts(conn: Connection, shop_id: int, since: datetime) -> DecisionCounts:
    """Suggestions by how they stand now, decided since a moment."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT count(*) FILTER (WHERE state = 'accepted') AS accepted,
                   count(*) FILTER (WHERE state = 'dismissed') AS dismissed,
                   count(*) FILTER (WHERE state = 'undone') AS undone
              FROM suggestions
             WHERE shop_id = %(shop_id)s AND decided_at >= %(since)s
            """,
            {"shop_id": shop_id, "since": since},
        )
        found = row_as(DecisionCounts, cur)
    return found or DecisionCounts(0, 0, 0)


TEST_WRITES_SHOWN: Final = 5
"""Of a price test, among all earlier changes: it writes every product's price with each block, and has its own page."""


@dataclass(frozen=True, slots=True)
class EarlierChange:
    """A price change that came to an end: of a suggestion or of a price test."""

    id: int
    suggestion_id: int | None
    test_id: int | None
    product_title: str
    variant_title: str
    old_price: Decimal
    new_price: Decimal
    seen_price: Decimal | None
    currency: str
    is_undo: bool
    state: PriceChangeState
    error_code: str | None
    finished_at: datetime

    @property
    def was_withdrawn(self) -> bool:
        """Whether we did not send it: a limit or the brake stood against it."""
        return self.state is PriceChangeState.FAILED and self.error_code in NOT_SENT


def earlier_changes(
    conn: Connection, shop_id: int, *, variant_id: int | None = None, limit: int = 20
) -> list[EarlierChange]:
    """Price changes that ended, the newest first; of one variant (all of them) if it is given."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.id, c.suggestion_id, c.test_id, p.title AS product_title, v.title AS variant_title, c.old_price, c.new_price,
                   c.seen_price, c.currency, c.undo_of IS NOT NULL AS is_undo, c.state, c.error_code, c.finished_at
              FROM (SELECT *, row_number() OVER (PARTITION BY test_id ORDER BY finished_at DESC, id DESC) AS of_its_test
                      FROM price_changes
                     WHERE shop_id = %(shop_id)s AND finished_at IS NOT NULL
                       AND (%(variant_id)s::bigint IS NULL OR variant_id = %(variant_id)s)) c
              JOIN variants v ON (v.shop_id, v.id) = (c.shop_id, c.variant_id)
              JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
             WHERE c.test_id IS NULL OR c.of_its_test <= %(of_a_test)s OR %(variant_id)s::bigint IS NOT NULL
             ORDER BY c.finished_at DESC, c.id DESC
             LIMIT %(limit)s
            """,
            {
                "shop_id": shop_id,
                "variant_id": variant_id,
                "of_a_test": TEST_WRITES_SHOWN,
                "limit": limit,
            },
        )
        return rows_as(EarlierChange, cur)


@dataclass(frozen=True, slots=True)
class StorePrice:
    """A variant and what it costs now, as we know the store."""

    product_id: int
    variant_id: int
    product_title: str
    variant_title: str
    image_url: str | None
    price: Decimal


def store_prices(conn: Connection, shop_id: int, product_ids: Sequence[int]) -> list[StorePrice]:
    """The variants on sale of these products, by product."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT p.id AS product_id, v.id AS variant_id, p.title AS product_title, v.title AS variant_title,
                   p.image_url, v.price
              FROM products p
              JOIN variants v ON (v.shop_id, v.product_id) = (p.shop_id, p.id)
             WHERE p.shop_id = %(shop_id)s AND p.id = ANY (%(products)s)
               AND p.deleted_at IS NULL AND v.deleted_at IS NULL
             ORDER BY p.title, p.id, v.id
            """,
            {"shop_id": shop_id, "products": list(product_ids)},
        )
        return rows_as(StorePrice, cur)


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """A line of a purchase order: draft (`exported_at` None), sent, or there (`arrived_at`)."""

    id: int
    suggestion_id: int
    product_title: str
    variant_title: str
    sku: str | None
    vendor: str
    units: int
    unit_cost: Decimal | None
    currency: str
    order_by: date
    exported_at: datetime | None
    arrived_at: datetime | None

    @property
    def cost(self) -> Decimal | None:
        """What the line costs; None without a unit cost."""
        return None if self.unit_cost is None else self.unit_cost * self.units


def purchase_lines(
    conn: Connection, shop_id: int, *, vendor: str | None = None
) -> list[PurchaseLine]:
    """Lines of orders by vendor (no vendor: ''), drafts first, then as they were sent; of one vendor if it is given.

    Sent ones are there until a week after they arrived, or half a year.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT l.id, l.suggestion_id, p.title AS product_title, v.title AS variant_title, v.sku,
                   coalesce(l.vendor, '') AS vendor, l.units, l.unit_cost, l.currency, l.order_by, l.exported_at,
                   l.arrived_at
              FROM purchase_order_lines l
              JOIN variants v ON (v.shop_id, v.id) = (l.shop_id, l.variant_id)
              JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
             WHERE l.shop_id = %(shop_id)s AND l.withdrawn_at IS NULL
               AND (l.exported_at IS NULL OR l.exported_at > shop_now() - interval '182 days')
               AND (l.arrived_at IS NULL OR l.arrived_at > shop_now() - interval '7 days')
               AND (%(vendor)s::text IS NULL OR coalesce(l.vendor, '') = %(vendor)s)
             ORDER BY coalesce(l.vendor, ''), l.exported_at NULLS FIRST, l.id
            """,
            {"shop_id": shop_id, "vendor": vendor},
        )
        return rows_as(PurchaseLine, cur)


@dataclass(frozen=True, slots=True)
class VendorRow:
    """A vendor of the catalogue beside what the merchant told us of it, if anything."""

    vendor: str
    products: int
    lead_time_days: int | None
    pack_units: int | None
    minimum_units: int | None
    order_minimum: Decimal | None
    order_minimum_in: str | None
    lead_time_is_fixed: bool


def vendors(conn: Connection, shop_id: int, *, limit: int = 100) -> list[VendorRow]:
    """Vendors with products on sale, those with most products first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT p.vendor, count(*) AS products, l.lead_time_days, l.pack_units, l.minimum_units,
                   l.order_minimum, l.order_minimum_in, coalesce(l.lead_time_is_fixed, false) AS lead_time_is_fixed
              FROM products p
              LEFT JOIN vendor_lead_times l ON (l.shop_id, l.vendor) = (p.shop_id, p.vendor)
             WHERE p.shop_id = %(shop_id)s AND p.deleted_at IS NULL AND p.vendor <> ''
             GROUP BY p.vendor, l.lead_time_days, l.pack_units, l.minimum_units, l.order_minimum, l.order_minimum_in,
                      l.lead_time_is_fixed
             ORDER BY products DESC, p.vendor
             LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "limit": limit},
        )
        return rows_as(VendorRow, cur)


@dataclass(frozen=True, slots=True)
class IdleStock:
    """Stock that would last longer than the merchant can want."""

    product_title: str
    variant_title: str
    image_url: str | None
    available_units: int
    sold_units_90_days: int
    tied_up: Decimal


def idle_stock(conn: Connection, shop_id: int, today: date, *, limit: int = 5) -> list[IdleStock]:
    """Variants whose stock exceeds what 180 days sell at the pace of the last 90, dearest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            WITH sold AS (
                SELECT variant_id, sum(ordered_units) AS units
                  FROM daily_sales
                 WHERE shop_id = %(shop_id)s AND sold_on > %(today)s::date - 90
                 GROUP BY variant_id),
            stock AS (
                SELECT inventory_item_id, sum(available_units) AS units
                  FROM inventory_levels l
                 WHERE shop_id = %(shop_id)s AND is_active
                   AND NOT EXISTS (SELECT FROM locations c WHERE c.shop_id = l.shop_id AND c.id = l.location_id
                                                             AND (NOT c.is_active OR c.deleted_at IS NOT NULL))
                 GROUP BY inventory_item_id)
            SELECT p.title AS product_title, v.title AS variant_title, p.image_url, stock.units AS available_units,
                   coalesce(sold.units, 0) AS sold_units_90_days, stock.units * i.unit_cost AS tied_up
              FROM variants v
              JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
              JOIN inventory_items i ON (i.shop_id, i.id) = (v.shop_id, v.inventory_item_id)
              JOIN stock ON stock.inventory_item_id = i.id
              LEFT JOIN sold ON sold.variant_id = v.id
             WHERE v.shop_id = %(shop_id)s AND v.deleted_at IS NULL AND p.deleted_at IS NULL
               AND i.is_tracked AND i.unit_cost > 0 AND v.created_at < %(today)s::date - 90
               AND stock.units > 2 * coalesce(sold.units, 0) AND stock.units > 0
             ORDER BY tied_up DESC, v.id
             LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "today": today, "limit": limit},
        )
        return rows_as(IdleStock, cur)
