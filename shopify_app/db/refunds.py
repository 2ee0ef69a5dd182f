"""Refunds and their lines (tables `refunds`, `refund_lines`). Every query names its shop.

A refund is booked on the shop's day of the refund; the sale's own day is touched too, because
`daily_sales` books what came back on the day it was sold. A refund may come before its order, or
without it (Shopify does not show old orders): it is kept, and counts in the books by what it says itself.
"""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection
from shopify_app.domain.order import Refund


def upsert_many(
    conn: Connection, shop_id: int, zone: ZoneInfo, refunds: Sequence[Refund]
) -> tuple[set[date], set[int]]:
    """Apply refunds; (the days of their sales, orders among theirs that we do not hold yet)."""
    sold_on = _sold_on(conn, shop_id, {refund.order_id for refund in refunds})
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO refunds AS r (shop_id, id, order_id, processed_at, processed_on, adjustment, adjustment_tax,
                                      shipping, shipping_tax) VALUES %s
                ON CONFLICT (shop_id, id) DO UPDATE
               SET processed_at = excluded.processed_at, processed_on = excluded.processed_on,
                   adjustment = coalesce(excluded.adjustment, r.adjustment),
                   adjustment_tax = coalesce(excluded.adjustment_tax, r.adjustment_tax),
                   shipping = coalesce(excluded.shipping, r.shipping), shipping_tax = coalesce(excluded.shipping_tax, r.shipping_tax)
            """,
            [
                (
                    shop_id,
                    r.id,
                    r.order_id,
                    r.processed_at,
                    r.processed_at.astimezone(zone).date(),
                    r.adjustment,
                    r.adjustment_tax,
                    r.shipping,
                    r.shipping_tax,
                )
                for r in refunds
            ],
        )
        cur.execute(
            """
            DELETE FROM refund_lines
             WHERE shop_id = %(shop_id)s AND refund_id = ANY (%(refunds)s) AND NOT id = ANY (%(lines)s)
            """,
            {
                "shop_id": shop_id,
                "refunds": [r.id for r in refunds],
                "lines": [line.id for r in refunds for line in r.lines],
            },
        )
        execute_values(
            cur,
            """
            INSERT INTO refund_lines (shop_id, refund_id, id, order_line_id, quantity, restock_type, subtotal, tax) VALUES %s
                ON CONFLICT (shop_id, refund_id, id) DO UPDATE
               SET quantity = excluded.quantity, restock_type = excluded.restock_type,
                   subtotal = excluded.subtotal, tax = excluded.tax
            """,
            [
                (
                    shop_id,
                    r.id,
                    line.id,
                    line.order_line_id,
                    line.quantity,
                    line.restock_type,
                    line.subtotal,
                    line.tax,
                )
                for r in refunds
                for line in {line.id: line for line in r.lines}.values()
            ],
        )
    return set(sold_on.values()), {r.order_id for r in refunds} - set(sold_on)


def _sold_on(conn: Connection, shop_id: int, order_ids: set[int]) -> dict[int, date]:
    with conn.cursor() as cur:
        cur.execute(
            "SELECT id, processed_on FROM orders WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)",
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
        return dict(cur.fetchall())
