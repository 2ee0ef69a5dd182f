"""What prices under change put at stake (tables `daily_sales`, `tax_rates`, `registrations`, `price_changes`). Every query names its shop."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from shopify_app.db import tested_prices
from shopify_app.db.connection import Connection, no_nested_loops, one_value


def sales_of(conn: Connection, shop_id: int, variant_ids: Sequence[int], since: date) -> Decimal:
    """Sales of some variants since a day, before tax."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(sum(d.revenue / (1 + coalesce(t.tax_rate, 0))), 0)
              FROM daily_sales d LEFT JOIN tax_rates t ON (t.shop_id, t.variant_id) = (d.shop_id, d.variant_id)
             WHERE d.shop_id = %(shop_id)s AND d.sold_on >= %(since)s AND d.variant_id = ANY (%(ids)s)
            """,
            {"shop_id": shop_id, "since": since, "ids": list(variant_ids)},
        )
        return Decimal(one_value(cur))


def sales_by_product(conn: Connection, shop_id: int, since: date) -> dict[int, Decimal]:
    """Sales of each product on sale since a day, before tax; without those that sold nothing."""
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            SELECT v.product_id, sum(d.revenue / (1 + coalesce(t.tax_rate, 0))) FROM daily_sales d
              JOIN variants v ON (v.shop_id, v.id) = (d.shop_id, d.variant_id)
              LEFT JOIN tax_rates t ON (t.shop_id, t.variant_id) = (d.shop_id, d.variant_id)
             WHERE d.shop_id = %(shop_id)s AND d.sold_on >= %(since)s
             GROUP BY v.product_id
            """,
            {"shop_id": shop_id, "since": since},
        )
        return {int(row[0]): Decimal(row[1]) for row in cur.fetchall()}


def all_sales(conn: Connection, shop_id: int, since: date) -> Decimal:
    """Sales of the whole shop since a day, before tax."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(sum(d.revenue / (1 + coalesce(t.tax_rate, 0))), 0)
              FROM daily_sales d LEFT JOIN tax_rates t ON (t.shop_id, t.variant_id) = (d.shop_id, d.variant_id)
             WHERE d.shop_id = %(shop_id)s AND d.sold_on >= %(since)s
            """,
            {"shop_id": shop_id, "since": since},
        )
        return Decimal(one_value(cur))


def variants_under_change(conn: Connection, shop_id: int) -> list[int]:
    """Variants whose new price is being measured, waits to be written, or is under a price test."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id FROM registrations
             WHERE shop_id = %(shop_id)s AND state = 'measuring' AND NOT is_held_back AND ended_on IS NULL
             UNION
            SELECT variant_id FROM price_changes
             WHERE shop_id = %(shop_id)s AND state IN ('approved', 'sending')
            """,
            {"shop_id": shop_id},
        )
        changing = {int(row[0]) for row in cur.fetchall()}
    return sorted(changing | tested_prices.variants_under_test(conn, shop_id))


def variants_being_written(conn: Connection, shop_id: int) -> list[int]:
    """Variants of which a write is under way or planned, or a price test sets the price: another is refused."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id FROM price_changes
             WHERE shop_id = %(shop_id)s AND state IN ('approved', 'sending')
            """,
            {"shop_id": shop_id},
        )
        changing = {int(row[0]) for row in cur.fetchall()}
    return sorted(changing | tested_prices.variants_under_test(conn, shop_id))


def waiting_worst(conn: Connection, shop_id: int) -> Decimal:
    """What accepted prices that are not written yet may lose a month at the low end (>= 0)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(sum(greatest(-s.value_low, 0)), 0)
              FROM price_changes c
              JOIN suggestions s ON (s.shop_id, s.id) = (c.shop_id, c.suggestion_id)
             WHERE c.shop_id = %(shop_id)s AND c.undo_of IS NULL AND c.state IN ('approved', 'sending')
               AND NOT EXISTS (SELECT 1 FROM registrations r
                                WHERE r.shop_id = c.shop_id AND r.suggestion_id = c.suggestion_id)
            """,
            {"shop_id": shop_id},
        )
        return Decimal(one_value(cur))
