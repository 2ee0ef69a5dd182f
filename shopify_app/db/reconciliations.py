"""How far we have read, and what reconciliation mended (tables `sync_cursors`, `reconciliations`).

Every query names its shop. A cursor is the greatest stamp seen from Shopify, never our clock.
"""

from dataclasses import dataclass
from datetime import datetime

from shopify_app.db.connection import Connection, one_value, rows_as


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the comparisons of a kind stand: the last good one, and those that failed since."""

    kind: str
    compared_at: datetime | None
    checked_rows: int
    healed_rows: int
    buried_rows: int
    left_rows: int
    failing_since: datetime | None
    error: str | None


def standing(conn: Connection, shop_id: int) -> list[Comparison]:
    """Every kind of which there was a comparison, by kind."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT k.kind, g.finished_at AS compared_at, coalesce(g.checked_rows, 0) AS checked_rows,
                   coalesce(g.healed_rows, 0) AS healed_rows, coalesce(g.buried_rows, 0) AS buried_rows,
                   coalesce(g.left_rows, 0) AS left_rows, f.failing_since, f.error
              FROM (SELECT DISTINCT kind FROM reconciliations WHERE shop_id = %(shop_id)s) k
              LEFT JOIN LATERAL (
                   SELECT * FROM reconciliations r
                    WHERE r.shop_id = %(shop_id)s AND r.kind = k.kind AND r.error IS NULL AND r.finished_at IS NOT NULL
                    ORDER BY r.id DESC LIMIT 1) g ON true
              LEFT JOIN LATERAL (
                   SELECT min(r.finished_at) AS failing_since, (array_agg(r.error ORDER BY r.id DESC))[1] AS error
                     FROM reconciliations r
                    WHERE r.shop_id = %(shop_id)s AND r.kind = k.kind AND r.error IS NOT NULL
                      AND r.id > coalesce(g.id, 0)) f ON true
             ORDER BY k.kind
            """,
            {"shop_id": shop_id},
        )
        return rows_as(Comparison, cur)


def forget(conn: Connection, shop_id: int, *, days: int) -> int:
    """Let go of comparisons older than that, but of each kind the last good one; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            DELETE FROM reconciliations r
             WHERE r.shop_id = %(shop_id)s AND r.started_at < now() - make_interval(days => %(days)s)
               AND EXISTS (SELECT FROM reconciliations n
                            WHERE n.shop_id = %(shop_id)s AND n.kind = r.kind AND n.id > r.id AND n.error IS NULL)
            """,
            {"shop_id": shop_id, "days": days},
        )
        return cur.rowcount


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
