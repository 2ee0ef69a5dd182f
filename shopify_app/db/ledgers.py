"""The ledger as last worked out, and brakes (tables `ledgers`, `brakes`). Every query names its shop."""

from collections.abc import Sequence
from datetime import date, datetime

from shopify_app.db.connection import Connection, one_value, row_as, rows_as
from shopify_app.db.json_documents import column
from shopify_app.domain.outcome import Brake, Ledger, LedgerTotal, Ruling, Rulings


def keep(
    conn: Connection,
    shop_id: int,
    *,
    as_of: date,
    total: LedgerTotal | None,
    rulings: Rulings,
) -> None:
    """Keep what was worked out. Without a total the last one stays."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO ledgers AS l (shop_id, as_of, total, rulings, worked_out_at)
            VALUES (%(shop_id)s, %(as_of)s, %(total)s, %(rulings)s, shop_now())
                ON CONFLICT (shop_id) DO UPDATE
               SET as_of = excluded.as_of, total = coalesce(excluded.total, l.total), rulings = excluded.rulings,
                   worked_out_at = excluded.worked_out_at
            """,
            {
                "shop_id": shop_id,
                "as_of": as_of,
                "total": column(total),
                "rulings": column(rulings),
            },
        )


def of_shop(conn: Connection, shop_id: int) -> Ledger:
    """The ledger as last worked out; empty before the first time."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT as_of, total, rulings, worked_out_at FROM ledgers WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id},
        )
        found = row_as(Ledger, cur)
    return found or Ledger(None, None, Rulings(), None)


def brakes_on(conn: Connection, shop_id: int) -> list[Brake]:
    """Kinds that are stopped now."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, kind, ruling, pulled_at FROM brakes
             WHERE shop_id = %(shop_id)s AND lifted_at IS NULL
             ORDER BY id
            """,
            {"shop_id": shop_id},
        )
        return rows_as(Brake, cur)


def pull_brake(conn: Connection, shop_id: int, kind: str, ruling: Ruling) -> bool:
    """Stop a kind; False if it is stopped already."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO brakes (shop_id, kind, ruling) VALUES (%(shop_id)s, %(kind)s, %(ruling)s)
                ON CONFLICT (shop_id, kind) WHERE lifted_at IS NULL DO NOTHING
            """,
            {"shop_id": shop_id, "kind": kind, "ruling": column(ruling)},
        )
        return cur.rowcount == 1


def lift_brake(conn: Connection, shop_id: int, kind: str, *, by: str) -> bool:
    """Let a kind go on, because the merchant says so; False if it is not stopped."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE brakes SET lifted_at = shop_now(), lifted_by = %(by)s
             WHERE shop_id = %(shop_id)s AND kind = %(kind)s AND lifted_at IS NULL
            """,
            {"shop_id": shop_id, "kind": kind, "by": by},
        )
        return cur.rowcount == 1


def last_lift(conn: Connection, shop_id: int, kind: str) -> datetime | None:
    """When the merchant last let a kind go on: what was decided before is not held against it again."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT max(lifted_at) FROM brakes WHERE shop_id = %(shop_id)s AND kind = %(kind)s",
            {"shop_id": shop_id, "kind": kind},
        )
        return one_value(cur)


def stop_waiting(conn: Connection, shop_id: int, kinds: Sequence[str]) -> list[int]:
    """Withdraw planned prices of stopped kinds that have not left; their suggestions' ids."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes c
               SET state = 'failed', finished_at = shop_now(), error_code = 'brake'
             WHERE c.shop_id = %(shop_id)s AND c.state = 'approved' AND c.sent_at IS NULL
               AND c.planned_for IS NOT NULL AND c.undo_of IS NULL AND c.suggestion_id IS NOT NULL
               AND CASE WHEN c.new_price > c.old_price THEN 'price_rise' ELSE 'price_cut' END = ANY (%(kinds)s)
            RETURNING c.suggestion_id
            """,
            {"shop_id": shop_id, "kinds": list(kinds)},
        )
        return [int(row[0]) for row in cur.fetchall()]


def close_open(conn: Connection, shop_id: int, kinds: Sequence[str]) -> int:
    """Take open price suggestions of stopped kinds off the pages; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE suggestions
               SET state = 'superseded'
             WHERE shop_id = %(shop_id)s AND kind = 'price' AND state = 'open'
               AND CASE WHEN (proposal->>'price')::numeric > (proposal->>'old_price')::numeric
                        THEN 'price_rise' ELSE 'price_cut' END = ANY (%(kinds)s)
            """,
            {"shop_id": shop_id, "kinds": list(kinds)},
        )
        return cur.rowcount
