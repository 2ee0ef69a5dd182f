"""When a shop's suggestions should be worked out anew, and which runs failed (table `refresh_requests`).

    due --claim--> leased --finish--> (no row, or what was asked meanwhile)
                     └──fail, or a lease that ran out──> due again after a wait that doubles, the failure kept

A request stays until a run has ended well, so the failures stand with it. News asks again, but never
shortens the wait after a failure.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shopify_app.db.connection import Connection, one_value, row_as, rows_as

FIRST_WAIT_SECONDS: Final = 900
"""Before the second try of a run that failed; doubled with each further one."""

LONGEST_WAIT_SECONDS: Final = 21_600
"""Between two tries: a mended release is tried within six hours, or at once by the operator."""

NO_ANSWER: Final = "NoAnswer"
"""Error type of a run that ended without a word: killed, out of memory, or the machine went away."""


@dataclass(frozen=True, slots=True)
class FailedRuns:
    """Runs of a shop that failed, since its last good one."""

    shop_id: int
    attempts: int
    failing_since: datetime
    failed_at: datetime
    error_type: str
    next_try_at: datetime | None
    """None while a try is under way."""


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
               AND (r.next_try_at IS NULL OR r.next_try_at <= now())
               AND s.state <> 'uninstalled'
               AND NOT EXISTS (SELECT FROM backfills b  -- half a history makes half-right suggestions
                                WHERE b.shop_id = r.shop_id AND b.state <> 'done' AND b.step <> 'decisions')
             ORDER BY greatest(r.due_at, r.next_try_at)
            """
        )
        return [int(row[0]) for row in cur.fetchall()]


def claim(conn: Connection, shop_id: int, *, lease_seconds: int) -> str | None:
    """Take a due request; its `asked_at` as a receipt, or None if someone has it.

    A lease that ran out was of a run that ended without a word: it counts as failed, and the wait after it is set here,
    for nobody may be there to set it when this one ends the same way.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE refresh_requests
               SET lease_until = now() + make_interval(secs => %(seconds)s),
                   next_try_at = CASE WHEN lease_until IS NOT NULL OR attempts > 0
                                      THEN now() + make_interval(secs => %(seconds)s) + least(
                                           make_interval(secs => %(longest)s),
                                           make_interval(secs => %(first)s) * power(2, least(attempts, 20))) END,
                   attempts = attempts + (lease_until IS NOT NULL)::int,
                   failing_since = CASE WHEN lease_until IS NULL THEN failing_since ELSE coalesce(failing_since, lease_until) END,
                   failed_at = CASE WHEN lease_until IS NULL THEN failed_at ELSE lease_until END,
                   error_type = CASE WHEN lease_until IS NULL THEN error_type ELSE %(no_answer)s END
             WHERE shop_id = %(shop_id)s AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
               AND (next_try_at IS NULL OR next_try_at <= now())
            RETURNING asked_at::text
            """,
            {
                "shop_id": shop_id,
                "seconds": lease_seconds,
                "first": FIRST_WAIT_SECONDS,
                "longest": LONGEST_WAIT_SECONDS,
                "no_answer": NO_ANSWER,
            },
        )
        return one_value(cur)


def fail(conn: Connection, shop_id: int, *, error_type: str) -> FailedRuns | None:
    """Keep that a claimed run failed, and when it is tried again; all that failed since the last good one."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE refresh_requests
               SET lease_until = NULL, attempts = attempts + 1, error_type = %(error_type)s,
                   failing_since = coalesce(failing_since, now()), failed_at = now(),
                   next_try_at = now() + least(make_interval(secs => %(longest)s),
                                               make_interval(secs => %(first)s) * power(2, least(attempts, 20)))
             WHERE shop_id = %(shop_id)s
            RETURNING shop_id, attempts, failing_since, failed_at, error_type, next_try_at
            """,
            {
                "shop_id": shop_id,
                "error_type": error_type,
                "first": FIRST_WAIT_SECONDS,
                "longest": LONGEST_WAIT_SECONDS,
            },
        )
        return row_as(FailedRuns, cur)


def forget_failures(conn: Connection, shop_id: int) -> None:
    """A run has ended well: none failed since."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE refresh_requests
               SET attempts = 0, failing_since = NULL, failed_at = NULL, error_type = NULL, next_try_at = NULL
             WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id},
        )


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
    forget_failures(conn, shop_id)


def failed_runs(conn: Connection, shop_id: int) -> FailedRuns | None:
    """A shop's runs that failed since its last good one; None if the last try ended well."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT shop_id, attempts, failing_since, failed_at, error_type,
                   CASE WHEN lease_until IS NULL OR lease_until < now() THEN next_try_at END AS next_try_at
              FROM refresh_requests
             WHERE shop_id = %(shop_id)s AND attempts > 0
            """,
            {"shop_id": shop_id},
        )
        return row_as(FailedRuns, cur)


def every_failed(conn: Connection) -> list[FailedRuns]:
    """The same of every shop that has Keel, the longest failing first (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT r.shop_id, r.attempts, r.failing_since, r.failed_at, r.error_type,
                   CASE WHEN r.lease_until IS NULL OR r.lease_until < now() THEN r.next_try_at END AS next_try_at
              FROM refresh_requests r JOIN shops s USING (shop_id)
             WHERE r.attempts > 0 AND s.state <> 'uninstalled'
             ORDER BY r.failing_since
            """
        )
        return rows_as(FailedRuns, cur)
