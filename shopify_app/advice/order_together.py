"""Orders that go out together: a vendor's least order, and what each budget would buy.

In:  the lines that are due, the lines that may join them, and a way to plan some lines
     (`restock` brings it).
Out: the lines to order with their plan; the plans of every budget as JSON, for pages to read.
Method: a vendor whose lines that are due stay below its least order is filled up by the steps worth
most for their money, of those lines and of the vendor's others; worth less than waiting, nothing is
ordered there. Lines without a known cost are in no budget: nobody knows whether they fit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shopify_app.analytics.orders import budget_ladder
from shopify_app.analytics.orders import rules as order_rules
from shopify_app.analytics.orders.plan import OrderPlan
from shopify_app.analytics.orders.rules import Choices
from shopify_app.domain.run import BudgetLine, OrderBudget

Order = Callable[..., OrderPlan]
"""A function that plans the rows it is given (and the rules by name)."""


@dataclass(frozen=True, slots=True)
class Together:
    """Lines that are ordered together, with their plan.

    Attributes
    ----------
    rows : row numbers among the variants, those that are due first
    plan : of these rows, with their choices
    terms : of these rows, with `weeks_left` that the order can wait, and `raised`: whether the vendor's
        least order makes it more than the line would have for itself
    left_out : lines that are due but whose vendor's least order is worth less than waiting
    """

    rows: np.ndarray
    plan: OrderPlan
    terms: pd.DataFrame
    left_out: int


def least_orders(names: "pd.Series[Any]", vendors: pd.DataFrame) -> dict[str, "pd.Series[Any]"]:
    """Each line's vendor's least order (0: none), and whether it is in units."""
    if "order_minimum" not in vendors:  # a run from before there were any
        return {"order_minimum": names.map(lambda _: 0.0), "in_units": names.map(lambda _: False)}
    return {
        "order_minimum": names.map(vendors["order_minimum"]).fillna(0.0).astype(float),
        "in_units": names.map(vendors["order_minimum_in"]) == "units",
    }


def order_together(
    order: Order, alone: OrderPlan, due: np.ndarray, may_join: np.ndarray, terms: pd.DataFrame
) -> Together:
    """Lines to order, with every vendor's least order met.

    Parameters
    ----------
    alone : what each line of `terms` would order for itself
    due, may_join : row numbers of `terms`
    """
    rows = _filled_up(order, due, may_join, terms)
    plan = order(rows, **_rules(terms.iloc[rows]))
    if not (plan.units > 0).all():
        rows = rows[plan.units > 0]
        plan = order(rows, **_rules(terms.iloc[rows]))
    joined = ~np.isin(rows, due)
    some = terms.iloc[rows].assign(
        weeks_left=alone.periods_to_wait[rows],
        raised=joined | (plan.units > alone.units[rows]),
    )
    # What only fills up an order goes with it.
    first = some[~joined].groupby("vendor")["weeks_left"].min()
    some["weeks_left"] = np.where(joined, some["vendor"].map(first), some["weeks_left"])
    return Together(rows, plan, some, int((~np.isin(due, rows)).sum()))


def _filled_up(
    order: Order, due: np.ndarray, may_join: np.ndarray, terms: pd.DataFrame
) -> np.ndarray:
    """What is due and what fills up its vendors' least orders; nothing of vendors not worth it."""
    asking = terms.iloc[due]
    vendors = asking.loc[asking["order_minimum"] > 0, "vendor"]
    joining = may_join[terms["vendor"].iloc[may_join].isin(vendors)]
    joining = np.setdiff1d(joining, due)
    if vendors.empty:
        return due
    rows = np.concatenate([due, joining])
    some = terms.iloc[rows]
    nothing_asked = {"vendor_minimum": np.zeros(len(rows))}
    choices = order(rows, **(_rules(some) | nothing_asked)).choices
    assert choices is not None  # noqa: S101 -- it has unit costs
    chosen = np.where(np.isin(rows, due), choices.best(), 0)
    filled = order_rules.meet_vendor_minimums(
        choices,
        chosen,
        _codes(some),
        some["order_minimum"].to_numpy(),
        in_units=some["in_units"].to_numpy(),
    )
    return rows[filled > 0]


def for_every_budget(plan: OrderPlan, variant_ids: np.ndarray, terms: pd.DataFrame) -> OrderBudget:
    """The plans of every budget, as pages read them.

    `lines` have their levels (units, expected money earned), `plans` a level of each line; `turns` are
    the plans at the vertices of the concave curve of worth against money.
    """
    known, choices = terms["cost_known"].to_numpy(bool), plan.choices
    if choices is None or not known.any():
        return OrderBudget()
    priced = Choices(choices.units[known], choices.value[known], choices.money[known])
    some = terms[known]
    rules = _rules(some)
    found = budget_ladder.ladder(
        priced,
        vendor=rules["vendor"],
        minimum=rules.get("vendor_minimum"),
        minimum_in_units=rules.get("vendor_minimum_in_units"),
    )
    lines: list[BudgetLine] = []
    plans = np.zeros_like(found.plans)
    for line, variant_id in enumerate(variant_ids[known]):
        used, plans[:, line] = np.unique(found.plans[:, line], return_inverse=True)
        levels = tuple(
            (int(priced.units[line, one]), round(float(priced.value[line, one]), 2)) for one in used
        )
        lines.append(BudgetLine(variant_id=int(variant_id), levels=levels))
    return OrderBudget(
        lines=tuple(lines),
        plans=tuple(tuple(plan) for plan in plans.tolist()),
        turns=tuple(found.turns.tolist()),
    )


def _rules(some: pd.DataFrame) -> dict[str, Any]:
    """Rules of a plan of some lines together."""
    rules: dict[str, Any] = {"unit_cost": some["cost"].to_numpy(float), "vendor": _codes(some)}
    if (some["order_minimum"] > 0).any():
        rules["vendor_minimum"] = some["order_minimum"].to_numpy(float)
        rules["vendor_minimum_in_units"] = some["in_units"].to_numpy(bool)
    return rules


def _codes(some: pd.DataFrame) -> np.ndarray:
    return np.unique(some["vendor"].to_numpy(str), return_inverse=True)[1]
