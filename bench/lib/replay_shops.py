"""Simulated shops whose every wanted unit is known, run by three rules from mediocre to knowing.

In:  a numpy Generator. Out: a `Shop`: what its own record shows, and the truth behind it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bench.lib.trend_shops import MONDAY
from shopify_app.analytics import demand
from shopify_app.analytics import negative_binomial as nb
from shopify_app.analytics.orders import replenishment
from shopify_app.analytics.replay.policy import time_in_stock

WEEKS: Final = 104
REPLAYED: Final = 52
HOLDING_PER_YEAR: Final = 0.3
WARM: Final = 20
"""Weeks that a rule runs a shop before its record begins."""


@dataclass(frozen=True, slots=True)
class Shop:
    """`wanted` (n, WEEKS) is the truth; the rest is on record or in the terms."""

    wanted: np.ndarray
    sold: np.ndarray
    in_stock: np.ndarray
    on_hand: np.ndarray
    arrived: np.ndarray
    price: np.ndarray
    cost: np.ndarray
    lead: np.ndarray
    review: int

    def history(self, *, counted_from: int = 0) -> pd.DataFrame:
        """As `replay.replay` takes it; the shelf is known from a week on, as from an app's first day."""
        n, length = self.sold.shape
        unknown = np.where(np.arange(length) < counted_from, np.nan, 0.0)
        return pd.DataFrame(
            {
                "series_id": np.repeat(np.arange(n), length),
                "period": np.tile(MONDAY + np.arange(length) * np.timedelta64(7, "D"), n),
                "units": self.sold.ravel(),
                "in_stock": (self.in_stock + unknown).ravel(),
                "on_hand": (self.on_hand + unknown).ravel(),
            }
        )

    def terms(self) -> pd.DataFrame:
        """As `replay.replay` takes them."""
        return pd.DataFrame(
            {
                "series_id": np.arange(len(self.price)),
                "price": self.price,
                "cost": self.cost,
                "lead": self.lead,
                "review": self.review,
            }
        )


def shop(rng: np.random.Generator, kind: str, *, products: int = 120) -> Shop:
    """A shop of a kind: `mediocre`, `by rule` or `well run`."""
    n, length = products, WEEKS + WARM
    rate = rng.lognormal(1.0, 1.0, n)
    season = 1 + rng.uniform(0, 0.3) * np.sin(
        2 * np.pi * (np.arange(length) + rng.uniform(0, 52)) / 52
    )
    drift = np.exp(rng.normal(0, 0.02, (n, length)).cumsum(axis=1))
    mean = rate[:, None] * season[None, :] * drift
    k = 0.2 * rng.lognormal(0, 0.4, (n, 1))
    wanted = rng.poisson(mean * rng.gamma(1 / k, k, mean.shape)).astype(float)
    price = rng.lognormal(3.0, 0.6, n)
    cost = price * rng.uniform(0.4, 0.6, n)
    lead = rng.integers(1, 5, n)
    review = int(rng.choice([1, 2]))
    return _run(rng, RULES[kind], wanted, mean, k[:, 0], price, cost, lead, review)


def _average_rule(t, sold, position, mean, k, price, cost, lead, review):  # noqa: ARG001, PLR0917 -- rules are called alike
    """Up to the average of the last four weeks x 35 days."""
    return np.maximum(5 * sold[:, max(t - 4, 0) : t].mean(axis=1) - position, 0).round()


def _knowing_rule(t, sold, position, mean, k, price, cost, lead, review):  # noqa: ARG001, PLR0917 -- rules are called alike
    """Up to the newsvendor's quantile of the true distribution."""
    weeks = np.arange(mean.shape[1])[None, :]
    ahead = (weeks >= t) & (weeks < t + (lead + review)[:, None])
    total, squares = (mean * ahead).sum(axis=1), (mean**2 * ahead).sum(axis=1)
    holding = cost * HOLDING_PER_YEAR / 52 * review * 2
    level = (price - cost) / (price - cost + holding)
    return np.maximum(nb.quantile(level, total, k * squares / total**2) - position, 0)


def _usual_rule(t, sold, position, mean, k, price, cost, lead, review):  # noqa: ARG001, PLR0917 -- rules are called alike
    """The rival apps': the mean of 13 weeks and 1.65 of its deviations."""
    recent, span = sold[:, max(t - 13, 0) : t], lead + review
    return np.maximum(
        span * recent.mean(axis=1) + 1.65 * recent.std(axis=1) * np.sqrt(span) - position, 0
    ).round()


RULES: Final = {"mediocre": _average_rule, "by rule": _usual_rule, "well run": _knowing_rule}


def _run(rng, rule, wanted, mean, k, price, cost, lead, review) -> Shop:  # noqa: PLR0917 -- the parts of one shop
    n, length = wanted.shape
    stock = np.round(mean[:, 0] * (lead + 2))
    sold, share, on_hand, arrived = (np.zeros((n, length)) for _ in range(4))
    pipeline = np.zeros((n, length + 6))
    for t in range(length):
        if t % review == 0 and t >= 4:
            position = stock + pipeline[:, t:].sum(axis=1)
            pipeline[np.arange(n), t + lead] += rule(
                t, sold, position, mean, k, price, cost, lead, review
            )
        elif t < 4:
            pipeline[:, t] += np.round(mean[:, t])
        arrived[:, t] = pipeline[:, t]
        stock = stock + pipeline[:, t]
        share[:, t] = time_in_stock(stock, wanted[:, t], rng)
        sold[:, t] = np.minimum(stock, wanted[:, t])
        stock = stock - sold[:, t]
        on_hand[:, t] = stock
    kept = [of_days[:, WARM:] for of_days in (wanted, sold, share, on_hand, arrived)]
    return Shop(*kept, price, cost, lead, review)


@dataclass(frozen=True, slots=True)
class Truth:
    """Money over the weeks replayed: gained by the advice, earned with it, and the shop's revenue."""

    gain: float
    value: float
    revenue: float


def truth_of(
    rng: np.random.Generator, it: Shop, weeks: int = REPLAYED, *, counted_from: int = 0
) -> Truth:
    """What the advice would truly have brought: every week a new forecast, from its own shelf's record.

    Before `counted_from` the advice takes every week as in stock, as the app does.
    """
    n, first = len(it.price), WEEKS - weeks
    margin, holding = it.price - it.cost, it.cost * HOLDING_PER_YEAR / 52
    sold, share = it.sold.copy(), it.in_stock.copy()
    share[:, :counted_from] = 1.0
    stock, pipeline = it.on_hand[:, first - 1].copy(), np.zeros((n, WEEKS + 6))
    on_way = np.arange(weeks)[None, :] < it.lead[:, None]
    pipeline[:, first:WEEKS] = np.where(on_way, it.arrived[:, first:], 0.0)
    held = np.zeros(n)
    reach = int(it.lead.max()) + 1
    for t in range(first, WEEKS):
        if (t - first) % it.review == 0:
            units = _advice(it, sold[:, :t], share[:, :t], stock, pipeline[:, t : t + reach])
            pipeline[np.arange(n), t + it.lead] += units
        stock = stock + pipeline[:, t]
        share[:, t] = time_in_stock(stock, it.wanted[:, t], rng)
        sold[:, t] = np.minimum(stock, it.wanted[:, t])
        stock = stock - sold[:, t]
        held += stock
    theirs = (
        it.sold[:, first:].sum(axis=1) * margin - it.on_hand[:, first:].sum(axis=1) * holding
    ).sum()
    ours = (sold[:, first:].sum(axis=1) * margin - held * holding).sum()
    revenue = (it.sold[:, first:].sum(axis=1) * it.price).sum()
    return Truth(float(ours - theirs), float(ours), float(revenue))


def _advice(
    it: Shop, sold: np.ndarray, share: np.ndarray, stock: np.ndarray, coming: np.ndarray
) -> np.ndarray:
    n, length = sold.shape
    history = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), length),
            "period": np.tile(MONDAY + np.arange(length) * np.timedelta64(7, "D"), n),
            "units": sold.ravel(),
            "in_stock": share.ravel(),
        }
    )
    horizon = int(it.lead.max()) + it.review
    plan = replenishment.order_quantities(
        demand.forecast_demand(history, horizon=horizon),
        on_hand=stock,
        incoming=coming,
        lead_time=it.lead,
        review_periods=np.full(n, it.review),
        holding_cost=it.cost * HOLDING_PER_YEAR / 52,
        shortage_cost=it.price - it.cost,
        overage_reviews=replenishment.OVERAGE_REVIEWS,
    )
    return plan.units
