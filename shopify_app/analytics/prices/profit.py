"""Gross profit a month of a price, with the stock there is.

In:  prices, the units a month they would sell under each elasticity, cost, and where it matters the stock.
Out: gross profit a month for each price and elasticity.
Method: plenty of stock: units x margin. Short until a delivery: what is sold before it is capped by what is
there, so a lost sale earns nothing and a higher price is paid by those who are served; where the delivery is
further off than a month the price is judged over all the weeks until it, for stock that lasts this month may be
sold too cheaply to those who would come for it later. Dying stock: what is left by its last day is worth its salvage
only, and its cost is spent already.
Source: Gallego & van Ryzin (1994), "Optimal dynamic pricing of inventories with stochastic demand over finite
horizons", Management Science 40, 999-1020: one price for all the weeks left, worked out anew as stock
turns out, is nearly as good as the best moving price.
Weak: demand is even over the weeks looked at; the order that follows is another module's (it takes
`units_then`).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from shopify_app.analytics import negative_binomial as nb

WEEKS_PER_MONTH: Final = 52 / 12
"""Weeks in a month."""

DISPERSION: Final = 0.1
"""K of demand over the weeks until a delivery or an end."""


@dataclass(frozen=True, slots=True)
class StockView:
    """A product's stock, NaN where unknown.

    `available` units; `weeks_to_delivery` until more come; `sell_by_weeks` until what is left is worth `salvage` a unit only.
    """

    available: float = float("nan")
    weeks_to_delivery: float = float("nan")
    sell_by_weeks: float = float("nan")
    salvage: float = 0.0
    is_short: bool = False

    @classmethod
    def of(cls, row: Any) -> "StockView":
        """The stock of a row of the `stock` frame; missing columns are unknown."""

        def number(name: str, otherwise: float = float("nan")) -> float:
            value = getattr(row, name, None)
            return otherwise if value is None or np.isnan(value) else float(value)

        return cls(
            number("available"),
            number("weeks_to_delivery"),
            number("sell_by_weeks"),
            number("salvage", 0.0),
            bool(getattr(row, "is_short", False)),
        )


def monthly_profit(
    prices: np.ndarray, units: np.ndarray, cost: float, stock: StockView | None
) -> np.ndarray:
    """Gross profit a month (k, g) at prices (k,) that would sell `units` (k, g) a month.

    Examples
    --------
    With plenty of stock, units x (price - cost): 100 x 4, and 80 x 6.

    >>> prices, units = np.array([10.0, 12.0]), np.array([[100.0], [80.0]])
    >>> monthly_profit(prices, units, 6.0, None).ravel().tolist()
    [400.0, 480.0]
    """
    margin = prices[:, None] - cost
    if stock is None or np.isnan(stock.available):
        return margin * units
    if not np.isnan(stock.sell_by_weeks):
        return _dying(prices, units, stock)
    if not np.isnan(stock.weeks_to_delivery):
        return _until_delivery(margin, units, stock)
    return margin * units


def sold(available: float, demand: np.ndarray) -> np.ndarray:
    """Expected sales E min(available, D) when demand's mean is `demand`."""
    # E min(x, D) = E D - E (D - x)^+.
    short = nb.expected_shortage(np.floor(available), demand, np.asarray(DISPERSION))
    return np.maximum(demand - short, 0.0)


def _until_delivery(margin: np.ndarray, units: np.ndarray, stock: StockView) -> np.ndarray:
    """Gross profit a month over the month, or over all the weeks until the delivery where those are more."""
    weeks = max(stock.weeks_to_delivery, 0.0)
    # Judged over the longer of a month and the wait, then scaled to a month.
    horizon = max(weeks, WEEKS_PER_MONTH)
    before = sold(stock.available, units * weeks / WEEKS_PER_MONTH)
    after = units * (horizon - weeks) / WEEKS_PER_MONTH
    return margin * (before + after) * WEEKS_PER_MONTH / horizon


def _dying(prices: np.ndarray, units: np.ndarray, stock: StockView) -> np.ndarray:
    """The whole worth of the stock until its end, spread evenly over the months that takes."""
    months = max(stock.sell_by_weeks, 0.25) / WEEKS_PER_MONTH
    out = sold(stock.available, units * months)
    left = np.maximum(stock.available - out, 0.0)
    return (prices[:, None] * out + stock.salvage * left) / max(months, 1.0)
