"""Orders of the history whose refunds are still to be asked for (table `refunded_orders`)."""

from collections.abc import Sequence

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, one_value


def add(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> None:
    """Note orders that show refunds."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO refunded_orders (shop_id, order_id) VALUES %s ON CONFLICT DO NOTHING
            """,
            [(shop_id, order_id) for order_id in order_ids],
        )


def waiting(conn: Connection, shop_id: int, *, limit: int) -> list[int]:
    """The next orders to ask for."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT order_id FROM refunded_orders
             WHERE shop_id = %(shop_id)s ORDER BY order_id DESC LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "limit": limit},
        )
        return [int(row[0]) for row in cur.fetchall()]


def count(conn: Connection, shop_id: int) -> int:
    """How many are left."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT count(*) FROM refunded_orders WHERE shop_id = %(shop_id)s", {"shop_id": shop_id}
        )
        return int(one_value(cur))


def done(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> None:
    """These were asked for."""
    with conn.cursor() as cur:
        cur.execute(
            "DELETE FROM refunded_orders WHERE shop_id = %(shop_id)s AND order_id = ANY (%(ids)s)",
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
