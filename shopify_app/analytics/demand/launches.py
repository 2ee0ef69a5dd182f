"""How launches begin: what a product sells in its first blocks against what it sells later.

In:  units, exposure, what moves everybody (n, T), when each series was first on sale.
Out: a factor per block of age, for launches seen while the shop was watched.
A first block is often a part of one, and a product that is known by its first sale sold in it by
definition: of that sale nothing is to be learned. Both are told by earlier launches, not guessed: what
a first block holds whatever the product sells later is its opening.
Source: chain ratios of ages, as in actuarial development triangles (Mack 1993, ASTIN Bulletin 23,
213-225); instruments against errors in what a product sells later (Wald 1940, "The fitting of straight
lines if both variables are subject to error", Annals of Mathematical Statistics 11, 284-300).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

AGES: Final = 6
"""Blocks of age with a factor of their own."""

PSEUDO_UNITS: Final = 50.0
"""Units that an age must have sold for its own ratio to count half."""

LARGEST_STEP: Final = 2.5
CAP: Final = 0.98
"""Quantile at which single sales are cut, so that no one launch draws the curve."""


SPIKE_PSEUDO_LAUNCHES: Final = 30.0
"""Launches that must have been seen for the opening they show to count half."""

LEAST_LAUNCHES: Final = 10


@dataclass(frozen=True, slots=True)
class LaunchCurve:
    """How launches begin.

    Attributes
    ----------
    factors : array (AGES,)
        What a launch sells in each of its first blocks; 1 is what it sells afterwards.
    opening : float
        Units that a first block holds whatever the product will sell.
    share : float
        Of the units of first blocks, those that are such.
    """

    factors: np.ndarray
    spike: float = 0.0
    share: float = 0.0

    def __len__(self) -> int:
        """Blocks with a factor of their own."""
        return len(self.factors)

    @property
    def without_spike(self) -> np.ndarray:
        """Factors of what tells of a launch's rate: without the opening."""
        found = self.factors.copy()
        found[0] *= 1 - self.share
        return found

    def units_without_spike(
        self, units: np.ndarray, launched: np.ndarray, first: int = 0
    ) -> np.ndarray:
        """Units (n, periods) without the openings; a sale stays a sale.

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
"""Share of a first block's units that always counts: a product that sold is not gone."""


def first_seen(exposure: np.ndarray, watched: int) -> np.ndarray:
    """Period in which each series was first on sale (n,); -1 if it may have been there before."""
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
    """The curve that a shop's launches have shown.

    Parameters
    ----------
    units, exposure, course : array (n, T)
    launched : array (n,), from `first_seen`
    block : periods in a block
    """
    sold, time = _by_age(units, exposure, factor, launched, block)
    curve = np.ones(AGES + 1)
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
    """(units, effective exposure) of launches in each block of age (launches, AGES + 1)."""
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
    """(units of a first block that tell nothing of what comes later, their share of first blocks).

    First blocks against the rate of odd later blocks, with that of the even ones as instrument, and
    the other way round: either rate errs, but not together with the other.
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
