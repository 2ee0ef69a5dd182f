"""The reading of a switchback price test: elasticity so far, cost so far, and whether it should go on.

In:  the plan, the weekly units seen since it began (tested products and the other half).
Out: a `SwitchbackReading`: elasticity with range, cost so far, reason to stop, each product's evidence.
Method: within each pair of blocks a product's units fall on the high and the low price as in a
binomial whose odds are (high / low) ^ elasticity, times what all products sold in those weeks; the
range comes from turning each product's order of prices round at random, as the plan might have.
Source: Imbens & Rubin (2015), *Causal Inference*, ch. 5 (randomisation inference); McCullagh & Nelder
(1989), ch. 4 (conditional binomial).
Weak: a product's demand that turns just when its blocks do is taken for price response; over many
products that averages out, as their orders differ.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics.price_tests.switchback import (
    Z_80,
    SwitchbackPlan,
    cost_a_week,
    imbalance,
)

GRID: Final = np.linspace(-8.0, 3.0, 221)
"""Grid of elasticities."""

TURNS: Final = 499
"""Number of draws of the randomisation distribution."""

CLIP: Final = 3.0
"""Bound on a pair's standardised residual: a wholesale order is no response to a price."""

RANGE: Final = 0.8
"""Level of the randomisation range."""


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """One product's own evidence: estimate and information (1 / variance), overdispersion allowed for."""

    series_id: str
    estimate: float
    information: float


@dataclass(frozen=True, slots=True)
class SwitchbackReading:
    """Elasticity and cost of a test so far; `asdict` is JSON.

    Attributes
    ----------
    elasticity, sd : posterior of the products' mean elasticity (prior of the plan, evidence of the test).
    low, high : 80 % range of it.
    drawn_low, drawn_high : 80 % range by the draw of the orders alone, no prior; None before a pair is complete.
    p_value_no_answer : of "the price does not matter", by the draw.
    cost_so_far, cost_high : gross profit given up so far, mean and 90 % bound; cost_at_end_high : the
        90 % bound at the end of the test or of its next block, whichever is later known.
    stop_because : `precise`, `cost`, `finished` or None.
    series : each tested product's own evidence.
    """

    weeks_seen: int
    elasticity: float
    sd: float
    low: float
    high: float
    drawn_low: float | None
    drawn_high: float | None
    p_value_no_answer: float | None
    cost_so_far: float
    cost_high: float
    cost_after_next_block_high: float
    stop_because: str | None
    series: tuple[SeriesAnswer, ...]


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Complete pairs of blocks, one row each: product, units high and low, log exposure ratio, log price ratio."""

    product: np.ndarray
    high: np.ndarray
    low: np.ndarray
    offset: np.ndarray
    contrast: np.ndarray


def evaluate_switchback(plan: SwitchbackPlan, observed: pd.DataFrame) -> SwitchbackReading:
    """The `SwitchbackReading` of a running or finished test.

    Parameters
    ----------
    plan : as it was agreed to.
    observed : DataFrame
        `series_id, week` (counted from the start of the test), `units` and optional `in_stock` (share), of tested and
        comparison products. Weeks without a row are zero; a week counts once any product has a row in it.

    Raises
    ------
    ValueError
        If a column is missing or units are negative.

    Examples
    --------
    Every product sells 33 at the low price and 27 at the high one: an elasticity of
    log(33 / 27) / log(19.05 / 20.95) = -2.11, which the plan's prior of -2.2 moves by 0.01.

    >>> from shopify_app.analytics.price_tests.experiments import plan_switchback
    >>> from shopify_app.analytics.prices.rules import PriceLimits
    >>> catalogue = pd.DataFrame({"series_id": [f"p{n}" for n in range(60)]})
    >>> catalogue["price"], catalogue["unit_cost"], catalogue["units_per_week"] = 20.0, 12.0, 30.0
    >>> plan = plan_switchback(catalogue, PriceLimits(), seed=1)
    >>> rows = [
    ...     (one.series_id, week, 33 if one.price_in(week // plan.block_weeks) < 20 else 27)
    ...     for one in plan.series
    ...     for week in range(plan.weeks)
    ... ] + [(name, week, 30) for name in plan.comparison_ids for week in range(plan.weeks)]
    >>> seen = pd.DataFrame(rows, columns=["series_id", "week", "units"])
    >>> reading = evaluate_switchback(plan, seen)
    >>> round(reading.elasticity, 2), reading.stop_because
    (-2.12, 'finished')
    """
    if missing := {"series_id", "week", "units"} - set(observed.columns):
        raise ValueError(f"observed lacks {sorted(missing)}")
    if (observed["units"] < 0).any():
        raise ValueError("units must be >= 0")
    weeks_seen = 0 if observed.empty else min(int(observed["week"].max()) + 1, plan.weeks)
    units, exposure = _arrays(plan, observed, weeks_seen)
    pairs = _pairs(plan, units, exposure)
    mean, sd = _posterior(plan, pairs)
    drawn = _drawn(pairs, len(plan.series), plan.seed) if len(pairs.product) else None
    cost, cost_high, next_high = _costs(plan, units, exposure, weeks_seen, mean, sd)
    stop = None
    if weeks_seen >= plan.weeks:
        stop = "finished"
    elif next_high > plan.maximum_cost:
        stop = "cost"
    elif len(pairs.product) and Z_80 * sd <= plan.wanted_precision:
        stop = "precise"
    return SwitchbackReading(
        weeks_seen=weeks_seen,
        elasticity=mean,
        sd=sd,
        low=mean - Z_80 * sd,
        high=mean + Z_80 * sd,
        drawn_low=drawn[0] if drawn else None,
        drawn_high=drawn[1] if drawn else None,
        p_value_no_answer=drawn[2] if drawn else None,
        cost_so_far=cost,
        cost_high=cost_high,
        cost_after_next_block_high=next_high,
        stop_because=stop,
        series=_answers(plan, pairs),
    )


def _arrays(
    plan: SwitchbackPlan, observed: pd.DataFrame, weeks: int
) -> tuple[np.ndarray, np.ndarray]:
    """(units, exposure) of tested, then comparison products by week."""
    ids = [series.series_id for series in plan.series] + list(plan.comparison_ids)
    place = {series: row for row, series in enumerate(ids)}
    row = observed["series_id"].astype(str).map(place)
    known = (row.notna() & (observed["week"] >= 0) & (observed["week"] < weeks)).to_numpy()
    rows, columns = row[known].to_numpy(int), observed["week"].to_numpy(int)[known]
    units, exposure = np.zeros((len(ids), weeks)), np.ones((len(ids), weeks))
    units[rows, columns] = observed["units"].to_numpy(float)[known]
    if "in_stock" in observed:
        exposure[rows, columns] = observed["in_stock"].to_numpy(float)[known]
    return units, exposure


def _week_index(units: np.ndarray) -> np.ndarray:
    """Index of each week's demand around 1 (weeks,), products winsorised so that each counts alike at most."""
    if not units.size:
        return np.ones(units.shape[1])
    usual = units.mean(axis=1, keepdims=True)
    together = np.minimum(units, 4 * usual + 2).sum(axis=0)
    return np.maximum(together / max(together.mean(), 1e-9), 0.05)


def _pairs(plan: SwitchbackPlan, units: np.ndarray, exposure: np.ndarray) -> _Pairs:
    """The complete `_Pairs` of all tested products."""
    block, tested = plan.block_weeks, len(plan.series)
    index = _week_index(units)
    columns: list[tuple[np.ndarray, ...]] = []
    for pair in range(units.shape[1] // (2 * block) if block else 0):
        first = slice(2 * pair * block, (2 * pair + 1) * block)
        second = slice((2 * pair + 1) * block, (2 * pair + 2) * block)
        is_high = np.array([series.starts_high[pair] for series in plan.series])
        sold = [units[:tested, part].sum(axis=1) for part in (first, second)]
        open_ = [(exposure[:tested, part] * index[part]).sum(axis=1) for part in (first, second)]
        high, low = np.where(is_high, sold, sold[::-1])
        open_high, open_low = np.where(is_high, open_, open_[::-1])
        usable = (open_high > 0) & (open_low > 0) & (high + low > 0)
        contrast = np.array([np.log(s.high_price / s.low_price) for s in plan.series])
        offset = np.log(np.maximum(open_high, 1e-9) / np.maximum(open_low, 1e-9))
        rows = np.flatnonzero(usable)
        columns.append((rows, high[rows], low[rows], offset[rows], contrast[rows]))
    if not columns:
        none = np.zeros(0)
        return _Pairs(none.astype(int), none, none, none, none)
    return _Pairs(*(np.concatenate(found) for found in zip(*columns, strict=True)))


def _scores(pairs: _Pairs, elasticity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(score, information) of every pair (m, g) at elasticities (g,), large residuals clipped."""
    # Given high + low, units at the high price are binomial with logit share = offset + contrast
    # x elasticity.
    share = 1 / (1 + np.exp(-(pairs.offset[:, None] + pairs.contrast[:, None] * elasticity)))
    total = (pairs.high + pairs.low)[:, None]
    spread = np.sqrt(np.maximum(total * share * (1 - share), 1e-9))
    # Beyond chance: a pair of large totals is not as sure as its counts.
    wide = np.sqrt(1 + 0.1 * total * share * (1 - share))
    residual = np.clip((pairs.high[:, None] - total * share) / (spread * wide), -CLIP, CLIP)
    # d logit / d elasticity = contrast, so the score is contrast x sd x standardised residual.
    weight = pairs.contrast[:, None] * spread / wide
    return weight * residual, weight**2


def _by_product(values: np.ndarray, pairs: _Pairs, count: int) -> np.ndarray:
    """Sums of pairs' values by product."""
    found = np.zeros((count, *values.shape[1:]))
    np.add.at(found, pairs.product, values)
    return found


def _estimate(pairs: _Pairs) -> tuple[float, float]:
    """(mean elasticity by the pairs alone, its robust variance between products)."""
    score, _ = _scores(pairs, GRID)
    total = score.sum(axis=0)
    # The score falls as the elasticity rises: its zero is the estimate.
    place = int(np.clip(np.searchsorted(-total, 0.0), 1, len(GRID) - 1))
    left, right = total[place - 1], total[place]
    part = left / (left - right) if left != right else 0.5
    estimate = float(GRID[place - 1] + np.clip(part, 0, 1) * (GRID[place] - GRID[place - 1]))
    count = int(pairs.product.max()) + 1
    at_best, information = _scores(pairs, np.array([estimate]))
    each = _by_product(at_best, pairs, count)[:, 0]
    known = float(information.sum())
    # Sandwich variance: sum of squared scores over information^2, not far below the model's.
    return estimate, float(max((each**2).sum() / known**2, 1 / known / 4))


def _posterior(plan: SwitchbackPlan, pairs: _Pairs) -> tuple[float, float]:
    """(mean, standard deviation) of the mean elasticity, prior and test together."""
    precision, weighted = plan.prior_sd**-2, plan.prior_mean * plan.prior_sd**-2
    if len(pairs.product):
        estimate, variance = _estimate(pairs)
        precision, weighted = precision + 1 / variance, weighted + estimate / variance
    return weighted / precision, float(precision**-0.5)


def _drawn(pairs: _Pairs, count: int, seed: int) -> tuple[float, float, float]:
    """(low, high) of the 80 % range and the p-value of "no response", by randomisation of the orders."""
    score, _ = _scores(pairs, GRID)
    each = _by_product(score, pairs, count)
    # Reversing a product's order of prices flips the sign of its score.
    turns = np.random.default_rng(seed).choice([-1.0, 1.0], (TURNS, count))
    around = np.abs(turns @ each)
    p_value = (1 + (around >= np.abs(each.sum(axis=0)) - 1e-12).sum(axis=0)) / (TURNS + 1)
    inside = np.flatnonzero(p_value > 1 - RANGE)
    nearest = int(np.argmax(p_value))
    low, high = (inside[0], inside[-1]) if len(inside) else (nearest, nearest)
    return float(GRID[low]), float(GRID[high]), float(np.interp(0.0, GRID, p_value))


def _costs(
    plan: SwitchbackPlan,
    units: np.ndarray,
    exposure: np.ndarray,
    weeks: int,
    mean: float,
    sd: float,
) -> tuple[float, float, float]:
    """Gross profit given up: (mean so far, 90 % bound so far, 90 % bound after one more block)."""
    if not plan.series:
        return 0.0, 0.0, 0.0
    tested = len(plan.series)
    rate = np.array([series.units_per_week for series in plan.series])
    if weeks:
        # Two weeks of the rate before steady what few weeks say.
        seen = units[:, :weeks][:tested].sum(axis=1)
        rate = (seen + 2 * rate) / (exposure[:tested, :weeks].sum(axis=1) + 2)
    now = [
        replace(series, units_per_week=float(r))
        for series, r in zip(plan.series, rate, strict=True)
    ]
    means = mean + sd * np.linspace(-Z_80, Z_80, 9)
    uneven = imbalance(
        np.array([series.dispersion for series in plan.series]), max(weeks, 1), plan.block_weeks
    )
    weekly, variance = cost_a_week(now, means, plan.product_sd, uneven)
    likely = float(weekly.sum(axis=0)[len(means) // 2])
    dear = float((weekly.sum(axis=0) + Z_80 * np.sqrt(variance.sum(axis=0))).max())
    dear = max(dear, 0.0)
    return likely * weeks, dear * weeks, dear * min(weeks + plan.block_weeks, plan.weeks)


def _answers(plan: SwitchbackPlan, pairs: _Pairs) -> tuple[SeriesAnswer, ...]:
    """Each product's own evidence, one Newton step from the mean of all."""
    if not len(pairs.product):
        return ()
    centre, _ = _estimate(pairs)
    score, information = _scores(pairs, np.array([centre]))
    count = len(plan.series)
    each = _by_product(score, pairs, count)[:, 0]
    known = _by_product(information, pairs, count)[:, 0]
    # Overdispersion between products: Pearson's chi-square over information.
    excess = max(float((each**2).sum() / max(known.sum(), 1e-9)), 1.0)
    return tuple(
        SeriesAnswer(
            series.series_id,
            float(np.clip(centre + each[row] / known[row], GRID[0], GRID[-1])),
            float(known[row] / excess),
        )
        for row, series in enumerate(plan.series)
        if known[row] > 0
    )
