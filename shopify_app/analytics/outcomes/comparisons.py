"""The counterfactual: counts a product would have sold, estimated from products of the same rate in the same weeks.

In:  weekly counts, the week something was done, how long is measured.
Out: the series to compare with; counts expected in the window, and the standard deviation of a relative residual.
Method: log-linear in four discounted rates before the change, from slow to fast, fitted on the
comparison series over the very same weeks, so that what met the whole shop is in the fit, and so
is how fast this shop's products forget their past; large residuals are clipped while fitting (Huber).
The spread grows with the product's own overdispersion before.
Source: pre-period outcomes as covariates: Deng, Xu, Kohavi & Walker (2013), "Improving the
sensitivity of online controlled experiments by utilizing pre-experiment data", WSDM; M-estimation:
Huber & Ronchetti (2009), *Robust Statistics*, ch. 7.
Weak: no product has a season of its own; a product that is itself new has a wide spread only by
its rate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics.panel import as_panel

FAST, SLOW = 0.75, 0.95
"""Discount factor, a week, of the fast of the two rates products are matched by; `SLOW` of the slow one."""

FORGETTING: Final = (SLOW, 0.85, 0.7, 0.5)
"""Discount factors of the four rates a window is foreseen from, slowest first: half a year's memory to a
fortnight's."""

LEAST_RATE: Final = 0.1
"""Pseudo-rate added to weekly rates before their logarithm, so that silence is a low rate."""

WORKING_OVERDISPERSION: Final = 0.2
"""K assumed for weighting series while fitting; the true one is estimated after."""

LEAST_OVERDISPERSION: Final = 0.02
"""Smallest overdispersion K of a shop's products."""

CLIP: Final = 3.0
"""Bound on standardised residuals while fitting (Huber's constant)."""

OVERDISPERSION_RANGE: Final = 2.0
"""Factor by which a product's own overdispersion widens or narrows its spread at most."""

CAP_FACTOR: Final = 4.0
"""Count cap, as a multiple of the 95 % quantile of past weeks."""

LEAST_CAP: Final = 5.0
"""Smallest count cap."""

WEEK: Final = np.timedelta64(7, "D")
"""Length of a week."""


@dataclass(frozen=True, slots=True)
class Weeks:
    """Weekly counts side by side.

    Attributes
    ----------
    ids : array (n,) of str
    counts : array (n, weeks)
    exposure : array (n, weeks), share of the week in stock
    first : datetime64, start of the first week
    """

    ids: np.ndarray
    counts: np.ndarray
    exposure: np.ndarray
    first: np.datetime64

    def column(self, date: object) -> int:
        """Column of the first week that starts at or after `date`."""
        return int(np.ceil((day(date) - self.first) / WEEK))

    def take(self, rows: np.ndarray) -> "Weeks":
        """The weeks of the chosen rows."""
        return Weeks(self.ids[rows], self.counts[rows], self.exposure[rows], self.first)

    def rows(self, ids: Iterable[str]) -> np.ndarray:
        """Rows of some ids, in their order; unknown ids are left out."""
        place = {str(series): row for row, series in enumerate(self.ids)}
        return np.array([place[series] for series in ids if series in place], int)


@dataclass(frozen=True, slots=True)
class Expectation:
    """Expected counts over a window (n,), and the standard deviation of their relative residual `spread` (n,)."""

    counts: np.ndarray
    spread: np.ndarray


def day(date: object) -> np.datetime64:
    """A date-like as datetime64[D]."""
    return np.datetime64(pd.Timestamp(str(date)), "D")


def as_weeks(history: pd.DataFrame, *, since: np.datetime64, until: np.datetime64) -> Weeks:
    """The `Weeks` of a history that start at or after `since` and end by `until`; a week without a row is zero.

    Raises
    ------
    ValueError
        As `panel.as_panel`: columns are missing, counts are negative, a week stands twice.
    """
    panel = as_panel(history, period="W", as_of=until)
    if not len(panel.periods):
        return Weeks(np.array([], str), np.zeros((0, 0)), np.zeros((0, 0)), since)
    first = panel.periods[0].astype("datetime64[D]")
    count = int((until - first) // WEEK)
    missing = max(count - len(panel.periods), 0)
    skip = max(int(np.ceil((since - first) / WEEK)), 0)
    pad = ((0, 0), (0, missing))
    counts = np.pad(panel.units, pad)[:, skip:count]
    exposure = np.pad(panel.exposure, pad, constant_values=1.0)[:, skip:count]
    return Weeks(panel.series_ids.astype(str), counts, exposure, first + skip * WEEK)


def capped(weeks: Weeks, caps: np.ndarray) -> Weeks:
    """The weeks with counts above a series' cap set to it."""
    return Weeks(weeks.ids, np.minimum(weeks.counts, caps[:, None]), weeks.exposure, weeks.first)


def count_caps(weeks: Weeks, start: int, stop: int) -> np.ndarray:
    """Largest weekly count of each series that is believed (n,), from columns [start, stop)."""
    past = weeks.counts[:, max(start, 0) : stop]
    if not past.shape[1]:
        return np.full(len(weeks.ids), LEAST_CAP)
    return np.maximum(CAP_FACTOR * np.quantile(past, 0.95, axis=1), LEAST_CAP)


def rates(
    weeks: Weeks, stop: int, pre: int, forgetting: Sequence[float] = (FAST, SLOW)
) -> np.ndarray:
    """Log discounted weekly rates before column `stop`, one a discount factor (n, factors)."""
    start = max(stop - pre, 0)
    counts, exposure = weeks.counts[:, start:stop], weeks.exposure[:, start:stop]
    age = np.arange(counts.shape[1])[::-1]
    columns = [
        np.log((counts @ weight) / np.maximum(exposure @ weight, 0.5) + LEAST_RATE)
        for weight in (speed**age for speed in forgetting)
    ]
    return np.stack(columns, axis=1)


def nearest_in_rate(rate: np.ndarray, row: int, pool: np.ndarray, count: int) -> np.ndarray:
    """The `count` rows of the pool nearest in level and recent turn to those of `row`, nearest first."""
    slow, turn = rate[:, 1], rate[:, 0] - rate[:, 1]
    # Distance in log rate, plus half that in the turn: the fast rate less the slow one.
    distance = np.abs(slow[pool] - slow[row]) + 0.5 * np.abs(turn[pool] - turn[row])
    return pool[np.argsort(distance, kind="stable")[:count]]


def expect(
    weeks: Weeks, fit_rows: np.ndarray, rows: np.ndarray, first: int, stop: int, pre: int
) -> Expectation:
    """The `Expectation` of `rows` in columns [first, stop), from a regression on `fit_rows` in the same columns."""
    design = np.c_[np.ones(len(weeks.ids)), rates(weeks, first, pre, FORGETTING)]
    open_share = weeks.exposure[:, first:stop].mean(axis=1)
    seen = weeks.counts[:, first:stop].sum(axis=1)
    usable = fit_rows[open_share[fit_rows] > 0]
    slope = _fit(design[usable], seen[usable], open_share[usable])
    expected = np.exp(np.clip(design @ slope, -10, 15)) * np.maximum(open_share, 1e-6)
    spread = _spread(weeks, first, pre, seen, expected, usable)
    return Expectation(expected[rows], spread[rows])


def _fit(design: np.ndarray, seen: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Coefficients of a quasi-Poisson regression with clipped residuals; column 1 is the slow rate."""
    level = np.log((seen.sum() + 0.5) / (np.exp(design[:, 1]) @ exposure))
    as_before = np.zeros(design.shape[1])
    as_before[1] = 1.0
    slope = np.r_[level, as_before[1:]]
    # A ridge towards "as before": a handful of series must not tell a trend.
    ridge = np.r_[1e-6, np.ones(design.shape[1] - 1)]
    for _ in range(12):
        mean = np.exp(np.clip(design @ slope, -10, 15)) * exposure
        spread = np.sqrt(mean + WORKING_OVERDISPERSION * mean**2)
        residual = np.clip((seen - mean) / spread, -CLIP, CLIP)
        # Newton step of the quasi-score with the working variance M + K M^2, penalty on the
        # slopes only.
        curvature = (design * (mean / spread)[:, None] ** 2).T @ design
        score = (design * (mean / spread)[:, None]).T @ residual
        penalty = np.r_[0.0, slope[1:] - as_before[1:]]
        slope = slope + np.linalg.solve(curvature + np.diag(ridge), score - penalty)
    return slope


def _spread(
    weeks: Weeks,
    first: int,
    pre: int,
    seen: np.ndarray,
    expected: np.ndarray,
    usable: np.ndarray,
) -> np.ndarray:
    """Standard deviation of every series' relative residual (n,): counting noise, the shop's overdispersion, its own."""
    residual = np.abs(seen / expected - 1)
    # Variance by the MAD (x 1.4826 for a normal), less the counting noise 1 / M of the typical
    # series.
    middle = (1.4826 * np.median(residual[usable])) ** 2 - np.median(1 / expected[usable])
    spread = np.sqrt(1 / expected + max(middle, LEAST_OVERDISPERSION))
    past = weeks.counts[:, max(first - pre, 0) : first]
    mean = past.mean(axis=1)
    log_overdispersion = np.log(past.var(axis=1) / np.maximum(mean, 0.5) + 0.2)
    design = np.c_[np.ones(len(log_overdispersion)), log_overdispersion, np.log(expected)]
    target = np.log(np.minimum(residual / spread, CLIP + 1) + 0.1)
    ridge = np.diag([1e-6, 10.0, 10.0])
    slope = np.linalg.solve(
        design[usable].T @ design[usable] + ridge, design[usable].T @ target[usable]
    )
    change = design @ slope
    # How much wider than the shop's a product's residuals are, predicted from its own past
    # variance.
    factor = np.exp(change - np.mean(change[usable]))
    return spread * np.clip(factor, 1 / OVERDISPERSION_RANGE, OVERDISPERSION_RANGE)
