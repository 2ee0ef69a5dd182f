"""How far a shop's history has been read (table `backfills`). Every query names its shop.

Steps run in the order of `position`. A step is claimed with a lease; its progress is committed
with the rows it loaded, so a killed worker costs one batch.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shopify_app.db.connection import Connection, row_as, rows_as

STEPS: Final = (
    "shop",
    "products",
    "inventory",
    "orders",
    "refunds",
    "ledger",
    "sales",
    "decisions",
)


@dataclass(frozen=True, slots=True)
class BackfillStep:
    """A row."""

    step: str
    position: int
    state: str
    install_epoch: int
    bulk_operation_id: int | None
    file_bytes: int | None
    loaded_bytes: int
    rows_loaded: int
    rows_expected: int | None
    window_since: datetime | None
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


def start(conn: Connection, shop_id: int, *, install_epoch: int) -> None:
    """Begin anew: all steps waiting."""
    with conn.cursor() as cur:
        cur.execute("DELETE FROM backfills WHERE shop_id = %(shop_id)s", {"shop_id": shop_id})
        cur.execute(
            """
            INSERT INTO backfills (shop_id, step, position, install_epoch)
            SELECT %(shop_id)s, step, position, %(epoch)s
              FROM unnest(%(steps)s::text[]) WITH ORDINALITY AS s (step, position)
            """,
            {"shop_id": shop_id, "epoch": install_epoch, "steps": list(STEPS)},
        )


def progress(conn: Connection, shop_id: int) -> list[BackfillStep]:
    """All steps in order; empty if none was ever started."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT step, position, state, install_epoch, bulk_operation_id, file_bytes, loaded_bytes, rows_loaded,
                   rows_expected, window_since, attempts, started_at, finished_at, error
              FROM backfills
             WHERE shop_id = %(shop_id)s
             ORDER BY position
            """,
            {"shop_id": shop_id},
        )
        return rows_as(BackfillStep, cur)


def due_shops(conn: Connection) -> list[int]:
    """Shops whose next step is due and not under way (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT b.shop_id
              FROM backfills b JOIN shops s USING (shop_id)
             WHERE b.state IN ('waiting', 'running', 'failed') AND b.due_at <= now() AND (b.lease_until IS NULL OR b.lease_until < now())
               AND s.state = 'installed'
               AND NOT EXISTS (SELECT FROM backfills e WHERE e.shop_id = b.shop_id AND e.position < b.position AND e.state <> 'done')
            """
        )
        return [int(row[0]) for row in cur.fetchall()]


def claim(conn: Connection, shop_id: int, *, lease_seconds: int) -> BackfillStep | None:
    """Take the shop's next step; None if it is not due or someone has it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE backfills b
               SET state = 'running', lease_until = now() + make_interval(secs => %(lease)s),
                   started_at = coalesce(b.started_at, shop_now())
             WHERE b.shop_id = %(shop_id)s
               AND b.position = (SELECT min(position) FROM backfills WHERE shop_id = %(shop_id)s AND state <> 'done')
               AND b.state IN ('waiting', 'running', 'failed') AND b.due_at <= now() AND (b.lease_until IS NULL OR b.lease_until < now())
               AND b.install_epoch = (SELECT install_epoch FROM shops WHERE shop_id = %(shop_id)s)
            RETURNING step, position, state, install_epoch, bulk_operation_id, file_bytes, loaded_bytes, rows_loaded,
                      rows_expected, window_since, attempts, started_at, finished_at, error
            """,
            {"shop_id": shop_id, "lease": lease_seconds},
        )
        return row_as(BackfillStep, cur)


def note_bulk_operation(
    conn: Connection,
    shop_id: int,
    step: str,
    *,
    operation_id: int | None,
    window_since: datetime | None,
) -> None:
    """Which operation this step waits for (None: start a fresh one)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE backfills
               SET bulk_operation_id = %(id)s, window_since = %(since)s, loaded_bytes = 0, rows_loaded = 0, file_bytes = NULL
             WHERE shop_id = %(shop_id)s AND step = %(step)s
            """,
            {"shop_id": shop_id, "step": step, "id": operation_id, "since": window_since},
        )


def note_progress(
    conn: Connection,
    shop_id: int,
    step: str,
    *,
    loaded_bytes: int,
    rows_loaded: int,
    rows_expected: int | None,
    lease_seconds: int,
) -> bool:
    """Progress, committed with the rows it speaks of; False if the install behind it is gone."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE backfills b
               SET loaded_bytes = %(bytes)s, rows_loaded = %(rows)s, rows_expected = coalesce(%(expected)s, rows_expected),
                   lease_until = now() + make_interval(secs => %(lease)s)
             WHERE b.shop_id = %(shop_id)s AND b.step = %(step)s AND b.state = 'running'
               AND b.install_epoch = (SELECT install_epoch FROM shops WHERE shop_id = %(shop_id)s AND state = 'installed')
            """,
            {
                "shop_id": shop_id,
                "step": step,
                "bytes": loaded_bytes,
                "rows": rows_loaded,
                "expected": rows_expected,
                "lease": lease_seconds,
            },
        )
        return cur.rowcount == 1


def finish(conn: Connection, shop_id: int, step: str) -> None:
    """A step is done."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE backfills SET state = 'done', finished_at = clock_timestamp() + (shop_now() - now()), lease_until = NULL, error = NULL
             WHERE shop_id = %(shop_id)s AND step = %(step)s
            """,
            {"shop_id": shop_id, "step": step},
        )


def wait(conn: Connection, shop_id: int, step: str, *, seconds: float) -> None:
    """Look at a step again later (its operation still runs)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE backfills SET lease_until = NULL, due_at = now() + make_interval(secs => %(seconds)s)
             WHERE shop_id = %(shop_id)s AND step = %(step)s
            """,
            {"shop_id": shop_id, "step": step, "seconds": seconds},
        )


def fail(conn: Connection, shop_id: int, step: str, *, error: str, tries: int) -> None:
    """A step did not work: again soon, or, after so many tries, shown to the merchant as failed and tried four times a day."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE backfills
               SET attempts = attempts + 1, error = %(error)s, lease_until = NULL,
                   state = CASE WHEN attempts + 1 >= %(tries)s THEN 'failed' ELSE 'waiting' END,
                   due_at = now() + CASE WHEN attempts + 1 >= %(tries)s THEN interval '6 hours'
                            ELSE least(interval '10 minutes', interval '2 seconds' * power(2, least(attempts, 20))) END
             WHERE shop_id = %(shop_id)s AND step = %(step)s
            """,
            {"shop_id": shop_id, "step": step, "error": error[:500], "tries": tries},
        )


def poke(conn: Connection, shop_id: int) -> None:
    """A bulk operation has finished: do not wait for the next poll."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE backfills SET due_at = now()
             WHERE shop_id = %(shop_id)s AND state = 'running' AND lease_until IS NULL
            """,
            {"shop_id": shop_id},
        )
