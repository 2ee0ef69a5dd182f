"""The shop's calendar days of its orders, refunds and sales, after its time zone has changed. Every query names its shop."""

from shopify_app.db.connection import Connection, one_value


def count_orders(conn: Connection, shop_id: int, *, limit: int) -> int:
    """How many orders there are, up to a limit."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT count(*) FROM (SELECT FROM orders WHERE shop_id = %(shop_id)s LIMIT %(limit)s) o",
            {"shop_id": shop_id, "limit": limit},
        )
        return int(one_value(cur))


def move(conn: Connection, shop_id: int) -> int:
    """Put everything on its day in the shop's present zone; how many rows stood on another."""
    moved = 0
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE orders o SET processed_on = (o.processed_at AT TIME ZONE s.timezone)::date
              FROM shops s
             WHERE s.shop_id = %(shop_id)s AND o.shop_id = %(shop_id)s
               AND o.processed_on <> (o.processed_at AT TIME ZONE s.timezone)::date
            """,
            {"shop_id": shop_id},
        )
        moved += cur.rowcount
        cur.execute(
            """
            UPDATE refunds r SET processed_on = (r.processed_at AT TIME ZONE s.timezone)::date
              FROM shops s
             WHERE s.shop_id = %(shop_id)s AND r.shop_id = %(shop_id)s
               AND r.processed_on <> (r.processed_at AT TIME ZONE s.timezone)::date
            """,
            {"shop_id": shop_id},
        )
        moved += cur.rowcount
        cur.execute(
            """
            UPDATE sales l SET happened_on = (l.happened_at AT TIME ZONE s.timezone)::date
              FROM shops s
             WHERE s.shop_id = %(shop_id)s AND l.shop_id = %(shop_id)s
               AND l.happened_on <> (l.happened_at AT TIME ZONE s.timezone)::date
            """,
            {"shop_id": shop_id},
        )
        return moved + cur.rowcount
