"""Transfers between locations, worked out before anything is bought.

In:  a forecast per product and location (a series each), stock there, costs, how long a move takes.
Out: `Transfers`: rows from, rows to, units; and what is on hand and on its way after them.
Method: a unit is worth at a location what it would sell in place of a lost sale there, less its
holding, until a purchase made now could help (lead time + review). Units go, a pack at a time, from
where the last is worth least to where the next is worth most, while the difference pays the
freight: best pair first, on a heap, for values fall with every unit and so the greedy plan is best
for one product.
Source: Silver, Pyke & Thomas (2017), ch. 11; Paterson et al. (2011), "Inventory models with lateral
transshipments: a review", EJOR 210, 125-136.
Weak: a unit is worth nothing after that time; the sending location keeps what it needs until then,
not what it would need for good.
"""

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

from shopify_app.analytics.demand import DemandForecast
from shopify_app.analytics.orders.pipeline import STATES, Landing, run_ahead
from shopify_app.analytics.orders.stock_ahead import StockAhead
from shopify_app.analytics.orders.terms import OrderTerms, order_terms


@dataclass(frozen=True, slots=True)
class Transfers:
    """Moves; `source`, `destination` are row numbers, arrays (k,) like `units` and `value` (expected gain).

    `on_hand` (n,) and `arriving` (n, periods) are the stock of every row after them.
    """

    source: np.ndarray
    destination: np.ndarray
    units: np.ndarray
    value: np.ndarray
    on_hand: np.ndarray
    arriving: np.ndarray


def transfers_before_purchases(
    forecast: DemandForecast,
    *,
    product: np.ndarray,
    transfer_time: int,
    freight: Any,
    on_hand: Any,
    incoming: Any,
    lead_time: Any,
    review_periods: Any,
    holding_cost: Any,
    shortage_cost: Any,
    pack: Any = 1,
) -> Transfers:
    """The `Transfers` within each product that gain more than their freight.

    Parameters
    ----------
    product : (n,) what the rows of one product share.
    transfer_time : whole periods; a move made now arrives at the start of period transfer_time + 1.
    freight : money per unit moved, (n,) by the destination or one for all.
    pack : units moved at a time, (n,) by the source.
    others : as in `replenishment.order_quantities`, per row.

    Raises
    ------
    ValueError
        As there; or if the transfer time is negative.

    Examples
    --------
    Five a week are wanted at both places; forty lie at the first, none at the second. Fifteen go, enough
    for two weeks (lead time + review) there:

    >>> forecast = DemandForecast(
    ...     np.array(["x", "y"]), np.full((2, 4), 5.0), np.zeros((2, 2)), np.ones(2), spans=(1, 4)
    ... )
    >>> moves = transfers_before_purchases(
    ...     forecast,
    ...     product=np.array([1, 1]),
    ...     transfer_time=0,
    ...     freight=0.5,
    ...     on_hand=np.array([40, 0]),
    ...     incoming=0,
    ...     lead_time=1,
    ...     review_periods=1,
    ...     holding_cost=0.1,
    ...     shortage_cost=9.0,
    ... )
    >>> moves.source.tolist(), moves.destination.tolist(), moves.units.tolist()
    ([0], [1], [15.0])
    """
    if transfer_time < 0:
        raise ValueError("transfer_time must be >= 0")
    terms = order_terms(
        forecast,
        on_hand=on_hand,
        incoming=incoming,
        lead_time=lead_time,
        review_periods=review_periods,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
        pack=pack,
    )
    code = np.unique(np.asarray(product), return_inverse=True)[1]
    costs = np.broadcast_to(np.asarray(freight, float), (terms.n,))
    stocks = np.floor(terms.on_hand)
    # A sender's stock is valued as an order that lands at once on an empty shelf: its u-th unit,
    # whoever owns it.
    keeps = _covering(forecast, terms, terms.on_hand * 0.0, 0)
    gets = _covering(forecast, terms, terms.on_hand, transfer_time)
    moves: list[tuple[int, int, float, float]] = []
    given, got = np.zeros(terms.n), np.zeros(terms.n)
    for one in np.flatnonzero(np.bincount(code, minlength=1) > 1):
        rows = np.flatnonzero(code == one)
        places = _Places(
            stocks[rows], terms.pack[rows], costs[rows], keeps.rows(rows), gets.rows(rows)
        )
        for source, destination, units, value in places.moves():
            moves.append((int(rows[source]), int(rows[destination]), units, value))
            given[rows[source]] += units
            got[rows[destination]] += units
    return _result(terms, moves, given, got, transfer_time)


def _covering(
    forecast: DemandForecast, terms: OrderTerms, on_hand: np.ndarray, landing: int
) -> StockAhead:
    """The `StockAhead` of units that land after some periods, until a purchase made now, and its successor, could help."""
    until = np.round(terms.lead.mean).astype(int) + terms.review
    periods = int(max(until.max(initial=1), landing + 1))
    arriving = np.zeros((terms.n, periods))
    known = min(periods, terms.arriving.shape[1])
    arriving[:, :known] = terms.arriving[:, :known]
    lead = np.zeros((terms.n, landing + 1))
    lead[:, landing] = 1.0
    return run_ahead(
        forecast,
        on_hand=on_hand,
        arriving=arriving,
        landing=Landing(lead, np.maximum(until - landing, 1)),
        periods=periods,
        states=STATES[-1],
        holding=terms.holding,
        shortage=terms.shortage,
        leftover=0.0,
    )


@dataclass(slots=True)
class _Places:
    """One product's locations."""

    stock: np.ndarray
    pack: np.ndarray
    freight: np.ndarray
    keeps: StockAhead
    gets: StockAhead

    def moves(self) -> list[tuple[int, int, float, float]]:
        """(source, destination, units, value) of each pair, the best pack first; who gives does not get."""
        given, got = np.zeros(len(self.stock)), np.zeros(len(self.stock))
        heap = [
            self._offer(source, destination, given, got)
            for source in range(len(self.stock))
            for destination in range(len(self.stock))
            if source != destination
        ]
        heapq.heapify(heap)
        done: dict[tuple[int, int], tuple[float, float]] = {}
        while heap and heap[0][0] < 0:
            loss, source, destination, was_given, was_got = heapq.heappop(heap)
            if got[source] > 0 or given[destination] > 0:
                continue
            # A stale offer was worked out before another move: it is offered again at today's
            # gain.
            if (was_given, was_got) == (given[source], got[destination]):
                units, value = done.get((source, destination), (0.0, 0.0))
                done[source, destination] = (units + self.pack[source], value - loss)
                given[source] += self.pack[source]
                got[destination] += self.pack[source]
            heapq.heappush(heap, self._offer(source, destination, given, got))
        return [(*pair, *total) for pair, total in done.items()]

    def _offer(
        self, source: int, destination: int, given: np.ndarray, got: np.ndarray
    ) -> tuple[float, int, int, float, float]:
        """(minus the gain of the next pack, the pair, and the state that it was worked out in)."""
        units, left = float(self.pack[source]), self.stock[source] - given[source]
        profit = -np.inf
        if left >= units:
            gain = _last(self.gets, destination, got[destination] + units, units)
            profit = gain - _last(self.keeps, source, left, units)
            profit -= self.freight[destination] * units
        return -profit, source, destination, given[source], got[destination]


def _last(ahead: StockAhead, row: int, units: float, pack: float) -> float:
    """Expected gain of the last pack of `units` at a row."""
    one = ahead.rows(np.array([row]))
    return float(one.value(np.array([units]))[0] - one.value(np.array([units - pack]))[0])


def _result(
    terms: OrderTerms,
    moves: list[tuple[int, int, float, float]],
    given: np.ndarray,
    got: np.ndarray,
    transfer_time: int,
) -> Transfers:
    """The `Transfers` of some moves."""
    width = max(terms.arriving.shape[1], transfer_time + 1)
    arriving = np.zeros((terms.n, width))
    arriving[:, : terms.arriving.shape[1]] = terms.arriving
    arriving[:, transfer_time] += got
    table = np.array(moves, float).reshape(-1, 4)
    source, destination = table[:, 0].astype(int), table[:, 1].astype(int)
    return Transfers(source, destination, table[:, 2], table[:, 3], terms.on_hand - given, arriving)
