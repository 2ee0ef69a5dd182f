"""How launches begin: what a product sells in its first blocks against what it sells later.

In:  units, exposure, what moves everybody (n, T), when each series was first on sale.
Out: a factor per block of age, for launches seen while the shop was watched.
A first block is often a part of one, and a product that is known by its first sale sold in it by
definition; both are told by earlier launches, not guessed.
Source: chain ratios of ages, as in actuarial development triangles (Mack 1993, ASTIN Bulletin 23,
213-225).
"""

from typing import Final

import numpy as np

AGES: Final = 6
"""Blocks of age with a factor of their own."""

SHRINK_UNITS: Final = 50.0
"""Units that an age must have sold for its own ratio to count half."""

LARGEST_STEP: Final = 2.5
CAP: Final = 0.98
"""Quantile at which single sales are cut, so that no one launch draws the curve."""


def first_seen(exposure: np.ndarray, watched: int) -> np.ndarray:
    """Period in which each series was first on sale (n,); -1 if it may have been there before."""
    there = exposure > 0
    born = np.where(there.any(axis=1), np.argmax(there, axis=1), exposure.shape[1])
    return np.where(born >= watched, born, -1)


def launch_curve(
    units: np.ndarray,
    exposure: np.ndarray,
    course: np.ndarray,
    launched: np.ndarray,
    block: int,
) -> np.ndarray:
    """Factors (AGES,) of the first blocks of a launch; 1 is what it sells afterwards.

    Parameters
    ----------
    units, exposure, course : array (n, T)
    launched : array (n,), from `first_seen`
    block : periods in a block
    """
    rows = np.flatnonzero(launched >= 0)
    sold, time = np.zeros((len(rows), AGES + 1)), np.zeros((len(rows), AGES + 1))
    for age in range(AGES + 1):
        for day in range(block):
            at = launched[rows] + age * block + day
            inside = at < units.shape[1]
            row, column = rows[inside], at[inside]
            sold[inside, age] += units[row, column]
            time[inside, age] += exposure[row, column] * course[row, column]
    if sold.any():
        sold = np.minimum(sold, np.quantile(sold[sold > 0], CAP))
    curve = np.ones(AGES + 1)
    for age in range(AGES - 1, -1, -1):
        both = (time[:, age] > 0) & (time[:, age + 1] > 0)
        now = sold[both, age].sum() + SHRINK_UNITS
        expected = (sold[both, age + 1] * time[both, age] / time[both, age + 1]).sum()
        step = now / (expected + SHRINK_UNITS)
        curve[age] = curve[age + 1] * np.clip(step, 1 / LARGEST_STEP, LARGEST_STEP)
    return curve[:AGES]


def launch_factors(
    curve: np.ndarray, launched: np.ndarray, periods: np.ndarray, block: int
) -> np.ndarray:
    """Factors (n, len(periods)) of some periods; 1 for all that is not young."""
    age = (periods[None, :] - launched[:, None]) // block
    is_young = (launched[:, None] >= 0) & (age >= 0) & (age < len(curve))
    return np.where(is_young, curve[np.clip(age, 0, len(curve) - 1)], 1.0)
