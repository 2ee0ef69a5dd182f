"""Which price to move, inside limits, and when to say nothing.

In:  a `PriceResponse`, a catalogue, `PriceLimits`, optionally stock.
Out: a frame: one row a series, with a price where it is likely to earn more, else the reason why not.
Method: for each price inside the limits the gain in monthly gross profit is computed under every
elasticity of the posterior; the best price is the one with most to gain on average. Of all
products those are kept that are expected to lose in no more than one case in ten (average false
sign rate). Gains come from posteriors that lean on their group and shop, which is what takes out
the winner's curse; the level of demand leans likewise.
Source: Stephens (2017), "False discovery rates: a new deal", Biostatistics 18, 275-294; Efron (2011), "Tweedie's
formula and selection bias", JASA 106, 1602-1614: a posterior mean needs no correction for selection.
Weak: so far as the prior is wrong; other products' sales are taken as given.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.analytics import price_rules
from shopify_app.analytics.elasticity import GRID, PriceResponse
from shopify_app.analytics.price_profit import StockView, monthly_profit
from shopify_app.analytics.price_rules import Bound, PriceLimits

__all__ = ["PriceLimits", "suggest_prices"]

LEAST_EVENTS: Final = 1
LEAST_INFORMATION: Final = 0.05
"""A series whose own weeks know its elasticity no better than this (1 / variance) has nothing to say."""

REVERSED_CHANCE: Final = 0.25
"""Chance that demand rises with the price from which no price is proposed: such an answer is not understood."""

SHOP_REVERSED: Final = -0.4
"""A shop whose mean elasticity is above this does not answer to prices as shops do."""

WISH_RANGE: Final = 0.3
"""How far a wish may be from today's price before limits are applied, as a share."""

WISH_STEPS: Final = 41
TENTHS: Final = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Prices (k,), gains (k, g) and units (k, g) a month under each elasticity, mean gain and chance (k,)."""

    prices: np.ndarray
    gain: np.ndarray
    units: np.ndarray
    mean: np.ndarray
    chance: np.ndarray


def suggest_prices(
    response: PriceResponse,
    catalogue: pd.DataFrame,
    limits: PriceLimits,
    *,
    stock: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Propose prices.

    Parameters
    ----------
    response : posteriors; its series must hold every `series_id` of the catalogue.
    catalogue : DataFrame
        `series_id, price, unit_cost` (NaN: unknown), `units_per_month` and optional, NaN where unknown:
        `floor_price, ceiling_price, minimum_advertised_price, recommended_price, compare_at_price,
        lowest_price_30_days, changes_last_30_days, tried_low, tried_high`.
    limits : what the merchant allows.
    stock : DataFrame, optional
        `series_id` and optional `is_short` (the price is not lowered), `available, weeks_to_delivery,
        sell_by_weeks, salvage`: see `price_profit.StockView`.

    Returns
    -------
    DataFrame `series_id, price, old_price, gain_low, gain_mid, gain_high` (money a month),
    `chance_it_helps, binding_limit, clamp_trail, units_then, compare_at_price` (that may stand beside the price;
    NaN: none), `abstained_because, curve`.

    Raises
    ------
    ValueError
        If a series of the catalogue was not fitted.
    """
    row_of = {series: number for number, series in enumerate(response.table["series_id"])}
    if missing := [series for series in catalogue["series_id"] if series not in row_of]:
        raise ValueError(f"not fitted: {missing[:3]}")
    stocks = (
        {}
        if stock is None
        else {row.series_id: StockView.of(row) for row in stock.itertuples(index=False)}
    )
    found = [
        _suggest(response, row_of[row.series_id], row, limits, stocks.get(row.series_id))
        for row in catalogue.itertuples(index=False)
    ]
    _choose_together(found, catalogue, limits)
    return pd.DataFrame(found)


def _suggest(
    response: PriceResponse,
    number: int,
    row: Any,
    limits: PriceLimits,
    stock: StockView | None,
) -> dict[str, Any]:
    """One series' proposal or the reason for none."""
    found = _nothing(row)
    found["abstained_because"] = _reason_to_abstain(response, number, row, limits)
    if found["abstained_because"]:
        return found
    rules = price_rules.bounds(row, limits, may_fall=stock is None or not stock.is_short)
    prices = price_rules.candidates(row.price, rules, limits)
    if limits.keeps_compare_at:
        prices = prices[[_keeps(float(price), row, limits) for price in prices]]
        if not len(prices):
            return {**found, "abstained_because": "would_show_a_false_reduction"}
    if not len(prices):
        return {**found, "abstained_because": "no_room_inside_limits"}
    posterior = response.posterior[number]
    answer = _answer(prices, row, posterior, stock)
    found["curve"] = _curve(answer, posterior, row, stock)
    least = limits.min_gain_share * row.units_per_month * max(row.price - row.unit_cost, 0.01)
    allowed = (answer.chance >= min(limits.least_chance, limits.min_chance)) & (
        answer.mean >= least
    )
    if not allowed.any():
        return {**found, "abstained_because": "not_sure_enough"}
    best = int(np.argmax(np.where(allowed, answer.mean, -np.inf)))
    return found | _proposal(answer, best, posterior, row, limits, rules, stock)


def _nothing(row: Any) -> dict[str, Any]:
    return {
        "series_id": row.series_id,
        "price": np.nan,
        "old_price": row.price,
        "gain_low": 0.0,
        "gain_mid": 0.0,
        "gain_high": 0.0,
        "chance_it_helps": 0.0,
        "binding_limit": None,
        "clamp_trail": [],
        "units_then": row.units_per_month,
        "compare_at_price": np.nan,
        "abstained_because": None,
        "curve": [],
    }


def _answer(
    prices: np.ndarray, row: Any, posterior: np.ndarray, stock: StockView | None
) -> _Answer:
    units = row.units_per_month * (prices[:, None] / row.price) ** GRID[None, :]
    today = monthly_profit(
        np.array([row.price]), np.full((1, 1), row.units_per_month), row.unit_cost, stock
    )
    gain = monthly_profit(prices, units, row.unit_cost, stock) - today
    return _Answer(prices, gain, units, gain @ posterior, (gain > 0) @ posterior)


def _proposal(
    answer: _Answer,
    best: int,
    posterior: np.ndarray,
    row: Any,
    limits: PriceLimits,
    rules: list[Bound],
    stock: StockView | None,
) -> dict[str, Any]:
    price, mean = float(answer.prices[best]), float(answer.mean[best])
    low, high = _tenths(answer.gain[best], posterior)
    binding, steps = price_rules.trail(
        _wish(row, posterior, stock), price, rules, limits.minor_digits
    )
    return {
        "price": price,
        "gain_mid": mean,
        "gain_low": min(low, mean),
        "gain_high": max(high, mean),
        "chance_it_helps": float(answer.chance[best]),
        "binding_limit": binding,
        "clamp_trail": steps,
        "units_then": float(answer.units[best] @ posterior),
        "compare_at_price": price_rules.lawful_compare_at(
            price,
            price_rules.value_of(row, "compare_at_price"),
            price_rules.value_of(row, "lowest_price_30_days"),
            limits,
        ),
    }


def _wish(row: Any, posterior: np.ndarray, stock: StockView | None) -> float:
    """The price with most to gain if nothing held it."""
    wide = row.price * np.linspace(1 - WISH_RANGE, 1 + WISH_RANGE, WISH_STEPS)
    return float(wide[int(np.argmax(_answer(wide, row, posterior, stock).mean))])


def _keeps(price: float, row: Any, limits: PriceLimits) -> bool:
    """Whether the compare-at price as it is would be true beside a price."""
    shown = price_rules.value_of(row, "compare_at_price")
    if not shown > price:
        return True
    lawful = price_rules.lawful_compare_at(
        price, shown, price_rules.value_of(row, "lowest_price_30_days"), limits
    )
    return abs(lawful - shown) < 1e-9


def _reason_to_abstain(
    response: PriceResponse, number: int, row: Any, limits: PriceLimits
) -> str | None:
    """A code where nothing should be said, the plainest reason first."""
    if limits.is_closed:
        return "prices_frozen"
    if not np.isfinite(row.unit_cost):
        return "no_cost"
    if row.price <= 0 or row.units_per_month <= 0:
        return "no_sales"
    if price_rules.value_of(row, "changes_last_30_days") >= limits.changes_per_month:
        return "changed_lately"
    return _unknown(response, number)


def _unknown(response: PriceResponse, number: int) -> str | None:
    """Why a response cannot be built on."""
    if response.table["events"].to_numpy()[number] < LEAST_EVENTS:
        return "too_few_price_changes"
    if response.table["information"].to_numpy()[number] < LEAST_INFORMATION:
        return "too_few_sales"
    rising = float(response.posterior[number][GRID > 0].sum())
    if response.shop_elasticity > SHOP_REVERSED or rising > REVERSED_CHANCE:
        return "response_not_understood"
    return None


def _choose_together(
    found: list[dict[str, Any]], catalogue: pd.DataFrame, limits: PriceLimits
) -> None:
    """Of all proposals keep those that gain most and are together sure enough, inside the shop's limits."""
    revenue = (catalogue["price"] * catalogue["units_per_month"]).to_numpy(float)
    whole = max(float(np.nansum(revenue)), 1e-9)
    made = [number for number, one in enumerate(found) if not one["abstained_because"]]
    kept = _sure_together(made, found, 1 - limits.min_chance)
    for number in set(made) - set(kept):
        _withdraw(found[number], "not_sure_enough")
    kept.sort(key=lambda number: -found[number]["gain_mid"])
    changed, count = 0.0, 0
    for number in kept:
        if limits.max_changes is not None and count >= limits.max_changes:
            _withdraw(found[number], "enough_changes_at_once")
        elif changed + revenue[number] > limits.max_revenue_share * whole + 1e-9:
            _withdraw(found[number], "enough_revenue_under_change")
        else:
            changed, count = changed + revenue[number], count + 1


def _sure_together(made: list[int], found: list[dict[str, Any]], most_doubt: float) -> list[int]:
    """The numbers whose mean chance of harm is within `most_doubt`.

    These are the sure ones and, for the doubt they leave unused, those that gain most for it.
    """
    over = {number: 1 - found[number]["chance_it_helps"] - most_doubt for number in made}
    kept = [number for number in made if over[number] <= 0]
    room = -sum(over[number] for number in kept)
    doubtful = [number for number in made if over[number] > 0]
    doubtful.sort(key=lambda number: -found[number]["gain_mid"] / over[number])
    for number in doubtful:
        if over[number] <= room:
            kept.append(number)
            room -= over[number]
    return kept


def _withdraw(one: dict[str, Any], reason: str) -> None:
    curve = one["curve"]
    one |= {
        "price": np.nan,
        "gain_low": 0.0,
        "gain_mid": 0.0,
        "gain_high": 0.0,
        "chance_it_helps": 0.0,
        "binding_limit": None,
        "clamp_trail": [],
        "compare_at_price": np.nan,
        "abstained_because": reason,
        "curve": curve,
    }


def _tenths(gains: np.ndarray, posterior: np.ndarray) -> tuple[float, float]:
    """The 80 % range of gains (g,)."""
    order = np.argsort(gains)
    cumulative = posterior[order].cumsum()
    low, high = (
        gains[order][min(int(np.searchsorted(cumulative, level)), len(gains) - 1)]
        for level in TENTHS
    )
    return float(low), float(high)


def _curve(
    answer: _Answer, posterior: np.ndarray, row: Any, stock: StockView | None
) -> list[dict[str, float]]:
    """Monthly gross profit along the candidate prices, with its 80 % range."""
    base = float(
        monthly_profit(
            np.array([row.price]), np.full((1, 1), row.units_per_month), row.unit_cost, stock
        )[0, 0]
    )
    points: list[dict[str, float]] = []
    for price, gains, mean in zip(answer.prices, answer.gain, answer.mean, strict=True):
        low, high = _tenths(gains, posterior)
        points.append(
            {
                "price": float(price),
                "profit": round(float(base + mean), 2),
                "profit_low": round(base + low, 2),
                "profit_high": round(base + high, 2),
            }
        )
    return points
