"""What we hold compared with what Shopify says changed. Every query names its shop."""

from collections.abc import Sequence
from datetime import datetime

from shopify_app.db.connection import Connection
from shopify_app.domain.product import InventoryLevel


def orders_behind(
    conn: Connection, shop_id: int, changed: Sequence[tuple[int, datetime]]
) -> list[int]:
    """Orders that we lack, or hold in an older version."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.id
              FROM unnest(%(ids)s::bigint[], %(stamps)s::timestamptz[]) AS c (id, updated_at)
              LEFT JOIN orders o ON o.shop_id = %(shop_id)s AND o.id = c.id
             WHERE o.id IS NULL OR (o.deleted_at IS NULL AND o.updated_at < c.updated_at)
             ORDER BY c.id
            """,
            {
                "shop_id": shop_id,
                "ids": [one[0] for one in changed],
                "stamps": [one[1] for one in changed],
            },
        )
        return [int(row[0]) for row in cur.fetchall()]


def orders_lacking_refunds(
    conn: Connection, shop_id: int, refunds: Sequence[tuple[int, int]]
) -> list[int]:
    """Orders of which we lack a refund; `refunds` are (order id, refund id)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT c.order_id
              FROM unnest(%(orders)s::bigint[], %(refunds)s::bigint[]) AS c (order_id, refund_id)
              JOIN orders o ON o.shop_id = %(shop_id)s AND o.id = c.order_id AND o.deleted_at IS NULL
              LEFT JOIN refunds r ON r.shop_id = %(shop_id)s AND r.id = c.refund_id
             WHERE r.id IS NULL
            """,
            {
                "shop_id": shop_id,
                "orders": [one[0] for one in refunds],
                "refunds": [one[1] for one in refunds],
            },
        )
        return [int(row[0]) for row in cur.fetchall()]


def products_behind(
    conn: Connection, shop_id: int, changed: Sequence[tuple[int, datetime]]
) -> list[int]:
    """Products that we lack, or hold in an older version."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.id
              FROM unnest(%(ids)s::bigint[], %(stamps)s::timestamptz[]) AS c (id, updated_at)
              LEFT JOIN products p ON p.shop_id = %(shop_id)s AND p.id = c.id
             WHERE p.id IS NULL OR (p.deleted_at IS NULL AND p.updated_at < c.updated_at)
             ORDER BY c.id
            """,
            {
                "shop_id": shop_id,
                "ids": [one[0] for one in changed],
                "stamps": [one[1] for one in changed],
            },
        )
        return [int(row[0]) for row in cur.fetchall()]


def levels_behind(
    conn: Connection, shop_id: int, levels: Sequence[InventoryLevel]
) -> list[InventoryLevel]:
    """Levels that we lack, or hold in an older version."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.n
              FROM unnest(%(items)s::bigint[], %(places)s::bigint[], %(stamps)s::timestamptz[]) WITH ORDINALITY
                       AS c (item_id, location_id, updated_at, n)
              LEFT JOIN inventory_levels l
                     ON l.shop_id = %(shop_id)s AND l.inventory_item_id = c.item_id AND l.location_id = c.location_id
             WHERE l.updated_at IS NULL OR l.updated_at < c.updated_at
            """,
            {
                "shop_id": shop_id,
                "items": [one.inventory_item_id for one in levels],
                "places": [one.location_id for one in levels],
                "stamps": [one.updated_at for one in levels],
            },
        )
        return [levels[row[0] - 1] for row in cur.fetchall()]
