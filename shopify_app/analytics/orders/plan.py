"""The order plan and its reasons: what `replenishment.order_quantities` returns."""

from dataclasses import dataclass

import numpy as np

from shopify_app.analytics.orders.budget import BudgetCurve
from shopify_app.analytics.orders.rules import Choices


@dataclass(frozen=True, slots=True)
class Aside:
    """Effects of other quantities, shown beside the order; every attribute is an array (n,)."""

    units: np.ndarray
    lost: np.ndarray
    dead_stock_risk: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """Order quantities of each series with their reasons; every array is (n,).

    Attributes
    ----------
    units : units to order, by all rules
    ideal_units : units before pack, minimum, vendor and budget
    target_units : order-up-to level S, the inventory position that the order should reach
    critical_fractile : probability with which demand until the next arrival is to be covered
    expected_demand : expected demand until the next order could arrive (lead time + review)
    demand_low, demand_high : its 10 % and 90 % quantiles, or the tails that were asked for
    lost_without, lost_with : expected units of demand lost in that time
    lost_by_waiting : expected units lost more if the order is placed one period later
    dead_stock_risk : probability that the last unit ordered still lies unsold after twice that time
    value : expected gain of the order over ordering nothing until the next review
    periods_to_wait : whole periods the order can be put off before its first unit earns more now
    less, more : a quarter less and more than `units`, in whole packs, and what they would do
    curve : gain by budget, where unit costs were given
    choices : allowed orders of each line, where unit costs were given
    """

    units: np.ndarray
    ideal_units: np.ndarray
    target_units: np.ndarray
    critical_fractile: np.ndarray
    expected_demand: np.ndarray
    demand_low: np.ndarray
    demand_high: np.ndarray
    lost_without: np.ndarray
    lost_with: np.ndarray
    lost_by_waiting: np.ndarray
    dead_stock_risk: np.ndarray
    value: np.ndarray
    periods_to_wait: np.ndarray
    less: Aside
    more: Aside
    curve: BudgetCurve | None = None
    choices: Choices | None = None
