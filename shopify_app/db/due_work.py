"""What is to be done, and when (table `due_work`): a row a shop and kind of work.

    (no row) --ask--> due --claim--> leased --finish--> (no row, or what was asked meanwhile)
                       ^               ├──again──> due at its next time
                       └───────────────┴──fail, or a lease that ran out──> due after a wait that doubles, the failure kept

Work stays until it has ended well, so its failures stand with it. News asks again, but never shortens
the wait after a failure. Rows without a shop are the service's own periodic jobs: they are the sweeper's,
and `shop_id=None` names them. The kinds (`what`) are those of the registry, `usecases.doorbells`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, one_value, row_as, rows_as

FIRST_WAIT_SECONDS: Final = 900
"""Before the second try of work that failed; doubled with each further one."""

LONGEST_WAIT_SECONDS: Final = 21_600
"""Between two tries: a mended release is tried within six hours, or at once by the operator."""

NO_ANSWER: Final = "NoAnswer"
"""Error type of work that ended without a word: killed, out of memory, or the machine went away."""


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


def ask(conn: Connection, shop_id: int, what: str, *, in_seconds: float = 0) -> None:
    """Ask for work; asking twice is asking once, at the earlier time."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO due_work AS w (shop_id, what, due_at)
            VALUES (%(shop_id)s, %(what)s, shop_now() + make_interval(secs => %(seconds)s))
                ON CONFLICT (shop_id, what) DO UPDATE
               SET asked_at = now(), due_at = least(w.due_at, excluded.due_at)
            """,
            {"shop_id": shop_id, "what": what, "seconds": in_seconds},
        )


def make_sure_of(conn: Connection, shop_id: int | None, whats: Sequence[str]) -> None:
    """Have each of these due now, unless it has its time already."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO due_work (shop_id, what, due_at) VALUES %s
                ON CONFLICT (shop_id, what) DO NOTHING
            """,
            [(shop_id, what) for what in whats],
            template="(%s, %s, shop_now())",
        )


def due_shops(
    conn: Connection, what: str, *, states: Sequence[str], needs_history: bool
) -> list[int]:
    """Shops in one of these states whose work is due and not under way, the longest waiting first (sweeper).

    Where it `needs_history` a shop waits whose history is still being read: half a history makes half-right answers.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT w.shop_id
              FROM due_work w JOIN shops s USING (shop_id)
             WHERE w.what = %(what)s AND w.due_at <= now() + make_interval(secs => s.clock_ahead_seconds)
               AND (w.lease_until IS NULL OR w.lease_until < now())
               AND (w.next_try_at IS NULL OR w.next_try_at <= now())
               AND s.state = ANY (%(states)s)
               AND NOT (%(needs_history)s AND EXISTS (
                   SELECT FROM backfills b
                    WHERE b.shop_id = w.shop_id AND b.state <> 'done' AND b.step <> 'decisions'))
             ORDER BY greatest(w.due_at, w.next_try_at)
            """,
            {"what": what, "states": list(states), "needs_history": needs_history},
        )
        return [int(row[0]) for row in cur.fetchall()]


def due_of_service(conn: Connection, whats: Sequence[str]) -> list[str]:
    """Which of these jobs of no shop are due and not under way, the longest waiting first (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT what
              FROM due_work
             WHERE shop_id IS NULL AND what = ANY (%(whats)s) AND due_at <= now()
               AND (lease_until IS NULL OR lease_until < now()) AND (next_try_at IS NULL OR next_try_at <= now())
             ORDER BY greatest(due_at, next_try_at), what
            """,
            {"whats": list(whats)},
        )
        return [row[0] for row in cur.fetchall()]


def claim(
    conn: Connection,
    shop_id: int | None,
    what: str,
    *,
    lease_seconds: int,
    longest_wait_seconds: int = LONGEST_WAIT_SECONDS,
) -> str | None:
    """Take due work; its `asked_at` as a receipt, or None if someone has it.

    A lease that ran out was of a try that ended without a word: it counts as failed, and the wait after it is set here,
    for nobody may be there to set it when this one ends the same way.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE due_work
               SET lease_until = now() + make_interval(secs => %(seconds)s),
                   next_try_at = CASE WHEN lease_until IS NOT NULL OR attempts > 0
                                      THEN now() + make_interval(secs => %(seconds)s) + least(
                                           make_interval(secs => %(longest)s),
                                           make_interval(secs => %(first)s) * power(2, least(attempts, 20))) END,
                   attempts = attempts + (lease_until IS NOT NULL)::int,
                   failing_since = CASE WHEN lease_until IS NULL THEN failing_since ELSE coalesce(failing_since, lease_until) END,
                   failed_at = CASE WHEN lease_until IS NULL THEN failed_at ELSE lease_until END,
                   error_type = CASE WHEN lease_until IS NULL THEN error_type ELSE %(no_answer)s END
             WHERE (shop_id = %(shop_id)s OR %(shop_id)s::bigint IS NULL AND shop_id IS NULL) AND what = %(what)s
               AND due_at <= shop_now() AND (lease_until IS NULL OR lease_until < now())
               AND (next_try_at IS NULL OR next_try_at <= now())
            RETURNING asked_at::text
            """,
            {
                "shop_id": shop_id,
                "what": what,
                "seconds": lease_seconds,
                "first": FIRST_WAIT_SECONDS,
                "longest": longest_wait_seconds,
                "no_answer": NO_ANSWER,
            },
        )
        return one_value(cur)


def fail(
    conn: Connection,
    shop_id: int | None,
    what: str,
    *,
    error_type: str,
    longest_wait_seconds: int = LONGEST_WAIT_SECONDS,
) -> int | None:
    """Keep that claimed work failed, and when it is tried again; how often it failed since it last went well."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE due_work
               SET lease_until = NULL, attempts = attempts + 1, error_type = %(error_type)s,
                   failing_since = coalesce(failing_since, now()), failed_at = now(),
                   next_try_at = now() + least(make_interval(secs => %(longest)s),
                                               make_interval(secs => %(first)s) * power(2, least(attempts, 20)))
             WHERE (shop_id = %(shop_id)s OR %(shop_id)s::bigint IS NULL AND shop_id IS NULL) AND what = %(what)s
            RETURNING attempts
            """,
            {
                "shop_id": shop_id,
                "what": what,
                "error_type": error_type,
                "first": FIRST_WAIT_SECONDS,
                "longest": longest_wait_seconds,
            },
        )
        return one_value(cur)


def forget_failures(conn: Connection, shop_id: int, what: str) -> None:
    """It has gone well: none failed since."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE due_work
               SET attempts = 0, failing_since = NULL, failed_at = NULL, error_type = NULL, next_try_at = NULL
             WHERE shop_id = %(shop_id)s AND what = %(what)s
            """,
            {"shop_id": shop_id, "what": what},
        )


def finish(conn: Connection, shop_id: int, what: str, asked_at: str) -> None:
    """Clear claimed work that was done; what was asked meanwhile, or has its next time, stays, free to be taken."""
    with conn.cursor() as cur:
        cur.execute(
            """
            DELETE FROM due_work
             WHERE shop_id = %(shop_id)s AND what = %(what)s AND asked_at = %(asked_at)s::timestamptz
               AND lease_until IS NOT NULL
            """,
            {"shop_id": shop_id, "what": what, "asked_at": asked_at},
        )
        cur.execute(
            "UPDATE due_work SET lease_until = NULL WHERE shop_id = %(shop_id)s AND what = %(what)s",
            {"shop_id": shop_id, "what": what},
        )
    forget_failures(conn, shop_id, what)


def again(conn: Connection, shop_id: int | None, what: str, *, in_seconds: float) -> None:
    """It was done, claimed or not: it is due again later, and has failed never since."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO due_work (shop_id, what, due_at)
            VALUES (%(shop_id)s, %(what)s, shop_now() + make_interval(secs => %(seconds)s))
                ON CONFLICT (shop_id, what) DO UPDATE
               SET due_at = excluded.due_at, lease_until = NULL,
                   attempts = 0, failing_since = NULL, failed_at = NULL, error_type = NULL, next_try_at = NULL
            """,
            {"shop_id": shop_id, "what": what, "seconds": in_seconds},
        )


def failed_runs(conn: Connection, shop_id: int, what: str) -> FailedRuns | None:
    """A shop's runs that failed since its last good one, by its own clock; None if the last try ended well."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT shop_id, attempts, failing_since + (shop_now() - now()) AS failing_since,
                   failed_at + (shop_now() - now()) AS failed_at, error_type,
                   CASE WHEN lease_until IS NULL OR lease_until < now() THEN next_try_at + (shop_now() - now()) END AS next_try_at
              FROM due_work
             WHERE shop_id = %(shop_id)s AND what = %(what)s AND attempts > 0
            """,
            {"shop_id": shop_id, "what": what},
        )
        return row_as(FailedRuns, cur)


def every_failed(conn: Connection, what: str) -> list[FailedRuns]:
    """The same of every shop that has Keel, the longest failing first (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT w.shop_id, w.attempts, w.failing_since, w.failed_at, w.error_type,
                   CASE WHEN w.lease_until IS NULL OR w.lease_until < now() THEN w.next_try_at END AS next_try_at
              FROM due_work w JOIN shops s USING (shop_id)
             WHERE w.what = %(what)s AND w.attempts > 0 AND s.state <> 'uninstalled'
             ORDER BY w.failing_since
            """,
            {"what": what},
        )
        return rows_as(FailedRuns, cur)
