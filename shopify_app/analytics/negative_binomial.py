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
    k = np.maximum(units, 0.0)
    size = 1.0 / np.maximum(dispersion, POISSON_BELOW)
    nb = betainc(size, k + 1.0, size / (size + np.maximum(mean, 1e-300)))
    poisson = gammaincc(k + 1.0, np.maximum(mean, 0.0))
    return np.where(units < 0, 0.0, np.where(dispersion > POISSON_BELOW, nb, poisson))


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
    size = 1.0 / np.maximum(dispersion, POISSON_BELOW)
    p = size / (size + np.maximum(mean, 1e-300))
    upper_nb = 1.0 - np.where(units >= 1, betainc(size + 1.0, np.maximum(units, 1.0), p), 0.0)
    upper_poisson = 1.0 - np.where(
        units >= 1, gammaincc(np.maximum(units, 1.0), np.maximum(mean, 0.0)), 0.0
    )
    upper = np.where(dispersion > POISSON_BELOW, upper_nb, upper_poisson)
    return np.maximum(mean * upper - units * (1.0 - cdf(units, mean, dispersion)), 0.0)
