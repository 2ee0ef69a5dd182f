"""The verdict on one decision: its window against what products of its rate did in the same weeks.

In:  the history continued, registrations.
Out: a `Verdict` each; `helped` or `hurt` only where the 90 % range of profit leaves out zero.
Method: the product's standardised residual (seen against expected) ranked among those of its
comparison products. Ranks hold whatever the distribution of counts is.
Source: Abadie, Diamond & Hainmueller (2010), JASA 105, 493-505.
Weak: with one product the range is mostly wider than any sensible effect.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics.outcomes import comparisons as held_against
from shopify_app.analytics.outcomes.comparisons import WEEK, Weeks, day
from shopify_app.analytics.outcomes.placebo import rank_p_value, rank_range
from shopify_app.analytics.outcomes.records import Registration, Verdict
from shopify_app.analytics.outcomes.registration import LEAST_COMPARISONS

LEAST_WEEKS_JUDGED: Final = 2
"""Weeks below which a decision that was undone is not measured."""

Z_80: Final = 1.2816
"""Normal deviations of an 80 % range."""


@dataclass(frozen=True, slots=True)
class Window:
    """Weeks a registration is judged over, [first, through); and why it cannot be judged, if so."""

    pre_from: np.datetime64
    first: np.datetime64
    through: np.datetime64
    reason: str | None

    @property
    def periods(self) -> int:
        """Number of whole weeks."""
        return max(int((self.through - self.first) // WEEK), 0)


@dataclass(frozen=True, slots=True)
class Measured:
    """Counts seen and expected, and the spread of the residual, of a product and its comparison products.

    The product is row 0; `seen, expected, spread` (n + 1,).
    """

    seen: np.ndarray
    expected: np.ndarray
    spread: np.ndarray


def judge(
    history: pd.DataFrame,
    registrations: Sequence[Registration],
    *,
    as_of: object,
    changed: Iterable[str] = (),
    ended: Mapping[str, object] | None = None,
    is_running: bool = False,
) -> list[Verdict]:
    """A `Verdict` per registration.

    Parameters
    ----------
    history : as for `register`, gone on; rows at or after `as_of` are not read.
    as_of : date-like; weeks that ended before it are judged. Before the stop date the outcome is
        `too_early` and no figures are given (looking every day would find an effect in time).
    changed : series whose price (or stock) was changed since; they leave the comparison.
    ended : decision id -> date at which it was undone or overwritten; its window stops there.
    is_running : give the figures so far, through `as_of` and beyond the stop date if so, for the brake
        only (which allows for looking often); the outcome then stays `too_early`.

    Examples
    --------
    One of forty products doubled its counts from the week on in which its price was cut. Asked before the
    stop date nothing is said:

    >>> weeks = np.datetime64("2025-01-06", "s") + np.arange(38) * np.timedelta64(7, "D")
    >>> counts = np.random.default_rng(0).poisson(10, (40, 38))
    >>> counts[0, 32:] *= 2
    >>> history = pd.DataFrame({"series_id": np.repeat([f"p{n}" for n in range(40)], 38)})
    >>> history["period"], history["units"] = np.tile(weeks, 40), counts.ravel()
    >>> from shopify_app.analytics.outcomes import Decision, register
    >>> decision = Decision("d", "p0", "price_cut", unit_profit_before=5.0, unit_profit_after=4.0)
    >>> registered = register(history, [decision], first_on=weeks[32])
    >>> found = judge(history, registered, as_of="2025-09-29")[0]
    >>> found.outcome, found.counts_seen, round(found.counts_expected), found.p_value
    ('helped', 122.0, 60, 0.05)
    >>> judge(history, registered, as_of="2025-09-08")[0].outcome
    'too_early'
    """
    weeks = weeks_of(history, registrations, as_of)
    gone = set(changed)
    found: list[Verdict] = []
    for registration in registrations:
        window = window_of(registration, as_of, ended, is_running=is_running)
        measured = None if window.reason else _measured(weeks, registration, window, gone)
        found.append(_verdict(registration, window, measured, is_running=is_running))
    return found


def weeks_of(history: pd.DataFrame, registrations: Sequence[Registration], as_of: object) -> Weeks:
    """The `Weeks` that some registrations need, of the series they need."""
    wanted = {series for r in registrations for series in (r.series_id, *r.comparison_ids)}
    rows = history["series_id"].astype(str).isin(wanted)
    since = min((day(r.pre_from) for r in registrations), default=day(as_of))
    return held_against.as_weeks(history[rows], since=since, until=day(as_of))


def window_of(
    registration: Registration,
    as_of: object,
    ended: Mapping[str, object] | None,
    *,
    is_running: bool,
) -> Window:
    """The `Window` to judge, cut at the registered stop date and where the decision was undone."""
    first, stop, now = day(registration.first_on), day(registration.stop_on), day(as_of)
    end = (ended or {}).get(registration.decision_id)
    last = stop if end is None else min(stop, day(end))
    if is_running:
        last = now if end is None else day(end)
    through = first + max(int((min(last, now) - first) // WEEK), 0) * WEEK
    window = Window(day(registration.pre_from), first, through, None)
    reason = registration.not_measurable_because
    if reason is None and window.periods < LEAST_WEEKS_JUDGED and end is not None and now >= last:
        reason = "ended_early"
    elif reason is None and (now < last or window.periods < LEAST_WEEKS_JUDGED):
        reason = "too_early"
    return Window(window.pre_from, first, through, reason)


def _measured(
    weeks: Weeks, registration: Registration, window: Window, gone: set[str]
) -> Measured | None:
    """The `Measured` product and comparisons; None where it or too many of them cannot be measured."""
    own = weeks.rows([registration.series_id])
    others = weeks.rows(series for series in registration.comparison_ids if series not in gone)
    first, through = weeks.column(window.first), weeks.column(window.through)
    is_open = weeks.exposure[:, first:through].mean(axis=1) > 0.5
    others = others[is_open[others]]
    if not len(own) or not is_open[own[0]] or len(others) < LEAST_COMPARISONS:
        return None
    some = weeks.take(np.r_[own, others])
    pre = int((window.first - window.pre_from) // WEEK)
    caps = held_against.count_caps(some, first - pre, first)
    if registration.count_cap is not None:
        caps[0] = registration.count_cap
    some = held_against.capped(some, caps)
    every = np.arange(len(some.ids))
    expected = held_against.expect(some, every[1:], every, first, through, pre)
    seen = some.counts[:, first:through].sum(axis=1)
    return Measured(seen, expected.counts, expected.spread)


def _verdict(
    registration: Registration, window: Window, measured: Measured | None, *, is_running: bool
) -> Verdict:
    """The `Verdict` in figures, or without any where nothing can be said."""
    if measured is None:
        return _without_figures(registration, window)
    before = registration.unit_profit_before
    # What was held back went on at its old price.
    after = before if registration.is_held_back else registration.unit_profit_after
    units, seen = registration.units_per_count, float(measured.seen[0])
    residual = (measured.seen / measured.expected - 1) / measured.spread
    # Counterfactual counts: the comparisons' residuals, put on this product's expectation and
    # spread.
    would: dict[float, tuple[float, float]] = {}
    for level in (0.8, 0.9):
        low, high = rank_range(residual[1:], level)
        would[level] = _counts(measured, low), _counts(measured, high)
    middle = _counts(measured, float(np.median(residual[1:])))
    profit = {
        # Profit gained = after x seen - before x counterfactual; more without it means less
        # gained.
        level: (units * (after * seen - before * high), units * (after * seen - before * low))
        for level, (low, high) in would.items()
    }
    low_90, high_90 = profit[0.9]
    outcome = "helped" if low_90 > 0 else "hurt" if high_90 < 0 else "could_not_tell"
    return Verdict(
        decision_id=registration.decision_id,
        series_id=registration.series_id,
        kind=registration.kind,
        outcome="too_early" if is_running else outcome,
        first_on=registration.first_on,
        judged_through=str(window.through),
        is_held_back=registration.is_held_back,
        profit=units * (after * seen - before * middle),
        profit_low=profit[0.8][0],
        profit_high=profit[0.8][1],
        profit_low_90=low_90,
        profit_high_90=high_90,
        profit_sd=(profit[0.8][1] - profit[0.8][0]) / (2 * Z_80),
        units=units * (seen - middle),
        units_low=units * (seen - would[0.8][1]),
        units_high=units * (seen - would[0.8][0]),
        counts_seen=seen,
        counts_expected=middle,
        p_value=_p_value(measured, residual[1:], before, after),
        periods_judged=window.periods,
        comparisons_used=len(residual) - 1,
        reason=None,
    )


def _counts(measured: Measured, residual: float) -> float:
    """The product's counts had its standardised residual been this one."""
    return max(float(measured.expected[0] * (1 + residual * measured.spread[0])), 0.0)


def _p_value(measured: Measured, placebos: np.ndarray, before: float, after: float) -> float | None:
    """Placebo rank of the counts that, at the old unit profit, would have earned what was earned."""
    if before <= 0:
        return None
    worth = measured.seen[0] * after / before
    return rank_p_value(float((worth / measured.expected[0] - 1) / measured.spread[0]), placebos)


def _without_figures(registration: Registration, window: Window) -> Verdict:
    """A `Verdict` without figures, and why."""
    reason = window.reason or "too_few_comparisons"
    return Verdict(
        decision_id=registration.decision_id,
        series_id=registration.series_id,
        kind=registration.kind,
        outcome="too_early" if reason == "too_early" else "not_measurable",
        first_on=registration.first_on,
        judged_through=str(window.through),
        is_held_back=registration.is_held_back,
        profit=None,
        profit_low=None,
        profit_high=None,
        profit_low_90=None,
        profit_high_90=None,
        profit_sd=None,
        units=None,
        units_low=None,
        units_high=None,
        counts_seen=None,
        counts_expected=None,
        p_value=None,
        periods_judged=window.periods,
        comparisons_used=0,
        reason=reason,
    )
