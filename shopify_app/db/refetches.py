"""What we know only partly and must ask Shopify again (table `refetches`). Every query names its shop."""

from collections.abc import Iterable

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection


def ask(
    conn: Connection, shop_id: int, kind: str, ids: Iterable[int], *, in_seconds: float = 0
) -> None:
    """Ask for resources anew; asking twice is asking once, at the earlier time."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO refetches AS r (shop_id, kind, resource_id, due_at) VALUES %s
                ON CONFLICT (shop_id, kind, resource_id) DO UPDATE
               SET asked_at = now(), due_at = least(r.due_at, excluded.due_at), attempts = 0
            """,
            [(shop_id, kind, resource_id, in_seconds) for resource_id in ids],
            template="(%s, %s, %s, now() + make_interval(secs => %s))",
        )


def due_shops(conn: Connection) -> list[int]:
    """Shops with something due (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT r.shop_id FROM refetches r JOIN shops s USING (shop_id)
             WHERE r.due_at <= now() AND s.state = 'installed'
            """
        )
        return [int(row[0]) for row in cur.fetchall()]


def due(conn: Connection, shop_id: int, *, limit: int) -> list[tuple[str, int, str]]:
    """What is due: (kind, id, asked_at as a receipt)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT kind, resource_id, asked_at::text FROM refetches
             WHERE shop_id = %(shop_id)s AND due_at <= now()
             ORDER BY due_at LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "limit": limit},
        )
        return cur.fetchall()


def finish(conn: Connection, shop_id: int, kind: str, resource_id: int, asked_at: str) -> None:
    """Served, unless it was asked for again meanwhile."""
    with conn.cursor() as cur:
        cur.execute(
            """
            DELETE FROM refetches
             WHERE shop_id = %(shop_id)s AND kind = %(kind)s AND resource_id = %(id)s AND asked_at = %(asked_at)s::timestamptz
            """,
            {"shop_id": shop_id, "kind": kind, "id": resource_id, "asked_at": asked_at},
        )


def ask_once_more(
    conn: Connection, shop_id: int, kind: str, resource_id: int, asked_at: str, *, tries: int
) -> bool:
    """Shopify showed nothing: it may lag behind its own news. False once it was asked `tries` times, or anew meanwhile."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE refetches
               SET attempts = attempts + 1, due_at = now() + interval '5 seconds' * power(2, attempts)
             WHERE shop_id = %(shop_id)s AND kind = %(kind)s AND resource_id = %(id)s
               AND asked_at = %(asked_at)s::timestamptz AND attempts + 1 < %(tries)s
            """,
            {
                "shop_id": shop_id,
                "kind": kind,
                "id": resource_id,
                "asked_at": asked_at,
                "tries": tries,
            },
        )
        return cur.rowcount == 1


def postpone(conn: Connection, shop_id: int, kind: str, resource_id: int) -> None:
    """It did not work: later, and later still."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE refetches
               SET attempts = attempts + 1, due_at = now() + least(interval '1 hour', interval '5 seconds' * power(2, attempts))
             WHERE shop_id = %(shop_id)s AND kind = %(kind)s AND resource_id = %(id)s
            """,
            {"shop_id": shop_id, "kind": kind, "id": resource_id},
        )
