"""The pattern correction: a factor on each rate, learned from what followed each recent sales pattern in all products.

In:  units and exposure by block, the rate foreseen at each moment.
Out: a `Correction`, whose factor on the rate is per moment and series.
Method: a Poisson regression of what came on what was foreseen, with the product's recent totals
against that rate (1 to 52 blocks), last year's same weeks, how long it has been silent and how young
it is. The common error of a moment is divided out first, so that a good December teaches nothing of
one product. The log correction is shrunk by n / (n + `WINDOWS_TO_TRUST`), n non-overlapping windows. Small
trees add what the regression leaves: where one pattern changes what another means, and what a product's
habit of selling (how often, how much at once) makes of them.
Source: Montero-Manso & Hyndman (2021), "Principles and algorithms for forecasting groups of time
series", IJF 37, 1632-1653 (one model over all series); McCullagh & Nelder, *Generalized Linear
Models*, 2nd ed. (1989), ch. 9 (quasi-likelihood).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from shopify_app.analytics.demand.boosted_trees import Trees, grow, no_trees
from shopify_app.analytics.demand.pooling import FULLY_SEEN, Windows, without_bulk

RECENT_BLOCKS: Final = (1, 4, 13, 26, 52)
"""Lengths, in blocks, of the recent totals among the features."""

YOUNG: Final = (1, 2, 3, 6, 13)
"""Upper edges of the age classes, in blocks, with a level of their own; older is the reference."""

QUARTER: Final = 13
"""Blocks in a quarter."""

HABITS: Final = 3
"""Number of last features, for the trees alone: sales in a year and in a quarter, units a sale."""

HABIT_BLOCKS: Final = 52
"""Blocks over which habits are counted."""

LEAST_OF_LAST_YEAR: Final = 4
"""Blocks of the year before last that must be known for the features of last year."""

LOOKED_BACK: Final = 52 + QUARTER
"""Blocks that features look back at most."""

LIMIT: Final = 1.0
"""Bound on the absolute log factor."""

RIDGE: Final = 300.0
"""Ridge penalty of a coefficient: pseudo-count, in cases per unit of noise."""

AGE_RIDGE: Final = 5.0
"""Ridge penalty of an age class's level, likewise."""

STEPS: Final = 8
"""Newton steps at most."""

AT_ONCE: Final = 4_096
"""Rows weighed together, so that no second copy of all of them is held."""

LEAST_ROWS: Final = 200
"""Rows below which nothing is learned."""

WINDOWS_TO_TRUST: Final = 2.0
"""Non-overlapping windows at which the shrinkage weight is one half."""

GROUP_SHRINK: Final = 20.0
"""Pseudo-count of the shop's common error beside a group's own, in cases per unit of noise."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A fitted correction: standardisation, coefficients and trees of the features, and its shrinkage weight."""

    middle: np.ndarray
    spread: np.ndarray
    coefficients: np.ndarray
    trees: Trees
    shrinkage: float

    def factor(self, features: np.ndarray) -> np.ndarray:
        """Factors (...,) on the rate, from features (..., k)."""
        standard = _standard(features[..., :-HABITS], self.middle, self.spread)
        level, own, upper = np.split(self.coefficients, [1, 1 + standard.shape[-1]])
        effect = level + standard @ own + _upper(standard) @ upper
        more = np.clip(self.trees.effect(features), -LIMIT, LIMIT)
        return np.exp(self.shrinkage * (np.clip(effect, -LIMIT, LIMIT) + more))


def pattern_features(
    units: np.ndarray,
    exposure: np.ndarray,
    rate: np.ndarray,
    moments: np.ndarray,
    *,
    season: int,
    ahead: int,
) -> np.ndarray:
    """Features (moments, n, k) of each series at each moment.

    Parameters
    ----------
    units, exposure : array (n, blocks)
    rate : array (moments, n), units a block foreseen
    moments : array of int, blocks known
    season, ahead : blocks in a year; blocks of the window to come
    """
    running = _running((units * (exposure > 0)).T, exposure.T)
    length = units.shape[1]
    stamps = np.arange(1, length + 1)[None, :]
    last_sale = np.maximum.accumulate(np.where(units > 0, stamps, 0), axis=1)
    last_sale = np.pad(last_sale, ((0, 0), (1, 0)))
    born = np.where((exposure > 0).any(axis=1), np.argmax(exposure > 0, axis=1), length)
    found: list[np.ndarray] = []
    for number, known in enumerate(moments):
        # What was there when the shop's history begins was not launched then.
        age = np.where(born == 0, YOUNG[-1] + 1, known - born)
        totals = _Totals(running, int(known), int(known))
        silent = known - last_sale[:, known]
        found.append(totals.features(rate[number], silent, age, season, ahead).T)
    return np.array(found, order="C")


def newest_features(
    units: np.ndarray,
    exposure: np.ndarray,
    rate: np.ndarray,
    known: int,
    silent: np.ndarray,
    age: np.ndarray,
    *,
    season: int,
    ahead: int,
) -> np.ndarray:
    """Features (n, k) after `known` blocks, from the newest `LOOKED_BACK` of them alone.

    Parameters
    ----------
    units, exposure : array (LOOKED_BACK, n), oldest first; 0 before the history begins
    silent, age : array (n,), blocks since the last sale (all, if there was none), and of age
    """
    totals = _Totals(_running(units, exposure), LOOKED_BACK, known)
    return totals.features(rate, silent, age, season, ahead).T


def _running(units: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Running totals (blocks + 1, 4, n) of units, exposure, blocks with a sale, and squares of units.

    `units` and `exposure` are (blocks, n).
    """
    found = np.empty((len(units) + 1, 4, units.shape[1]), units.dtype)
    found[0], each = 0.0, found[1:]
    each[:, 0], each[:, 1], each[:, 2] = units, exposure, units > 0
    np.multiply(units, units, out=each[:, 3])
    for number in range(1, len(found)):
        found[number] += found[number - 1]
    return found


@dataclass(frozen=True, slots=True)
class _Totals:
    """Running totals as `_running` makes them; the one numbered `at` is after all `known` blocks."""

    running: np.ndarray
    at: int
    known: int

    def features(
        self, rate: np.ndarray, silent: np.ndarray, age: np.ndarray, season: int, ahead: int
    ) -> np.ndarray:
        """Features (k, n) of each series."""
        expected = np.maximum(rate, 1e-4)
        columns = [
            self._against(expected, max(self.at - blocks, 0), self.at) for blocks in RECENT_BLOCKS
        ]
        if self.known - season < LEAST_OF_LAST_YEAR:
            columns += [np.zeros_like(expected)] * 2
        else:
            columns += self._last_year(expected, self.at - season, ahead)
        level = np.log(expected)
        columns += [level, level**2, np.log1p(silent), np.minimum(silent * expected, 5.0)]
        bins = np.digitize(age, YOUNG)
        columns += [bins == young for young in range(len(YOUNG))]
        return np.stack([*columns, *self._habits()], dtype=np.float32, casting="same_kind")

    def _against(self, rate: np.ndarray, first: int, last: int) -> np.ndarray:
        """Log ratio of units sold in some blocks to those the rate expects, with a pseudo-count of 1."""
        sold, time = self.running[last, :2] - self.running[first, :2]
        return np.log((sold + 1.0) / (rate * time + 1.0))

    def _last_year(self, rate: np.ndarray, then: int, ahead: int) -> list[np.ndarray]:
        """Log ratios of last year's same blocks: to today's rate, and to the quarter before them."""
        last = min(then + ahead + 1, len(self.running) - 1)
        season = self._against(rate, then - 1, last)
        quarter = self._against(rate, max(then - QUARTER, 0), then)
        return [season, season - quarter]

    def _habits(self) -> list[np.ndarray]:
        """Log frequency of sales in a year and a quarter, log units a sale (HABITS, n)."""
        year, quarter = max(self.at - HABIT_BLOCKS, 0), max(self.at - QUARTER, 0)
        sold, _, sales, squares = self.running[self.at] - self.running[year]
        of_quarter = self.running[self.at, 2] - self.running[quarter, 2]
        at_once = squares / np.maximum(sold, 1e-9)
        return [np.log1p(sales), np.log1p(of_quarter), np.log1p(np.maximum(at_once, 0.0))]


def fit_correction(
    features: np.ndarray,
    windows: Windows,
    dispersion: np.ndarray,
    groups: np.ndarray,
    separate_windows: float,
    rng: np.random.Generator,
) -> Correction:
    """The `Correction` fitted to features (moments, n, k) and the totals that came; `groups` (n,) of int."""
    plain = features.shape[2] - HABITS
    seen = windows.exposure > FULLY_SEEN
    due = windows.foreseen * windows.exposure
    likely = without_bulk(windows.actual, due, dispersion)
    # How much more a launch may sell than was believed is what its age has to teach.
    windows = replace(windows, actual=np.where(windows.ages < 0, likely, windows.actual))
    common = _common_move(windows, dispersion, groups)
    rows = features[seen]
    expected = np.maximum((due * common)[seen], 1e-3)
    actual = windows.actual[seen]
    weight = np.broadcast_to(windows.recency, seen.shape)[seen]
    spread_of_totals = np.broadcast_to(dispersion, seen.shape)[seen]
    if len(rows) < LEAST_ROWS:
        return Correction(np.zeros(plain), np.ones(plain), _none(plain), no_trees(), 0.0)
    middle, spread = rows[:, :plain].mean(axis=0), rows[:, :plain].std(axis=0) + 1e-6
    design = _design(rows[:, :plain], middle, spread)
    coefficients = _regressed(design, expected, actual, weight, spread_of_totals, spread)
    foreseen = expected * np.exp(np.clip(design @ coefficients, -LIMIT, LIMIT))
    trees = grow(rows, foreseen, actual, weight, spread_of_totals, rng)
    shrinkage = separate_windows / (separate_windows + WINDOWS_TO_TRUST)
    return Correction(middle, spread, coefficients, trees, shrinkage)


def _regressed(
    design: np.ndarray,
    expected: np.ndarray,
    actual: np.ndarray,
    weight: np.ndarray,
    dispersion: np.ndarray,
    spread: np.ndarray,
) -> np.ndarray:
    """Coefficients of the ridge Poisson regression, by Newton's method."""
    coefficients = np.zeros(design.shape[1])
    ridge = _ridge(len(spread), spread)
    for _ in range(STEPS):
        mean = expected * np.exp(np.clip(design @ coefficients, -LIMIT * 1.5, LIMIT * 1.5))
        # Quasi-Poisson IRLS: curvature M / (1 + K M), score (y - M) / (1 + K M), less the
        # penalty's slope.
        importance = weight * mean / (1 + dispersion * mean)
        slope = design.T @ (importance * (actual - mean) / mean) - ridge * coefficients
        step = np.linalg.solve(_curvature(design, importance) + np.diag(ridge), slope)
        step = np.clip(step, -0.5, 0.5)
        coefficients += step
        if np.abs(step).max() < 1e-3:
            break
    return coefficients


def _curvature(design: np.ndarray, importance: np.ndarray) -> np.ndarray:
    """Weighted Gram matrix (k, k) of a design's columns."""
    found = np.zeros((design.shape[1], design.shape[1]))
    for begin in range(0, len(design), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        found += (design[part] * importance[part, None]).T @ design[part]
    return found


def _ridge(features: int, spread: np.ndarray) -> np.ndarray:
    """Ridge penalty of each coefficient."""
    ridge = np.full(1 + 2 * features - len(YOUNG), RIDGE)
    # An age class is rare, so its standardised column is steep: its penalty is per case, not per
    # deviation.
    ages = slice(1 + features - len(YOUNG), 1 + features)
    ridge[ages] = AGE_RIDGE / spread[-len(YOUNG) :] ** 2
    return ridge


def _none(features: int) -> np.ndarray:
    """Coefficients of no effect."""
    return np.zeros(1 + 2 * features - len(YOUNG))


def _design(features: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Design matrix: intercept, standardised features, and their positive parts."""
    standard = _standard(features, middle, spread)
    # Features and their positive parts: a hinge at the mean, so that rises and falls have unlike
    # slopes.
    one = np.ones((*standard.shape[:-1], 1))
    return np.concatenate([one, standard, _upper(standard)], axis=-1)


def _standard(features: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Standardised features, bounded at 4 deviations but for the age classes."""
    standard = (features - middle) / spread
    bounded = standard[..., : -len(YOUNG)]
    np.clip(bounded, -4.0, 4.0, out=bounded)
    return standard


def _upper(standard: np.ndarray) -> np.ndarray:
    """Positive parts of the features that are no age class."""
    return np.maximum(standard[..., : -len(YOUNG)], 0.0)


def _common_move(windows: Windows, dispersion: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Common error factor of each series' group at each moment (moments, n)."""
    mean = windows.foreseen * windows.exposure
    weight = (windows.exposure > FULLY_SEEN) / (1 + dispersion * mean)
    actual, expected = weight * windows.actual, weight * mean
    whole = (actual.sum(axis=1) + 2.0) / (expected.sum(axis=1) + 2.0)
    count = int(groups.max()) + 1
    move = np.empty((len(mean), count))
    for number in range(len(mean)):
        came = np.bincount(groups, actual[number], minlength=count)
        due = np.bincount(groups, expected[number], minlength=count)
        move[number] = (came + GROUP_SHRINK * whole[number]) / (due + GROUP_SHRINK)
    return move[:, groups]
