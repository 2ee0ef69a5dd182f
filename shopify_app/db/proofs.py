"""How the books agree with Shopify's own totals (table `proofs`). Every query names its shop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg2.extras import Json

from shopify_app.db.connection import Connection, no_nested_loops, rows_as


@dataclass(frozen=True, slots=True)
class ProvedOrder:
    """An order whose books do not agree with what Shopify says of it: (ours, theirs) of each total, None where nothing is told."""

    id: int
    name: str | None
    is_exact: bool
    """Shopify's own sales, not derived."""
    is_wanted: bool
    """They are still to be read."""
    is_settled: bool
    """They were read after the order's newest news: nothing that is to come can make it agree."""
    original: Decimal
    original_told: Decimal | None
    current: Decimal
    current_told: Decimal | None
    discrepancy: Decimal
    discrepancy_told: Decimal | None
    units_agree: bool


@dataclass(frozen=True, slots=True)
class ProvedDay:
    """A day in one currency whose parts do not add up to its total."""

    day: date
    currency: str
    parts: Decimal
    total: Decimal


def orders_proved(conn: Connection, shop_id: int) -> tuple[int, int, int]:
    """(orders of which Shopify told a total, of them with its own sales, of them still to be read)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE ledger_as_of IS NOT NULL), count(*) FILTER (WHERE ledger_wanted)
              FROM orders
             WHERE shop_id = %(shop_id)s AND NOT is_test AND deleted_at IS NULL AND current_total IS NOT NULL
            """,
            {"shop_id": shop_id},
        )
        found = cur.fetchone() or (0, 0, 0)
        return int(found[0]), int(found[1]), int(found[2])


def orders_unlike(conn: Connection, shop_id: int) -> list[ProvedOrder]:
    """Orders of which a total, or the units of a line, is not what Shopify says, the newest first; those that it told a total of.

    What was ordered is Shopify's original total; all but adjustments its current one; the adjustments are the
    discrepancy of its refunds; the units of each line are those that it still holds.
    """
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            WITH booked AS (
                SELECT b.order_id, b.line_item_id, bool_or(b.is_exact) AS is_exact,
                       sum(b.total) FILTER (WHERE b.reason = 'ORDER' AND b.action = 'ORDER') AS original,
                       sum(b.total) FILTER (WHERE b.line_type <> 'ADJUSTMENT') AS current,
                       sum(b.total) FILTER (WHERE b.line_type = 'ADJUSTMENT') AS discrepancy,
                       sum(b.quantity) FILTER (WHERE b.line_type = 'PRODUCT') AS units
                  FROM book_sales(%(shop_id)s, NULL) b
                 GROUP BY b.order_id, b.line_item_id
            ), of_order AS (
                SELECT b.order_id, bool_or(b.is_exact) AS is_exact, coalesce(sum(b.original), 0) AS original,
                       coalesce(sum(b.current), 0) AS current, coalesce(sum(b.discrepancy), 0) AS discrepancy,
                       bool_and(l.id IS NULL OR b.units IS NULL OR l.current_quantity = b.units) AS units_agree
                  FROM booked b
                  LEFT JOIN order_lines l ON l.shop_id = %(shop_id)s AND l.order_id = b.order_id AND l.id = b.line_item_id
                 GROUP BY b.order_id
            ), proved AS (
                SELECT o.id, o.name, o.ledger_as_of IS NOT NULL AS is_exact, o.ledger_wanted AS is_wanted,
                       coalesce(o.ledger_as_of >= o.updated_at, false) AS is_settled,
                       coalesce(b.original, 0) AS original,
                       CASE WHEN o.ledger_as_of IS NOT NULL THEN o.original_total
                            WHEN NOT o.is_edited THEN o.total_price END AS original_told,
                       coalesce(b.current, 0) AS current, o.current_total AS current_told,
                       coalesce(b.discrepancy, 0) AS discrepancy,
                       CASE WHEN o.ledger_as_of IS NOT NULL THEN o.refund_discrepancy END AS discrepancy_told,
                       coalesce(b.units_agree, true) AS units_agree
                  FROM orders o LEFT JOIN of_order b ON b.order_id = o.id
                 WHERE o.shop_id = %(shop_id)s AND NOT o.is_test AND o.deleted_at IS NULL AND o.current_total IS NOT NULL
            )
            SELECT * FROM proved
             WHERE original <> coalesce(original_told, original) OR current <> coalesce(current_told, current)
                OR discrepancy <> coalesce(discrepancy_told, discrepancy) OR NOT units_agree
             ORDER BY id DESC
            """,
            {"shop_id": shop_id},
        )
        return rows_as(ProvedOrder, cur)


def days_unlike(conn: Connection, shop_id: int) -> list[ProvedDay]:
    """Days whose parts (net sales, shipping, duties, fees, taxes, what we do not know) are not their total, and those with unknown kinds."""
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            WITH days AS (
                SELECT happened_on AS day, currency,
                       coalesce(sum(total - tax) FILTER (
                           WHERE line_type IN ('PRODUCT', 'ADJUSTMENT', 'SHIPPING', 'DUTY', 'FEE', 'ADDITIONAL_FEE') AND action <> 'UNKNOWN'), 0)
                       + coalesce(sum(tax) FILTER (WHERE line_type NOT IN ('TIP', 'GIFT_CARD')), 0) AS parts,
                       coalesce(sum(total) FILTER (WHERE line_type NOT IN ('TIP', 'GIFT_CARD')), 0) AS total
                  FROM book_sales(%(shop_id)s, NULL)
                 GROUP BY happened_on, currency
            )
            SELECT * FROM days WHERE parts <> total ORDER BY day DESC, currency
            """,
            {"shop_id": shop_id},
        )
        return rows_as(ProvedDay, cur)


def keep(conn: Connection, shop_id: int, found: Mapping[str, Any]) -> None:
    """Keep what a proof found, in place of the one before."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO proofs (shop_id, proved_at, found) VALUES (%(shop_id)s, clock_timestamp() + (shop_now() - now()), %(found)s)
                ON CONFLICT (shop_id) DO UPDATE SET proved_at = excluded.proved_at, found = excluded.found
            """,
            {"shop_id": shop_id, "found": Json(dict(found))},
        )


def newest(conn: Connection, shop_id: int) -> tuple[datetime, dict[str, Any], int] | None:
    """(when, what it found, sale rows that came back otherwise so far) of the last proof; None before the first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT proved_at, found, sales_changed FROM proofs WHERE shop_id = %(shop_id)s AND proved_at IS NOT NULL
            """,
            {"shop_id": shop_id},
        )
        return cur.fetchone()
