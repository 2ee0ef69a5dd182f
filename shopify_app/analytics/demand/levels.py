"""Demand period by period as the forecast's totals imply it: a shared random level, and noise of each period.

In:  a `DemandForecast`, the span over which its totals matter.
Out: `DemandLevels`: a few possible levels of each series with their weights, and the distribution of a
     period's demand given a level.
Method: a total's dispersion that does not fall as 1 / periods is uncertainty of the level, shared by
all periods; the rest is the single period's own. The level is a gamma with mean 1, cut into slices
(thin ones above, where orders are decided), each stood for by its mean; given the level, periods are
independent negative binomials. Large demands are counted in buckets of several units.
Source: the compound gamma-Poisson of Harvey & Fernandes (1989); equal-mean discretisation: Miller & Rice
(1983), "Discrete approximations of probability distributions", Management Science 29, 352-362.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammainc, gammaincinv

from shopify_app.analytics import negative_binomial as nb
from shopify_app.analytics.demand.forecast import DemandForecast

EDGES: Final = np.array([0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.82, 0.91, 0.97, 1.0])
"""Edges, as probabilities, of the slices of the level's distribution."""

LEAST_VARIANCE: Final = 1e-6
"""Variance of the level below which it is taken as 1."""


@dataclass(frozen=True, slots=True)
class DemandLevels:
    """Discrete distribution of each series' level, and the dispersion around it.

    Attributes
    ----------
    expected : array (n, horizon), expected units in each coming period
    level : array (n, slices), multipliers of `expected`; their weighted mean is 1
    weight : array (slices,), probability of each
    own : array (n,), dispersion of a single period given the level
    """

    expected: np.ndarray
    level: np.ndarray
    weight: np.ndarray
    own: np.ndarray

    def rows(self, chosen: np.ndarray) -> "DemandLevels":
        """The levels of the chosen series."""
        return DemandLevels(
            self.expected[chosen], self.level[chosen], self.weight, self.own[chosen]
        )

    def chances(self, first: int, last: int, bucket: np.ndarray, states: int) -> np.ndarray:
        """Probability (n, slices, states) of 0, 1, ... buckets wanted over periods first..last, counted from 0.

        The last state holds all more. Exact for one period, or for even demand over several.
        """
        mean = self.level * self.expected[:, first : last + 1].sum(axis=1)[:, None]
        own = np.maximum(self.own / (last - first + 1), nb.POISSON_BELOW)
        found = np.empty((*mean.shape, states))
        single = bucket == 1
        found[single] = _by_units(mean[single], own[single], states)
        edges = np.floor((np.arange(states - 1)[None, :] + 0.5) * bucket[~single, None])
        found[~single, :, : states - 1] = np.diff(
            nb.cdf(edges[:, None, :], mean[~single, :, None], own[~single, None, None]),
            axis=2,
            prepend=0.0,
        )
        found[:, :, -1] = np.maximum(1.0 - found[:, :, :-1].sum(axis=2), 0.0)
        return found


def _by_units(mean: np.ndarray, own: np.ndarray, states: int) -> np.ndarray:
    """Negative binomial probabilities of 0..states - 1 units."""
    size = 1.0 / own[:, None]
    ratio = mean / (size + mean)
    found = np.empty((*mean.shape, states))
    found[:, :, 0] = np.exp(-size * np.log1p(mean / size))
    for units in range(1, states):
        # Recursion P(u) = P(u - 1) (r + u - 1) / u x M / (r + M).
        found[:, :, units] = found[:, :, units - 1] * (size + units - 1) / units * ratio
    return found


def demand_levels(forecast: DemandForecast, *, span: np.ndarray) -> DemandLevels:
    """The `DemandLevels` whose totals over `span` (n,) periods, and whose single periods, scatter as the forecast says.

    With shared variance v and own dispersion k, a period's dispersion is v + (1 + v) k, and that of a
    total over s like periods v + (1 + v) k / s.
    """
    n = len(forecast.series_ids)
    one = np.maximum(forecast.total(last=1)[1], 0.0)
    shared, own = one.copy(), np.zeros(n)
    for last in np.unique(span):
        rows = span == last
        if last <= 1:
            continue
        total = np.maximum(forecast.total(last=int(last))[1][rows], 0.0)
        # Two equations, K_1 = v + (1 + v) k and K_s = v + (1 + v) k / s, solved for v; then for
        # k.
        common = np.clip((last * total - one[rows]) / (last - 1), 0.0, total)
        shared[rows] = common
        own[rows] = np.maximum(total - common, 0.0) * last / (1.0 + common)
    return DemandLevels(forecast.mean, *_slices(shared), own)


def _slices(variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean of a gamma with mean 1 in each slice (n, slices), probability of each slice)."""
    weight = np.diff(EDGES)
    shape = 1.0 / np.maximum(variance, LEAST_VARIANCE)[:, None]
    cuts = gammaincinv(shape, EDGES[None, 1:-1])
    ends = np.zeros((len(variance), 1))
    # E[X; X < q] of a gamma with mean 1 is the cdf at q of one with shape + 1.
    share = np.concatenate([ends, gammainc(shape + 1.0, cuts), ends + 1.0], axis=1)
    level = np.diff(share, axis=1) / weight[None, :]
    return np.where(variance[:, None] <= LEAST_VARIANCE, 1.0, level), weight
