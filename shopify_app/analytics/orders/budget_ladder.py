"""The best order for every budget, worked out before anyone has named one.

In:  `Choices` of all lines, vendors' least orders.
Out: a `BudgetLadder`: plans of rising cost and worth, and the concave curve above them.
Method: a plan for each of up to `RUNGS` budgets, from nothing to all that is worth ordering: half of
them evenly spaced, half where the next step of the curve is just paid for, since there the plan is
the best of all. A plan that costs more and earns no more than another is dropped. Between two rungs
a budget buys the lower one: what it forgoes is at most what the next rung would earn more.
Source: `budget`; the upper hull: Andrew (1979), "Another efficient algorithm for convex hulls in two
dimensions", Inf. Process. Lett. 9, 216-219.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from shopify_app.analytics.orders.budget import BudgetCurve, curve, within_rules
from shopify_app.analytics.orders.rules import Choices

RUNGS: Final = 80
"""Number of budgets that are planned for."""

ENOUGH: Final = 1e-9
"""Tolerance on money."""


@dataclass(frozen=True, slots=True)
class BudgetLadder:
    """Plans of rising cost and worth.

    Attributes
    ----------
    plans : array (k, n), index of each line's choice; the first orders nothing, the last all that is worth it
    money, value : arrays (k,), what each costs and earns; both rise
    turns : array of int, plans that are vertices of the upper concave hull of value against money
    """

    plans: np.ndarray
    money: np.ndarray
    value: np.ndarray
    turns: np.ndarray

    @property
    def curve(self) -> BudgetCurve:
        """The concave hull of value against money: the next money never earns more than the last."""
        return BudgetCurve(self.money[self.turns], self.value[self.turns])


def ladder(
    choices: Choices,
    *,
    vendor: np.ndarray,
    minimum: np.ndarray | None = None,
    minimum_in_units: np.ndarray | None = None,
    rungs: int = RUNGS,
) -> BudgetLadder:
    """The `BudgetLadder` of some choices: the best plan for each of `rungs` budgets.

    Parameters
    ----------
    vendor : (n,) codes.
    minimum : (n,) the least order of each line's vendor, in money or, where `minimum_in_units`, in units.
    rungs : budgets to plan for, at least 2.

    Raises
    ------
    ValueError
        If there are fewer than two rungs.

    Examples
    --------
    >>> money = np.array([[0.0, 2.0, 4.0], [0.0, 2.0, 4.0]])
    >>> value = np.array([[0.0, 6.0, 8.0], [0.0, 5.0, 9.0]])
    >>> choices = Choices(np.array([[0, 1, 2], [0, 1, 2]]), value, money)
    >>> ladder(choices, vendor=np.zeros(2, int)).plans.tolist()
    [[0, 0], [1, 0], [1, 1], [1, 2], [2, 2]]
    """
    if rungs < 2:
        raise ValueError("a ladder needs two rungs")
    plan = partial(
        within_rules,
        choices,
        vendor=vendor,
        minimum=minimum,
        minimum_in_units=minimum_in_units,
    )
    most = plan(budget=None)
    total = float(choices.at(most, choices.money).sum())
    found = [np.zeros(len(most), int), most]
    found += [plan(budget=budget) for budget in _budgets(choices, total, rungs)]
    return _rising(choices, np.array(found))


def _budgets(choices: Choices, total: float, rungs: int) -> np.ndarray:
    """Budgets between nothing and all, vertices of the curve among them."""
    even = total * np.arange(1, rungs // 2 + 1) / (rungs // 2 + 1)
    turns = curve(choices).money
    turns = turns[(turns > ENOUGH) & (turns < total - ENOUGH)]
    if len(turns) > rungs - len(even):
        turns = turns[np.linspace(0, len(turns) - 1, rungs - len(even)).round().astype(int)]
    return np.unique(np.concatenate([even, turns]))


def _rising(choices: Choices, plans: np.ndarray) -> BudgetLadder:
    """The ladder of the plans that earn more than every cheaper one."""
    line = np.arange(plans.shape[1])
    money = np.array([choices.money[line, plan].sum() for plan in plans])
    value = np.array([choices.value[line, plan].sum() for plan in plans])
    order = np.lexsort((-value, money))
    kept: list[int] = []
    for one in order:
        if not kept or value[one] > value[kept[-1]] + ENOUGH:
            kept.append(int(one))
    return BudgetLadder(plans[kept], money[kept], value[kept], _hull(money[kept], value[kept]))


def _hull(money: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Indices of the rising points that are vertices of their upper concave hull."""
    hull: list[int] = []
    for one in range(len(money)):
        while len(hull) > 1:
            a, b = hull[-2:]
            # Cross product: b is below the line from a to the new point, so it is no vertex
            # (Andrew 1979).
            before = (value[b] - value[a]) * (money[one] - money[b])
            if before > (value[one] - value[b]) * (money[b] - money[a]):
                break
            hull.pop()
        hull.append(one)
    return np.array(hull)
