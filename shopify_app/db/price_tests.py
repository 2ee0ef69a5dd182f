"""Price tests (table `price_tests`), from proposal to end. Every query names its shop, but for `due_shops`."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from shopify_app.db.connection import Connection, one_value, rows_as
from shopify_app.db.json_documents import column
from shopify_app.domain.price_test import (
    PriceTest,
    PriceTestPlan,
    PriceTestReading,
    StopReason,
)

PROPOSED_DAYS: Final = 7
"""A proposal stands so long before a newer one takes its place: a merchant who looks at it can still agree."""

LEASE_SECONDS: Final = 300
"""A test that was claimed is carried on by nobody else for so long."""

SOON: Final = timedelta(seconds=30)
"""A test is looked at again after so long while a write of it is under way."""


def propose(
    conn: Connection, shop_id: int, run_id: int, plan: PriceTestPlan | None, *, currency: str
) -> int | None:
    """Have this proposed unless a proposal of the last days stands, or a test is under way; its id.

    None as a plan: nothing is to be proposed any more.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            DELETE FROM price_tests
             WHERE shop_id = %(shop_id)s AND state = 'proposed'
               AND (%(none)s OR proposed_at < shop_now() - make_interval(days => %(days)s))
            """,
            {"shop_id": shop_id, "none": plan is None, "days": PROPOSED_DAYS},
        )
        if plan is None:
            return None
        cur.execute(
            """
            INSERT INTO price_tests (shop_id, run_id, plan, weeks, block_weeks, maximum_cost, expected_cost, currency)
            SELECT %(shop_id)s, %(run_id)s, %(plan)s, %(weeks)s, %(block)s, %(maximum)s, %(expected)s, %(currency)s
             WHERE NOT EXISTS (SELECT FROM price_tests WHERE shop_id = %(shop_id)s AND state IN ('running', 'returning'))
                ON CONFLICT DO NOTHING
            RETURNING id
            """,
            {
                "shop_id": shop_id,
                "run_id": run_id,
                "plan": column(plan),
                "weeks": plan.weeks,
                "block": plan.block_weeks,
                "maximum": plan.maximum_cost,
                "expected": plan.expected_cost,
                "currency": currency,
            },
        )
        found = one_value(cur)
        return None if found is None else int(found)


def withdraw(conn: Connection, shop_id: int, test_id: int) -> None:
    """Take a proposal back that the shop has outrun."""
    with conn.cursor() as cur:
        cur.execute(
            "DELETE FROM price_tests WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'proposed'",
            {"shop_id": shop_id, "id": test_id},
        )


def may_propose(conn: Connection, shop_id: int, *, declined_days: int, ended_days: int) -> bool:
    """Whether no test is under way, was declined lately, or ended lately."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT NOT EXISTS (
                   SELECT FROM price_tests
                    WHERE shop_id = %(shop_id)s
                      AND (state IN ('running', 'returning')
                           OR state = 'declined' AND decided_at > shop_now() - make_interval(days => %(declined)s)
                           OR state = 'ended' AND ended_at > shop_now() - make_interval(days => %(ended)s)))
            """,
            {"shop_id": shop_id, "declined": declined_days, "ended": ended_days},
        )
        return bool(one_value(cur))


def under_way(conn: Connection, shop_id: int) -> int | None:
    """The test that sets prices now, or gives them back; its id."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT id FROM price_tests WHERE shop_id = %(shop_id)s AND state IN ('running', 'returning')",
            {"shop_id": shop_id},
        )
        return one_value(cur)


def newest(
    conn: Connection, shop_id: int, *, test_id: int | None = None, limit: int = 20
) -> list[PriceTest]:
    """Price tests, the newest first; one of them if its id is given."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, run_id, state, plan, weeks, block_weeks, maximum_cost, expected_cost, currency, proposed_at,
                   decided_at, decided_by, first_on, weeks_read, reading, stop_because, stopped_at, ended_at
              FROM price_tests
             WHERE shop_id = %(shop_id)s AND (%(id)s::bigint IS NULL OR id = %(id)s)
             ORDER BY id DESC LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "id": test_id, "limit": limit},
        )
        return rows_as(PriceTest, cur)


def locked(conn: Connection, shop_id: int, test_id: int) -> PriceTest | None:
    """One test, held until the transaction ends."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT FROM price_tests WHERE shop_id = %(shop_id)s AND id = %(id)s FOR UPDATE",
            {"shop_id": shop_id, "id": test_id},
        )
    found = newest(conn, shop_id, test_id=test_id)
    return found[0] if found else None


def start(
    conn: Connection,
    shop_id: int,
    test_id: int,
    *,
    plan: PriceTestPlan,
    first_on: date,
    by: str,
    due_at: datetime,
) -> bool:
    """Agree to a proposed test, of the products that are still as proposed; False if it was decided before."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests
               SET state = 'running', plan = %(plan)s, decided_at = shop_now(), decided_by = %(by)s,
                   first_on = %(first_on)s, due_at = %(due_at)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'proposed'
            """,
            {
                "shop_id": shop_id,
                "id": test_id,
                "plan": column(plan),
                "by": by,
                "first_on": first_on,
                "due_at": due_at,
            },
        )
        return cur.rowcount == 1


def decline(conn: Connection, shop_id: int, test_id: int, *, by: str) -> bool:
    """Say no to a proposed test; False if it was decided before."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests SET state = 'declined', decided_at = shop_now(), decided_by = %(by)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'proposed'
            """,
            {"shop_id": shop_id, "id": test_id, "by": by},
        )
        return cur.rowcount == 1


def stop(
    conn: Connection, shop_id: int, because: StopReason, *, by: str, test_id: int | None = None
) -> bool:
    """Let the running test (this one, if given) give its prices back now; False if it was not running."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests
               SET state = 'returning', stop_because = %(because)s, stopped_at = shop_now(), stopped_by = %(by)s, due_at = shop_now()
             WHERE shop_id = %(shop_id)s AND (%(id)s::bigint IS NULL OR id = %(id)s) AND state = 'running'
            """,
            {"shop_id": shop_id, "id": test_id, "because": because.value, "by": by},
        )
        return cur.rowcount == 1


def keep_reading(
    conn: Connection, shop_id: int, test_id: int, reading: PriceTestReading, *, weeks_read: int
) -> None:
    """Keep what the test has shown until the end of a week of it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests SET reading = %(reading)s, weeks_read = %(weeks)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state IN ('running', 'returning') AND weeks_read < %(weeks)s
            """,
            {"shop_id": shop_id, "id": test_id, "reading": column(reading), "weeks": weeks_read},
        )


def due_shops(conn: Connection) -> list[int]:
    """Installed shops whose test has something to do now, the longest waiting first (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT t.shop_id
              FROM price_tests t JOIN shops s USING (shop_id)
             WHERE t.due_at <= now() + make_interval(secs => s.clock_ahead_seconds) AND s.state = 'installed'
             ORDER BY t.due_at
            """
        )
        return [int(row[0]) for row in cur.fetchall()]


def claim(conn: Connection, shop_id: int, *, lease_seconds: int) -> tuple[int, datetime] | None:
    """Take the shop's test that is due: (its id, until when it is ours), or None. Who dies loses it then."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests SET due_at = shop_now() + make_interval(secs => %(seconds)s)
             WHERE shop_id = %(shop_id)s AND due_at <= shop_now()
            RETURNING id, due_at
            """,
            {"shop_id": shop_id, "seconds": lease_seconds},
        )
        found = cur.fetchone()
        return (int(found[0]), found[1]) if found else None


def finish(
    conn: Connection, shop_id: int, test_id: int, *, claimed_until: datetime, due_at: datetime
) -> bool:
    """Done for now, look again then; False if it was asked for meanwhile (a stop), or has ended."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests SET due_at = %(due_at)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND due_at = %(until)s
            """,
            {"shop_id": shop_id, "id": test_id, "due_at": due_at, "until": claimed_until},
        )
        return cur.rowcount == 1


def end(conn: Connection, shop_id: int, test_id: int) -> bool:
    """All prices are back, or left where the merchant wants them; False if it was not giving back."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests SET state = 'ended', ended_at = shop_now(), due_at = NULL
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'returning'
            """,
            {"shop_id": shop_id, "id": test_id},
        )
        return cur.rowcount == 1


def open_cost(conn: Connection, shop_id: int) -> Decimal:
    """What a test under way may cost at most, by its word (>= 0)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(sum(maximum_cost), 0) FROM price_tests
             WHERE shop_id = %(shop_id)s AND state IN ('running', 'returning')
            """,
            {"shop_id": shop_id},
        )
        return Decimal(one_value(cur))
