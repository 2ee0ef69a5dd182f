"""`./run bench joint`: prices and orders decided together, against the best of deciding them apart.

Shops of `joint_shops`: long lead times, and easy ones. Apart: the price kept or blind to stock, the order by our own
rule at its own forecast or by mean + z deviations; with blind prices also a clearance rule for seasons (largest step down
while more is left than sells). Together: `suggest_prices` with what is there, and the order at the demand of the price then.
What prices do is fitted once, from the past that all share; every policy forecasts from its own sales. Target: gross profit over the best of the others.
"""

import time
from typing import Any, Final

import numpy as np
import pandas as pd

from bench.lib import report
from bench.lib.joint_shops import (
    NEVER,
    REPRICED,
    JointShop,
    Policy,
    View,
    Year,
    make_joint_shop,
    play,
)
from bench.lib.price_shops import FIRST_WEEK, RANGE, WEEKS_PER_MONTH
from bench.lib.report import Target
from shopify_app.analytics import demand
from shopify_app.analytics.orders import replenishment
from shopify_app.analytics.prices.elasticity import PriceResponse, fit_price_response
from shopify_app.analytics.prices.pricing import PriceLimits, suggest_prices

LIMITS: Final = PriceLimits(max_step=RANGE, margin_floor=0.0, changes_per_month=9)
HORIZON: Final = 24
Z: Final = 1.65
Z_WEEKS: Final = 26


def _history(view: View, values: np.ndarray, **more: np.ndarray) -> pd.DataFrame:
    n, weeks = values.shape
    starts = FIRST_WEEK + np.arange(weeks) * np.timedelta64(7, "D")
    return pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), weeks),
            "period": np.tile(starts, n),
            "units": values.ravel(),
            "in_stock": view.in_stock.ravel(),
            **{name: value.ravel() for name, value in more.items()},
        }
    )


def response_of(shop: JointShop) -> PriceResponse:
    """What the past, alike for all, says of prices."""
    return fit_price_response(shop.base.panel())


def forecast_of(view: View, units: np.ndarray | None = None) -> demand.DemandForecast:
    """Demand ahead from what was sold, or from `units` restated."""
    history = _history(view, view.units if units is None else units)
    return demand.forecast_demand(history, horizon=HORIZON, period="W")


def planned(view: View, forecast: demand.DemandForecast, price: np.ndarray) -> np.ndarray:
    """Our own order."""
    shop = view.shop
    return replenishment.order_quantities(
        forecast,
        on_hand=view.on_hand,
        incoming=view.incoming[:, : int(shop.lead.max()) + shop.review],
        lead_time=shop.lead,
        review_periods=np.asarray(shop.review),
        holding_cost=shop.holding,
        shortage_cost=np.maximum(price - shop.base.unit_cost, 0.01),
        overage_reviews=replenishment.OVERAGE_REVIEWS,
    ).units


def kept(view: View) -> np.ndarray:
    """The price as it is."""
    return view.price


def our_order(view: View) -> np.ndarray:
    """Our rule at its own forecast, which knows of no price."""
    return planned(view, forecast_of(view), view.price)


def z_order(view: View) -> np.ndarray:
    """Mean and deviation of what was sold, over lead time and review."""
    recent, cover = view.units[:, -Z_WEEKS:], view.shop.lead + view.shop.review
    target = recent.mean(axis=1) * cover + Z * recent.std(axis=1) * np.sqrt(cover)
    return np.maximum(np.ceil(target - view.on_hand - view.incoming.sum(axis=1)), 0.0)


def catalogue_of(
    view: View, response: PriceResponse, price: np.ndarray, weekly: np.ndarray
) -> pd.DataFrame:
    """Prices (n,) at which `weekly` units are foreseen."""
    return pd.DataFrame(
        {
            "series_id": np.arange(len(price)),
            "price": price,
            "unit_cost": view.shop.base.unit_cost,
            "units_per_month": weekly * WEEKS_PER_MONTH,
            "level_sd": response.table["level_sd"].to_numpy(),
        }
    )


def _taken(found: pd.DataFrame, price: np.ndarray) -> np.ndarray:
    return np.where(found["price"].notna(), found["price"].fillna(0.0), price)


class Apart:
    """Suggested prices that know nothing of stock; our order at a forecast that knows nothing of prices."""

    def __init__(self, response: PriceResponse, *, clears: bool) -> None:
        self.response, self.clears = response, clears

    def price(self, view: View) -> np.ndarray:
        """With `clears`, a season that sells too slowly is marked down by the largest step."""
        weekly = forecast_of(view).mean[:, :REPRICED].mean(axis=1)
        catalogue = catalogue_of(view, self.response, view.price, weekly)
        price = _taken(suggest_prices(self.response, catalogue, LIMITS), view.price)
        pace = view.units[:, -REPRICED:].mean(axis=1)
        slow = view.is_seasonal & (view.left > 0) & (view.on_hand > pace * view.left)
        lower = np.maximum(view.price * (1 - RANGE), view.shop.base.unit_cost + 0.01)
        return np.where(slow & self.clears, np.minimum(price, lower), price)


class Joint:
    """Prices that know the stock, orders that know the price."""

    def __init__(self, response: PriceResponse, shop: JointShop) -> None:
        self.response = response
        self.regular = shop.base.price_now.copy()
        self.elasticity = np.minimum(response.table["elasticity"].to_numpy(), 0.0)

    def at_regular(self, view: View) -> demand.DemandForecast:
        """Demand ahead at the regular price: the past restated at it."""
        restated = (self.regular[:, None] / view.prices) ** self.elasticity[:, None]
        return forecast_of(view, np.round(view.units * restated))

    def price(self, view: View) -> np.ndarray:
        """The regular price moves by what it earns in plenty; today's is a step from it, or back to it.

        While stock is short or a season runs, steps go on from today's price instead.
        """
        weekly, before = self.at_regular(view).mean[:, :REPRICED].mean(axis=1), self.regular
        plenty = catalogue_of(view, self.response, before, weekly)
        self.regular = _taken(suggest_prices(self.response, plenty, LIMITS), before)
        low, high = view.price * (1 - RANGE), view.price * (1 + RANGE)
        stock = self.stock(view)
        at_regular = weekly * (self.regular / before) ** self.elasticity
        is_short = at_regular * view.shop.lead > stock["available"].to_numpy()
        stays = view.is_seasonal | is_short
        base = np.where(stays, view.price, np.clip(self.regular, low, high))
        weekly = weekly * (base / before) ** self.elasticity
        found = suggest_prices(
            self.response,
            catalogue_of(view, self.response, base, weekly),
            LIMITS,
            stock=stock,
        )
        return np.clip(_taken(found, base), low, high)

    def stock(self, view: View) -> pd.DataFrame:
        """Nothing ordered today comes before the lead time: till then there is what is there and on its way."""
        shop = view.shop
        ahead = view.incoming[:, : int(shop.lead.max())]
        within = np.arange(1, ahead.shape[1] + 1)[None, :] <= shop.lead[:, None]
        seasonal = view.is_seasonal
        return pd.DataFrame(
            {
                "series_id": np.arange(len(shop.lead)),
                "available": view.on_hand + (ahead * within).sum(axis=1),
                "weeks_to_delivery": np.where(seasonal, np.nan, shop.lead),
                "sell_by_weeks": np.where(seasonal, np.maximum(view.left, 0), np.nan),
                "salvage": shop.salvage,
                "is_short": False,
            }
        )

    def order(self, view: View) -> np.ndarray:
        """Until the order comes demand is that of today's price, from then on of the regular one."""
        forecast = self.at_regular(view)
        until = np.arange(forecast.mean.shape[1])[None, :] < view.shop.lead[:, None]
        effect = (view.price / self.regular) ** self.elasticity
        forecast.mean[...] *= np.where(until, effect[:, None], 1.0)
        return planned(view, forecast, self.regular)


JOINT: Final = "joint"


def policies(shop: JointShop) -> dict[str, Policy]:
    """All that are played; the clearance only where something can be cleared."""
    response = response_of(shop)
    one = Joint(response, shop)
    found = {
        "price kept, order by z": Policy(kept, z_order),
        "price kept, our order": Policy(kept, our_order),
        "blind prices, our order": Policy(Apart(response, clears=False).price, our_order),
    }
    if (shop.end < NEVER).any():
        cleared = Apart(response, clears=True).price
        found["blind, clearance, our order"] = Policy(cleared, our_order)
    return {**found, JOINT: Policy(one.price, one.order)}


def _line(name: str, year: Year) -> None:
    print(
        f"  {name:<30}{year.profit.sum():12,.0f}{year.margin.sum():12,.0f}{year.held.sum():10,.0f}"
        f"{year.written_off.sum():10,.0f}{year.sold.sum() / year.wanted.sum():8.3f}",
        flush=True,
    )


def one_shop(kind: str, seed: int, n: int) -> dict[str, Any]:
    """Gross profit of every policy."""
    shop, started = make_joint_shop(kind, seed=seed, n=n), time.monotonic()
    print(f"\n{kind} {seed}")
    years: dict[str, Year] = {}
    for name, policy in policies(shop).items():
        years[name] = play(shop, policy)
        _line(name, years[name])
    profits = {name: float(year.profit.sum()) for name, year in years.items()}
    best = max((name for name in profits if name != JOINT), key=lambda name: profits[name])
    over = _over(years, best, shop.end >= 0)
    seasonal = shop.end < NEVER
    parts = {"lasting": _over(years, best, ~seasonal)}
    if seasonal.any():
        parts["season"] = _over(years, best, seasonal)
    words = ", ".join(f"{part} {value:+.4f}" for part, value in parts.items())
    took = time.monotonic() - started
    print(f"  joint over the best apart ({best}): {over:+.4f} ({words}); {took:.0f} s", flush=True)
    return {"profits": profits, "best": best, "over_best": over, **parts}


def _over(years: dict[str, Year], best: str, rows: np.ndarray) -> float:
    return float(years[JOINT].profit[rows].sum() / years[best].profit[rows].sum() - 1)


def main() -> int:
    """Play every shop, seeds from --seed on."""
    chosen = report.arguments(
        (__doc__ or "").splitlines()[0],
        shops=(int, 3, "shops a kind"),
        products=(int, 60, "products a shop"),
    )
    print(f"{'':32}{'profit':>12}{'margin':>12}{'held':>10}{'written':>10}{'fill':>8}")
    found = {
        kind: [
            one_shop(kind, seed, chosen.products)
            for seed in range(chosen.seed, chosen.seed + chosen.shops)
        ]
        for kind in ("long", "easy")
    }
    over = {kind: np.array([one["over_best"] for one in shops]) for kind, shops in found.items()}
    return report.finish(
        "joint",
        [
            Target(
                "long lead times: joint over the best apart, mean",
                float(over["long"].mean()),
                low=0.03,
            ),
            Target(
                "easy shops: joint over the best apart, worst",
                float(over["easy"].min()),
                low=-0.005,
            ),
        ],
        shops=found,
    )


if __name__ == "__main__":
    raise SystemExit(main())
