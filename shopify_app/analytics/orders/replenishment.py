"""Order quantities by periodic review with lost sales: up to the last unit whose expected gain is above zero.

In:  a `DemandForecast`, stock, what is on its way, lead times (whole periods, or learned
     distributions), costs, and the rules of lines, vendors and the purse.
Out: an `OrderPlan`, in the forecast's order.
Method: periodic review with lost sales. An order placed now arrives at the start of period
lead_time + 1 and is all that can arrive until the next one, review_periods later. The distribution
of on hand is carried through the pipeline (`demand.levels`, `pipeline`, `stock_ahead`); the units whose last
still gains are the ideal: the newsvendor's fractile where nothing is lost before the order lands.
Symbols: c_u cost of a lost unit, c_o of holding one over a review, S order-up-to level.
Packs and minimums (`rules`), a vendor's least order and a budget (`budget`) then make of the
ideal what can be ordered. Transfers between locations come first (`transfers`).
Source: Silver, Pyke & Thomas, *Inventory and Production Management in Supply Chains*, 4th ed.
(2017), ch. 6 and 9; Zipkin (2008), "Old and new methods for lost-sales inventory systems", Oper. Res. 56,
1256-1263.
Weak: one order ahead; later orders enter only by `leftover_share`. No fixed cost per order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from shopify_app.analytics.demand import DemandForecast
from shopify_app.analytics.demand.forecast_rows import rows_of
from shopify_app.analytics.orders import budget as money
from shopify_app.analytics.orders import rules as order_rules
from shopify_app.analytics.orders.budget import BudgetCurve
from shopify_app.analytics.orders.lead_times import LeadTimes
from shopify_app.analytics.orders.pipeline import Landing, run_ahead, states_needed
from shopify_app.analytics.orders.plan import Aside, OrderPlan
from shopify_app.analytics.orders.stock_ahead import StockAhead
from shopify_app.analytics.orders.terms import OrderTerms, order_terms

CHUNK: Final = 500
"""Series worked on at once, for the memory."""

KEPT_PARTS: Final = 20
"""Number of parts up to which all are kept in memory until the plan is made."""

LOOK_AHEAD: Final = 2
"""Horizon of the search for dead stock, in lead times + reviews."""

OVERAGE_REVIEWS: Final = 2.0
"""Reviews over which an unsold unit is charged holding. 2 did well on several sets of real demand
(docs/analytics-replenishment.md): a unit too many is made good not by the next order but by the one after
it."""

ASIDE: Final = 0.25
"""Share by which the lesser and the larger order shown beside the plan differ, in whole packs."""


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
    return shortage_cost / (shortage_cost + overage)


def order_quantities(  # noqa: PLR0913 -- one argument for each term that the merchant knows by name
    forecast: DemandForecast,
    *,
    on_hand: np.ndarray,
    incoming: np.ndarray,
    lead_time: np.ndarray | LeadTimes,
    review_periods: np.ndarray,
    holding_cost: np.ndarray,
    shortage_cost: np.ndarray,
    pack: np.ndarray | int = 1,
    minimum: np.ndarray | int = 0,
    budget: float | None = None,
    unit_cost: np.ndarray | None = None,
    vendor: np.ndarray | None = None,
    vendor_minimum: Any = None,
    vendor_minimum_in_units: np.ndarray | None = None,
    service_level_cap: float | None = None,
    overage_reviews: float = 1.0,
    leftover_share: float = 0.0,
    range_tails: tuple[float, float] = (0.1, 0.9),
) -> OrderPlan:
    """The `OrderPlan` of one order of every series.

    Parameters
    ----------
    forecast : its horizon must reach the longest lead time + review; twice that shows dead stock.
    on_hand : (n,) units at the end of the last period known; below 0: sold already and owed, so ordered on top.
    incoming : (n, k) units that arrive at the start of each coming period, or (n,): all at once.
    lead_time : (n,) or scalar, whole periods >= 0, or `LeadTimes`.
    review_periods : (n,) or scalar, whole periods >= 1 until the next order.
    holding_cost : (n,) money per unit and period.
    shortage_cost : (n,) money per unit of demand lost.
    pack, minimum : units per pack (>= 1) and least units of an order (>= 0).
    budget : money for all orders together; needs `unit_cost`.
    unit_cost : (n,) money per unit.
    vendor : (n,) anything that names each line's vendor.
    vendor_minimum : mapping from vendor to the least money of an order (units, without `unit_cost`),
        or (n,) that of each line's vendor, or one for all.
    vendor_minimum_in_units : (n,) whether it is in units although unit costs are given.
    service_level_cap : the fractile that the merchant will not go beyond.
    overage_reviews : how many times its holding a unit costs that lies until the next order; 1 is the
        textbook's, where that order is smaller by it. See `OVERAGE_REVIEWS`.
    leftover_share : how much of the holding of a unit left over counts after the next order could
        have come. 0 is the textbook's: the next order is smaller by what is left. Products that
        fade or end leave more: see `stock_ahead`.
    range_tails : levels asked of the forecast for `demand_low` and `demand_high`; the order does not turn on them.

    Raises
    ------
    ValueError
        If shapes or signs are wrong, the horizon is too short, or a budget comes without unit costs.

    Examples
    --------
    Ten a week are wanted (Poisson), three lie there, an order lands at once. A lost unit costs 9, a
    unit left over 1: the fractile is 0.9, whose quantile is 14, so 11 are ideal, and 12 in packs of six.

    >>> forecast = DemandForecast(
    ...     np.array(["a"]), np.full((1, 4), 10.0), np.zeros((1, 2)), np.ones(1), spans=(1, 4)
    ... )
    >>> plan = order_quantities(
    ...     forecast,
    ...     on_hand=np.array([3]),
    ...     incoming=np.array([0]),
    ...     lead_time=np.array([0]),
    ...     review_periods=np.array([1]),
    ...     holding_cost=np.array([1.0]),
    ...     shortage_cost=np.array([9.0]),
    ...     pack=6,
    ... )
    >>> plan.critical_fractile.round(3).tolist(), plan.target_units.tolist()
    ([0.9], [14.0])
    >>> plan.ideal_units.tolist(), plan.units.tolist()
    ([11.0], [12.0])
    """
    terms = order_terms(
        forecast,
        on_hand=on_hand,
        incoming=incoming,
        lead_time=lead_time,
        review_periods=review_periods,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
        pack=pack,
        minimum=minimum,
        unit_cost=unit_cost,
        service_level_cap=service_level_cap,
        overage_reviews=overage_reviews,
        leftover_share=leftover_share,
    )
    if budget is not None and unit_cost is None:
        raise ValueError("a budget needs unit_cost")
    work = _Work(forecast, terms)
    ideal, units = work.ideal_and_allowed()
    choices = curve = None
    if unit_cost is not None or vendor_minimum is not None:
        # Filling up for a vendor's least order may go beyond a line's ideal, nothing else may.
        beyond = 1.0 if vendor_minimum is None else order_rules.BEYOND_IDEAL
        choices = work.choices(ideal, beyond)
        curve = money.curve(choices)
        chosen = money.within_rules(
            choices,
            budget=budget,
            vendor=_codes(vendor, terms.n),
            minimum=_vendor_minimums(vendor_minimum, vendor, terms.n),
            minimum_in_units=vendor_minimum_in_units,
        )
        units = choices.at(chosen, choices.units)
    return _plan(work, ideal, units, curve, choices, range_tails)


@dataclass(frozen=True, slots=True)
class _OwedFirst:
    """The fate of each unit of an order whose first units are owed (n,): they sell, and never lie."""

    ahead: StockAhead
    owed: np.ndarray

    def _free(self, units: np.ndarray) -> np.ndarray:
        return np.maximum(units - self.owed, 0.0)

    def best(self) -> np.ndarray:
        """Units (n,) up to the last whose expected gain is above zero."""
        return self.owed + self.ahead.best()

    def value(self, units: np.ndarray) -> np.ndarray:
        """Expected gain of ordering `units` (n,) over ordering nothing."""
        # A unit owed earns as much as one that would be lost: without it the sale is taken back.
        paid = self.ahead.shortage * np.minimum(units, self.owed)
        return paid + self.ahead.value(self._free(units))

    def lost(self, units: np.ndarray) -> np.ndarray:
        """Expected units lost until the next order could land, with `units` (n,) ordered; what is owed is none of them."""
        return self.ahead.lost(self._free(units))

    def unsold_risk(self, units: np.ndarray) -> np.ndarray:
        """Probability that the last of `units` still lies unsold at the end; 0 for no units."""
        return self.ahead.unsold_risk(self._free(units))

    def lost_by_waiting(self, units: np.ndarray) -> np.ndarray:
        """Expected units lost because `units` come one period later."""
        return self.ahead.lost_by_waiting(self._free(units))

    def periods_to_wait(self) -> np.ndarray:
        """Whole periods (n,) by which an order may be put off; none while something is owed."""
        return np.where(self.owed > 0, 0, self.ahead.periods_to_wait())


class _Work:
    """Series in parts of like lead time and size, with their `StockAhead`: kept where there are few parts, else worked out anew."""

    def __init__(self, forecast: DemandForecast, terms: OrderTerms) -> None:
        self.forecast, self.terms = forecast, terms
        latest = terms.lead.longest + terms.review
        # Series of one lead time, review and number of states share the arrays of one pass.
        like = np.stack([terms.lead.longest, terms.review, states_needed(forecast, latest)])
        self._parts: list[np.ndarray] = []
        for kind in np.unique(like, axis=1).T:
            rows = np.flatnonzero((like == kind[:, None]).all(axis=0))
            self._parts += [rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK)]
        self._kept: list[_OwedFirst | None] = [None] * len(self._parts)

    def parts(self) -> Iterator[tuple[np.ndarray, _OwedFirst]]:
        """(rows, the fate of their orders' units), part by part."""
        for number, rows in enumerate(self._parts):
            ahead = self._kept[number]
            if ahead is None:
                found = _ahead(rows_of(self.forecast, rows), self.terms, rows)
                ahead = _OwedFirst(found, self.terms.owed[rows])
            if len(self._parts) <= KEPT_PARTS:
                self._kept[number] = ahead
            yield rows, ahead

    def ideal_and_allowed(self) -> tuple[np.ndarray, np.ndarray]:
        """(units, units) of each line before and after its own pack and minimum."""
        ideal, units = np.zeros(self.terms.n), np.zeros(self.terms.n)
        for rows, ahead in self.parts():
            ideal[rows] = _ideal(self.forecast, self.terms, rows, ahead)
            units[rows] = order_rules.allowed_best(
                ideal[rows], self.terms.pack[rows], self.terms.minimum[rows], ahead.value
            )
        return ideal, units

    def choices(self, ideal: np.ndarray, beyond: float) -> order_rules.Choices:
        """The `Choices` of each line."""
        terms, found = self.terms, []
        for rows, ahead in self.parts():
            rules = (ideal[rows], terms.pack[rows], terms.minimum[rows], terms.unit_cost[rows])
            found.append(order_rules.table(*rules, ahead.value, beyond=beyond))
        back = np.argsort(np.concatenate(self._parts), kind="stable") if found else []
        return order_rules.joined(found, np.asarray(back, int))


def _ahead(forecast: DemandForecast, terms: OrderTerms, rows: np.ndarray) -> StockAhead:
    """The `StockAhead` of some series, over twice lead time and review where the forecast reaches."""
    lead, review = terms.lead.rows(rows), terms.review[rows]
    latest = int((lead.longest + review).max())
    periods = min(LOOK_AHEAD * latest, forecast.mean.shape[1])
    arriving = np.zeros((len(rows), periods))
    known = min(periods, terms.arriving.shape[1])
    arriving[:, :known] = terms.arriving[rows, :known]
    return run_ahead(
        forecast,
        on_hand=terms.on_hand[rows],
        arriving=arriving,
        landing=Landing(lead.probabilities[:, : int(lead.longest.max()) + 1], review),
        periods=periods,
        states=int(states_needed(forecast, lead.longest + review)[0]),
        holding=terms.holding[rows],
        shortage=terms.capped_shortage[rows],
        leftover=terms.leftover_share,
    )


def _ideal(
    forecast: DemandForecast, terms: OrderTerms, rows: np.ndarray, ahead: _OwedFirst
) -> np.ndarray:
    """Units (rows,) up to the last whose expected gain is above zero."""
    ideal = ahead.best()
    known = terms.is_known_at_landing[rows] & (terms.leftover_share == 0.0)
    if known.any():
        chosen = rows[known]
        ideal[known] = terms.owed[chosen] + _exact_ideal(rows_of(forecast, chosen), terms, chosen)
    return ideal


def _exact_ideal(forecast: DemandForecast, terms: OrderTerms, rows: np.ndarray) -> np.ndarray:
    """The same by the forecast's own distribution of totals, for an order that lands at once."""
    stock = np.floor(terms.on_hand[rows] + terms.arriving[rows, :1].sum(axis=1))
    review, holding = terms.review[rows], terms.holding[rows]
    shortage = terms.capped_shortage[rows]

    def gain(units: np.ndarray) -> np.ndarray:
        found = np.zeros(len(rows))
        for last in range(1, int(review.max()) + 1):
            below = forecast.cdf(stock + units - 1.0, last=last)
            # Marginal gain of unit u: c_u P(D > x) over the review, less holding in each period
            # with D <= x.
            found -= np.where(last <= review, holding * below, 0.0)
            found += np.where(last == review, shortage * (1.0 - below), 0.0)
        return found

    low, high = np.zeros(len(rows)), np.ones(len(rows))
    # The gain falls in u: double until it is lost, then bisect over whole units.
    while np.any(more := gain(high) > 0):
        high = np.where(more, 2 * high, high)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        gains = gain(np.maximum(middle, 1.0)) > 0
        split = high - low > 1
        low, high = np.where(split & gains, middle, low), np.where(split & ~gains, middle, high)
    return low


def _codes(vendor: np.ndarray | None, n: int) -> np.ndarray:
    """Integer codes of vendors; all 0 without any."""
    if vendor is None:
        return np.zeros(n, int)
    return np.unique(np.asarray(vendor), return_inverse=True)[1]


def _vendor_minimums(value: Any, vendor: np.ndarray | None, n: int) -> np.ndarray | None:
    """Least order of each line's vendor (n,); None where none is asked for."""
    if value is None:
        return None
    if hasattr(value, "get"):
        names = np.zeros(n) if vendor is None else np.asarray(vendor)
        return np.array([float(value.get(name, 0.0)) for name in names.tolist()])
    return np.broadcast_to(np.asarray(value, float), (n,))


def _plan(
    work: _Work,
    ideal: np.ndarray,
    units: np.ndarray,
    curve: BudgetCurve | None,
    choices: order_rules.Choices | None,
    range_tails: tuple[float, float],
) -> OrderPlan:
    """The `OrderPlan` of some units."""
    terms = work.terms
    names = ("lost_without", "lost_with", "lost_by_waiting", "dead_stock_risk", "value", "wait")
    found = {name: np.zeros(terms.n) for name in names}
    # At least one pack, so that "a little less" and "a little more" are never the order itself.
    step = np.maximum(np.ceil(ASIDE * units / terms.pack), 1.0) * terms.pack
    least = order_rules.least_order(terms.pack, terms.minimum)
    less = np.where(units - step >= least, units - step, 0.0)
    asides = [_empty_aside(less), _empty_aside(np.maximum(units + step, least))]
    for rows, ahead in work.parts():
        found["lost_without"][rows] = ahead.lost(np.zeros(len(rows)))
        found["lost_with"][rows] = ahead.lost(units[rows])
        found["lost_by_waiting"][rows] = ahead.lost_by_waiting(units[rows])
        found["dead_stock_risk"][rows] = ahead.unsold_risk(units[rows])
        found["value"][rows] = ahead.value(units[rows])
        found["wait"][rows] = ahead.periods_to_wait()
        for aside in asides:
            aside.lost[rows] = ahead.lost(aside.units[rows])
            aside.dead_stock_risk[rows] = ahead.unsold_risk(aside.units[rows])
            aside.value[rows] = ahead.value(aside.units[rows])
    expected, low, high = _demand(work.forecast, terms, range_tails)
    position = terms.on_hand + terms.arriving.sum(axis=1) - terms.owed
    return OrderPlan(
        units=units,
        ideal_units=ideal,
        target_units=np.floor(position) + ideal,
        critical_fractile=critical_fractile(terms.capped_shortage, terms.holding, terms.review),
        expected_demand=expected,
        demand_low=low,
        demand_high=high,
        lost_without=found["lost_without"],
        lost_with=found["lost_with"],
        lost_by_waiting=found["lost_by_waiting"],
        dead_stock_risk=found["dead_stock_risk"],
        value=found["value"],
        periods_to_wait=found["wait"].astype(int),
        less=asides[0],
        more=asides[1],
        curve=curve,
        choices=choices,
    )


def _empty_aside(units: np.ndarray) -> Aside:
    """An `Aside` to be filled in."""
    return Aside(units, np.zeros(len(units)), np.zeros(len(units)), np.zeros(len(units)))


def _demand(
    forecast: DemandForecast, terms: OrderTerms, tails: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(expected demand until the next order could arrive, its lower and upper quantile), each (n,)."""
    periods = np.round(terms.lead.mean).astype(int) + terms.review
    found = np.zeros((3, terms.n))
    for last in np.unique(periods):
        rows = periods == last
        found[0, rows] = forecast.mean[rows, :last].sum(axis=1)
        found[1:, rows] = forecast.quantile(tails, last=int(last))[rows].T
    return found[0], found[1], found[2]
