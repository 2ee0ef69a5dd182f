"""Price tests and the prices under them (tables `price_tests`, `tested_prices`). Every query names its shop, but for `due_shops`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from psycopg2.extras import Json

from shopify_app.db.connection import Connection, one_value, rows_as
from shopify_app.domain.price_test import LeftReason, PriceTest, PriceUnderTest, StopReason

PROPOSED_DAYS: Final = 7
"""A proposal stands so long before a newer one takes its place: a merchant who looks at it can still agree."""


@dataclass(frozen=True, slots=True)
class PriceNow:
    """A variant on sale: what it costs, and whether its price is being changed or measured."""

    product_id: int
    variant_id: int
    price: Decimal
    compare_at_price: Decimal | None
    is_under_change: bool


def propose(
    conn: Connection, shop_id: int, run_id: int, plan: Mapping[str, Any] | None, *, currency: str
) -> int | None:
    """Have this proposed unless a proposal of the last days stands, or a test is under way; its id.

    None as a plan: nothing is to be proposed any more.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            DELETE FROM price_tests
             WHERE shop_id = %(shop_id)s AND state = 'proposed'
               AND (%(none)s OR proposed_at < now() - make_interval(days => %(days)s))
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
                "plan": Json(dict(plan)),
                "weeks": plan["weeks"],
                "block": plan["block_weeks"],
                "maximum": plan["maximum_cost"],
                "expected": plan["expected_cost"],
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
                           OR state = 'declined' AND decided_at > now() - make_interval(days => %(declined)s)
                           OR state = 'ended' AND ended_at > now() - make_interval(days => %(ended)s)))
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


def prices_now(conn: Connection, shop_id: int, product_ids: Sequence[int]) -> list[PriceNow]:
    """What the variants on sale of these products cost."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT v.product_id, v.id AS variant_id, v.price, v.compare_at_price,
                   EXISTS (SELECT FROM price_changes c
                            WHERE c.shop_id = v.shop_id AND c.variant_id = v.id AND c.state IN ('approved', 'sending'))
                   OR EXISTS (SELECT FROM registrations r
                               WHERE r.shop_id = v.shop_id AND r.variant_id = v.id AND r.state = 'measuring'
                                 AND r.ended_on IS NULL) AS is_under_change
              FROM variants v
             WHERE v.shop_id = %(shop_id)s AND v.product_id = ANY (%(products)s) AND v.deleted_at IS NULL
             ORDER BY 1, 2
            """,
            {"shop_id": shop_id, "products": list(product_ids)},
        )
        return rows_as(PriceNow, cur)


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
    plan: Mapping[str, Any],
    first_on: date,
    by: str,
    due_at: datetime,
) -> bool:
    """Agree to a proposed test, of the products that are still as proposed; False if it was decided before."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests
               SET state = 'running', plan = %(plan)s, decided_at = now(), decided_by = %(by)s,
                   first_on = %(first_on)s, due_at = %(due_at)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'proposed'
            """,
            {
                "shop_id": shop_id,
                "id": test_id,
                "plan": Json(dict(plan)),
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
            UPDATE price_tests SET state = 'declined', decided_at = now(), decided_by = %(by)s
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
               SET state = 'returning', stop_because = %(because)s, stopped_at = now(), stopped_by = %(by)s, due_at = now()
             WHERE shop_id = %(shop_id)s AND (%(id)s::bigint IS NULL OR id = %(id)s) AND state = 'running'
            """,
            {"shop_id": shop_id, "id": test_id, "because": because.value, "by": by},
        )
        return cur.rowcount == 1


def keep_reading(
    conn: Connection, shop_id: int, test_id: int, reading: Mapping[str, Any], *, weeks_read: int
) -> None:
    """Keep what the test has shown until the end of a week of it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests SET reading = %(reading)s, weeks_read = %(weeks)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state IN ('running', 'returning') AND weeks_read < %(weeks)s
            """,
            {"shop_id": shop_id, "id": test_id, "reading": Json(dict(reading)), "weeks": weeks_read},
        )  # fmt: skip


def due_shops(conn: Connection) -> list[int]:
    """Installed shops whose test has something to do now, the longest waiting first (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT t.shop_id
              FROM price_tests t JOIN shops s USING (shop_id)
             WHERE t.due_at <= now() AND s.state = 'installed'
             ORDER BY t.due_at
            """
        )
        return [int(row[0]) for row in cur.fetchall()]


def claim(conn: Connection, shop_id: int, *, lease_seconds: int) -> tuple[int, datetime] | None:
    """Take the shop's test that is due: (its id, until when it is ours), or None. Who dies loses it then."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_tests SET due_at = now() + make_interval(secs => %(seconds)s)
             WHERE shop_id = %(shop_id)s AND due_at <= now()
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
            UPDATE price_tests SET state = 'ended', ended_at = now(), due_at = NULL
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'returning'
            """,
            {"shop_id": shop_id, "id": test_id},
        )
        return cur.rowcount == 1


def add_prices(conn: Connection, shop_id: int, test_id: int, product_ids: Sequence[int]) -> int:
    """Keep what every variant on sale of these products costs now: it is what is given back. How many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO tested_prices (shop_id, test_id, product_id, variant_id, regular_price, regular_compare_at_price)
            SELECT v.shop_id, %(id)s, v.product_id, v.id, v.price, v.compare_at_price
              FROM variants v
             WHERE v.shop_id = %(shop_id)s AND v.product_id = ANY (%(products)s) AND v.deleted_at IS NULL AND v.price > 0
            """,
            {"shop_id": shop_id, "id": test_id, "products": list(product_ids)},
        )
        return cur.rowcount


def prices(conn: Connection, shop_id: int, test_id: int) -> list[PriceUnderTest]:
    """The variants under a test with its newest write of each, by product."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT t.product_id, t.variant_id, p.title AS product_title, v.title AS variant_title, t.regular_price,
                   t.regular_compare_at_price, t.left_because, t.returned_at, v.deleted_at IS NOT NULL AS is_gone,
                   EXISTS (SELECT FROM price_history h
                            WHERE h.shop_id = t.shop_id AND h.variant_id = t.variant_id AND h.source = 'merchant'
                              AND h.recorded_at > d.decided_at) AS was_edited,
                   coalesce(a.new_price, t.regular_price) AS written_price, c.state AS change_state, c.test_block AS change_block,
                   c.error_code AS change_error_code
              FROM tested_prices t
              JOIN price_tests d ON (d.shop_id, d.id) = (t.shop_id, t.test_id)
              JOIN variants v ON (v.shop_id, v.id) = (t.shop_id, t.variant_id)
              JOIN products p ON (p.shop_id, p.id) = (t.shop_id, t.product_id)
              LEFT JOIN LATERAL (
                   SELECT state, test_block, error_code FROM price_changes pc
                    WHERE pc.shop_id = t.shop_id AND pc.test_id = t.test_id AND pc.variant_id = t.variant_id
                    ORDER BY pc.id DESC LIMIT 1) c ON true
              LEFT JOIN LATERAL (
                   SELECT new_price FROM price_changes pc
                    WHERE pc.shop_id = t.shop_id AND pc.test_id = t.test_id AND pc.variant_id = t.variant_id
                      AND pc.state = 'applied'
                    ORDER BY pc.id DESC LIMIT 1) a ON true
             WHERE t.shop_id = %(shop_id)s AND t.test_id = %(id)s
             ORDER BY p.title, t.product_id, t.variant_id
            """,
            {"shop_id": shop_id, "id": test_id},
        )
        return rows_as(PriceUnderTest, cur)


def queue_writes(
    conn: Connection,
    shop_id: int,
    test_id: int,
    wanted: Mapping[int, Decimal],
    *,
    block: int | None,
    by: str,
) -> int:
    """Put the prices of a block (None: the regular ones) in the outbox, variant -> price; how many.

    A variant of which a write is under way is left out: ask again. The price compared with before the write is
    the one that the test wrote last, or the regular one.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO price_changes (shop_id, install_epoch, product_id, variant_id, old_price, old_compare_at_price, new_price,
                   new_compare_at_price, currency, click_key, approved_by, test_id, test_block)
            SELECT t.shop_id, s.install_epoch, t.product_id, t.variant_id, coalesce(a.new_price, t.regular_price),
                   t.regular_compare_at_price, w.price, t.regular_compare_at_price, d.currency,
                   format('test:%%s:%%s:%%s:%%s', t.test_id, t.variant_id, coalesce(%(block)s::text, 'back'), s.install_epoch),
                   %(by)s, t.test_id, %(block)s
              FROM unnest(%(variants)s::bigint[], %(prices)s::numeric[]) AS w (variant_id, price)
              JOIN tested_prices t ON (t.shop_id, t.test_id, t.variant_id) = (%(shop_id)s, %(id)s, w.variant_id)
              JOIN price_tests d ON (d.shop_id, d.id) = (t.shop_id, t.test_id)
              JOIN shops s ON s.shop_id = t.shop_id
              LEFT JOIN LATERAL (
                   SELECT new_price FROM price_changes pc
                    WHERE pc.shop_id = t.shop_id AND pc.test_id = t.test_id AND pc.variant_id = t.variant_id
                      AND pc.state = 'applied'
                    ORDER BY pc.id DESC LIMIT 1) a ON true
             WHERE t.left_at IS NULL AND t.returned_at IS NULL
                ON CONFLICT DO NOTHING
            """,
            {
                "shop_id": shop_id,
                "id": test_id,
                "variants": list(wanted),
                "prices": list(wanted.values()),
                "block": block,
                "by": by,
            },
        )
        return cur.rowcount


def withdraw_waiting(conn: Connection, shop_id: int, test_id: int) -> int:
    """Take back the prices of blocks that have not left; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes SET state = 'undone', finished_at = now()
             WHERE shop_id = %(shop_id)s AND test_id = %(id)s AND test_block IS NOT NULL
               AND state = 'approved' AND sent_at IS NULL
            """,
            {"shop_id": shop_id, "id": test_id},
        )
        return cur.rowcount


def leave(
    conn: Connection, shop_id: int, test_id: int, variant_ids: Sequence[int], because: LeftReason
) -> int:
    """Let variants leave a test, their prices as they are; how many were still in it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE tested_prices SET left_because = %(because)s, left_at = now()
             WHERE shop_id = %(shop_id)s AND test_id = %(id)s AND variant_id = ANY (%(variants)s)
               AND left_at IS NULL AND returned_at IS NULL
            """,
            {
                "shop_id": shop_id,
                "id": test_id,
                "variants": list(variant_ids),
                "because": because.value,
            },
        )
        return cur.rowcount


def mark_returned(conn: Connection, shop_id: int, test_id: int, variant_ids: Sequence[int]) -> int:
    """Note that variants cost again what they did before; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE tested_prices SET returned_at = now()
             WHERE shop_id = %(shop_id)s AND test_id = %(id)s AND variant_id = ANY (%(variants)s)
               AND left_at IS NULL AND returned_at IS NULL
            """,
            {"shop_id": shop_id, "id": test_id, "variants": list(variant_ids)},
        )
        return cur.rowcount


def variants_under_test(conn: Connection, shop_id: int) -> set[int]:
    """Variants whose price is the test's to set: nothing else changes it meanwhile."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT p.variant_id
              FROM tested_prices p JOIN price_tests t ON (t.shop_id, t.id) = (p.shop_id, p.test_id)
             WHERE p.shop_id = %(shop_id)s AND t.state IN ('running', 'returning')
               AND p.left_at IS NULL AND p.returned_at IS NULL
            """,
            {"shop_id": shop_id},
        )
        return {int(row[0]) for row in cur.fetchall()}


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


def switches(
    conn: Connection, shop_id: int, since: date, timezone: str
) -> list[tuple[int, date, bool]]:
    """(variant, day in the shop's zone, whether back to the regular price) of every price that a test set since a day."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id, (finished_at AT TIME ZONE %(zone)s)::date AS day, test_block IS NULL AS is_back
              FROM price_changes
             WHERE shop_id = %(shop_id)s AND test_id IS NOT NULL AND state = 'applied'
               AND finished_at >= %(since)s::date
             ORDER BY variant_id, finished_at, id
            """,
            {"shop_id": shop_id, "since": since, "zone": timezone},
        )
        return [(int(variant), day, bool(is_back)) for variant, day, is_back in cur.fetchall()]


def applied_prices(
    conn: Connection, shop_id: int, test_id: int, timezone: str
) -> list[tuple[int, int, date, Decimal]]:
    """(product, variant, day in the shop's zone, price) of every price that a test set in the store, the oldest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT product_id, variant_id, (finished_at AT TIME ZONE %(zone)s)::date AS day, new_price
              FROM price_changes
             WHERE shop_id = %(shop_id)s AND test_id = %(id)s AND state = 'applied'
             ORDER BY finished_at, id
            """,
            {"shop_id": shop_id, "id": test_id, "zone": timezone},
        )
        return [(int(one[0]), int(one[1]), one[2], Decimal(one[3])) for one in cur.fetchall()]
