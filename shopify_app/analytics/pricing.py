"""Which price to move, inside limits, and when to say nothing.

In:  a `PriceResponse`, a catalogue, `PriceLimits`.
Out: a frame: one row a series, with a price where it is likely to earn more, else the reason why not.
Method: for each price on a small grid inside the limits the gain in monthly gross profit is
computed under every elasticity of the posterior; the best price whose chance of a gain is high
enough is proposed, its gain halved: the best of many estimates is too good on average.
Source: the winner's curse as in Andrews, Kitagawa & McCloskey (2024), "Inference on winners",
QJE 139, 305-358; the halving factor is measured (docs/analytics.md).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.analytics.elasticity import GRID, PriceResponse

WINNERS_SHARE: Final = 0.5
"""Realised over predicted gain of proposed prices."""

STEPS: Final = 21
LEAST_EVENTS: Final = 2
LEAST_INFORMATION: Final = 30.0


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """What a merchant allows; shares in [0, 1]."""

    margin_floor: float = 0.2
    max_step: float = 0.1
    price_ending: str = "keep"
    minor_digits: int = 2
    min_chance: float = 0.9
    min_gain_share: float = 0.01
    is_frozen: bool = False


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
        `series_id, price, unit_cost` (NaN: unknown), `units_per_month`.
    limits : what the merchant allows.
    stock : DataFrame, optional
        `series_id, is_short`: a price is not lowered while stock is short.

    Returns
    -------
    DataFrame `series_id, price, old_price, gain_low, gain_mid, gain_high` (money a month),
    `chance_it_helps, binding_limit, clamp_trail, units_then, abstained_because, curve`.

    Raises
    ------
    ValueError
        If a series of the catalogue was not fitted.
    """
    row_of = {series: number for number, series in enumerate(response.table["series_id"])}
    if missing := [series for series in catalogue["series_id"] if series not in row_of]:
        raise ValueError(f"not fitted: {missing[:3]}")
    short: set[Any] = set() if stock is None else set(stock.loc[stock["is_short"], "series_id"])
    return pd.DataFrame(
        [
            _suggest(response, row_of[row.series_id], row, limits, is_short=row.series_id in short)
            for row in catalogue.itertuples(index=False)
        ]
    )


def _suggest(
    response: PriceResponse, number: int, row: Any, limits: PriceLimits, *, is_short: bool
) -> dict[str, Any]:
    """One series' proposal or the reason for none."""
    fitted = response.table.iloc[number]
    found: dict[str, Any] = {
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
        "abstained_because": None,
        "curve": [],
    }
    found["abstained_because"] = _reason_to_abstain(fitted, row, limits)
    if found["abstained_because"]:
        return found
    candidates = _candidates(row.price, row.unit_cost, limits, may_fall=not is_short)
    if not len(candidates):
        return {**found, "abstained_because": "no_room_inside_limits"}
    posterior = response.posterior[number]
    units = row.units_per_month * (candidates[:, None] / row.price) ** GRID[None, :]
    gain = units * (candidates[:, None] - row.unit_cost) - row.units_per_month * (
        row.price - row.unit_cost
    )
    mean, chance = gain @ posterior, (gain > 0) @ posterior
    floor = limits.min_gain_share * row.units_per_month * max(row.price - row.unit_cost, 0.01)
    allowed = (chance >= limits.min_chance) & (mean * WINNERS_SHARE >= floor)
    found["curve"] = _curve(candidates, gain, posterior, row)
    if not allowed.any():
        return {**found, "abstained_because": "not_sure_enough"}
    best = int(np.argmax(np.where(allowed, mean, -np.inf)))
    order = np.argsort(gain[best])
    cumulative = posterior[order].cumsum()
    low, high = (
        gain[best][order][min(np.searchsorted(cumulative, level), len(GRID) - 1)]
        for level in (0.1, 0.9)
    )
    edge = best in (0, len(candidates) - 1)
    wish = (
        float(np.exp(np.log(row.price) + 2 * np.log(candidates[best] / row.price)))
        if edge
        else float(candidates[best])
    )
    trail = (
        [
            {
                "rule": "max_price_step",
                "before": round(wish, limits.minor_digits),
                "after": float(candidates[best]),
            }
        ]
        if edge
        else []
    )
    return {
        **found,
        "price": float(candidates[best]),
        "gain_mid": float(mean[best] * WINNERS_SHARE),
        "gain_low": float(min(low * WINNERS_SHARE, low, mean[best] * WINNERS_SHARE)),
        "gain_high": float(max(high, mean[best] * WINNERS_SHARE)),
        "chance_it_helps": float(chance[best]),
        "binding_limit": "max_price_step" if edge else None,
        "clamp_trail": trail,
        "units_then": float(units[best] @ posterior),
    }


def _reason_to_abstain(fitted: Any, row: Any, limits: PriceLimits) -> str | None:
    """A code where nothing should be said, the plainest reason first."""
    if limits.is_frozen:
        return "prices_frozen"
    if not np.isfinite(row.unit_cost):
        return "no_cost"
    if row.price <= 0 or row.units_per_month <= 0:
        return "no_sales"
    if fitted["events"] < LEAST_EVENTS:
        return "too_few_price_changes"
    if fitted["information"] < LEAST_INFORMATION:
        return "too_few_sales"
    return None


def _candidates(price: float, cost: float, limits: PriceLimits, *, may_fall: bool) -> np.ndarray:
    """Prices inside every limit, rounded first, limits last; today's price is not one."""
    unit = 10.0**-limits.minor_digits
    grid = price * np.linspace(1 - limits.max_step, 1 + limits.max_step, STEPS)
    rounded = np.unique(_with_ending(np.round(grid / unit) * unit, limits))
    floor = max(cost / (1 - limits.margin_floor), cost + unit)
    inside = (
        (rounded >= floor - 1e-9)
        & (np.abs(rounded / price - 1) <= limits.max_step + 1e-9)
        & (np.abs(rounded - price) >= unit / 2)
    )
    if not may_fall:
        inside &= rounded > price
    return np.round(rounded[inside], limits.minor_digits)


def _with_ending(prices: np.ndarray, limits: PriceLimits) -> np.ndarray:
    """The nearest price with the merchant's ending."""
    if limits.price_ending == "keep" or limits.minor_digits == 0:
        return prices
    cents = float(limits.price_ending)
    return np.maximum(np.round(prices - cents), 0) + cents


def _curve(
    candidates: np.ndarray, gain: np.ndarray, posterior: np.ndarray, row: Any
) -> list[dict[str, float]]:
    """Monthly gross profit along the candidate prices, with its 80 % range."""
    base = row.units_per_month * (row.price - row.unit_cost)
    points: list[dict[str, float]] = []
    for price, gains in zip(candidates, gain, strict=True):
        order = np.argsort(gains)
        cumulative = posterior[order].cumsum()
        low, high = (
            gains[order][min(np.searchsorted(cumulative, level), len(GRID) - 1)]
            for level in (0.1, 0.9)
        )
        points.append(
            {
                "price": float(price),
                "profit": round(float(base + gains @ posterior), 2),
                "profit_low": round(float(base + low), 2),
                "profit_high": round(float(base + high), 2),
            }
        )
    return points
