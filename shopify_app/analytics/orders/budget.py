"""The best orders within a budget, and the value of the next money (its shadow price).

In:  `Choices` of all lines.
Out: the choice of each line within the budget; a `BudgetCurve`.
Method: of each line's orders only those on its concave hull are steps worth taking; all lines'
steps are taken in order of value per unit of money: Everett's Lagrangian solution, whose multiplier
lambda is the value per money of the last step. What is left is spent on what still fits. Few lines make a
budget lumpy: those are solved by dynamic programming over the budget in `BUCKETS` parts as well, and
the better plan is taken.
Source: Everett (1963), "Generalized Lagrange multiplier method", Oper. Res. 11, 399-417; Kellerer, Pferschy &
Pisinger, *Knapsack Problems* (2004), ch. 11; Hadley & Whitin, *Analysis of Inventory Systems* (1963), ch. 6.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.orders.rules import Choices, meet_vendor_minimums

BUCKETS: Final = 4_000
"""Parts into which the budget is cut for dynamic programming."""

FEW_LINES: Final = 50
"""Number of lines up to which dynamic programming is tried too."""

ENOUGH: Final = 1e-9
"""Tolerance on money."""


@dataclass(frozen=True, slots=True)
class BudgetCurve:
    """Expected gain as a concave function of the money spent.

    Attributes
    ----------
    money : array (k,), rising from 0
    value : array (k,), expected gain of the best plan that spends so much; concave
    """

    money: np.ndarray
    value: np.ndarray

    def at(self, money: float) -> float:
        """Expected gain of a budget."""
        return float(np.interp(money, self.money, self.value))

    def next_money(self, budget: float, more: float) -> float:
        """Expected gain of the next `more` money after `budget`."""
        return self.at(budget + more) - self.at(budget)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Hull steps of all lines, in falling order of value per money."""

    line: np.ndarray
    choice: np.ndarray
    money: np.ndarray
    value: np.ndarray


def within_rules(
    choices: Choices,
    *,
    budget: float | None,
    vendor: np.ndarray,
    minimum: np.ndarray | None,
    minimum_in_units: np.ndarray | None = None,
) -> np.ndarray:
    """Index (n,) of each line's choice within the budget and with every vendor's least order met.

    `minimum` (n,) is that of each line's vendor, in money or, where `minimum_in_units` (n,), in units.
    A vendor whose least order the budget does not reach is left out, the one that loses least by
    it first, and its money goes to the others.
    """
    open_ = choices
    while True:
        chosen = open_.best() if budget is None else within_budget(open_, budget)
        if minimum is None:
            return chosen
        filled = meet_vendor_minimums(open_, chosen, vendor, minimum, in_units=minimum_in_units)
        spent = open_.at(filled, open_.money).sum()
        if budget is None or spent <= budget + ENOUGH:
            dropped = np.setdiff1d(vendor[chosen > 0], vendor[filled > 0])
            if not len(dropped) or budget is None:
                return filled
        else:
            raised = np.unique(vendor[filled != chosen])
            worth = [open_.at(filled, open_.value)[vendor == one].sum() for one in raised]
            dropped = raised[[int(np.argmin(worth))]]
        open_ = _without(open_, np.isin(vendor, dropped))


def _without(choices: Choices, lines: np.ndarray) -> Choices:
    """Choices in which some lines can have nothing."""
    none = lines[:, None]
    return Choices(
        *(np.where(none, 0.0, part) for part in (choices.units, choices.value, choices.money))
    )


def within_budget(choices: Choices, budget: float) -> np.ndarray:
    """Index (n,) of each line's choice, worth most together, costing at most `budget`.

    Raises
    ------
    ValueError
        If the budget is negative.

    Examples
    --------
    Two lines of up to two units at 2 each. With money for three, the fourth-best unit (worth 2) is left out:

    >>> money = np.array([[0.0, 2.0, 4.0], [0.0, 2.0, 4.0]])
    >>> value = np.array([[0.0, 6.0, 8.0], [0.0, 5.0, 9.0]])
    >>> within_budget(Choices(np.array([[0, 1, 2], [0, 1, 2]]), value, money), 6.0).tolist()
    [1, 2]
    """
    if budget < 0:
        raise ValueError("budget must be >= 0")
    wanted = choices.best()
    if choices.at(wanted, choices.money).sum() <= budget + ENOUGH:
        return wanted
    chosen = _by_steps(choices, budget)
    if len(wanted) <= FEW_LINES:
        other = _by_dynamic_programming(choices, budget)
        if _worth(choices, other) > _worth(choices, chosen):
            return other
    return chosen


def curve(choices: Choices) -> BudgetCurve:
    """The `BudgetCurve` of all lines' hull steps.

    Examples
    --------
    Units worth 6, 5, 4 and 2, at 2 each:

    >>> money = np.array([[0.0, 2.0, 4.0], [0.0, 2.0, 4.0]])
    >>> value = np.array([[0.0, 6.0, 8.0], [0.0, 5.0, 9.0]])
    >>> curve(Choices(np.array([[0, 1, 2], [0, 1, 2]]), value, money)).value.tolist()
    [0.0, 6.0, 11.0, 15.0, 17.0]
    """
    steps = _hull_steps(choices)
    return BudgetCurve(
        np.concatenate([[0.0], steps.money.cumsum()]), np.concatenate([[0.0], steps.value.cumsum()])
    )


def _worth(choices: Choices, chosen: np.ndarray) -> float:
    """Expected gain of a plan."""
    return float(choices.at(chosen, choices.value).sum())


def _hull_steps(choices: Choices) -> _Steps:
    """Steps along each line's upper concave hull, sorted by value per money over all lines."""
    found: list[tuple[int, int, float, float]] = []
    for line in np.flatnonzero((choices.value > 0).any(axis=1)):
        money, value = choices.money[line], choices.value[line]
        at, best = 0, int(value.argmax())
        while at < best:
            further = slice(at + 1, best + 1)
            cost = np.maximum(money[further] - money[at], ENOUGH)
            slope = (value[further] - value[at]) / cost
            # The farthest of the steepest slopes: the next vertex of the hull.
            to = at + 1 + int(len(slope) - 1 - slope[::-1].argmax())
            found.append(
                (int(line), to, float(money[to] - money[at]), float(value[to] - value[at]))
            )
            at = to
    if not found:
        empty = np.zeros(0)
        return _Steps(empty.astype(int), empty.astype(int), empty, empty)
    line, choice, money, value = (np.array(column) for column in zip(*found, strict=True))
    # Greedy over all hulls: falling value per money keeps each line's own order, hulls being
    # concave.
    order = np.argsort(-value / np.maximum(money, ENOUGH), kind="stable")
    return _Steps(line[order], choice[order], money[order], value[order])


def _by_steps(choices: Choices, budget: float) -> np.ndarray:
    """A plan by hull steps while they fit (a line whose step is too dear is closed), then by single choices that still fit."""
    steps = _hull_steps(choices)
    chosen = np.zeros(len(choices.units), int)
    closed = np.zeros(len(chosen), bool)
    left = budget
    for line, choice, money in zip(steps.line, steps.choice, steps.money, strict=True):
        if closed[line] or money > left + ENOUGH:
            closed[line] = True
            continue
        chosen[line], left = choice, left - money
    return _spend_the_rest(choices, chosen, left, np.flatnonzero(closed))


def _spend_the_rest(
    choices: Choices, chosen: np.ndarray, left: float, lines: np.ndarray
) -> np.ndarray:
    """The plan with some lines raised as far as the money reaches, the best per money first."""
    while len(lines):
        cost = choices.money[lines] - choices.at(chosen, choices.money)[lines, None]
        gain = choices.value[lines] - choices.at(chosen, choices.value)[lines, None]
        fits = (cost > 0) & (cost <= left + ENOUGH) & (gain > 0)
        rate = np.where(fits, gain / np.maximum(cost, ENOUGH), -np.inf)
        best = np.unravel_index(int(rate.argmax()), rate.shape)
        if not fits[best]:
            break
        left -= cost[best]
        chosen[lines[best[0]]] = best[1]
        lines = lines[fits.any(axis=1)]
    return chosen


def _by_dynamic_programming(choices: Choices, budget: float) -> np.ndarray:
    """The best plan if every cost is rounded up to a whole part of the budget, the rest spent after."""
    grid = max(budget / BUCKETS, ENOUGH)
    price = np.ceil(choices.money / grid - 1e-9).astype(int)
    best = np.zeros(BUCKETS + 1)
    taken = np.zeros((len(price), BUCKETS + 1), np.int16)
    for line in range(len(price)):
        value, choice = best.copy(), np.zeros(BUCKETS + 1, np.int16)
        for at in range(1, price.shape[1]):
            cost = price[line, at]
            if cost > BUCKETS or choices.units[line, at] == choices.units[line, at - 1]:
                continue
            # Bellman: best[m] = max over choices of value + best of the lines before with m less
            # the cost.
            other = best[: BUCKETS + 1 - cost] + choices.value[line, at]
            better = other > value[cost:]
            value[cost:][better] = other[better]
            choice[cost:][better] = at
        best, taken[line] = value, choice
    # Back through the tables: what each line took at the money left.
    chosen, left = np.zeros(len(price), int), BUCKETS
    for line in range(len(price) - 1, -1, -1):
        chosen[line] = taken[line, left]
        left -= price[line, chosen[line]]
    rest = budget - choices.at(chosen, choices.money).sum()
    return _spend_the_rest(choices, chosen, rest, np.arange(len(price)))
