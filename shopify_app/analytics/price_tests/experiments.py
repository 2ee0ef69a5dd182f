"""Design of a switchback price test where prices never moved: a small test, its cost stated first and kept.

In:  a catalogue (price, cost, weekly units), the merchant's limits, what is believed of elasticities.
Out: a `SwitchbackPlan`, or the reason for none; later (`evaluate_switchback`) what it has shown.
Method: a random half of the products alternates between a little below and a little above today's
price. The weeks are the fewest that bring the wanted precision; products whose share of the cost is
dear for what they tell are left out until the maximum cost is inside the merchant's.
Source: Bojinov, Simchi-Levi & Zhao (2023), Management Science 69, 3759-3777.
Weak: precision is planned from counting noise and weekly overdispersion alone; what weeks have in common is
taken out by the other half of the products, as far as they are alike.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.analytics.price_tests.switchback import (
    Z_80,
    SwitchbackPlan,
    TrialSeries,
    cost_a_week,
    imbalance,
    log_contrast,
    plan_from,
)
from shopify_app.analytics.price_tests.switchback_reading import (
    SwitchbackReading,
    evaluate_switchback,
)
from shopify_app.analytics.prices.rules import PriceLimits, bounds, taxed_share, with_ending

__all__ = [
    "SwitchbackPlan",
    "SwitchbackReading",
    "TrialSeries",
    "evaluate_switchback",
    "plan_from",
    "plan_switchback",
]

STEP: Final = 0.05
"""Share by which a test price is below and above today's."""

LEAST_CONTRAST: Final = 0.5
"""Share of the wanted contrast log(high / low) below which a product is not tested."""

LEAST_UNITS_PER_WEEK: Final = 0.5
"""Units a week below which a product is not tested."""

LEAST_PRODUCTS: Final = 10
"""Fewest products under test; fewer leave what weeks have in common to chance."""

MONTH_WEEKS: Final = 4
"""Weeks in a month, for blocks that keep the merchant's changes a month."""

PLAUSIBLE: Final = 2.3263
"""Prior standard deviations within which the dearest mean elasticity sets the maximum cost (98 %)."""

UNLUCKY: Final = 1.645
"""Standard deviations of chance that the maximum cost allows for: one test in twenty is unluckier."""

RATE_MARGIN: Final = 1.25
"""Factor on the demand before the test that the maximum cost allows for."""


def plan_switchback(
    catalogue: pd.DataFrame,
    limits: PriceLimits,
    *,
    precision: float = 0.6,
    maximum_cost: float | None = None,
    prior_mean: float = -2.2,
    prior_sd: float = 1.1,
    product_sd: float = 0.8,
    step: float = STEP,
    block_weeks: int | None = None,
    most_weeks: int = 16,
    seed: int = 0,
) -> SwitchbackPlan:
    """The `SwitchbackPlan` of an alternating test of products whose prices never moved.

    Parameters
    ----------
    catalogue : DataFrame
        `series_id, price, unit_cost, units_per_week` and optional `dispersion` (squared coefficient of
        variation of a week's units beyond chance; 0.1 where missing), `units_each` (where `units_per_week` counts
        orders: units of a usual one) and the columns of `suggest_prices`.
    limits : the merchant's; every test price is inside, and no change is larger than `max_step`.
    precision : target half-width of the 80 % interval of the products' mean elasticity.
    maximum_cost : gross profit the merchant agrees to give up at most; None: whatever it takes.
    prior_mean, prior_sd : of the products' mean elasticity; product_sd : of products around it.
    block_weeks : weeks a price stands; None: as many as `limits.changes_per_month` asks for.
    most_weeks : longest test.

    Raises
    ------
    ValueError
        If a column is missing or a number that must be positive is not.

    Examples
    --------
    Sixty products that never moved: half of them stand for eight weeks at 19.05 or 20.95, in turn.

    >>> catalogue = pd.DataFrame({"series_id": [f"p{n}" for n in range(60)]})
    >>> catalogue["price"], catalogue["unit_cost"], catalogue["units_per_week"] = 20.0, 12.0, 30.0
    >>> plan = plan_switchback(catalogue, PriceLimits(), seed=1)
    >>> plan.weeks, plan.block_weeks, len(plan.series), round(plan.precision, 1)
    (8, 4, 30, 0.6)
    >>> plan.series[0].low_price, plan.series[0].high_price, plan.abstained_because
    (19.05, 20.95, None)
    """
    _check(catalogue, precision, maximum_cost, step, most_weeks)
    rng = np.random.default_rng(seed)
    block = block_weeks or max(1, -(-MONTH_WEEKS // max(limits.changes_per_month, 1)))
    tested, comparison = _halves(catalogue, limits, step, rng)
    empty = SwitchbackPlan(
        maximum_cost=0.0,
        expected_cost=0.0,
        weeks=0,
        block_weeks=block,
        precision=float(Z_80 * prior_sd),
        prior_mean=prior_mean,
        prior_sd=prior_sd,
        product_sd=product_sd,
        wanted_precision=precision,
        series=(),
        comparison_ids=comparison,
        abstained_because=None,
        seed=seed,
    )
    if limits.is_closed:
        return replace(empty, abstained_because="prices_frozen")
    if len(tested) < LEAST_PRODUCTS or len(comparison) < LEAST_PRODUCTS:
        return replace(empty, abstained_because="too_few_products")
    best = empty
    # The shortest test that is precise enough, in whole pairs of blocks.
    for weeks in range(2 * block, most_weeks + 1, 2 * block):
        best = _plan_of(empty, tested, weeks, maximum_cost, rng)
        if best.abstained_because is None:
            return best
    return best


def _plan_of(
    empty: SwitchbackPlan,
    tested: Sequence[TrialSeries],
    weeks: int,
    maximum_cost: float | None,
    rng: np.random.Generator,
) -> SwitchbackPlan:
    """The plan of a given length; with a reason where it is not good enough."""
    pairs = weeks // (2 * empty.block_weeks)
    spread = empty.prior_sd
    means = np.linspace(
        empty.prior_mean - PLAUSIBLE * spread, empty.prior_mean + PLAUSIBLE * spread, 31
    )
    dispersion = np.array([series.dispersion for series in tested])
    mean, variance = cost_a_week(
        tested, means, empty.product_sd, imbalance(dispersion, weeks, empty.block_weeks)
    )
    cost, chance = weeks * mean, weeks**2 * variance
    information = _information(tested, dispersion, weeks, empty.block_weeks, empty.product_sd)
    kept = np.arange(len(tested))
    if maximum_cost is not None:
        kept = _within(cost, chance, information, maximum_cost)
    density = np.exp(-0.5 * ((means - empty.prior_mean) / spread) ** 2)
    total = cost[kept].sum(axis=0)
    # Posterior precision: the products' information plus the prior's.
    sd = 1 / np.sqrt(information[kept].sum() + spread**-2)
    reason = None
    if len(kept) < LEAST_PRODUCTS:
        reason = "cost_too_high"
    elif Z_80 * sd > empty.wanted_precision:
        reason = "not_precise_enough"
    # Half of the products begin high; the next pair begins as this one ended, so that a steady rise or
    # fall of a product's demand cancels.
    begins = rng.permutation(len(kept)) % 2
    series = tuple(
        replace(
            tested[row],
            starts_high=tuple(bool((begins[place] + pair) % 2) for pair in range(pairs)),
        )
        for place, row in enumerate(kept.tolist())
    )
    return replace(
        empty,
        maximum_cost=float(_dearest(cost[kept], chance[kept])[-1]) if len(kept) else 0.0,
        expected_cost=float(total @ density / density.sum()),
        weeks=weeks,
        precision=float(Z_80 * sd),
        series=series,
        abstained_because=reason,
    )


def _information(
    tested: Sequence[TrialSeries],
    dispersion: np.ndarray,
    weeks: int,
    block: int,
    product_sd: float,
) -> np.ndarray:
    """Fisher information of each product on the mean elasticity (n,), as 1 / variance.

    A pair of blocks of b weeks measures log(high units / low units) with variance 2 (1 / (b rate) + K / b).
    """
    rate = np.array([series.units_per_week for series in tested])
    variance = 2 * (1 / (rate * block) + dispersion / block) / log_contrast(tested) ** 2
    # Variance of a product's estimate over its pairs, plus how far its own elasticity is from the
    # mean.
    return 1 / (variance / (weeks // (2 * block)) + product_sd**2)


def _within(
    cost: np.ndarray, chance: np.ndarray, information: np.ndarray, maximum_cost: float
) -> np.ndarray:
    """Rows kept, those of most information per cost first, so that no elasticity passes the maximum cost."""
    dear = np.maximum(cost, 0.0).max(axis=1) + np.sqrt(chance.max(axis=1))
    order = np.argsort(-information / np.maximum(dear, 1e-9), kind="stable")
    passed = np.flatnonzero(_dearest(cost[order], chance[order]) > maximum_cost)
    return np.sort(order[: passed[0] if len(passed) else len(order)])


def _dearest(cost: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Maximum cost of the first 1, 2, ... products (n,): at the dearest mean elasticity, with bad luck."""
    unlucky = np.cumsum(cost, axis=0) + UNLUCKY * np.sqrt(np.cumsum(chance, axis=0))
    return RATE_MARGIN * np.maximum(unlucky.max(axis=1), 0.0)


def _halves(
    catalogue: pd.DataFrame, limits: PriceLimits, step: float, rng: np.random.Generator
) -> tuple[list[TrialSeries], tuple[str, ...]]:
    """(products of the random half that can be tested, ids of the other half)."""
    # The largest half-step h with (1 + h) / (1 - h) - 1 within the merchant's step: h = s / (2 +
    # s).
    half = min(step, limits.max_step / (2 + limits.max_step))
    found = [_testable(row, limits, half) for row in catalogue.itertuples(index=False)]
    able = [series for series in found if series is not None]
    order = rng.permutation(len(able))
    first, other = np.sort(order[: len(able) // 2]), np.sort(order[len(able) // 2 :])
    return [able[row] for row in first], tuple(able[row].series_id for row in other)


def _dispersion(row: Any) -> float:
    """K of a product's week; 0.1 where unknown."""
    found = float(getattr(row, "dispersion", np.nan))
    return found if np.isfinite(found) and found >= 0 else 0.1


def _testable(row: Any, limits: PriceLimits, half: float) -> TrialSeries | None:
    """The product with its two prices; None where limits, cost or sales leave no test."""
    price, cost, rate = float(row.price), float(row.unit_cost), float(row.units_per_week)
    taxed = taxed_share(row)
    if not np.isfinite(cost) or price <= cost * taxed or not rate >= LEAST_UNITS_PER_WEEK:
        return None
    rules = bounds(row, limits, may_fall=True)
    low = _price(price * (1 - half), limits)
    high = _price(price * (1 + half), limits)
    floor, ceiling = max(rule.low for rule in rules), min(rule.high for rule in rules)
    inside = floor - 1e-9 <= low < price < high <= ceiling + 1e-9
    if not inside or high / low - 1 > limits.max_step + 1e-9:
        return None
    if np.log(high / low) < LEAST_CONTRAST * np.log((1 + half) / (1 - half)):
        return None
    each = float(getattr(row, "units_each", 1.0))
    name, spread = str(row.series_id), _dispersion(row)
    return TrialSeries(name, price, low, high, cost, rate, spread, (), each, round(taxed - 1, 6))


def _price(price: float, limits: PriceLimits) -> float:
    """A price in whole minor units, with the merchant's ending."""
    unit = 10.0**-limits.minor_digits
    ended = with_ending(np.array([np.round(price / unit) * unit]), limits)
    return float(np.round(ended[0], limits.minor_digits))


def _check(
    catalogue: pd.DataFrame,
    precision: float,
    maximum_cost: float | None,
    step: float,
    most_weeks: int,
) -> None:
    """Nothing; raises `ValueError` for a catalogue or terms that cannot be ones."""
    needed = {"series_id", "price", "unit_cost", "units_per_week"}
    if missing := needed - set(catalogue.columns):
        raise ValueError(f"catalogue lacks {sorted(missing)}")
    if precision <= 0 or step <= 0 or most_weeks < 1:
        raise ValueError("precision, step and weeks must be > 0")
    if maximum_cost is not None and maximum_cost <= 0:
        raise ValueError("a test that may cost nothing cannot be")
