"""Gradient-boosted oblivious trees for counts: a log factor on an expectation, from features.

In:  features of rows; the expectation (offset), count, weight and dispersion of each row.
Out: `Trees`, a log factor for any features.
Method: Newton boosting of a Poisson likelihood with the expectation as offset. A tree asks the same
question of all rows of a level (an oblivious tree), so that a few numbers hold it and it cannot follow
single rows. A row counts as quasi-Poisson: by its expectation over its variance. A leaf's
value is shrunk toward no effect by a pseudo-count (the L2 term lambda of boosting libraries).
Source: Friedman (2001), "Greedy function approximation: a gradient boosting machine", Annals of
Statistics 29, 1189-1232; Prokhorenkova et al. (2018), "CatBoost: unbiased boosting with categorical
features", NeurIPS 31 (oblivious trees).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

COUNT: Final = 60
"""Trees."""

DEPTH: Final = 3
"""Levels of a tree: 2 ** DEPTH leaves."""

LEARNING_RATE: Final = 0.1
"""Shrinkage nu: share of its Newton step by which a tree moves the fit (Friedman 2001, sec. 5)."""

LEAF_PSEUDO_COUNT: Final = 300.0
"""Pseudo-count of a leaf, in cases per unit of noise: with as many cases of its own it counts half; as much as
a coefficient of the regression."""

LEAST_CASES: Final = 10.0
"""Cases that at least one leaf must have on both sides of a cut."""

BINS: Final = 24
"""Bins of a feature: cuts are its quantiles at 1/BINS, 2/BINS, ..."""

COLUMNS_ASKED: Final = 0.6
"""Share of the features, drawn anew at each level, among which a split is looked for."""

MOST_ROWS: Final = 60_000
"""Rows learned from at most; of more, as many are drawn."""

LARGEST: Final = 1.5
"""Bound on the absolute log factor while trees are grown."""

AT_ONCE: Final = 1_024
"""Rows predicted together, few enough for every tree's answers to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Grown trees, as three small tables.

    Attributes
    ----------
    features, cuts : array (trees, DEPTH)
        Split of each level: is the feature above the cut?
    leaves : array (trees, 2 ** DEPTH)
        Log factor of each leaf, numbered in binary by the answers, the first level's bit highest.
    """

    features: np.ndarray
    cuts: np.ndarray
    leaves: np.ndarray

    def effect(self, features: np.ndarray) -> np.ndarray:
        """Log factors (...,) of features (..., k): the sum over all trees."""
        rows = features.reshape(-1, features.shape[-1])
        found = np.zeros(len(rows), np.float32)
        for begin in range(0, len(rows), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            # Tree by tree, not by a sum over all, which would round one row unlike many.
            for effect in self._effects(np.ascontiguousarray(rows[part].T, np.float32)):
                found[part] += effect
        return found.reshape(features.shape[:-1])

    def _effects(self, columns: np.ndarray) -> np.ndarray:
        """Log factor (trees, rows) that each tree gives features (k, rows)."""
        answers = np.zeros((len(self.leaves), columns.shape[1]), np.int8)
        for asked, cuts in zip(self.features.T, self.cuts.T, strict=True):
            answers = answers * np.int8(2) + (columns[asked] > cuts[:, None])
        first_leaf = np.arange(len(self.leaves))[:, None] * self.leaves.shape[1]
        return self.leaves.ravel().take(first_leaf + answers)


def no_trees() -> Trees:
    """A model of no trees, whose log factor is 0 everywhere."""
    return Trees(
        np.zeros((0, DEPTH), np.int16),
        np.zeros((0, DEPTH), np.float32),
        np.zeros((0, 1 << DEPTH), np.float32),
    )


def grow(
    features: np.ndarray,
    expected: np.ndarray,
    actual: np.ndarray,
    weight: np.ndarray,
    dispersion: np.ndarray,
    rng: np.random.Generator,
) -> Trees:
    """Trees fitted to rows by Newton boosting.

    Parameters
    ----------
    features : array (rows, k)
    expected, actual, weight, dispersion : array (rows,)
        The variance of `actual` is its mean M + dispersion M^2.
    rng : draws rows beyond `MOST_ROWS`, and the features of each level
    """
    if len(features) > MOST_ROWS:
        kept = rng.choice(len(features), MOST_ROWS, replace=False)
        features, expected, actual = features[kept], expected[kept], actual[kept]
        weight, dispersion = weight[kept], dispersion[kept]
    binned = _Binned.of(features)
    found = np.zeros(len(features))
    asked: list[list[int]] = []
    cuts: list[list[float]] = []
    leaves: list[np.ndarray] = []
    for _ in range(COUNT):
        mean = expected * np.exp(np.clip(found, -LARGEST, LARGEST))
        # Quasi-likelihood: a row of variance M + K M^2 counts as M / (M + K M^2) of a Poisson
        # one.
        importance = weight / (1 + dispersion * mean)
        # Gradient and curvature of the log likelihood in the log factor: (y - M) and M, weighted.
        slope, cases = importance * (actual - mean), importance * mean
        leaf, questions = binned.grown(slope, cases, rng)
        if len(questions) < DEPTH:
            break
        size = 1 << DEPTH
        up, down = (
            np.bincount(leaf, slope, size),
            np.bincount(leaf, cases, size) + LEAF_PSEUDO_COUNT,
        )
        # A leaf's Newton step G / (H + lambda), times the learning rate.
        leaves.append((LEARNING_RATE * up / down).astype(np.float32))
        found += leaves[-1][leaf]
        asked.append([feature for feature, _ in questions])
        cuts.append([binned.edges[feature][cut] for feature, cut in questions])
    if not leaves:
        return no_trees()
    return Trees(np.array(asked, np.int16), np.array(cuts, np.float32), np.array(leaves))


@dataclass(frozen=True, slots=True)
class _Binned:
    """Features as bin numbers (k, rows), and the bins' upper edges."""

    codes: np.ndarray
    edges: list[np.ndarray]

    @classmethod
    def of(cls, features: np.ndarray) -> "_Binned":
        """Features (rows, k) binned at their quantiles."""
        columns = features.T.astype(np.float32)
        shares = np.linspace(0, 1, BINS + 1)[1:-1]
        edges = [_between_values(column, shares) for column in columns]
        pairs = zip(columns, edges, strict=True)
        codes = [np.searchsorted(edge, column, side="left") for column, edge in pairs]
        return cls(np.stack(codes).astype(np.int32), edges)

    def grown(
        self, slope: np.ndarray, cases: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, list[tuple[int, int]]]:
        """(leaf of each row, (feature, cut) of each level); fewer levels where no split gains."""
        leaf = np.zeros(len(slope), np.int32)
        questions: list[tuple[int, int]] = []
        for _ in range(DEPTH):
            open_to = np.flatnonzero(rng.random(len(self.edges)) < COLUMNS_ASKED)
            best, gain = (0, 0), 0.0
            for feature in open_to.tolist():
                cut, gained = self._best_cut(feature, leaf, 1 << len(questions), slope, cases)
                if gained > gain:
                    best, gain = (feature, cut), gained
            if gain <= 0:
                break
            questions.append(best)
            leaf = leaf * 2 + (self.codes[best[0]] > best[1])
        return leaf, questions

    def _best_cut(
        self, feature: int, leaf: np.ndarray, leaves: int, slope: np.ndarray, cases: np.ndarray
    ) -> tuple[int, float]:
        """(best cut of a feature, its gain); a gain of 0 where one side has too few cases."""
        cuts = len(self.edges[feature])
        if not cuts:
            return 0, 0.0
        place = leaf * BINS + self.codes[feature]
        up, count = (
            np.bincount(place, values, leaves * BINS).reshape(leaves, BINS).cumsum(axis=1)
            for values in (slope, cases)
        )
        # Cumulated over bins: left of a cut G and H are the running sums, right of it what is
        # left.
        low, low_count = up[:, :cuts], count[:, :cuts]
        high, high_count = up[:, -1:] - low, count[:, -1:] - low_count
        # Split gain: G^2 / (H + lambda) of both sides, summed over the level's leaves (oblivious:
        # one cut for all).
        gain = (
            low**2 / (low_count + LEAF_PSEUDO_COUNT) + high**2 / (high_count + LEAF_PSEUDO_COUNT)
        ).sum(axis=0)
        gain[np.minimum(low_count, high_count).max(axis=0) <= LEAST_CASES] = 0.0
        best = int(np.argmax(gain))
        return best, float(gain[best])


def _between_values(column: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Edges at some quantiles, each midway to the next value, so that rounding turns no answer."""
    values = np.unique(column)
    after = np.searchsorted(values, np.quantile(column, shares, method="lower"), side="right")
    after = np.unique(np.clip(after, 1, max(len(values) - 1, 1)))
    if len(values) < 2:
        return np.zeros(0, np.float32)
    return (values[after - 1] + values[after]) / 2
