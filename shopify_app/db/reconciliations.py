"""How far we have read, and what reconciliation mended (tables `sync_cursors`, `reconciliations`).

Every query names its shop. A cursor is the greatest stamp seen from Shopify, never our clock.
"""

from datetime import datetime

from shopify_app.db.connection import Connection, one_value


def seen_until(conn: Connection, shop_id: int, kind: str) -> datetime | None:
    """The cursor of a kind; None if that kind was never read."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT seen_until FROM sync_cursors WHERE shop_id = %(shop_id)s AND kind = %(kind)s",
            {"shop_id": shop_id, "kind": kind},
        )
        return one_value(cur)


def advance(conn: Connection, shop_id: int, kind: str, until: datetime) -> None:
    """Move a cursor forward, never back."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO sync_cursors (shop_id, kind, seen_until) VALUES (%(shop_id)s, %(kind)s, %(until)s)
                ON CONFLICT (shop_id, kind) DO UPDATE SET seen_until = greatest(sync_cursors.seen_until, excluded.seen_until)
            """,
            {"shop_id": shop_id, "kind": kind, "until": until},
        )


def record_reconciliation(
    conn: Connection,
    shop_id: int,
    kind: str,
    *,
    checked_rows: int,
    healed_rows: int,
    buried_rows: int = 0,
    left_rows: int = 0,
    error: str | None,
) -> None:
    """Keep what one comparison with Shopify found: rows looked at, mended, buried, and differences that stay."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO reconciliations (shop_id, kind, finished_at, checked_rows, healed_rows, buried_rows, left_rows, error)
            VALUES (%(shop_id)s, %(kind)s, clock_timestamp(), %(checked)s, %(healed)s, %(buried)s, %(left)s, %(error)s)
            """,
            {
                "shop_id": shop_id,
                "kind": kind,
                "checked": checked_rows,
                "healed": healed_rows,
                "buried": buried_rows,
                "left": left_rows,
                "error": error,
            },
        )
