"""The negative binomial in the shape demand needs: mean M, variance M + K M^2; K = 0 is Poisson.

In: arrays that broadcast. Out: arrays. All of it rests on the regularised incomplete beta and
gamma functions, so that nothing of scipy.stats (a slow import) is needed.
Symbols: M mean, K dispersion (squared coefficient of variation beyond Poisson), r = 1 / K size.
Source: Johnson, Kemp & Kotz, *Univariate Discrete Distributions*, 3rd ed. (2005), ch. 5.
"""

from typing import Final

import numpy as np
from scipy.special import betainc, gammaincc

POISSON_BELOW: Final = 1e-6
"""Dispersions below this are computed as Poisson."""

Array = np.ndarray
"""Argument and result of every function; shapes broadcast."""


def cdf(units: Array, mean: Array, dispersion: Array) -> Array:
    """P(D <= units); 0 below zero units.

    Examples
    --------
    Poisson (K = 0) with mean 1, and geometric (K = 1, so r = 1): 1/e and 1/2.

    >>> one = np.array(1.0)
    >>> round(float(cdf(np.array(0), one, np.array(0.0))), 4)
    0.3679
    >>> round(float(cdf(np.array(0), one, one)), 4)
    0.5
    """
    units, mean, dispersion = np.broadcast_arrays(np.floor(units), mean, dispersion)
    found = _at_most(np.maximum(units, 0.0) + 1.0, mean, dispersion, extra=0.0)
    return np.where(units < 0, 0.0, found)


def _at_most(next_unit: Array, mean: Array, dispersion: Array, *, extra: float) -> Array:
    """P(D < next_unit), next_unit >= 1, where D has size r + extra."""
    # The incomplete beta and gamma functions are dear: each series pays for its own only.
    is_nb = dispersion > POISSON_BELOW
    if is_nb.all():
        return _nb_at_most(next_unit, mean, dispersion, extra)
    found = np.empty(next_unit.shape)
    found[is_nb] = _nb_at_most(next_unit[is_nb], mean[is_nb], dispersion[is_nb], extra)
    # Poisson: P(D < x) = Q(x, M), the regularised upper incomplete gamma.
    found[~is_nb] = gammaincc(next_unit[~is_nb], np.maximum(mean[~is_nb], 0.0))
    return found


def _nb_at_most(next_unit: Array, mean: Array, dispersion: Array, extra: float) -> Array:
    """P(D < next_unit) of a negative binomial: I_p(r + extra, next_unit) with p = r / (r + M)."""
    size = 1.0 / dispersion
    return betainc(size + extra, next_unit, size / (size + np.maximum(mean, 1e-300)))


def quantile(level: Array | float, mean: Array, dispersion: Array) -> Array:
    """Smallest whole number of units x with P(D <= x) >= level, by bisection.

    Raises
    ------
    ValueError
        If a level is outside [0, 1).

    Examples
    --------
    Geometric with mean 1: P(D <= x) is 1 - 2^-(x + 1), so three units cover 90 % (15/16).

    >>> quantile(0.9, np.array([1.0]), np.array([1.0])).tolist()
    [3.0]
    """
    level, mean, dispersion = np.broadcast_arrays(np.asarray(level, float), mean, dispersion)
    if level.size and (level.min() < 0 or level.max() >= 1):
        raise ValueError("quantile levels must be in [0, 1)")
    spread = np.sqrt(mean + dispersion * mean**2)
    # A bracket that holds all but the farthest tails; doubled until it holds the level too.
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

    Examples
    --------
    Geometric with mean 1: nothing in stock loses the mean; each unit in stock halves the loss.

    >>> expected_shortage(np.arange(3), np.array(1.0), np.array(1.0)).round(6).tolist()
    [1.0, 0.5, 0.25]
    """
    units, mean, dispersion = np.broadcast_arrays(
        np.floor(np.maximum(units, 0.0)), mean, dispersion
    )
    # P(D' < x) with D' of size r + 1: M P(D' >= x) is the mean of D above x.
    below = _at_most(np.maximum(units, 1.0), mean, dispersion, extra=1.0)
    upper = 1.0 - np.where(units >= 1, below, 0.0)
    return np.maximum(mean * upper - units * (1.0 - cdf(units, mean, dispersion)), 0.0)
