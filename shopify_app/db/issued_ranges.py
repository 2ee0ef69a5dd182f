"""Ranges of demand that were given, and what came (table `issued_ranges`). Every query names its shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, one_value, rows_as

PAGE: Final = 1_000
"""Rows in one statement."""


@dataclass(frozen=True, slots=True)
class NewRange:
    """A range of the units ordered over [issued_on, due_on).

    Attributes
    ----------
    level : as said, within (0, 1)
    used_level : what the model was asked for
    low_share, high_share : how far a total on the end itself is inside
    """

    variant_id: int
    issued_on: date
    due_on: date
    level: float
    used_level: float
    expected: float
    low: int
    high: int
    low_share: float
    high_share: float


@dataclass(frozen=True, slots=True)
class DueRange:
    """A range whose days are over: what was ordered, and for how much of the time there was nothing to sell."""

    variant_id: int
    issued_on: date
    sold_units: int
    out_of_stock_share: float


@dataclass(frozen=True, slots=True)
class ScoredRange:
    """A range and what came."""

    variant_id: int
    kind: str
    issued_on: date
    due_on: date
    level: float
    used_level: float
    expected: float
    low: int
    high: int
    low_share: float
    high_share: float
    actual: int


def add(conn: Connection, shop_id: int, ranges: Sequence[NewRange]) -> None:
    """Keep ranges as they are given; one given before stays, a variant deleted meanwhile is passed over."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO issued_ranges (shop_id, variant_id, kind, issued_on, due_on, level, used_level, expected,
                                       low, high, low_share, high_share)
            SELECT n.shop_id, n.variant_id, 'restock', n.issued_on, n.due_on, n.level, n.used_level, n.expected,
                   n.low, n.high, n.low_share, n.high_share
              FROM (VALUES %s) AS n (shop_id, variant_id, issued_on, due_on, level, used_level, expected,
                                     low, high, low_share, high_share)
              JOIN variants v ON v.shop_id = n.shop_id AND v.id = n.variant_id
                ON CONFLICT (shop_id, variant_id, kind, issued_on) DO NOTHING
            """,
            [
                (
                    shop_id,
                    one.variant_id,
                    one.issued_on,
                    one.due_on,
                    one.level,
                    one.used_level,
                    one.expected,
                    one.low,
                    one.high,
                    one.low_share,
                    one.high_share,
                )
                for one in ranges
            ],
            template="(%s::bigint, %s::bigint, %s::date, %s::date, %s::numeric, %s::numeric, %s::float8,"
            " %s::int, %s::int, %s::real, %s::real)",
            page_size=PAGE,
        )


def last_issued_on(conn: Connection, shop_id: int) -> date | None:
    """The day on which ranges were given last."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT max(issued_on) FROM issued_ranges WHERE shop_id = %(shop_id)s",
            {"shop_id": shop_id},
        )
        return one_value(cur)


def next_due_on(conn: Connection, shop_id: int) -> date | None:
    """The day on which the next of the ranges that still wait comes due."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT min(due_on) FROM issued_ranges
             WHERE shop_id = %(shop_id)s AND actual IS NULL AND left_out_because IS NULL
            """,
            {"shop_id": shop_id},
        )
        return one_value(cur)


def due(conn: Connection, shop_id: int, *, until: date, timezone: str) -> list[DueRange]:
    """Ranges without a score that were due on `until` or before, with what their days brought.

    A day before the first change of stock that we have seen counts as one with stock.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            WITH due AS (
                SELECT r.variant_id, r.issued_on, r.due_on, v.inventory_item_id,
                       r.issued_on::timestamp AT TIME ZONE %(timezone)s AS since,
                       r.due_on::timestamp AT TIME ZONE %(timezone)s AS until
                  FROM issued_ranges r JOIN variants v ON v.shop_id = r.shop_id AND v.id = r.variant_id
                 WHERE r.shop_id = %(shop_id)s AND r.due_on <= %(until)s
                   AND r.actual IS NULL AND r.left_out_because IS NULL
            )
            SELECT d.variant_id, d.issued_on,
                   (SELECT coalesce(sum(s.ordered_units), 0)::bigint FROM daily_sales s
                     WHERE s.shop_id = %(shop_id)s AND s.variant_id = d.variant_id
                       AND s.sold_on >= d.issued_on AND s.sold_on < d.due_on) AS sold_units,
                   (SELECT coalesce(sum(extract(epoch FROM least(t.until, d.until) - greatest(t.since, d.since))
                                        / extract(epoch FROM d.until - d.since)), 0)::float8
                      FROM (SELECT changed_at AS since, sum(step) OVER item AS units,
                                   lead(changed_at, 1, 'infinity') OVER item AS until
                              FROM (SELECT location_id, changed_at,
                                           available_units - lag(available_units, 1, 0) OVER (
                                               PARTITION BY location_id ORDER BY changed_at) AS step
                                      FROM inventory_history h
                                     WHERE h.shop_id = %(shop_id)s AND h.inventory_item_id = d.inventory_item_id) changes
                            WINDOW item AS (ORDER BY changed_at, location_id)) t
                     WHERE t.units <= 0 AND t.since < d.until AND t.until > d.since) AS out_of_stock_share
              FROM due d
             ORDER BY d.issued_on, d.variant_id
            """,
            {"shop_id": shop_id, "until": until, "timezone": timezone},
        )
        return rows_as(DueRange, cur)


def keep_scores(
    conn: Connection, shop_id: int, scored: Sequence[DueRange], left_out: Sequence[DueRange]
) -> None:
    """Write down what came, or that a range is left out because there was nothing to sell; once only."""
    found = [(shop_id, one.variant_id, one.issued_on, one.sold_units, None) for one in scored]
    found += [(shop_id, one.variant_id, one.issued_on, None, "out_of_stock") for one in left_out]
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            UPDATE issued_ranges r SET actual = n.actual, left_out_because = n.because
              FROM (VALUES %s) AS n (shop_id, variant_id, issued_on, actual, because)
             WHERE r.shop_id = n.shop_id AND r.variant_id = n.variant_id AND r.issued_on = n.issued_on
               AND r.actual IS NULL AND r.left_out_because IS NULL
            """,
            found,
            template="(%s::bigint, %s::bigint, %s::date, %s::bigint, %s::text)",
            page_size=PAGE,
        )


def scored_since(conn: Connection, shop_id: int, first: date) -> list[ScoredRange]:
    """Ranges due on `first` or later of which it is known what came, the oldest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id, kind, issued_on, due_on, level::float8 AS level, used_level::float8 AS used_level,
                   expected, low, high, low_share, high_share, actual
              FROM issued_ranges
             WHERE shop_id = %(shop_id)s AND due_on >= %(first)s AND actual IS NOT NULL
             ORDER BY due_on, variant_id
            """,
            {"shop_id": shop_id, "first": first},
        )
        return rows_as(ScoredRange, cur)


def left_out_since(conn: Connection, shop_id: int, first: date) -> int:
    """How many of the ranges due on `first` or later were left out."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT count(*) FROM issued_ranges
             WHERE shop_id = %(shop_id)s AND due_on >= %(first)s AND left_out_because IS NOT NULL
            """,
            {"shop_id": shop_id, "first": first},
        )
        return int(one_value(cur))


def forget_before(conn: Connection, shop_id: int, first: date) -> int:
    """Delete what was due before a day; how many."""
    with conn.cursor() as cur:
        cur.execute(
            "DELETE FROM issued_ranges WHERE shop_id = %(shop_id)s AND due_on < %(first)s",
            {"shop_id": shop_id, "first": first},
        )
        return cur.rowcount
