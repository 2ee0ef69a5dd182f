"""Order facts for the shop's own books and for privacy requests. Every query names its shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shopify_app.db.connection import Connection, no_nested_loops, rows_as


@dataclass(frozen=True, slots=True)
class DayRow:
    """One shop-local day that had orders or refunds."""

    day: date
    orders: int
    units: int
    gross: Decimal
    discounts: Decimal
    refunds: Decimal


def by_day(
    conn: Connection, shop_id: int, *, since: date | None, until: date | None
) -> list[DayRow]:
    """Orders, units and money per day, both ends included; straight from orders, lines and refunds.

    Test and deleted orders are left out; a cancelled order counts, and so does the refund that
    took it back. Refunds stand on the day of the refund.
    """
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            WITH sales AS (
                SELECT o.processed_on AS day, count(DISTINCT o.id) AS orders, coalesce(sum(l.quantity), 0) AS units,
                       coalesce(sum(l.unit_price * l.quantity), 0) AS gross, coalesce(sum(l.discount), 0) AS discounts
                  FROM orders o LEFT JOIN order_lines l ON l.shop_id = o.shop_id AND l.order_id = o.id
                 WHERE o.shop_id = %(shop_id)s AND NOT o.is_test AND o.deleted_at IS NULL
                 GROUP BY o.processed_on
            ), given_back AS (
                SELECT r.processed_on AS day, sum(rl.subtotal) AS refunds
                  FROM refunds r
                  JOIN orders o ON o.shop_id = r.shop_id AND o.id = r.order_id
                  JOIN refund_lines rl ON rl.shop_id = r.shop_id AND rl.refund_id = r.id
                 WHERE r.shop_id = %(shop_id)s AND NOT o.is_test AND o.deleted_at IS NULL
                 GROUP BY r.processed_on
            )
            SELECT day, coalesce(s.orders, 0)::int AS orders, coalesce(s.units, 0)::int AS units,
                   coalesce(s.gross, 0) AS gross, coalesce(s.discounts, 0) AS discounts, coalesce(g.refunds, 0) AS refunds
              FROM sales s FULL JOIN given_back g USING (day)
             WHERE (%(since)s::date IS NULL OR day >= %(since)s) AND (%(until)s::date IS NULL OR day <= %(until)s)
             ORDER BY day
            """,
            {"shop_id": shop_id, "since": since, "until": until},
        )
        return rows_as(DayRow, cur)


@dataclass(frozen=True, slots=True)
class ShelfCounts:
    """What the catalogue and the shelves come to."""

    products: int
    variants: int
    variants_with_cost: int
    levels: int
    available_units: int


def shelf_counts(conn: Connection, shop_id: int) -> ShelfCounts:
    """Products, variants and stock that are not deleted."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT (SELECT count(*)::int FROM products WHERE shop_id = %(shop_id)s AND deleted_at IS NULL) AS products,
                   (SELECT count(*)::int FROM variants WHERE shop_id = %(shop_id)s AND deleted_at IS NULL) AS variants,
                   (SELECT count(*)::int
                      FROM variants v JOIN inventory_items i ON i.shop_id = v.shop_id AND i.id = v.inventory_item_id
                     WHERE v.shop_id = %(shop_id)s AND v.deleted_at IS NULL AND i.unit_cost IS NOT NULL) AS variants_with_cost,
                   count(*)::int AS levels, coalesce(sum(l.available_units), 0)::int AS available_units
              FROM inventory_levels l
             WHERE l.shop_id = %(shop_id)s AND l.is_active
               AND NOT EXISTS (SELECT FROM locations c WHERE c.shop_id = l.shop_id AND c.id = l.location_id
                                                         AND (NOT c.is_active OR c.deleted_at IS NOT NULL))
               AND EXISTS (SELECT FROM variants v WHERE v.shop_id = l.shop_id AND v.inventory_item_id = l.inventory_item_id
                                                    AND v.deleted_at IS NULL)
            """,
            {"shop_id": shop_id},
        )
        return rows_as(ShelfCounts, cur)[0]


def held(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> list[int]:
    """Which of these orders we hold facts of."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT id FROM orders WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) ORDER BY id",
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
        return [int(row[0]) for row in cur.fetchall()]


def sever(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> int:
    """Take the names off these orders, so that no list of the merchant's leads to them; how many."""
    with conn.cursor() as cur:
        cur.execute(
            "UPDATE orders SET name = NULL WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)",
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
        return cur.rowcount
