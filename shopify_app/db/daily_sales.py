"""Demand per variant and day (tables `daily_sales`, `touched_days`). Every query names its shop.

Days are recomputed from the order rows, never incremented: a webhook that comes twice counts once.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, no_nested_loops, one_value


def touch(conn: Connection, shop_id: int, days: Iterable[date]) -> None:
    """Say that these days must be counted again."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO touched_days (shop_id, sold_on) VALUES %s
                ON CONFLICT (shop_id, sold_on) DO UPDATE SET touched_at = clock_timestamp()
            """,
            [(shop_id, day) for day in sorted(set(days))],
        )


def touch_all(conn: Connection, shop_id: int) -> None:
    """Say that every day with orders or sales must be counted again (after the history came in)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO touched_days (shop_id, sold_on)
            SELECT shop_id, processed_on FROM orders WHERE shop_id = %(shop_id)s
            UNION
            SELECT shop_id, happened_on FROM sales WHERE shop_id = %(shop_id)s
            UNION
            SELECT shop_id, sold_on FROM daily_sales WHERE shop_id = %(shop_id)s
                ON CONFLICT (shop_id, sold_on) DO UPDATE SET touched_at = clock_timestamp()
            """,
            {"shop_id": shop_id},
        )


def touched_shops(conn: Connection) -> list[int]:
    """Shops with days to count again (sweeper)."""
    with conn.cursor() as cur:
        cur.execute("SELECT DISTINCT shop_id FROM touched_days")
        return [int(row[0]) for row in cur.fetchall()]


def recount(conn: Connection, shop_id: int, *, limit_days: int) -> int:
    """Count up to `limit_days` touched days again; how many days were counted.

    Ordered units are gross of returns and net of edits: quantity less what an edit removed, which
    is what neither the line still holds nor a refund gave back. A line that an edit or an exchange added
    counts on its own day. Test, deleted and cancelled orders, those never paid (voided, expired) or in another
    currency than the shop's of today, gift cards, tips and lines of no variant are not demand.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            DELETE FROM touched_days
             WHERE shop_id = %(shop_id)s
               AND sold_on IN (SELECT sold_on FROM touched_days WHERE shop_id = %(shop_id)s
                                ORDER BY sold_on DESC LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            RETURNING sold_on
            """,
            {"shop_id": shop_id, "limit": limit_days},
        )
        days = [row[0] for row in cur.fetchall()]
        if not days:
            return 0
        cur.execute(
            "DELETE FROM daily_sales WHERE shop_id = %(shop_id)s AND sold_on = ANY (%(days)s)",
            {"shop_id": shop_id, "days": days},
        )
    _count_days(conn, shop_id, days)
    return len(days)


def _count_days(conn: Connection, shop_id: int, days: Sequence[date]) -> None:
    """Write these days' sales.

    Orders and refunds are named by their ids before anything is joined: what is read is then the days' rows,
    not the shop's, and no join depends on what the planner knows of this shop.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id FROM orders WHERE shop_id = %(shop_id)s AND processed_on = ANY (%(days)s)
            UNION
            SELECT order_id FROM sales WHERE shop_id = %(shop_id)s AND happened_on = ANY (%(days)s) AND action = 'ORDER'
            """,
            {"shop_id": shop_id, "days": list(days)},
        )
        orders = [int(row[0]) for row in cur.fetchall()]
        cur.execute(
            "SELECT id FROM refunds WHERE shop_id = %(shop_id)s AND order_id = ANY (%(orders)s::bigint[])",
            {"shop_id": shop_id, "orders": orders},
        )
        refunds = [int(row[0]) for row in cur.fetchall()]
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            WITH given_back AS (
                SELECT rf.order_id, rl.order_line_id, sum(rl.quantity) AS units
                  FROM refunds rf
                  JOIN refund_lines rl ON rl.shop_id = rf.shop_id AND rl.refund_id = rf.id
                 WHERE rf.shop_id = %(shop_id)s AND rf.id = ANY (%(refunds)s::bigint[])
                   AND rl.shop_id = %(shop_id)s AND rl.refund_id = ANY (%(refunds)s::bigint[])
                 GROUP BY rf.order_id, rl.order_line_id
            ), added AS (
                SELECT s.order_id, s.line_item_id, min(s.happened_on) AS sold_on
                  FROM sales s
                 WHERE s.shop_id = %(shop_id)s AND s.order_id = ANY (%(orders)s::bigint[])
                   AND s.action = 'ORDER' AND s.line_item_id IS NOT NULL
                 GROUP BY s.order_id, s.line_item_id
            ), taken_off AS ( -- by an edit, which Shopify also tells as a refund of nothing
                SELECT s.order_id, s.line_item_id, -sum(s.quantity) AS units
                  FROM sales s
                 WHERE s.shop_id = %(shop_id)s AND s.order_id = ANY (%(orders)s::bigint[])
                   AND s.action = 'RETURN' AND s.reason = 'ORDER_EDIT' AND s.line_item_id IS NOT NULL
                 GROUP BY s.order_id, s.line_item_id
            )
            INSERT INTO daily_sales (shop_id, variant_id, sold_on, ordered_units, returned_units, orders,
                                     largest_line_units, revenue, list_revenue)
            SELECT %(shop_id)s, l.variant_id, coalesce(a.sold_on, o.processed_on),
                   sum(u.ordered), sum(b.units), count(DISTINCT o.id), max(u.ordered),
                   round(sum(u.ordered * (l.unit_price - CASE WHEN l.quantity = 0 THEN 0 ELSE l.discount / l.quantity END)), 4),
                   sum(u.ordered * l.unit_price)
              FROM orders o
              JOIN shops s ON s.shop_id = o.shop_id AND s.currency = o.currency
              JOIN order_lines l ON l.shop_id = o.shop_id AND l.order_id = o.id
              LEFT JOIN added a ON a.order_id = o.id AND a.line_item_id = l.id
              LEFT JOIN given_back r ON r.order_id = o.id AND r.order_line_id = l.id
              LEFT JOIN taken_off t ON t.order_id = o.id AND t.line_item_id = l.id
             CROSS JOIN LATERAL (SELECT greatest(coalesce(r.units, 0) - coalesce(t.units, 0), 0) AS units) b
             CROSS JOIN LATERAL (SELECT least(l.quantity, l.current_quantity + b.units) AS ordered) u
             WHERE o.shop_id = %(shop_id)s AND o.id = ANY (%(orders)s::bigint[])
               AND l.shop_id = %(shop_id)s AND l.order_id = ANY (%(orders)s::bigint[])
               AND NOT o.is_test AND o.deleted_at IS NULL AND o.cancelled_at IS NULL
               AND coalesce(o.financial_status, '') NOT IN ('voided', 'expired')
               AND l.variant_id IS NOT NULL AND NOT l.is_gift_card AND NOT l.is_tip
               AND u.ordered > 0 AND coalesce(a.sold_on, o.processed_on) = ANY (%(days)s)
             GROUP BY l.variant_id, coalesce(a.sold_on, o.processed_on)
            """,
            {"shop_id": shop_id, "orders": orders, "refunds": refunds, "days": list(days)},
        )


def has_any(conn: Connection, shop_id: int) -> bool:
    """Whether the shop ever sold anything that we know of."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT EXISTS (SELECT FROM daily_sales WHERE shop_id = %(shop_id)s)",
            {"shop_id": shop_id},
        )
        return bool(one_value(cur))
