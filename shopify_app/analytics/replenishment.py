"""How many to order: the newsvendor's fractile of demand until the next order could arrive.

In:  a `DemandForecast`, stock, what is on its way, lead times in whole periods, costs.
Out: an `OrderPlan`, in the forecast's order.
Periodic review: an order placed now arrives at the start of period lead_time + 1 and must last
until the next one, review_periods later. Overage is holding a unit over a review, underage the
margin of a sale lost.
Source: Silver, Pyke & Thomas, *Inventory and Production Management in Supply Chains*, 4th ed.
(2017), ch. 6 and 9 (newsvendor), (R, S) systems.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics import negative_binomial as nb
from shopify_app.analytics.demand import DemandForecast

HIGHEST_FRACTILE: Final = 0.995
LOWEST_FRACTILE: Final = 0.5


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """What to order of each series and why; every attribute is an array (n,).

    Attributes
    ----------
    units : units to order, by pack and minimum
    ideal_units : before pack and minimum
    target_units : stock position that the order should reach (S)
    critical_fractile : probability with which demand until the next arrival is covered
    expected_demand : units until the next order could arrive (lead time + review)
    demand_low, demand_high : 10 % and 90 % of it
    lost_without, lost_with : expected units of demand lost in that time
    lost_by_waiting : expected units lost more if the order is placed one period later
    dead_stock_risk : probability that what is ordered still lies unsold after twice that time
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


def critical_fractile(
    shortage_cost: np.ndarray, holding_cost: np.ndarray, review_periods: np.ndarray
) -> np.ndarray:
    r"""Newsvendor fractile :math:`c_u / (c_u + c_o)`, with :math:`c_o` the cost of holding over a review.

    Examples
    --------
    A unit that earns 10 and costs 0.1 a week to hold, reviewed every four weeks:

    >>> round(float(critical_fractile(np.array(10.0), np.array(0.1), np.array(4))), 3)
    0.962
    """
    overage = np.maximum(holding_cost * review_periods, 1e-12)
    return np.clip(shortage_cost / (shortage_cost + overage), LOWEST_FRACTILE, HIGHEST_FRACTILE)


def order_quantities(
    forecast: DemandForecast,
    *,
    on_hand: np.ndarray,
    incoming: np.ndarray,
    lead_time: np.ndarray,
    review_periods: np.ndarray,
    holding_cost: np.ndarray,
    shortage_cost: np.ndarray,
    pack: np.ndarray | int = 1,
    minimum: np.ndarray | int = 0,
    service_level_cap: float | None = None,
) -> OrderPlan:
    """Plan one order of every series.

    Parameters
    ----------
    forecast : its horizon must reach twice the longest lead time + review.
    on_hand, incoming : (n,) units now, and units already on their way.
    lead_time, review_periods : (n,) or scalar, whole periods; lead_time >= 0, review >= 1.
    holding_cost : (n,) money per unit and period.
    shortage_cost : (n,) money per unit of demand lost.
    pack, minimum : units per pack (>= 1) and least units of an order (>= 0).
    service_level_cap : the fractile the merchant will not go beyond, or fixes.

    Raises
    ------
    ValueError
        If shapes or signs are wrong, or the horizon is too short.
    """
    n = len(forecast.series_ids)
    on_hand, incoming, holding, shortage = (
        _vector(x, n) for x in (on_hand, incoming, holding_cost, shortage_cost)
    )
    lead, review, packs, least = (
        _vector(x, n).astype(int) for x in (lead_time, review_periods, pack, minimum)
    )
    if n and (lead.min() < 0 or review.min() < 1 or packs.min() < 1 or least.min() < 0):
        raise ValueError("lead_time and minimum must be >= 0, review_periods and pack >= 1")
    if n and (holding.min() < 0 or shortage.min() < 0):
        raise ValueError("costs must be >= 0")
    if n and 2 * int((lead + review).max()) > forecast.mean.shape[1]:
        raise ValueError("the forecast must reach twice the longest lead time and review")
    mean, spread = _totals(forecast, lead + review)
    fractile = critical_fractile(shortage, holding, review)
    if service_level_cap is not None:
        fractile = np.minimum(fractile, service_level_cap)
    target = nb.quantile(fractile, mean, spread)
    position = on_hand + incoming
    ideal = np.maximum(target - np.maximum(position, 0.0), 0.0)
    units = _by_the_rules(ideal, position, mean, spread, shortage, holding * review, packs, least)
    after = np.maximum(position, 0.0) + units
    slow, slow_spread = _totals(forecast, 2 * (lead + review))
    return OrderPlan(
        units=units,
        ideal_units=ideal,
        target_units=target,
        critical_fractile=fractile,
        expected_demand=mean,
        demand_low=nb.quantile(0.1, mean, spread),
        demand_high=nb.quantile(0.9, mean, spread),
        lost_without=nb.expected_shortage(np.maximum(position, 0.0), mean, spread),
        lost_with=nb.expected_shortage(after, mean, spread),
        lost_by_waiting=_lost_by_waiting(forecast, np.maximum(position, 0.0), lead),
        dead_stock_risk=np.where(
            units > 0, nb.cdf(np.maximum(position, 0.0), slow, slow_spread), 0.0
        ),
    )


def _totals(forecast: DemandForecast, periods: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, dispersion) of each series' total over its own number of coming periods."""
    mean, spread = np.zeros(len(periods)), np.zeros(len(periods))
    for last in np.unique(np.minimum(periods, forecast.mean.shape[1])):
        rows = np.minimum(periods, forecast.mean.shape[1]) == last
        total, dispersion = forecast.total(first=1, last=int(last))
        mean[rows], spread[rows] = total[rows], dispersion[rows]
    return mean, spread


def _by_the_rules(
    ideal: np.ndarray,
    position: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
    shortage: np.ndarray,
    overage: np.ndarray,
    pack: np.ndarray,
    minimum: np.ndarray,
) -> np.ndarray:
    """The pack multiple, at or beyond the minimum, or nothing, that costs least; cost is convex in the units."""
    position = np.maximum(position, 0.0)
    least = np.ceil(minimum / pack) * pack
    choices = [
        np.zeros_like(ideal),
        np.maximum(np.floor(ideal / pack) * pack, least),
        np.maximum(np.ceil(ideal / pack) * pack, least),
    ]
    costs = []
    for units in choices:
        stock = position + units
        short = nb.expected_shortage(stock, mean, spread)
        costs.append(shortage * short + overage * (stock - mean + short))
    best = np.argmin(np.stack(costs), axis=0)
    return np.where(ideal > 0, np.choose(best, choices), 0.0)


def _lost_by_waiting(
    forecast: DemandForecast, position: np.ndarray, lead: np.ndarray
) -> np.ndarray:
    """Units lost because an order comes one period later: what is short by then, less what is short anyway."""
    now, now_spread = _totals(forecast, np.maximum(lead, 1))
    now = np.where(lead > 0, now, 0.0)
    then, then_spread = _totals(forecast, lead + 1)
    return np.maximum(
        nb.expected_shortage(position, then, then_spread)
        - nb.expected_shortage(position, now, now_spread),
        0.0,
    )


def _vector(value: np.ndarray | float, n: int) -> np.ndarray:
    """One number a series."""
    vector = np.broadcast_to(np.asarray(value, float), (n,)).copy()
    if not np.isfinite(vector).all():
        raise ValueError("numbers must be finite")
    return vector
