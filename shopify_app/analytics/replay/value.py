"""The value of our restock advice over a shop's past year, replayed against what the shop did: money with its range.

In:  a shop's weeks (what it sold, what lay on its shelves) and the terms of its orders.
Out: a `Replay`: money gained or lost, with its range, what it is made of, and a verdict.
Method: the year is walked week by week with only what was known then (`policy`); demand is
what was sold, and draws of what empty shelves kept from being sold (`demand`); both sides
pay for holding what lies there at the end of each week, and for each line ordered. Only the weeks are
replayed whose shelves were counted, where there are enough of them. Where not, all are, and what comes
out is a floor (`is_floor`): of empty shelves only the surest are known. Of a large shop the best
sellers and a draw of the others are looked at, and scaled up.
Range: 80 %, from the draws of demand, from which series were drawn, and from what the method itself was off
by on shops of which the truth is known (`METHOD_ERROR`, docs/analytics-calibration.md).
Weak: today's prices and costs for the whole year; a lost sale is lost, nobody waits or buys another.
What lies there at the end is worth its cost on both sides.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics.replay import policy as replay_policy
from shopify_app.analytics.replay.demand import demand_draws
from shopify_app.analytics.replay.record import Record, counted_weeks, record_of

WEEKS: Final = 52
"""Weeks replayed at most."""

LEAST_BEFORE: Final = 13
"""Weeks of history that the first forecast needs."""

LEAST_WEEKS: Final = 13
"""Fewest weeks that are replayed."""

COUNTED: Final = 0.9
"""Share of the series whose shelves must be counted for a week to be a counted one."""

MOST_SERIES: Final = 1_500
"""Series of a shop that are replayed at most."""

DRAWS: Final = 24
"""Draws of demand."""

TAIL: Final = 1.2816
"""Normal deviations of an 80 % range."""

LITTLE: Final = 0.01
"""Share of revenue below which a gain is little."""

METHOD_ERROR: Final = 0.004
"""Standard deviation of the replay's own error, as a share of revenue."""

STOCK_ERROR: Final = 0.35
"""Standard deviation, in logarithms, of the shop's stock where nobody counted it."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Gain of a year with our restock advice over the year as it was, with its range and its parts.

    Attributes
    ----------
    verdict : "gain"; "loss"; "little_to_gain": likely below twice `LITTLE`; "cannot_tell": the range is too wide;
        "too_little_history"; "not_counted": shelves were not counted for long enough to tell, and
        not even the floor is a gain
    weeks : weeks replayed
    is_floor : shelves were not counted; there may be more to gain
    series, series_in_all : looked at, and of how many
    gain, gain_low, gain_high : money over those weeks, 80 % range
    revenue : of the shop over those weeks, at today's prices
    from_sales, from_holding, from_ordering : parts of the gain
    lost_units, lost_units_advised : demand that went unserved, as it was and with the advice
    stock_value, stock_value_advised : mean stock at cost
    lines, lines_advised : order lines
    counted_share : share of the stock's weeks that was counted, not taken at the usual cover
    """

    verdict: str
    weeks: int
    series: int
    series_in_all: int
    is_floor: bool = False
    gain: float = 0.0
    gain_low: float = 0.0
    gain_high: float = 0.0
    revenue: float = 0.0
    from_sales: float = 0.0
    from_holding: float = 0.0
    from_ordering: float = 0.0
    lost_units: float = 0.0
    lost_units_advised: float = 0.0
    stock_value: float = 0.0
    stock_value_advised: float = 0.0
    lines: float = 0.0
    lines_advised: float = 0.0
    counted_share: float = 0.0


def replay(
    history: pd.DataFrame,
    terms: pd.DataFrame,
    *,
    holding_per_year: float = 0.3,
    order_cost: float = 0.0,
    service_level_cap: float | None = None,
    weeks: int = WEEKS,
    most_series: int = MOST_SERIES,
    draws: int = DRAWS,
    seed: int = 0,
) -> Replay:
    """The `Replay` of the last weeks under the restock advice.

    Parameters
    ----------
    history : DataFrame
        Whole weeks: `series_id, period, units` and optional `in_stock` (share of the week in which it could be
        bought; NaN: unknown), `on_hand` (units at the week's end; NaN: not counted), `group`.
    terms : DataFrame
        `series_id, price, cost` (money a unit), `lead, review` (whole weeks), optional `pack, minimum`.
    holding_per_year : cost of holding a unit for a year, as a share of its cost.
    order_cost : money an order line, on both sides.
    most_series : of a larger shop so many are looked at.

    Raises
    ------
    ValueError
        For histories or terms that cannot be ones, or draws below 2.

    Examples
    --------
    Thirteen weeks to forecast from and thirteen to replay are needed; twenty are too few.

    >>> weeks = np.datetime64("2026-01-05", "s") + np.arange(20) * np.timedelta64(7, "D")
    >>> history = pd.DataFrame({"series_id": "a", "period": weeks, "units": 10.0})
    >>> terms = pd.DataFrame({"series_id": ["a"], "price": 10.0, "cost": 6.0, "lead": 1, "review": 1})
    >>> found = replay(history, terms)
    >>> found.verdict, found.weeks
    ('too_little_history', 7)
    """
    if draws < 2:
        raise ValueError("draws must be >= 2")
    length = _length(history)
    replayed = min(weeks, length - LEAST_BEFORE)
    count = int(history["series_id"].nunique()) if len(history) else 0
    if replayed < LEAST_WEEKS:
        return Replay("too_little_history", max(replayed, 0), 0, count)
    rng = np.random.default_rng(seed)
    record = record_of(
        history, terms, weeks=replayed, holding_per_year=holding_per_year, most=most_series, rng=rng
    )
    known = counted_weeks(record, COUNTED) - 1  # of the week before, what lay there must be known
    is_floor = known < LEAST_WEEKS
    if not is_floor:
        record = replace(record, weeks=min(replayed, known))
    wanted = demand_draws(record, draws, rng)
    advised = replay_policy.run(record, wanted, cap=service_level_cap, seed=seed)
    found = _compared(record, wanted, advised, order_cost, rng)
    verdict = _verdict(found, is_floor=is_floor)
    return replace(found, verdict=verdict, series_in_all=count, is_floor=is_floor)


def _length(history: pd.DataFrame) -> int:
    """Number of weeks from the first to the last."""
    if not len(history):
        return 0
    return int((history["period"].max() - history["period"].min()).days // 7) + 1


def _compared(
    record: Record,
    wanted: np.ndarray,
    advised: replay_policy.PolicyYear,
    order_cost: float,
    rng: np.random.Generator,
) -> Replay:
    """The figures of a `Replay`: both sides' money, draw by draw."""
    part = slice(record.first, None)
    sold = record.units[:, part].sum(axis=1)
    margin = record.price - record.cost
    counted = record.is_counted[:, part]
    sure = (record.on_hand[:, part] * counted).sum(axis=1)
    unsure = (record.on_hand[:, part] * ~counted).sum(axis=1)
    # Log-normal of mean 1; the first draw keeps the stock as filled in.
    slip = np.exp(STOCK_ERROR * rng.normal(size=(len(wanted), 1)) - STOCK_ERROR**2 / 2)
    slip[0] = 1.0
    lines = (record.arrived[:, part] > 0).sum(axis=1)
    known = counted.mean(
        axis=1
    )  # lines are compared over the weeks in which arrivals could be seen
    from_sales = (advised.sold - sold) * margin
    from_holding = (sure + unsure * slip - advised.held) * record.holding
    from_ordering = (lines - advised.lines * known) * order_cost
    gains = from_sales + from_holding + from_ordering
    totals = (gains * record.scale).sum(axis=1)
    revenue = float((sold * record.price * record.scale).sum())
    gain = float(totals.mean())
    error = np.sqrt(
        # Three independent errors: of the demand draws, of the sample of series, of the method
        # itself.
        totals.var(ddof=1)
        + _drawn_variance(gains.mean(axis=0), record)
        + (METHOD_ERROR * revenue) ** 2
    )
    low, high = gain - TAIL * float(error), gain + TAIL * float(error)

    def total(values: np.ndarray) -> float:
        return float((np.atleast_2d(values) * record.scale).sum(axis=1).mean())

    return Replay(
        verdict="",
        weeks=record.weeks,
        series=len(record.series_ids),
        series_in_all=0,
        gain=gain,
        gain_low=low,
        gain_high=high,
        revenue=revenue,
        from_sales=total(from_sales),
        from_holding=total(from_holding),
        from_ordering=total(from_ordering),
        lost_units=total(wanted.sum(axis=2) - sold),
        lost_units_advised=total(advised.lost),
        stock_value=total((sure + unsure) * record.cost) / record.weeks,
        stock_value_advised=total(advised.held * record.cost) / record.weeks,
        lines=total(lines.astype(float)),
        lines_advised=total(advised.lines * known),
        counted_share=float(counted.mean()),
    )


def _drawn_variance(gains: np.ndarray, record: Record) -> float:
    """Sampling variance of the scaled total by which series were drawn."""
    drawn = record.scale > 1
    if drawn.sum() < 2:
        return 0.0
    scale, count = float(record.scale[drawn][0]), int(drawn.sum())
    # N^2 (1 - n / N) s^2 / n, the variance of an expanded total, with N / n = scale.
    return float(scale**2 * count * (1 - 1 / scale) * gains[drawn].var(ddof=1))


def _verdict(found: Replay, *, is_floor: bool) -> str:
    """The verdict's code."""
    least = LITTLE * found.revenue
    if found.gain_low > 0 and found.gain >= least:
        return "gain"
    if is_floor:
        return "not_counted"
    if found.gain_high < 0 and found.gain <= -least:
        return "loss"
    return "little_to_gain" if found.gain_high < 2 * least else "cannot_tell"
