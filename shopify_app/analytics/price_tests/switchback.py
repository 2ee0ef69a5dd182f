"""The switchback price test: its records, and the gross profit it gives up.

In:  prices, costs, rates of the products under test, an elasticity.
Out: `SwitchbackPlan` and its nouns; the gross profit a test gives up at any elasticity.
Method: each product stands at its high and at its low price for equally many weeks, in blocks of
whole weeks, half of the products the other way round. The first-order term of profit in the price step
cancels between the two blocks; what a test costs is of second order.
Source: Bojinov, Simchi-Levi & Zhao (2023), "Design and analysis of switchback experiments",
Management Science 69, 3759-3777.
Weak: customers who wait for the low block (stock up) are not modelled; blocks of whole weeks keep it small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

NODES: Final = np.polynomial.hermite_e.hermegauss(7)[0]
"""Nodes of 7-point Gauss-Hermite quadrature, which stand for a normal distribution."""

NODE_WEIGHTS: Final = np.polynomial.hermite_e.hermegauss(7)[1] / np.sqrt(2 * np.pi)
"""Their weights, summing to 1."""

STEEPEST, FLATTEST = -8.0, 3.0
"""Steepest and flattest elasticity considered."""

Z_80: Final = 1.2816
"""Normal deviations of an 80 % interval."""


@dataclass(frozen=True, slots=True)
class TrialSeries:
    """A product under test: today's price and the price of each block."""

    series_id: str
    old_price: float
    low_price: float
    high_price: float
    unit_cost: float
    units_per_week: float
    dispersion: float
    starts_high: tuple[bool, ...]
    """True where pair k of blocks begins with the high price."""
    units_each: float = 1.0
    """Where `units_per_week` counts orders: units of a usual one, for what the test costs."""
    tax_rate: float = 0.0
    """Of the tax in the prices, over what is left before it: only that earns."""

    def price_in(self, block: int) -> float:
        """The price of a block (counted from 0)."""
        is_high = self.starts_high[block // 2] == (block % 2 == 0)
        return self.high_price if is_high else self.low_price


@dataclass(frozen=True, slots=True)
class SwitchbackPlan:
    """A test as it is shown before it is agreed to; `asdict` is JSON.

    Attributes
    ----------
    maximum_cost, expected_cost : gross profit given up over the test, at the dearest elasticity that is
        still plausible, and on average. Stated first; the test is stopped before the maximum is passed.
    weeks, block_weeks : how long in all, how long one price stands.
    precision : half-width of the 80 % interval of these products' mean elasticity, at the end.
    wanted_precision : the target half-width; the test stops once it is reached.
    series : the randomised half under test. comparison_ids : the other half; its prices stay.
    abstained_because : a code where no test is proposed (`too_few_products`, `cost_too_high`,
        `not_precise_enough`, `prices_frozen`); the figures then are those of the best test found.
    """

    maximum_cost: float
    expected_cost: float
    weeks: int
    block_weeks: int
    precision: float
    prior_mean: float
    prior_sd: float
    product_sd: float
    wanted_precision: float
    series: tuple[TrialSeries, ...]
    comparison_ids: tuple[str, ...]
    abstained_because: str | None
    seed: int

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return self.weeks // self.block_weeks if self.block_weeks else 0

    def schedule(self) -> list[tuple[str, int, int, float]]:
        """(series, first week, weeks, price) of every block, weeks counted from the start of the test."""
        return [
            (series.series_id, block * self.block_weeks, self.block_weeks, series.price_in(block))
            for block in range(self.blocks)
            for series in self.series
        ]


def plan_from(record: Mapping[str, Any]) -> SwitchbackPlan:
    """The plan that `dataclasses.asdict` and JSON made a record of."""
    fields = dict(record)
    fields["series"] = tuple(_series_from(series) for series in fields["series"])
    fields["comparison_ids"] = tuple(fields["comparison_ids"])
    return SwitchbackPlan(**fields)


def _series_from(record: Mapping[str, Any]) -> TrialSeries:
    """The series of a record."""
    fields = dict(record)
    fields["starts_high"] = tuple(fields["starts_high"])
    return TrialSeries(**fields)


def cost_a_week(
    series: Sequence[TrialSeries],
    elasticity: np.ndarray,
    product_sd: float,
    imbalance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Gross profit a week that alternating gives up: (mean, variance), each (len(series), len(elasticity)).

    Parameters
    ----------
    elasticity : (g,) means; products spread by `product_sd` around each.
    imbalance : (n,)
        Variance of (demand in the high blocks - demand in the low blocks) / demand: what is lost to
        first order when demand happens to be up while the price is down.
    """
    old = np.array([s.old_price for s in series])[:, None, None]
    kept = np.array([1 / (1 + s.tax_rate) for s in series])[:, None, None]
    unit_cost = np.array([s.unit_cost for s in series])[:, None, None]
    rate = np.array([s.units_per_week * s.units_each for s in series])[:, None, None]
    each = np.clip(elasticity[None, :, None] + product_sd * NODES, STEEPEST, FLATTEST)
    low, high = (
        # Profit given up at a price p, k of it before tax: rate x [(k p0 - c) - (k p - c) (p / p0) ^ elasticity].
        rate * ((kept * old - unit_cost) - (kept * price - unit_cost) * (price / old) ** each)
        for price in (
            np.array([s.low_price for s in series])[:, None, None],
            np.array([s.high_price for s in series])[:, None, None],
        )
    )
    cost = (low + high) / 2
    mean = (cost * NODE_WEIGHTS).sum(axis=2)
    differ = ((cost - mean[:, :, None]) ** 2 * NODE_WEIGHTS).sum(axis=2)
    # First-order term: were demand uneven by d between the blocks, it would be d (high - low) /
    # 4.
    chance = (((high - low) / 4) ** 2 * NODE_WEIGHTS).sum(axis=2) * imbalance[:, None]
    return mean, differ + chance


def imbalance(dispersion: np.ndarray, weeks: int, block_weeks: int) -> np.ndarray:
    """Variance (n,) of the relative difference of demand between high and low blocks; dispersions (n,) are K of a week."""
    pairs = max(weeks / (2 * block_weeks), 0.5)
    return 2 * dispersion / (block_weeks * pairs)


def log_contrast(series: Sequence[TrialSeries]) -> np.ndarray:
    """log(high price / low price) (n,)."""
    return np.array([np.log(s.high_price / s.low_price) for s in series])
