"""A year on a simulated shop by a policy of prices, and what it earned against keeping them.

In:  a `PriceShop`, a policy (asked every week for the week's prices).
Out: a `Year`: true gross profit gained, the oracle's gain, moves and how many lose, tests and their cost.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import pandas as pd

from bench.lib.price_shops import FIRST_WEEK, RANGE, WEEKS_PER_MONTH, PriceShop
from shopify_app.analytics.price_tests.experiments import (
    SwitchbackPlan,
    evaluate_switchback,
    plan_switchback,
)
from shopify_app.analytics.prices.elasticity import PriceResponse, fit_price_response
from shopify_app.analytics.prices.pricing import PriceLimits, suggest_prices

WEEKS: Final = 52
EVERY: Final = 6
"""Weeks between two rounds of advice."""

STEP: Final = 0.10
TEST_STEP: Final = 0.08
TEST_WEEKS: Final = 12
TAUGHT_TOO_LITTLE: Final = ("too_few_price_changes", "too_few_sales", "not_sure_enough")
TEST_PRECISION: Final = 0.4
WEEK: Final = np.timedelta64(7, "D")


@dataclass
class Diary:
    """What the shop knows by now: prices, units and whether a lot drew the price, so far (n, weeks)."""

    shop: PriceShop
    price: np.ndarray
    units: np.ndarray
    randomised: np.ndarray

    @property
    def week(self) -> int:
        """Weeks since the advice began."""
        return self.units.shape[1] - self.shop.weeks

    def fitted(self) -> PriceResponse:
        """What is known of the response by now."""
        n, weeks = self.units.shape
        return fit_price_response(
            pd.DataFrame(
                {
                    "series_id": np.repeat(np.arange(n), weeks),
                    "period": np.tile(FIRST_WEEK + np.arange(weeks) * WEEK, n),
                    "units": self.units.ravel(),
                    "price": self.price.ravel(),
                    "randomised": self.randomised.ravel(),
                    "group": np.repeat(self.shop.group, weeks),
                    "unit_cost": np.repeat(self.shop.unit_cost, weeks),
                }
            )
        )

    def catalogue(self, price: np.ndarray) -> pd.DataFrame:
        """What `suggest_prices` takes; prices stay within the oracle's range of the first."""
        recent = self.units[:, -13:].mean(axis=1)
        return pd.DataFrame(
            {
                "series_id": np.arange(len(price)),
                "price": price,
                "unit_cost": self.shop.unit_cost,
                "units_per_month": recent * WEEKS_PER_MONTH,
                "units_per_week": recent,
                "floor_price": self.shop.price_now * (1 - RANGE),
                "ceiling_price": self.shop.price_now * (1 + RANGE),
            }
        )


@dataclass
class PriceTest:
    """A price test as it went: its stated maximum, its true cost."""

    plan: SwitchbackPlan
    began: int
    cost: float = 0.0
    is_over: bool = False


@dataclass
class Year:
    """What came of it; money is true expected gross profit."""

    oracle: float
    gained: float = 0.0
    kept: float = 0.0
    moves: int = 0
    losing: int = 0
    tests: list[PriceTest] = field(default_factory=list)


class Policy(Protocol):
    """Regular prices for the weeks to come, asked every `EVERY` weeks; and, if it tests, the test."""

    tests: bool

    def prices(self, diary: Diary, price: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New regular prices (n,)."""
        ...


@dataclass
class Greedy:
    """The price with most to gain at the mean elasticity (a draw of it: Thompson), no further doubt."""

    draws: bool = False
    tests: bool = False

    def prices(self, diary: Diary, price: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Inside the same step and range as ours."""
        table = diary.fitted().table
        elasticity = table["elasticity"].to_numpy()
        if self.draws:
            elasticity = elasticity + table["sd"].to_numpy() * rng.normal(size=len(table))
        first = diary.shop.price_now[:, None]
        wish = price[:, None] * np.linspace(1 - STEP, 1 + STEP, 21)
        wish = np.clip(wish, first * (1 - RANGE), first * (1 + RANGE))
        profit = (wish - diary.shop.unit_cost[:, None]) * (wish / price[:, None]) ** elasticity[
            :, None
        ]
        return np.take_along_axis(wish, profit.argmax(axis=1)[:, None], axis=1)[:, 0]


@dataclass
class Advice:
    """Every suggestion accepted; with `tests`, half of those whose prices taught too little alternate first."""

    tests: bool = True
    limits: PriceLimits = field(
        default_factory=lambda: PriceLimits(margin_floor=0.05, max_step=STEP)
    )

    def prices(self, diary: Diary, price: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Today's price where nothing is suggested."""
        del rng
        found = suggest_prices(diary.fitted(), diary.catalogue(price), self.limits)["price"]
        return np.where(found.notna(), found, price).astype(float)


def live(shop: PriceShop, policy: Policy, seed: int) -> Year:
    """Live a year by a policy."""
    rng = np.random.default_rng(seed)
    diary = Diary(shop, shop.price.copy(), shop.units.copy(), np.zeros(shop.units.shape, bool))
    price, year = shop.price_now.copy(), Year(_oracle(shop))
    test = _begin_test(diary, price, seed, year) if policy.tests else None
    for week in range(WEEKS):
        if week % EVERY == 0:
            new = policy.prices(diary, price, rng)
            if test is not None and not test.is_over:
                rows = _rows(test.plan)
                new[rows] = price[rows]
            _count_moves(shop, price, new, year)
            price = new
        _one_week(diary, price, test, year, rng)
    return year


def _begin_test(diary: Diary, price: np.ndarray, seed: int, year: Year) -> PriceTest | None:
    catalogue = diary.catalogue(price)
    reasons = suggest_prices(diary.fitted(), catalogue, Advice().limits)["abstained_because"]
    plan = plan_switchback(
        catalogue[reasons.isin(TAUGHT_TOO_LITTLE).to_numpy()],
        PriceLimits(margin_floor=0.05, max_step=2.5 * TEST_STEP, changes_per_month=2),
        precision=TEST_PRECISION,
        step=TEST_STEP,
        most_weeks=TEST_WEEKS,
        seed=seed,
    )
    if not plan.series:
        return None
    year.tests.append(PriceTest(plan, diary.week))
    return year.tests[-1]


def _rows(plan: SwitchbackPlan) -> np.ndarray:
    return np.array([int(series.series_id) for series in plan.series])


def _one_week(
    diary: Diary, price: np.ndarray, test: PriceTest | None, year: Year, rng: np.random.Generator
) -> None:
    shop, week = diary.shop, diary.shop.weeks + diary.week
    stands, drawn = price.copy(), np.zeros(len(price), bool)
    if test is not None and not test.is_over:
        block = (diary.week - test.began) // test.plan.block_weeks
        stands[_rows(test.plan)] = [series.price_in(block) for series in test.plan.series]
        drawn[_rows(test.plan)] = True
        test.cost += profit(shop, week, price) - profit(shop, week, stands)
    kept = profit(shop, week, shop.price_now)
    year.gained += profit(shop, week, stands) - kept
    year.kept += kept
    diary.units = np.c_[diary.units, shop.sell(week, stands, rng)]
    diary.price = np.c_[diary.price, stands]
    diary.randomised = np.c_[diary.randomised, drawn]
    if test is not None and not test.is_over:
        test.is_over = _stops(diary, test)


def _stops(diary: Diary, test: PriceTest) -> bool:
    """Whether the test is over, asked at the end of a block."""
    weeks = diary.week - test.began
    if weeks % test.plan.block_weeks:
        return False
    return evaluate_switchback(test.plan, observed(diary, test)).stop_because in (
        "finished",
        "cost",
    )


def observed(diary: Diary, test: PriceTest) -> pd.DataFrame:
    """What `evaluate_switchback` takes."""
    since = diary.shop.weeks + test.began
    units = diary.units[:, since:]
    n, weeks = units.shape
    return pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), weeks),
            "week": np.tile(np.arange(weeks), n),
            "units": units.ravel(),
        }
    )


def profit(shop: PriceShop, week: int, price: np.ndarray) -> float:
    """True expected gross profit of the shop in a week at prices (n,)."""
    return float((shop.expected(week, price) * (price - shop.unit_cost)).sum())


def _oracle(shop: PriceShop) -> float:
    best = shop.best_price()
    weeks = range(shop.weeks, shop.weeks + WEEKS)
    return sum(profit(shop, week, best) - profit(shop, week, shop.price_now) for week in weeks)


def _count_moves(shop: PriceShop, old: np.ndarray, new: np.ndarray, year: Year) -> None:
    """A move loses if its product would have earned more at the price it left."""
    moved = np.abs(new / old - 1) > 1e-6
    before = (old / shop.reference) ** shop.elasticity * (old - shop.unit_cost)
    after = (new / shop.reference) ** shop.elasticity * (new - shop.unit_cost)
    year.moves += int(moved.sum())
    year.losing += int((moved & (after < before - 1e-12)).sum())
