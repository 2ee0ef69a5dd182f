"""What prices under change put at stake (tables `daily_sales`, `registrations`, `price_changes`). Every query names its shop."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from shopify_app.db.connection import Connection, one_value


def sales_of(conn: Connection, shop_id: int, variant_ids: Sequence[int], since: date) -> Decimal:
    """Sales of some variants since a day."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(sum(revenue), 0) FROM daily_sales
             WHERE shop_id = %(shop_id)s AND sold_on >= %(since)s AND variant_id = ANY (%(ids)s)
            """,
            {"shop_id": shop_id, "since": since, "ids": list(variant_ids)},
        )
        return Decimal(one_value(cur))


def all_sales(conn: Connection, shop_id: int, since: date) -> Decimal:
    """Sales of the whole shop since a day."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(sum(revenue), 0) FROM daily_sales
             WHERE shop_id = %(shop_id)s AND sold_on >= %(since)s
            """,
            {"shop_id": shop_id, "since": since},
        )
        return Decimal(one_value(cur))


def variants_under_change(conn: Connection, shop_id: int) -> list[int]:
    """Variants whose new price is being measured, or waits to be written."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id FROM registrations
             WHERE shop_id = %(shop_id)s AND state = 'measuring' AND NOT is_held_back AND ended_on IS NULL
             UNION
            SELECT variant_id FROM price_changes
             WHERE shop_id = %(shop_id)s AND state IN ('approved', 'sending')
             ORDER BY 1
            """,
            {"shop_id": shop_id},
        )
        return [int(row[0]) for row in cur.fetchall()]


def variants_being_written(conn: Connection, shop_id: int) -> list[int]:
    """Variants of which a write is under way or planned: a second one is refused."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id FROM price_changes
             WHERE shop_id = %(shop_id)s AND state IN ('approved', 'sending')
             ORDER BY 1
            """,
            {"shop_id": shop_id},
        )
        return [int(row[0]) for row in cur.fetchall()]
