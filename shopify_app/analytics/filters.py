"""How fast each series sells, as known at each of several moments: two banks of filters.

In:  units and exposure (n, T), the moments (numbers of periods known).
Out: rates (moments, n), units a period were it in stock.
Methods: (1) gamma-Poisson discount filters that differ in how fast they forget and how readily they
take a product for dead, averaged by how well they foresaw the series' own past; (2) exponential
smoothing at several speeds, averaged by the squared error of the totals they foresaw.
Source: Harvey & Fernandes (1989), "Time series models for count or qualitative observations",
JBES 7, 407-417; West & Harrison, *Bayesian Forecasting and Dynamic Models* (1997), ch. 14;
Petropoulos & Kourentzes (2015), "Forecast combinations for intermittent demand", JORS 66, 914-924.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

FORGETTING: Final = (0.5, 0.7, 0.85, 0.92, 0.96, 0.99)
"""Weight of a period against the one after it."""

DEATH_HAZARDS: Final = (0.0, 0.01, 0.04)
"""Chance a period that a product stops selling for good."""

PRIOR_FOR_GOOD: Final = 0.1
"""Share of the group's prior that a series never forgets; the rest fades as its own history grows."""

REVIVAL: Final = 0.02
SCORE_MEMORY: Final = 0.99
LEAST_EXPOSURE: Final = 0.05
"""Below this share in stock a period says nothing."""

SPEEDS: Final = (0.02, 0.05, 0.1, 0.2, 0.35)
"""Of exponential smoothing: the weight of the newest period."""

SHARPNESS: Final = 4.0
"""How much more a smoother counts that errs less: its weight is error ** -SHARPNESS."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What was known at each moment.

    Attributes
    ----------
    filtered, smoothed : array (moments, n)
        Units a period, by either bank; the filtered one already counts that the series may be dead.
    alive : array (moments, n)
        Probability that the series still sells.
    """

    filtered: np.ndarray
    smoothed: np.ndarray
    alive: np.ndarray


def rates_at(
    units: np.ndarray, exposure: np.ndarray, prior: np.ndarray, moments: np.ndarray, span: int
) -> Rates:
    """Rates at each of `moments` (ascending numbers of periods known, at most T).

    Parameters
    ----------
    prior : array (n, 2)
        Gamma shape and rate of each series' group.
    span : int
        Periods of the totals by which the smoothers are judged.
    """
    exposure = np.where(exposure < LEAST_EXPOSURE, 0.0, exposure)
    models = [(forget, hazard) for forget in FORGETTING for hazard in DEATH_HAZARDS]
    kept = np.empty((len(models), 3, len(moments), len(units)))
    for number, (forget, hazard) in enumerate(models):
        kept[number] = _filter(units, exposure, prior, moments, forget, hazard)
    erratic = _erratic(units, exposure, moments)
    tempered = kept[:, 2] / erratic[None]
    weights = np.exp(tempered - tempered.max(axis=0))
    weights /= weights.sum(axis=0)
    alive = (weights * kept[:, 1]).sum(axis=0)
    filtered = (weights * kept[:, 0] * kept[:, 1]).sum(axis=0)
    return Rates(filtered, _smooth(units, exposure, prior, moments, span), alive)


def _filter(
    units: np.ndarray,
    exposure: np.ndarray,
    prior: np.ndarray,
    moments: np.ndarray,
    forget: float,
    hazard: float,
) -> np.ndarray:
    """One filter: (rate, alive, score) at each moment, (3, moments, n)."""
    n, length = units.shape
    shape, rate = PRIOR_FOR_GOOD * prior[:, 0], PRIOR_FOR_GOOD * prior[:, 1]
    a, b = prior[:, 0] - shape, prior[:, 1] - rate
    alive, score = np.ones(n), np.zeros(n)
    kept, wanted = np.empty((3, len(moments), n)), {int(t): i for i, t in enumerate(moments)}
    for t in range(length + 1):
        m = (a + shape) / (b + rate)
        if t in wanted:
            kept[:, wanted[t]] = m, alive, score
        if t == length:
            break
        y, e = units[:, t], exposure[:, t]
        seen = e > 0
        f = np.maximum(m * alive * e, 1e-9)
        score = np.where(seen, SCORE_MEMORY * score + y * np.log(f) - f, score)
        silent = (1 + e / (b + rate)) ** -(a + shape)
        alive = np.minimum(alive, 1.0)  # rounding above 1 would grow without bound
        still = np.where(y > 0, 1.0, alive * silent / np.maximum(alive * silent + 1 - alive, 1e-12))
        alive = np.where(seen, still * (1 - hazard) + (1 - still) * REVIVAL, alive)
        a = np.where(seen, forget * a + y, a)
        b = np.where(seen, forget * b + e * np.maximum(alive, 0.05), b)
    return kept


def _erratic(units: np.ndarray, exposure: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Variance of a series against a Poisson's, at each moment (moments, n); at least 1.

    Taken from steps, so that a change of level is no noise: scores are divided by it.
    """
    seen = exposure > 0
    both = seen[:, 1:] & seen[:, :-1]
    squares = np.cumsum(np.diff(units, axis=1) ** 2 * both, axis=1)
    total, count = np.cumsum(units * seen, axis=1), np.cumsum(seen, axis=1)
    found = np.ones((len(moments), len(units)))
    for number, t in enumerate(moments):
        if t >= 2:
            periods = np.maximum(count[:, t - 1], 1)
            mean = np.maximum(total[:, t - 1] / periods, 1e-3)
            noise = squares[:, t - 2] / (2 * np.maximum(periods - 1, 1))
            found[number] = np.maximum(noise / mean, 1.0)
    return found


def _smooth(
    units: np.ndarray, exposure: np.ndarray, prior: np.ndarray, moments: np.ndarray, span: int
) -> np.ndarray:
    """Exponential smoothing at each moment (moments, n), speeds averaged by the totals they foresaw."""
    n, length = units.shape
    speeds = np.array(SPEEDS)[:, None]
    start = prior[:, 0] / np.maximum(prior[:, 1], 1e-9)
    level = np.tile(start, (len(SPEEDS), 1))
    seen_time = np.zeros(n)
    error = np.zeros((len(SPEEDS), n))
    earlier: deque[np.ndarray] = deque(maxlen=span)
    kept, wanted = np.empty((len(moments), n)), {int(t): i for i, t in enumerate(moments)}
    totals, times = (np.cumsum(np.pad(x, ((0, 0), (1, 0))), axis=1) for x in (units, exposure))
    for t in range(length + 1):
        if t >= span and len(earlier) == span:
            time = times[:, t] - times[:, t - span]
            gap = totals[:, t] - totals[:, t - span] - earlier[0] * time
            error = 0.98 * error + np.where(time > 0.5 * span, gap**2, 0.0)
        if t in wanted:
            weights = ((error + 1e-6) / (error.min(axis=0) + 1e-6)) ** -SHARPNESS
            kept[wanted[t]] = (weights * level).sum(axis=0) / weights.sum(axis=0)
        if t == length:
            break
        earlier.append(level)
        e = exposure[:, t]
        seen_time = seen_time + e
        # Young series learn as an average does, whatever their speed.
        speed = np.maximum(speeds, 1.0 / (seen_time + 1.0)) * np.minimum(e, 1.0)
        level = level + np.where(
            e > 0, speed * (units[:, t] / np.maximum(e, LEAST_EXPOSURE) - level), 0.0
        )
    return kept
