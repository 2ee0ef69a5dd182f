"""What a shop's products do after each pattern of their recent past, learned from all of them at once.

In:  units and exposure by block, the rate foreseen at each moment.
Out: a factor on the rate, per moment and series.
Method: a Poisson regression of what came on what was foreseen, with the product's recent totals
against that rate (1 to 52 blocks), last year's same weeks, how long it has been silent and how young
it is. What moved everybody at a moment is taken out first, so that a good December teaches nothing of
one product. The correction counts the more, the more separate windows the shop has shown. Small
trees add what the regression leaves: where one pattern changes what another means, and what a product's
habit of selling (how often, how much at once) makes of them.
Source: Montero-Manso & Hyndman (2021), "Principles and algorithms for forecasting groups of time
series", IJF 37, 1632-1653 (one model over all series); McCullagh & Nelder, *Generalized Linear
Models*, 2nd ed. (1989), ch. 9 (quasi-likelihood).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from shopify_app.analytics.boosted_trees import Trees, grow, no_trees
from shopify_app.analytics.pooling import FULLY_SEEN, Windows, without_bulk

RECENT_BLOCKS: Final = (1, 4, 13, 26, 52)
YOUNG: Final = (1, 2, 3, 6, 13)
"""Edges of the ages, in blocks, whose own level is learned; older is the reference."""

QUARTER: Final = 13
HABITS: Final = 3
"""Last features, for the trees alone: how often it sold in a year and a quarter, how much at once."""

HABIT_BLOCKS: Final = 52
LEAST_OF_LAST_YEAR: Final = 4
"""Blocks of the year before last that must be known for last year to say anything."""

LOOKED_BACK: Final = 52 + QUARTER
"""No feature looks further back, in blocks."""

LIMIT: Final = 1.0
"""A factor stays within exp(-limit)..exp(limit)."""

RIDGE: Final = 300.0
AGE_RIDGE: Final = 5.0
"""Cases, in units of noise, that an age needs for its own level to count half."""

STEPS: Final = 8
LEAST_ROWS: Final = 200
WINDOWS_TO_TRUST: Final = 2.0
"""Separate windows after which the correction counts half."""

GROUP_SHRINK: Final = 20.0
"""Weight of the whole shop's common move against a group's own, in units of noise."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A fitted correction: standardisation, coefficients and trees of the features, and its trust."""

    middle: np.ndarray
    spread: np.ndarray
    coefficients: np.ndarray
    trees: Trees
    trust: float

    def factor(self, features: np.ndarray) -> np.ndarray:
        """Factors (...,) on the rate from features (..., k)."""
        effect = _design(features[..., :-HABITS], self.middle, self.spread) @ self.coefficients
        more = np.clip(self.trees.effect(features), -LIMIT, LIMIT)
        return np.exp(self.trust * (np.clip(effect, -LIMIT, LIMIT) + more))


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
    running = _running(units * (exposure > 0), exposure)
    length = units.shape[1]
    stamps = np.arange(1, length + 1)[None, :]
    last_sale = np.maximum.accumulate(np.where(units > 0, stamps, 0), axis=1)
    last_sale = np.pad(last_sale, ((0, 0), (1, 0)))
    born = np.where((exposure > 0).any(axis=1), np.argmax(exposure > 0, axis=1), length)
    rows: list[np.ndarray] = []
    for number, known in enumerate(moments):
        # What was there when the shop's history begins was not launched then.
        age = np.where(born == 0, YOUNG[-1] + 1, known - born)
        totals = _Totals(*running, int(known), int(known))
        silent = known - last_sale[:, known]
        rows.append(totals.features(rate[number], silent, age, season, ahead))
    return np.stack(rows)


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
    """Features (n, k) after `known` blocks from the newest `LOOKED_BACK` of them alone.

    Parameters
    ----------
    units, exposure : array (LOOKED_BACK, n), oldest first; 0 before the history begins
    silent, age : array (n,), blocks since the last sale (all, if there was none), and of age
    """
    totals = _Totals(*_running(units.T, exposure.T), LOOKED_BACK, known)
    return totals.features(rate, silent, age, season, ahead)


_Running = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _running(units: np.ndarray, exposure: np.ndarray) -> _Running:
    """Running totals (n, blocks + 1) of units, exposure, blocks with a sale, and squares of units."""
    each = (units, exposure, (units > 0).astype(units.dtype), units * units)
    sold, time, sales, squares = (np.cumsum(np.pad(x, ((0, 0), (1, 0))), axis=1) for x in each)
    return sold, time, sales, squares


@dataclass(frozen=True, slots=True)
class _Totals:
    """Running totals (n, blocks + 1), of `_running`; column `at` is after all `known` blocks."""

    sold: np.ndarray
    time: np.ndarray
    sales: np.ndarray
    squares: np.ndarray
    at: int
    known: int

    def features(
        self, rate: np.ndarray, silent: np.ndarray, age: np.ndarray, season: int, ahead: int
    ) -> np.ndarray:
        """Features (n, k) of each series."""
        expected = np.maximum(rate, 1e-4)
        columns = [
            _against(self.sold, self.time, expected, max(self.at - blocks, 0), self.at)
            for blocks in RECENT_BLOCKS
        ]
        if self.known - season < LEAST_OF_LAST_YEAR:
            columns += [np.zeros(len(expected))] * 2
        else:
            columns += _last_year(self.sold, self.time, expected, self.at - season, ahead)
        level = np.log(expected)
        columns += [level, level**2, np.log1p(silent), np.minimum(silent * expected, 5.0)]
        bins = np.digitize(age, YOUNG)
        columns += [(bins == young).astype(float) for young in range(len(YOUNG))]
        return np.stack([*columns, *self._habits()], axis=1).astype(np.float32)

    def _habits(self) -> list[np.ndarray]:
        """How often each series sold in a year and a quarter, and how much at once (HABITS, n)."""
        year, quarter = max(self.at - HABIT_BLOCKS, 0), max(self.at - QUARTER, 0)
        sales = self.sales[:, self.at]
        sold = self.sold[:, self.at] - self.sold[:, year]
        squares = self.squares[:, self.at] - self.squares[:, year]
        at_once = squares / np.maximum(sold, 1e-9)
        often = [np.log1p(sales - self.sales[:, begin]) for begin in (year, quarter)]
        return [*often, np.log1p(np.maximum(at_once, 0.0))]


def _against(
    sold: np.ndarray, time: np.ndarray, rate: np.ndarray, first: int, last: int
) -> np.ndarray:
    """Log of what was sold in some blocks against the rate foreseen."""
    return np.log(
        (sold[:, last] - sold[:, first] + 1.0) / (rate * (time[:, last] - time[:, first]) + 1.0)
    )


def _last_year(
    sold: np.ndarray, time: np.ndarray, rate: np.ndarray, then: int, ahead: int
) -> list[np.ndarray]:
    """Last year's same blocks against today's rate, and against the quarter before them."""
    last = min(then + ahead + 1, sold.shape[1] - 1)
    season = _against(sold, time, rate, then - 1, last)
    quarter = _against(sold, time, rate, max(then - QUARTER, 0), then)
    return [season, season - quarter]


def fit_correction(
    features: np.ndarray,
    windows: Windows,
    dispersion: np.ndarray,
    groups: np.ndarray,
    separate_windows: float,
    rng: np.random.Generator,
) -> Correction:
    """Learn from features (moments, n, k) and the totals that came; `groups` (n,) of int."""
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
    trust = separate_windows / (separate_windows + WINDOWS_TO_TRUST)
    return Correction(middle, spread, coefficients, trees, trust)


def _regressed(
    design: np.ndarray,
    expected: np.ndarray,
    actual: np.ndarray,
    weight: np.ndarray,
    dispersion: np.ndarray,
    spread: np.ndarray,
) -> np.ndarray:
    """Coefficients of the Poisson regression, by Newton's method."""
    coefficients = np.zeros(design.shape[1])
    ridge = _ridge(len(spread), spread)
    for _ in range(STEPS):
        mean = expected * np.exp(np.clip(design @ coefficients, -LIMIT * 1.5, LIMIT * 1.5))
        importance = weight * mean / (1 + dispersion * mean)
        slope = design.T @ (importance * (actual - mean) / mean) - ridge * coefficients
        curvature = (design * importance[:, None]).T @ design + np.diag(ridge)
        step = np.clip(np.linalg.solve(curvature, slope), -0.5, 0.5)
        coefficients += step
        if np.abs(step).max() < 1e-3:
            break
    return coefficients


def _ridge(features: int, spread: np.ndarray) -> np.ndarray:
    """Pull of each coefficient toward 0. An age is rare: its column is held by cases, not by spread."""
    ridge = np.full(1 + 2 * features - len(YOUNG), RIDGE)
    ages = slice(1 + features - len(YOUNG), 1 + features)
    ridge[ages] = AGE_RIDGE / spread[-len(YOUNG) :] ** 2
    return ridge


def _none(features: int) -> np.ndarray:
    return np.zeros(1 + 2 * features - len(YOUNG))


def _design(features: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """One, the standardised features, and their upper halves: rises and falls may teach unlike things."""
    ages = len(YOUNG)
    standard = (features - middle) / spread
    standard[..., :-ages] = np.clip(standard[..., :-ages], -4.0, 4.0)
    one = np.ones((*standard.shape[:-1], 1))
    return np.concatenate([one, standard, np.maximum(standard[..., :-ages], 0.0)], axis=-1)


def _common_move(windows: Windows, dispersion: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """By how much each group missed at each moment (moments, n)."""
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
