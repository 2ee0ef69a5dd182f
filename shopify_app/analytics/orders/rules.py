"""Allowed orders under packs and minimums, line by line, and the least order of a vendor.

In:  the value of any order of a line (concave in its units), packs, minimums, costs.
Out: `Choices`, a table of what may be ordered and what it is worth; the choice of each line.
Method: as the value is concave, the best allowed order is the pack multiple below or above the
ideal, the minimum, or nothing. Below a vendor's minimum the lines are filled up by the next step
that is worth most (or costs least) for its money; then the whole order is made only if it is worth
more than none.
Source: Silver, Pyke & Thomas (2017), ch. 5.6 and 10; Kellerer, Pferschy & Pisinger, *Knapsack Problems*
(2004), ch. 11 (multiple choice).
Weak: lines with more than `MOST_CHOICES` pack multiples are looked at in coarser steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

MOST_CHOICES: Final = 33
"""Number of orders of a line that are told apart, none included."""

BEYOND_IDEAL: Final = 2.0
"""Multiple of its ideal, or one minimum, up to which a line is filled up for a vendor's least order."""

Value = Callable[[np.ndarray], np.ndarray]
"""Expected gain (n,) of ordering some units (n,) of each line."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Allowed orders of each line, with their worth and cost.

    Attributes
    ----------
    units : array (n, choices), rising, the first 0; a line's last choice is repeated
    value : array (n, choices), expected money against ordering nothing
    money : array (n, choices), what it costs
    """

    units: np.ndarray
    value: np.ndarray
    money: np.ndarray

    def best(self) -> np.ndarray:
        """Index of the choice worth most (n,); the smaller of equals."""
        return self.value.argmax(axis=1)

    def at(self, chosen: np.ndarray, what: np.ndarray) -> np.ndarray:
        """One entry of a table for each line (n,)."""
        return np.take_along_axis(what, chosen[:, None], axis=1)[:, 0]


def joined(parts: list[Choices], order: np.ndarray) -> Choices:
    """One table of several, their lines then in `order`."""
    if not parts:
        return Choices(*(np.zeros((0, 1)) for _ in range(3)))
    return Choices(
        np.concatenate([part.units for part in parts])[order],
        np.concatenate([part.value for part in parts])[order],
        np.concatenate([part.money for part in parts])[order],
    )


def least_order(pack: np.ndarray, minimum: np.ndarray) -> np.ndarray:
    """Smallest order that pack and minimum allow (n,)."""
    return np.maximum(np.ceil(minimum / pack - 1e-9), 1.0) * pack


def allowed_best(
    ideal: np.ndarray, pack: np.ndarray, minimum: np.ndarray, value: Value
) -> np.ndarray:
    """Units (n,) worth most among nothing and the allowed neighbours of the ideal."""
    least = least_order(pack, minimum)
    # The value is concave: no multiple of the pack but the two beside the ideal can be best.
    low = np.maximum(np.floor(ideal / pack) * pack, least)
    high = np.maximum(np.ceil(ideal / pack) * pack, least)
    options = np.stack([np.zeros_like(ideal), low, high])
    values = np.stack([np.zeros_like(ideal), value(low), value(high)])
    best = np.take_along_axis(options, values.argmax(axis=0)[None, :], axis=0)[0]
    return np.where(ideal > 0, best, 0.0)


def table(
    ideal: np.ndarray,
    pack: np.ndarray,
    minimum: np.ndarray,
    unit_cost: np.ndarray,
    value: Value,
    *,
    beyond: float = 1.0,
) -> Choices:
    """The `Choices`: nothing, and the allowed orders from the least to `beyond` times the ideal."""
    least = least_order(pack, minimum)
    most = np.maximum(np.ceil(beyond * ideal / pack) * pack, least)
    most = np.where(ideal > 0, most, 0.0)
    steps = np.maximum((most - least) / pack, 0.0)
    part = np.linspace(0.0, 1.0, MOST_CHOICES - 1)
    # Every multiple where there are few; evenly spread ones where there are many, the best always
    # among them.
    few = np.minimum(np.arange(MOST_CHOICES - 1)[None, :], steps[:, None])
    spread = np.where(steps[:, None] > MOST_CHOICES - 2, np.round(part * steps[:, None]), few)
    units = np.where(most[:, None] > 0, least[:, None] + pack[:, None] * spread, 0.0)
    best = allowed_best(ideal, pack, minimum, value)
    units = np.sort(
        np.concatenate([np.zeros((len(ideal), 1)), units, best[:, None]], axis=1), axis=1
    )
    values = np.zeros_like(units)
    for column in range(1, units.shape[1]):
        values[:, column] = value(units[:, column])
    return Choices(units, values, units * unit_cost[:, None])


def meet_vendor_minimums(
    choices: Choices,
    chosen: np.ndarray,
    vendor: np.ndarray,
    minimum: np.ndarray,
    *,
    in_units: np.ndarray | None = None,
) -> np.ndarray:
    """Indices (n,) after each vendor's least order is met or given up.

    `vendor` (n,) are codes, `minimum` (n,) the least order of each line's vendor, in money or,
    where `in_units` (n,), in units.
    """
    counted = choices.money
    if in_units is not None:
        counted = np.where(in_units[:, None], choices.units, choices.money)
    result = chosen.copy()
    for name in np.unique(vendor):
        rows = np.flatnonzero(vendor == name)
        least = float(minimum[rows].max())
        reached = choices.at(result, counted)[rows].sum()
        if 0 < reached < least - 1e-9:
            result[rows] = _filled_up(counted[rows], choices.value[rows], result[rows], least)
    return result


def _filled_up(
    money: np.ndarray, value: np.ndarray, chosen: np.ndarray, least: float
) -> np.ndarray:
    """Indices of one vendor's lines raised to its least order by the best steps per money, or zeros."""
    at = chosen.copy()
    line = np.arange(len(at))
    while money[line, at].sum() < least - 1e-9:
        room = np.maximum(least - money[line, at].sum(), 0.0)
        dearer = money > money[line, at][:, None] + 1e-9
        further = np.where(dearer.any(axis=1), dearer.argmax(axis=1), at)
        cost = money[line, further] - money[line, at]
        gain = value[line, further] - value[line, at]
        # What goes beyond the minimum is not asked for: judge a step by the money that it must spend.
        worth = np.where(cost > 0, gain / np.maximum(np.minimum(cost, room), 1e-9), -np.inf)
        best = int(worth.argmax())
        if not np.isfinite(worth[best]):
            return np.zeros(len(at), int)
        at[best] = further[best]
    return at if value[line, at].sum() > 0 else np.zeros(len(at), int)
