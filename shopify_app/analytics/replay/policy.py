"""The simulated year under our advice: each week only what was known before it, and the shelf as it then stood.

In:  a `Record` and demand draws. Out: a `PolicyYear`.
Method: a forecast every two weeks from what the shelf has shown until then: the shop's own before
the year, within it that of the first draw, with the policy's own stock-outs. On each day of review the
quantities of `replenishment.order_quantities` for the first draw, and the same target stock for the
others. What the shop had ordered before the year began still arrives.
Weak: a forecast may be a week old when it is ordered by; the app's is of the day.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics import demand
from shopify_app.analytics.demand import DemandForecast
from shopify_app.analytics.demand.forecast_rows import rows_of
from shopify_app.analytics.orders import replenishment
from shopify_app.analytics.replay.record import Record

FIT_WEEKS: Final = 2
"""Weeks between two forecasts."""

ALIVE: Final = 0.5
"""Probability of life below which nothing is ordered, as in the restock advice."""


@dataclass(frozen=True, slots=True)
class PolicyYear:
    """Sales, losses, stock and orders of a simulated year; arrays (draws, n), and of the first draw (n, weeks).

    Attributes
    ----------
    sold, lost : units
    held : units x weeks, at the weeks' ends
    lines : orders placed
    ordered : units ordered in each week of the first draw
    """

    sold: np.ndarray
    lost: np.ndarray
    held: np.ndarray
    lines: np.ndarray
    ordered: np.ndarray


@dataclass(frozen=True, slots=True)
class _Seen:
    """Units and time in stock shown until now (n, T): the shop's before the year, the first draw's within it."""

    units: np.ndarray
    in_stock: np.ndarray


def run(record: Record, wanted: np.ndarray, *, cap: float | None, seed: int) -> PolicyYear:
    """The `PolicyYear` of the weeks replayed under the advice.

    Parameters
    ----------
    wanted : (draws, n, weeks) demand; no week of it is looked at before it is over.
    cap : the service level that the merchant will not go beyond.
    """
    draws, n, weeks = wanted.shape
    rng = np.random.default_rng(seed)
    first, reach = record.first, int(record.lead.max()) + 1
    pipeline = np.zeros((draws, n, weeks + reach + 1))
    on_way = np.arange(weeks)[None, :] < record.lead[:, None]
    pipeline[:, :, :weeks] = np.where(on_way, record.arrived[:, first:], 0.0)
    stock = np.broadcast_to(record.on_hand[:, first - 1], (draws, n)).copy()
    sold, lost, held, lines = (np.zeros((draws, n)) for _ in range(4))
    ordered = np.zeros((n, weeks))
    seen = _Seen(record.units.copy(), record.in_stock.copy())
    forecast: DemandForecast | None = None
    for week in range(weeks):
        if forecast is None or week % FIT_WEEKS == 0:
            forecast = _forecast(record, seen, first + week, seed)
        due = np.flatnonzero((week % record.review == 0) & record.exists[:, first + week - 1])
        units = _order(record, forecast, due, stock, pipeline[:, :, week : week + reach], cap)
        pipeline[:, due, week + record.lead[due]] += units
        lines[:, due] += units > 0
        ordered[due, week] = units[0]
        stock += pipeline[:, :, week]
        seen.in_stock[:, first + week] = time_in_stock(stock[0], wanted[0, :, week], rng)
        # Lost sales: what is not there is not sold, and nobody waits.
        came = np.minimum(stock, wanted[:, :, week])
        seen.units[:, first + week] = came[0]
        stock -= came
        sold += came
        lost += wanted[:, :, week] - came
        held += stock
    return PolicyYear(sold, lost, held, lines, ordered)


def time_in_stock(stock: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share of a week until the last unit's sale, if buyers come evenly; 0 where nothing lay there."""
    # The time of the s-th of d uniform arrivals is Beta(s, d - s + 1).
    emptied = rng.beta(np.maximum(stock, 1.0), np.maximum(wanted - stock, 0.0) + 1.0)
    return np.where(wanted < stock, 1.0, np.where(stock >= 1.0, emptied, 0.0))


def _forecast(record: Record, seen: _Seen, until: int, seed: int) -> DemandForecast:
    """Forecast of every series that existed by then; 0 of the others."""
    horizon = int((record.lead + record.review).max()) + FIT_WEEKS
    known = demand.forecast_demand(
        record.history(until, units=seen.units, in_stock=seen.in_stock), horizon=horizon, seed=seed
    )
    n, at = len(record.series_ids), known.series_ids.astype(int)
    mean, alive = np.zeros((n, horizon)), np.zeros(n)
    dispersion = np.zeros((n, known.dispersion.shape[1]))
    mean[at], alive[at], dispersion[at] = known.mean, known.alive, known.dispersion
    return DemandForecast(np.arange(n), mean, dispersion, alive, known.spans, known.levels)


def _order(
    record: Record,
    forecast: DemandForecast,
    rows: np.ndarray,
    stock: np.ndarray,
    coming: np.ndarray,
    cap: float | None,
) -> np.ndarray:
    """Units ordered now (draws, rows)."""
    alive = forecast.alive[rows] >= ALIVE
    chosen = rows[alive]
    found = np.zeros((len(stock), len(rows)))
    if not len(chosen):
        return found
    margin = np.maximum(record.price[chosen] - record.cost[chosen], 0.0)
    plan = replenishment.order_quantities(
        rows_of(forecast, chosen),
        on_hand=stock[0, chosen],
        incoming=coming[0, chosen],
        lead_time=record.lead[chosen],
        review_periods=record.review[chosen],
        holding_cost=record.holding[chosen],
        shortage_cost=margin,
        pack=record.pack[chosen],
        minimum=record.minimum[chosen],
        service_level_cap=cap,
        overage_reviews=replenishment.OVERAGE_REVIEWS,
    )
    # One plan for all draws: each orders up to the same S from its own inventory position.
    short = plan.target_units - stock[:, chosen] - coming[:, chosen].sum(axis=2)
    pack = record.pack[chosen]
    units = np.ceil(np.maximum(short, 0.0) / pack) * pack
    units = np.where(units >= record.minimum[chosen], units, 0.0)
    units[0] = plan.units
    found[:, alive] = units
    return found
