"""The launch curve: what a product sells in its first blocks, as a factor on what it sells later.

In:  units, exposure, what moves everybody (n, T), when each series was first on sale.
Out: a factor per block of age, and the launch spike: units that a first block holds whatever comes later.
A first block is often a part of one, and a product that is known by its first sale sold in it by
definition: that sale is no evidence of its rate (length-biased). Factors and spike are estimated from
earlier launches.
Source: chain ratios of ages, as in actuarial development triangles (Mack 1993, ASTIN Bulletin 23,
213-225); instruments against errors in what a product sells later (Wald 1940, "The fitting of straight
lines if both variables are subject to error", Annals of Mathematical Statistics 11, 284-300).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

AGES: Final = 6
"""Number of first blocks with a factor of their own."""

PSEUDO_UNITS: Final = 50.0
"""Pseudo-count, in units, of a ratio of 1 beside an age's own ratio."""

LARGEST_STEP: Final = 2.5
"""Bound of the ratio between two ages."""

CAP: Final = 0.98
"""Quantile at which single sales are winsorised."""


SPIKE_PSEUDO_LAUNCHES: Final = 30.0
"""Pseudo-count, in launches, of no spike beside the spike estimated."""

LEAST_LAUNCHES: Final = 10
"""Launches below which there is no spike."""


@dataclass(frozen=True, slots=True)
class LaunchCurve:
    """Factors of a launch's first blocks, and its launch spike.

    Attributes
    ----------
    factors : array (AGES,)
        Factor of each of a launch's first blocks; 1 is what it sells afterwards.
    spike : float
        Launch spike: units of a first block that do not depend on the product's later rate.
    share : float
        Share of first blocks' units that are launch spike.
    """

    factors: np.ndarray
    spike: float = 0.0
    share: float = 0.0

    def __len__(self) -> int:
        """Number of blocks with a factor of their own."""
        return len(self.factors)

    @property
    def without_spike(self) -> np.ndarray:
        """Factors (AGES,) on the later rate, the spike taken off the first block."""
        found = self.factors.copy()
        found[0] *= 1 - self.share
        return found

    def units_without_spike(
        self, units: np.ndarray, launched: np.ndarray, first: int = 0
    ) -> np.ndarray:
        """Units (n, periods) with the launch spikes taken off; a sale stays a sale.

        Parameters
        ----------
        launched : array (n,), from `first_seen`
        first : int
            Number of the first of the periods.
        """
        found = units.astype(float)
        at = launched - first
        rows = np.flatnonzero((launched >= 0) & (at >= 0) & (at < units.shape[1]))
        first_units = found[rows, at[rows]]
        found[rows, at[rows]] = np.maximum(first_units - self.spike, LEAST_SHARE_KEPT * first_units)
        return found


LEAST_SHARE_KEPT: Final = 0.01
"""Share of a first block's units that is always kept: a product that sold is not gone."""


def first_seen(exposure: np.ndarray, watched: int) -> np.ndarray:
    """Period of each series' launch (n,); -1 if it may have been on sale before the history."""
    there = exposure > 0
    born = np.where(there.any(axis=1), np.argmax(there, axis=1), exposure.shape[1])
    return np.where(born >= watched, born, -1)


def launch_curve(
    units: np.ndarray,
    exposure: np.ndarray,
    factor: np.ndarray,
    launched: np.ndarray,
    block: int,
) -> LaunchCurve:
    """The `LaunchCurve` of a shop's launches.

    Parameters
    ----------
    units, exposure, factor : array (n, T)
    launched : array (n,), from `first_seen`
    block : periods in a block
    """
    sold, time = _by_age(units, exposure, factor, launched, block)
    curve = np.ones(AGES + 1)
    # Chain ladder from the oldest age back: f[a] = f[a + 1] x (units at a over units at a + 1 per
    # exposure).
    for age in range(AGES - 1, -1, -1):
        both = (time[:, age] > 0) & (time[:, age + 1] > 0)
        now = sold[both, age].sum() + PSEUDO_UNITS
        expected = (sold[both, age + 1] * time[both, age] / time[both, age + 1]).sum()
        step = now / (expected + PSEUDO_UNITS)
        curve[age] = curve[age + 1] * np.clip(step, 1 / LARGEST_STEP, LARGEST_STEP)
    return LaunchCurve(curve[:AGES], *_launch_spike(sold, time))


def _by_age(
    units: np.ndarray, exposure: np.ndarray, factor: np.ndarray, launched: np.ndarray, block: int
) -> tuple[np.ndarray, np.ndarray]:
    """(units, effective exposure) of launches by block of age (launches, AGES + 1)."""
    rows = np.flatnonzero(launched >= 0)
    sold, time = np.zeros((len(rows), AGES + 1)), np.zeros((len(rows), AGES + 1))
    for age in range(AGES + 1):
        for day in range(block):
            at = launched[rows] + age * block + day
            inside = at < units.shape[1]
            row, column = rows[inside], at[inside]
            sold[inside, age] += units[row, column]
            time[inside, age] += exposure[row, column] * factor[row, column]
    if sold.any():
        sold = np.minimum(sold, np.quantile(sold[sold > 0], CAP))
    return sold, time


def _launch_spike(sold: np.ndarray, time: np.ndarray) -> tuple[float, float]:
    """(launch spike in units, its share of first blocks' units), by instrumental variables.

    Regression of first blocks on the rate of odd later blocks with that of the even ones as instrument, and
    the other way round: both rates are measured with error, but with independent errors.
    """
    rows = (time > 0).all(axis=1)
    if rows.sum() < LEAST_LAUNCHES:
        return 0.0, 0.0
    sold, time = sold[rows], time[rows]
    rates = [
        sold[:, first::2].sum(axis=1) / time[:, first::2].sum(axis=1) * time[:, 0]
        for first in (1, 2)
    ]
    first = sold[:, 0]
    centred = [np.log1p(rate) - np.log1p(rate).mean() for rate in rates]
    moved = float(centred[0] @ first + centred[1] @ first)
    spread = float(centred[0] @ rates[1] + centred[1] @ rates[0])
    # IV estimate of the slope, Cov(z, y) / Cov(z, x); the intercept is what the rate does not
    # explain.
    slope = moved / max(spread, 1e-9)
    usual = max(float(first.mean()), 1e-9)
    spike = usual - slope * float(np.mean(rates))
    count = len(first) / (len(first) + SPIKE_PSEUDO_LAUNCHES)
    spike = float(np.clip(spike, 0.0, usual)) * count
    return spike, spike / usual


def launch_factors(
    curve: np.ndarray, launched: np.ndarray, periods: np.ndarray, block: int
) -> np.ndarray:
    """Factors (n, len(periods)) of some periods; 1 for all that is not young."""
    age = (periods[None, :] - launched[:, None]) // block
    is_young = (launched[:, None] >= 0) & (age >= 0) & (age < len(curve))
    return np.where(is_young, curve[np.clip(age, 0, len(curve) - 1)], 1.0)
