"""Order facts for the shop's own books and for privacy requests. Every query names its shop."""

from collections.abc import Sequence
from dataclasses import dataclass

from shopify_app.db.connection import Connection, rows_as


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
                   count(*)::int AS levels, coalesce(sum(l.available_units), 0)::bigint AS available_units
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
