"""When a shop's past is to be looked at again (table `look_backs`).

Every query names its shop, but for `due_shops`.
"""

from typing import Literal

from shopify_app.db.connection import Connection

What = Literal["replay"]
"""The checked names of column `what`."""


def make_sure_of(conn: Connection, shop_id: int, what: What) -> None:
    """Have it due now, unless it has its time already."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO look_backs (shop_id, what, due_at) VALUES (%(shop_id)s, %(what)s, now())
                ON CONFLICT (shop_id, what) DO NOTHING
            """,
            {"shop_id": shop_id, "what": what},
        )


def due_shops(conn: Connection, what: What) -> list[int]:
    """Shops for which it is due and not under way, the longest waiting first (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT l.shop_id
              FROM look_backs l JOIN shops s USING (shop_id)
             WHERE l.what = %(what)s AND l.due_at <= now()
               AND (l.lease_until IS NULL OR l.lease_until < now()) AND s.state = 'installed'
               AND NOT EXISTS (SELECT FROM backfills b  -- half a history is another past
                                WHERE b.shop_id = l.shop_id AND b.state <> 'done' AND b.step <> 'decisions')
             ORDER BY l.due_at
            """,
            {"what": what},
        )
        return [int(row[0]) for row in cur.fetchall()]


def claim(conn: Connection, shop_id: int, what: What, *, lease_seconds: int) -> bool:
    """Take what is due; False if someone has it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE look_backs SET lease_until = now() + make_interval(secs => %(seconds)s)
             WHERE shop_id = %(shop_id)s AND what = %(what)s AND due_at <= now()
               AND (lease_until IS NULL OR lease_until < now())
            """,
            {"shop_id": shop_id, "what": what, "seconds": lease_seconds},
        )
        return cur.rowcount == 1


def finish(conn: Connection, shop_id: int, what: What, *, again_in_days: int) -> None:
    """Done for now; it is due again later."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO look_backs AS l (shop_id, what, due_at)
            VALUES (%(shop_id)s, %(what)s, now() + make_interval(days => %(days)s))
                ON CONFLICT (shop_id, what) DO UPDATE SET due_at = excluded.due_at, lease_until = NULL
            """,
            {"shop_id": shop_id, "what": what, "days": again_in_days},
        )
