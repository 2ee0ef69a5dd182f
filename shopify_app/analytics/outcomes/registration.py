"""Pre-registration: how a decision will be judged, fixed before it is written.

In:  the weekly history up to the decision, the decisions, what else is under change.
Out: a `Registration` per decision: comparison products, window, stop date, minimum detectable effect.
Method: the 199 products nearest in rate (level and recent turn) to which nothing is done; the last
whole window before the decision, in which nothing was done either, shows how well one could tell.
Source: pre-registration as in clinical trials; matching on past outcomes: Imbens & Rubin (2015), ch. 15.
Weak: two products may be bought instead of one another without anyone having said so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics.outcomes import comparisons as held_against
from shopify_app.analytics.outcomes.comparisons import WEEK, Expectation, Weeks, day
from shopify_app.analytics.outcomes.placebo import rank_range
from shopify_app.analytics.outcomes.records import Decision, Registration

PRE_PERIODS: Final = 26
"""Weeks before the decision that it is held against."""

WINDOW_PERIODS: Final = 6
"""Weeks of the window measured."""

COMPARISONS: Final = 199
"""Number of comparison products: a rank among 199 resolves 1 %."""

LEAST_COMPARISONS: Final = 19
"""Fewest comparison products: fewer cannot bound 90 % of chance."""

LEAST_PAST_WEEKS: Final = 8
"""Weeks on sale that a product must have behind it."""

LEAST_EXPECTED_COUNTS: Final = 1.0
"""Expected counts of the window below which nothing can be measured."""

METHOD: Final = "placebo-rank/2"
"""Name and version of the method, kept with the registration."""


def register(
    history: pd.DataFrame,
    decisions: Sequence[Decision],
    *,
    first_on: object,
    held_back: Iterable[str] = (),
    under_change: Iterable[str] = (),
    pre_periods: int = PRE_PERIODS,
    window_periods: int = WINDOW_PERIODS,
    seed: int = 0,
) -> list[Registration]:
    """A `Registration` per decision, from what is known before it is written.

    Parameters
    ----------
    history : DataFrame, weekly
        `series_id, period` (start of the week, datetime64), `units` (counts) and optional `in_stock`
        (share). Rows at or after `first_on` are not read. Weeks without a row are zero.
    decisions : what is about to be done; all of them start with the week `first_on`.
    first_on : date-like
        Start of the first week that is measured (the first whole week after the write).
    held_back : decision ids that the draw keeps from being done.
    under_change : series that changed lately or are being measured; never compared with.

    Raises
    ------
    ValueError
        If columns are missing, counts are negative or a decision id stands twice.

    Examples
    --------
    >>> weeks = np.datetime64("2025-01-06", "s") + np.arange(38) * np.timedelta64(7, "D")
    >>> counts = np.random.default_rng(0).poisson(10, (40, 38))
    >>> counts[0, 32:] *= 2
    >>> history = pd.DataFrame({"series_id": np.repeat([f"p{n}" for n in range(40)], 38)})
    >>> history["period"], history["units"] = np.tile(weeks, 40), counts.ravel()
    >>> decision = Decision("d", "p0", "price_cut", unit_profit_before=5.0, unit_profit_after=4.0)
    >>> found = register(history, [decision], first_on=weeks[32])[0]
    >>> found.first_on, found.stop_on, len(found.comparison_ids), round(found.expected_counts)
    ('2025-08-18', '2025-09-29', 39, 62)
    """
    if len({decision.decision_id for decision in decisions}) != len(decisions):
        raise ValueError("a decision stands twice")
    first = day(first_on)
    since = first - (pre_periods + window_periods) * WEEK
    busy = {decision.series_id for decision in decisions} | set(under_change)
    before = _before(
        held_against.as_weeks(history, since=since, until=first), busy, pre_periods, window_periods
    )
    held = set(held_back)
    return [
        _registration(decision, before, first, is_held_back=decision.decision_id in held, seed=seed)
        for decision in decisions
    ]


@dataclass(frozen=True, slots=True)
class _Before:
    """The shop before a decision: who may be compared with, and the last window as a trial of the method."""

    weeks: Weeks
    row_of: dict[str, int]
    caps: np.ndarray
    rate: np.ndarray
    is_known: np.ndarray
    pool: np.ndarray
    pre: int
    window: int
    seen: np.ndarray
    expected: Expectation | None


def _before(weeks: Weeks, busy: set[str], pre: int, window: int) -> _Before:
    """The `_Before` of some weeks."""
    stop = weeks.counts.shape[1]
    caps = held_against.count_caps(weeks, stop - pre, stop)
    weeks = held_against.capped(weeks, caps)
    start, first = max(stop - pre, 0), max(stop - window, 0)
    lived = weeks.exposure[:, start:].sum(axis=1) >= LEAST_PAST_WEEKS
    is_known = lived & (weeks.counts[:, start:].sum(axis=1) > 0)
    free = np.array([series not in busy for series in weeks.ids], bool)
    pool = np.flatnonzero(free & is_known)
    has_trial = len(pool) >= LEAST_COMPARISONS and first >= LEAST_PAST_WEEKS
    every = np.arange(len(weeks.ids))
    return _Before(
        weeks=weeks,
        row_of={str(series): row for row, series in enumerate(weeks.ids)},
        caps=caps,
        rate=held_against.rates(weeks, stop, pre),
        is_known=is_known,
        pool=pool,
        pre=pre,
        window=window,
        seen=weeks.counts[:, first:].sum(axis=1),
        expected=held_against.expect(weeks, pool, every, first, stop, pre) if has_trial else None,
    )


def _registration(
    decision: Decision, before: _Before, first: np.datetime64, *, is_held_back: bool, seed: int
) -> Registration:
    """The `Registration` of one decision."""
    row = before.row_of.get(decision.series_id)
    is_known = row is not None and bool(before.is_known[row])
    comparison = np.array([], int)
    expected, cap = 0.0, None
    if row is not None and is_known:
        comparison = _comparisons(before, row, decision.substitutes)
        expected, cap = _usual_counts(before, row), float(before.caps[row])
    reason = None
    if row is None or not is_known or expected < LEAST_EXPECTED_COUNTS:
        reason = "no_history"
    elif len(comparison) < LEAST_COMPARISONS:
        reason = "too_few_comparisons"
    return Registration(
        decision_id=decision.decision_id,
        series_id=decision.series_id,
        kind=decision.kind,
        metric="gross_profit",
        method=METHOD,
        pre_from=str(first - before.pre * WEEK),
        first_on=str(first),
        stop_on=str(first + before.window * WEEK),
        comparison_ids=tuple(str(series) for series in before.weeks.ids[comparison]),
        count_cap=cap,
        expected_counts=round(expected, 3),
        detectable_share=(
            None if reason or row is None else _detectable_share(before, row, comparison)
        ),
        unit_profit_before=decision.unit_profit_before,
        unit_profit_after=decision.unit_profit_after,
        units_per_count=decision.units_per_count,
        is_held_back=is_held_back,
        not_measurable_because=reason,
        seed=seed,
    )


def _comparisons(before: _Before, row: int, substitutes: Iterable[str]) -> np.ndarray:
    """Rows to hold a row against, nearest in rate first; never a substitute."""
    near = [before.row_of[series] for series in substitutes if series in before.row_of]
    pool = before.pool[~np.isin(before.pool, near)]
    return held_against.nearest_in_rate(before.rate, row, pool, COMPARISONS)


def _usual_counts(before: _Before, row: int) -> float:
    """Counts of a window at the rate before."""
    # Geometric mean of the fast and the slow rate, the pseudo-rate taken off again.
    level = float(np.exp(before.rate[row].mean())) - held_against.LEAST_RATE
    return max(level, 0.0) * before.window


def _detectable_share(before: _Before, row: int, comparison: np.ndarray) -> float | None:
    """Minimum detectable effect: the relative change that the 90 % range of this product's window would just leave out."""
    if before.expected is None:
        return None
    counts, spread = before.expected.counts, before.expected.spread
    # The trial window: how far the method was off where nothing was done.
    residual = (before.seen[comparison] / counts[comparison] - 1) / spread[comparison]
    low, high = rank_range(residual, 0.9)
    share = max(-low, high) * float(spread[row])
    return round(share, 3) if 0 < share <= 1 else None
