"""When a shop's suggestions should be worked out anew (table `refresh_requests`)."""

from shopify_app.db.connection import Connection, one_value


def ask(conn: Connection, shop_id: int, *, in_seconds: int = 0) -> None:
    """Ask for a refresh; asking twice is asking once, at the earlier time."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO refresh_requests (shop_id, due_at)
            VALUES (%(shop_id)s, now() + make_interval(secs => %(seconds)s))
                ON CONFLICT (shop_id) DO UPDATE
               SET asked_at = now(), due_at = least(refresh_requests.due_at, excluded.due_at)
            """,
            {"shop_id": shop_id, "seconds": in_seconds},
        )


def due_shops(conn: Connection) -> list[int]:
    """Shops whose refresh is due and not under way, the longest waiting first (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT r.shop_id
              FROM refresh_requests r JOIN shops s USING (shop_id)
             WHERE r.due_at <= now() AND (r.lease_until IS NULL OR r.lease_until < now())
               AND s.state <> 'uninstalled'
               AND NOT EXISTS (SELECT FROM backfills b  -- half a history makes half-right suggestions
                                WHERE b.shop_id = r.shop_id AND b.state <> 'done' AND b.step <> 'decisions')
             ORDER BY r.due_at
            """
        )
        return [int(row[0]) for row in cur.fetchall()]


def claim(conn: Connection, shop_id: int, *, lease_seconds: int) -> str | None:
    """Take a due request; its `asked_at` as a receipt, or None if someone has it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE refresh_requests
               SET lease_until = now() + make_interval(secs => %(seconds)s)
             WHERE shop_id = %(shop_id)s AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
            RETURNING asked_at::text
            """,
            {"shop_id": shop_id, "seconds": lease_seconds},
        )
        return one_value(cur)


def finish(conn: Connection, shop_id: int, asked_at: str) -> None:
    """Clear a request that was served; one asked meanwhile stays, free to be taken."""
    with conn.cursor() as cur:
        cur.execute(
            "DELETE FROM refresh_requests WHERE shop_id = %(shop_id)s AND asked_at = %(asked_at)s::timestamptz",
            {"shop_id": shop_id, "asked_at": asked_at},
        )
        cur.execute(
            "UPDATE refresh_requests SET lease_until = NULL WHERE shop_id = %(shop_id)s",
            {"shop_id": shop_id},
        )
