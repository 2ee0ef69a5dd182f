"""The negative binomial in the shape demand needs: mean M, variance M + K M^2; K = 0 is Poisson.

In: arrays that broadcast. Out: arrays. All of it rests on the regularised incomplete beta and
gamma functions, so that nothing of scipy.stats (a slow import) is needed.
Source: Johnson, Kemp & Kotz, *Univariate Discrete Distributions*, 3rd ed. (2005), ch. 5.
"""

from typing import Final

import numpy as np
from scipy.special import betainc, gammaincc

POISSON_BELOW: Final = 1e-6
"""Dispersions below this are computed as Poisson."""

Array = np.ndarray


def cdf(units: Array, mean: Array, dispersion: Array) -> Array:
    """P(D <= units); 0 below zero."""
    units, mean, dispersion = np.broadcast_arrays(np.floor(units), mean, dispersion)
    found = _at_most(np.maximum(units, 0.0) + 1.0, mean, dispersion, extra=0.0)
    return np.where(units < 0, 0.0, found)


def _at_most(next_unit: Array, mean: Array, dispersion: Array, *, extra: float) -> Array:
    """P(D < next_unit), next_unit >= 1, where D has size r + extra: each series by its own function only, for they are dear."""
    is_nb = dispersion > POISSON_BELOW
    if is_nb.all():
        return _nb_at_most(next_unit, mean, dispersion, extra)
    found = np.empty(next_unit.shape)
    found[is_nb] = _nb_at_most(next_unit[is_nb], mean[is_nb], dispersion[is_nb], extra)
    found[~is_nb] = gammaincc(next_unit[~is_nb], np.maximum(mean[~is_nb], 0.0))
    return found


def _nb_at_most(next_unit: Array, mean: Array, dispersion: Array, extra: float) -> Array:
    size = 1.0 / dispersion
    return betainc(size + extra, next_unit, size / (size + np.maximum(mean, 1e-300)))


def quantile(level: Array | float, mean: Array, dispersion: Array) -> Array:
    """Smallest whole number of units with cdf >= level, by bisection over whole numbers.

    Raises
    ------
    ValueError
        If a level is outside [0, 1).
    """
    level, mean, dispersion = np.broadcast_arrays(np.asarray(level, float), mean, dispersion)
    if level.size and (level.min() < 0 or level.max() >= 1):
        raise ValueError("quantile levels must be in [0, 1)")
    spread = np.sqrt(mean + dispersion * mean**2)
    high = np.ceil(mean + 10 * spread + 10.0)
    while np.any(short := cdf(high, mean, dispersion) < level):
        high = np.where(short, high * 2 + 1, high)
    low = np.full_like(high, -1.0)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = cdf(middle, mean, dispersion) >= level
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return np.where(mean <= 0, 0.0, high)


def expected_shortage(units: Array, mean: Array, dispersion: Array) -> Array:
    r"""E[(D - units)^+] for whole `units` >= 0.

    Notes
    -----
    :math:`E[(D-x)^+] = M\,P(D' \ge x) - x\,P(D > x)` where D' has size r + 1 (for Poisson D' = D).
    """
    units, mean, dispersion = np.broadcast_arrays(
        np.floor(np.maximum(units, 0.0)), mean, dispersion
    )
    below = _at_most(np.maximum(units, 1.0), mean, dispersion, extra=1.0)
    upper = 1.0 - np.where(units >= 1, below, 0.0)
    return np.maximum(mean * upper - units * (1.0 - cdf(units, mean, dispersion)), 0.0)
