"""Simulated shops whose demand at any price is known: what price advice is tried on.

In:  a kind of history (`thin`, `mid`, `rich`, `unmoved`), how far past prices chased demand, a seed.
Out: a `PriceShop`: its past as a panel, its catalogue, and the true expected units of any week at any price.
Method: units ~ Poisson(level x season x event x shock x (price / reference) ^ elasticity). A product's
shock is AR(1) and, with `endogeneity` k, drives the prices the merchant chose: the standard score of
a new price is k x shock + sqrt(1 - k^2) x noise. Once a year an event multiplies demand while much of the shop is
on sale. Merchants price near, not at, their optimum.
Weak: constant elasticity, no cross effects, no rivals.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

CHANGES: Final = {"thin": 1.6, "mid": 4.0, "rich": 10.0, "unmoved": 0.0}
"""Mean price changes of a product in its history."""

RESPONSES: Final = ("usual", "flat", "reversed")
RANGE: Final = 0.15
SHOCK_MEMORY: Final = 0.9
SHOCK_SD: Final = 0.3
AHEAD_WEEKS: Final = 52
FIRST_WEEK: Final = np.datetime64("2024-01-01", "s")
EVENT_WEEKS: Final = (47, 48)
WEEKS_PER_MONTH: Final = 52 / 12


@dataclass(frozen=True, slots=True)
class PriceShop:
    """A shop with its truth.

    Attributes
    ----------
    elasticity, reference, unit_cost : (n,)
        Truth; the price at which `demand` is stated; what a unit costs.
    group : (n,) int
        Product type.
    demand : (n, weeks + AHEAD_WEEKS)
        True expected units a week at the reference price.
    price, units : (n, weeks)
        The past.
    on_sale : (weeks,) bool
        Weeks of the shop-wide event.
    """

    elasticity: np.ndarray
    reference: np.ndarray
    unit_cost: np.ndarray
    group: np.ndarray
    demand: np.ndarray
    price: np.ndarray
    units: np.ndarray
    on_sale: np.ndarray

    @property
    def weeks(self) -> int:
        """Weeks of the past."""
        return self.price.shape[1]

    @property
    def price_now(self) -> np.ndarray:
        """The last price, (n,)."""
        return self.price[:, -1]

    def expected(self, week: int | np.ndarray, price: np.ndarray) -> np.ndarray:
        """True expected units of every product in a week (n,), or in several (n, weeks), at `price` (n,)."""
        effect = (np.asarray(price, float) / self.reference) ** self.elasticity
        level = self.demand[:, week]
        return level * (effect[:, None] if level.ndim == 2 else effect)

    def sell(self, week: int, price: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Units sold in a week at prices (n,)."""
        return rng.poisson(self.expected(week, price)).astype(float)

    def monthly_profit(self, price: np.ndarray, *, weeks: int = 13) -> np.ndarray:
        """True expected gross profit a month of every product over the coming weeks at `price`, (n,)."""
        ahead = np.arange(self.weeks, self.weeks + weeks)
        units = self.expected(ahead, price).mean(axis=1) * WEEKS_PER_MONTH
        return units * (np.asarray(price, float) - self.unit_cost)

    def best_price(self, max_step: float = RANGE, points: int = 61) -> np.ndarray:
        """The oracle's price within a step of today's, (n,)."""
        ratio = np.linspace(1 - max_step, 1 + max_step, points)
        candidates = self.price_now[:, None] * ratio
        profit = (candidates - self.unit_cost[:, None]) * ratio[None, :] ** self.elasticity[:, None]
        return np.take_along_axis(candidates, profit.argmax(axis=1)[:, None], axis=1)[:, 0]

    def panel(self) -> pd.DataFrame:
        """The past as `fit_price_response` takes it."""
        n, weeks = self.price.shape
        starts = FIRST_WEEK + np.arange(weeks) * np.timedelta64(7, "D")
        return pd.DataFrame(
            {
                "series_id": np.repeat(np.arange(n), weeks),
                "period": np.tile(starts, n),
                "units": self.units.ravel(),
                "price": self.price.ravel(),
                "group": np.repeat(self.group, weeks),
                "unit_cost": np.repeat(self.unit_cost, weeks),
            }
        )

    def catalogue(self, recent: int = 13) -> pd.DataFrame:
        """What `suggest_prices` takes: price, cost, the recent units a month."""
        return pd.DataFrame(
            {
                "series_id": np.arange(len(self.elasticity)),
                "price": self.price_now,
                "unit_cost": self.unit_cost,
                "units_per_month": self.units[:, -recent:].mean(axis=1) * WEEKS_PER_MONTH,
            }
        )


def make_shop(
    history: str,
    *,
    seed: int,
    endogeneity: float = 0.0,
    response: str = "usual",
    n: int = 400,
    weeks: int = 104,
) -> PriceShop:
    """A shop of `n` products.

    Raises
    ------
    ValueError
        If the history or the response is unknown, or the endogeneity outside 0..1.
    """
    if history not in CHANGES or response not in RESPONSES or not 0 <= endogeneity <= 1:
        raise ValueError(f"unknown shop: {history!r}, {response!r}, {endogeneity!r}")
    rng = np.random.default_rng([seed, sorted(CHANGES).index(history), int(100 * endogeneity)])
    group = rng.integers(0, 8, n)
    elasticity = _elasticities(group, rng)
    reference = np.round(rng.lognormal(3.2, 0.5, n), 2)
    optimum = -1 / np.minimum(elasticity, -1.25)  # the margin at which this price would be best
    margin = np.clip(optimum * np.exp(rng.normal(0, 0.25, n)), 0.12, 0.85)
    shock = _shocks(n, weeks + AHEAD_WEEKS, rng)
    on_sale = np.isin(np.arange(weeks) % 52, EVENT_WEEKS)
    price = reference[:, None] * np.exp(
        _price_path(shock[:, :weeks], CHANGES[history], endogeneity, rng)
    )
    in_sale = rng.random(n) < 0.6
    if history != "unmoved":
        price = np.where(in_sale[:, None] & on_sale[None, :], price * 0.8, price)
    price = np.round(price, 2)
    demand = _levels(n, weeks + AHEAD_WEEKS, rng) * np.exp(shock)
    truth = {
        "usual": elasticity,
        "flat": np.zeros(n),
        "reversed": np.abs(elasticity) * 0.5,
    }[response]
    units = rng.poisson(demand[:, :weeks] * (price / reference[:, None]) ** truth[:, None])
    return PriceShop(
        truth,
        reference,
        np.round(reference * (1 - margin), 2),
        group,
        demand,
        price,
        units.astype(float),
        on_sale,
    )


def _elasticities(group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,): a shop's mean, its types around it, products around those."""
    types = rng.normal(rng.normal(-2.3, 0.4), 0.4, group.max() + 1)
    return np.clip(rng.normal(types[group], 0.7), -5.0, -0.3)


def _shocks(n: int, weeks: int, rng: np.random.Generator) -> np.ndarray:
    """AR(1) in logs, stationary, (n, weeks)."""
    shock = np.zeros((n, weeks))
    shock[:, 0] = rng.normal(0, SHOCK_SD, n)
    innovation = rng.normal(0, SHOCK_SD * np.sqrt(1 - SHOCK_MEMORY**2), (n, weeks))
    for week in range(1, weeks):
        shock[:, week] = SHOCK_MEMORY * shock[:, week - 1] + innovation[:, week]
    return shock


def _levels(n: int, weeks: int, rng: np.random.Generator) -> np.ndarray:
    """Level x season x event, (n, weeks)."""
    week = np.arange(weeks)
    season = np.exp(0.15 * np.sin(2 * np.pi * (week / 52 + rng.random())))
    event = np.where(np.isin(week % 52, EVENT_WEEKS), 2.5, 1.0)
    return rng.lognormal(1.3, 1.0, n)[:, None] * season * event


def _price_path(
    shock: np.ndarray, changes: float, endogeneity: float, rng: np.random.Generator
) -> np.ndarray:
    """Log price over the reference, (n, weeks): two in five moves are taken back after 2 to 6 weeks."""
    n, weeks = shock.shape
    path = np.zeros((n, weeks))
    for row in range(n):
        moves = np.sort(rng.choice(np.arange(6, weeks - 4), rng.poisson(changes), replace=False))
        for week in moves:
            score = (
                endogeneity * shock[row, week] / SHOCK_SD
                + np.sqrt(1 - endogeneity**2) * rng.normal()
            )
            new = np.clip(0.08 * score, np.log(1 - RANGE), np.log(1 + RANGE))
            end = week + rng.integers(2, 7) if rng.random() < 0.4 else weeks
            before = path[row, week - 1]
            path[row, week:end] = new
            path[row, end:] = before
    return path
