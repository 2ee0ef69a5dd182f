"""The best that a budget can buy, and what the next money would earn.

In:  `Choices` of all lines.
Out: the choice of each line within the budget; a `BudgetCurve`.
Method: of each line's orders only those on its concave hull are steps worth taking; all lines'
steps are taken in order of value per unit of money (the Lagrangian's solution; its multiplier is the
value per money of the last step). What is left is spent on what still fits. Few lines make a
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
FEW_LINES: Final = 50
"""Up to this many lines the budget is solved by dynamic programming too."""

ENOUGH: Final = 1e-9


@dataclass(frozen=True, slots=True)
class BudgetCurve:
    """What more money would earn.

    Attributes
    ----------
    money : array (k,), rising from 0
    value : array (k,), expected money earned by the best plan that spends so much; concave
    """

    money: np.ndarray
    value: np.ndarray

    def at(self, money: float) -> float:
        """Value of a budget."""
        return float(np.interp(money, self.money, self.value))

    def next_money(self, budget: float, more: float) -> float:
        """What the next `more` money after `budget` earns."""
        return self.at(budget + more) - self.at(budget)


@dataclass(frozen=True, slots=True)
class _Steps:
    """All lines' hull steps, the most value per money first."""

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
    """Index of each line's choice within the budget and with every vendor's least order met.

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
    """Choices where some lines can have nothing."""
    none = lines[:, None]
    return Choices(
        *(np.where(none, 0.0, part) for part in (choices.units, choices.value, choices.money))
    )


def within_budget(choices: Choices, budget: float) -> np.ndarray:
    """Index of each line's choice, worth most together, costing at most `budget`.

    Raises
    ------
    ValueError
        If the budget is negative.
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
    """The concave curve of value against money, step by step."""
    steps = _hull_steps(choices)
    return BudgetCurve(
        np.concatenate([[0.0], steps.money.cumsum()]), np.concatenate([[0.0], steps.value.cumsum()])
    )


def _worth(choices: Choices, chosen: np.ndarray) -> float:
    return float(choices.at(chosen, choices.value).sum())


def _hull_steps(choices: Choices) -> _Steps:
    """Steps of each line's upper concave hull with a gain, by value per money over all lines."""
    found: list[tuple[int, int, float, float]] = []
    for line in np.flatnonzero((choices.value > 0).any(axis=1)):
        money, value = choices.money[line], choices.value[line]
        at, best = 0, int(value.argmax())
        while at < best:
            further = slice(at + 1, best + 1)
            cost = np.maximum(money[further] - money[at], ENOUGH)
            slope = (value[further] - value[at]) / cost
            to = at + 1 + int(len(slope) - 1 - slope[::-1].argmax())
            found.append(
                (int(line), to, float(money[to] - money[at]), float(value[to] - value[at]))
            )
            at = to
    if not found:
        empty = np.zeros(0)
        return _Steps(empty.astype(int), empty.astype(int), empty, empty)
    line, choice, money, value = (np.array(column) for column in zip(*found, strict=True))
    order = np.argsort(-value / np.maximum(money, ENOUGH), kind="stable")
    return _Steps(line[order], choice[order], money[order], value[order])


def _by_steps(choices: Choices, budget: float) -> np.ndarray:
    """Hull steps while they fit (a line that did not fit is closed), then single choices that still fit."""
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
    """Raise the lines that a step was too dear for as far as the money reaches, the best first."""
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
    """The best plan if every price is rounded up to a part of the budget, the rest spent after."""
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
            other = best[: BUCKETS + 1 - cost] + choices.value[line, at]
            better = other > value[cost:]
            value[cost:][better] = other[better]
            choice[cost:][better] = at
        best, taken[line] = value, choice
    chosen, left = np.zeros(len(price), int), BUCKETS
    for line in range(len(price) - 1, -1, -1):
        chosen[line] = taken[line, left]
        left -= price[line, chosen[line]]
    rest = budget - choices.at(chosen, choices.money).sum()
    return _spend_the_rest(choices, chosen, rest, np.arange(len(price)))
