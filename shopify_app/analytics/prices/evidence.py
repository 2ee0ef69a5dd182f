"""Evidence of each series' own weeks on its price effects: a regression with autocorrelated demand and common weeks.

In:  `PriceWeeks`.
Out: `Evidence`: Fisher information and score of the price effects, level and week effects, noise.
Method: log-linear demand by generalised least squares on working residuals (quasi-likelihood with counting
variance and serially correlated shocks); a week's common movement, of the other series only, is a
random effect whose size is estimated from what different series share.
Source: McCullagh & Nelder (1989), ch. 9; Zeger (1988), "A regression model for time series of counts",
Biometrika 75, 621-629.
Weak: rivals' prices and cross effects are seen only as common weeks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics.prices.noise import (
    EVENT_VARIANCE,
    LEVEL_VARIANCE,
    MISSING_VARIANCE,
    Noise,
    Setting,
    covariance,
    fit_noise,
    level_covariance,
    whiten,
)
from shopify_app.analytics.prices.prior import PRIOR_MEAN, prior_variance
from shopify_app.analytics.prices.spells import LEAST_STEP, PriceWeeks

ROUNDS: Final = 3
"""Rounds of reweighting."""

MANY: Final = 20.0
"""Units a week from which residuals are logarithms of counts; below `FEW` they are relative, between the two a
mixture."""

FEW: Final = 5.0
"""Units a week up to which residuals are relative."""

OUTLIER: Final = 4.0
"""Bound on residuals, in standard deviations (winsorised)."""

OWN_SCALE_WEEKS: Final = 30.0
"""Pseudo-count, in weeks, of the shop's noise beside a series' own."""

OTHER_REASONS: Final = 0.5
"""Variance of a price's other reasons over that of the demand it follows."""

STOOD_BEFORE: Final = 4.0
"""Pseudo-count, in chosen prices, of the first price as the usual one: it had stood long."""

MOST_CHOSEN: Final = 0.2
"""Share of weeks with a price move above which endogeneity is not modelled: no move has weeks of its own
before it."""

PASSING_WEEKS: Final = 3
"""Longest stretch, in weeks, of a passing price."""

LEVEL_ROUNDS: Final = 3
"""Rounds of linearisation of the level."""

SMEAR_WEEKS: Final = 26.0
"""Pseudo-count, in weeks, of the shop's smearing factor beside a series' own."""

CHUNK: Final = 100
"""Series worked on at once, for the memory."""

COUNT: Final = len(PRIOR_MEAN)
"""Number of effects p."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence per row of `PriceWeeks` (m) and week (T).

    Attributes
    ----------
    information : (m, p, p), score : (m, p)
    reference : (m,) log price around which effects are measured, the median.
    design : (m, T, p) columns of the effects.
    common : (T,) the shop's week effects.
    noise : the shop's; `scale` (m,) a series' own factor on it.
    whitened_price, whitened_residual : (m, T) for the design effect of series that repeat each other.
    """

    information: np.ndarray
    score: np.ndarray
    reference: np.ndarray
    design: np.ndarray
    common: np.ndarray
    common_variance: float
    noise: Noise
    scale: np.ndarray
    week: np.ndarray
    whitened_price: np.ndarray
    whitened_residual: np.ndarray


def gather(weeks: PriceWeeks) -> Evidence:
    """The `Evidence` of every row on its own, with week effects and noise over all of them."""
    reference, answers = _answers(weeks)
    effects = np.tile(PRIOR_MEAN, (len(reference), 1))
    common = np.zeros(weeks.units.shape)
    sale = weeks.sale[..., None].astype(float)
    design = np.concatenate([answers, chased(weeks, Noise()), sale], axis=2)
    found, effects, common = _round(weeks, reference, design, Noise(), effects, common)
    for _ in range(ROUNDS - 1):
        design = np.concatenate([answers, chased(weeks, found.noise), sale], axis=2)
        found, effects, common = _round(weeks, reference, design, found.noise, effects, common)
    return found


def _round(
    weeks: PriceWeeks,
    reference: np.ndarray,
    design: np.ndarray,
    noise: Noise,
    effects: np.ndarray,
    common: np.ndarray,
) -> tuple[Evidence, np.ndarray, np.ndarray]:
    """(evidence, effects, week effects) after one expansion around `effects` (m, p) and week effects `common` (m, T)."""
    week = week_numbers(weeks.periods, weeks.periods)
    expected = _expected(weeks, design, effects, common)
    counting = _counting(weeks, expected)
    # Working residuals of a quasi-likelihood with Var log y = 1 / M + noise (Zeger 1988).
    residual = _cut(working_residual(weeks.units, expected, weeks.known), counting, noise)
    # Products cut in a shop-wide sale are evidence of the sale, not of the week's common effect.
    apart = np.where(weeks.sale, MISSING_VARIANCE, counting)
    others, shop_week, variance = _common(residual + common, apart, noise)
    residual = residual + common - others
    setting = Setting(week, weeks.lasting_level, counting, design[..., 0], weeks.spell, weeks.event)
    noise = fit_noise(
        residual + np.einsum("mtp,mp->mt", design, effects - PRIOR_MEAN),
        np.concatenate([np.ones((*residual.shape, 1)), design], axis=2),
        np.r_[LEVEL_VARIANCE, prior_variance()],
        setting,
        noise,
    )
    information, score, scale, x, r = _least_squares(residual, design, noise, setting)
    score = score + np.einsum("mij,mj->mi", information, effects)
    evidence = Evidence(
        information, score, reference, design, shop_week, variance, noise, scale, week, x, r
    )
    return evidence, _leaning(information, score), others


def week_numbers(periods: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Weeks since the first of `origin`, as floats (fractions are kept)."""
    if not len(origin):
        return np.zeros(len(periods))
    return (periods - origin.min()) / np.timedelta64(7, "D")


def _answers(weeks: PriceWeeks) -> tuple[np.ndarray, np.ndarray]:
    """(log reference price (m,), columns of the price effects (m, T, ANSWERS))."""
    masked = np.ma.masked_array(weeks.log_price, ~weeks.known)
    reference = np.ma.median(masked, axis=1).filled(0.0) if weeks.log_price.size else np.zeros(0)
    off = weeks.log_price - reference[:, None]
    answers = columns(
        off,
        weeks.log_price - weeks.regular,
        weeks.promotion,
        others_prices(*market_sums(weeks, off), off, weeks.market),
    )
    return reference, answers


def chased(weeks: PriceWeeks, noise: Noise) -> np.ndarray:
    """Columns (m, T, 2) of the demand that a chosen price followed: by its step, by its level (price endogeneity).

    If a merchant's moves follow demand, a move is a noisy measurement of the demand of its week, and
    through its memory (that of the shop's wandering demand) of the weeks around it: the weeks before a
    move, which its price cannot have changed, show how much.
    """
    m, count = weeks.units.shape
    result = np.zeros((m, count, 2))
    gap = np.abs(np.arange(count)[:, None] - np.arange(count)[None, :])
    kernel = noise.level_covariance(gap) / noise.level_covariance(np.zeros(1))
    for row in range(m):
        at = _chosen(weeks, row)
        if not len(at) or len(at) > MOST_CHOSEN * count:
            continue
        step = weeks.log_price[row, at] - weeks.log_price[row, at - 1]
        # Kriging: demand around a move, given that each chosen price is a noisy measurement of
        # demand then.
        inner = kernel[np.ix_(at, at)] + OTHER_REASONS * np.eye(len(at))
        height = weeks.log_price[row, at] - _usual_price(weeks.log_price[row], at, inner)
        result[row] = kernel[:, at] @ np.linalg.solve(inner, np.stack([step, height], axis=1))
    return result


def _usual_price(log_price: np.ndarray, at: np.ndarray, inner: np.ndarray) -> float:
    """The log price around which prices were chosen, by generalised least squares."""
    weight = np.linalg.solve(inner, np.ones(len(at)))
    whole = weight.sum() + STOOD_BEFORE
    return float((weight @ log_price[at] + STOOD_BEFORE * log_price[0]) / whole)


def _chosen(weeks: PriceWeeks, row: int) -> np.ndarray:
    """Weeks in which a price was chosen: no return to the one before, no event, no promotion, not drawn by lot."""
    price = weeks.log_price[row]
    moves = np.flatnonzero(np.abs(np.diff(price)) > LEAST_STEP) + 1
    event = weeks.level[row, moves] != weeks.level[row, moves - 1]
    promoted = np.maximum(weeks.promotion[row, moves], weeks.promotion[row, moves - 1]) >= 0.5
    stood = np.r_[price[0], price[moves]] if len(moves) else price[:1]
    returned = np.zeros(len(moves), bool)
    returned[1:] = np.abs(stood[2:] - stood[:-2]) < LEAST_STEP
    drawn = weeks.randomised[row, moves] | weeks.randomised[row, moves - 1]
    return moves[~(event | promoted | returned | drawn)]


def randomised_share(weeks: PriceWeeks, evidence: Evidence) -> np.ndarray:
    """Share of each row's price information that comes from prices drawn by lot (m,)."""
    squares = evidence.whitened_price**2
    drawn = np.where(weeks.randomised, squares, 0.0).sum(axis=1)
    return drawn / np.maximum(squares.sum(axis=1), 1e-12)


def columns(
    from_reference: np.ndarray,
    from_regular: np.ndarray,
    promotion: np.ndarray,
    others: np.ndarray,
) -> np.ndarray:
    """Columns of the price effects: log price over the reference, the promotion's cut, the promotion itself, the others' prices."""
    return np.stack([from_reference, from_regular * promotion, promotion, others], axis=-1)


def market_sums(weeks: PriceWeeks, off: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sum over each market's series of log prices over their references (markets, T), number of series (markets,)).

    A shop-wide event is no price of the market: in its weeks what moved counts as unmoved.
    """
    count = int(weeks.market.max(initial=0)) + 1
    sums = np.zeros((count, off.shape[1]))
    np.add.at(sums, weeks.market, np.where(weeks.level == 0, off, 0.0))
    return sums, np.bincount(weeks.market, minlength=count)


def others_prices(
    sums: np.ndarray, size: np.ndarray, own: np.ndarray, market: np.ndarray
) -> np.ndarray:
    """Mean log price over reference of a market's other series; 0 where a series stands alone."""
    others = np.maximum(size[market] - 1, 1)
    alone = (size[market] < 2).reshape((-1,) + (1,) * (own.ndim - 1))
    mean = (sums[market] - own) / others.reshape((-1,) + (1,) * (own.ndim - 1))
    return np.where(alone, 0.0, mean)


def _expected(
    weeks: PriceWeeks, design: np.ndarray, effects: np.ndarray, common: np.ndarray
) -> np.ndarray:
    """Expected units (m, T), scaled so that each row's sum agrees with what it sold."""
    shape = weeks.exposure * np.exp(
        np.clip(np.einsum("mtp,mp->mt", design, effects) + common, -6, 6)
    )
    sold = np.where(weeks.known, weeks.units, 0.0).sum(axis=1)
    whole = np.where(weeks.known, shape, 0.0).sum(axis=1)
    level = (sold + 0.1) / np.maximum(whole, 0.1)
    return np.maximum(level[:, None] * shape, 1e-6)


def _counting(weeks: PriceWeeks, expected: np.ndarray) -> np.ndarray:
    # A week of nothing where fifteen were expected is a week out of stock that nobody marked.
    """Counting variance of each week, `MISSING_VARIANCE` where nothing is known."""
    known = weeks.known & ~((weeks.units == 0) & (expected > 15))
    return np.where(known, 1 / np.maximum(expected, 1e-3), MISSING_VARIANCE)


def working_residual(units: np.ndarray, expected: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Residuals of log demand (m, T): logarithmic where counts are large, relative where small."""
    usual = (expected * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    logs = np.clip((usual - FEW) / (MANY - FEW), 0, 1)[:, None]
    relative = units / expected - 1
    log = np.log(np.maximum(units, 0.5) / expected)
    return np.where(known, logs * log + (1 - logs) * relative, 0.0)


def _cut(residual: np.ndarray, counting: np.ndarray, noise: Noise) -> np.ndarray:
    """Residuals winsorised at `OUTLIER` deviations."""
    bound = OUTLIER * np.sqrt(counting + noise.white + noise.short + noise.long)
    return np.clip(residual, -bound, bound)


def _common(
    residual: np.ndarray, counting: np.ndarray, noise: Noise
) -> tuple[np.ndarray, np.ndarray, float]:
    """Week effects: for each series of all others (m, T), of all (T,), and their variance component."""
    own = counting + noise.white + noise.short + noise.long
    weight = np.where(counting < MISSING_VARIANCE, 1 / own, 0.0)
    centred = (
        residual - ((weight * residual).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9))[:, None]
    )
    push = weight * centred
    total, squares = push.sum(axis=0), (push**2).sum(axis=0)
    pairs = (weight.sum(axis=0) ** 2 - (weight**2).sum(axis=0)).sum()
    # Cross products of different series only: what they share, free of each one's own noise.
    variance = float(max((total**2 - squares).sum() / max(pairs, 1e-9), 0.0))
    if variance <= 1e-9:
        return np.zeros_like(residual), np.zeros(residual.shape[1]), 0.0
    sums = weight.sum(axis=0)
    others = (total[None] - push) / (sums[None] - weight + 1 / variance)
    return others, total / (sums + 1 / variance), variance


def _leaning(information: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Effects shrunk toward the literature alone: good enough to expand around."""
    precision = np.diag(1 / prior_variance())
    right = score + precision @ PRIOR_MEAN
    return np.linalg.solve(information + precision, right[..., None])[..., 0]


def _least_squares(
    residual: np.ndarray, design: np.ndarray, noise: Noise, setting: Setting
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(information, score of the change of effects, own scale, whitened price, whitened residual) by GLS."""
    m, weeks = residual.shape
    information, score = np.zeros((m, COUNT, COUNT)), np.zeros((m, COUNT))
    scale, x, r = np.ones(m), np.zeros((m, weeks)), np.zeros((m, weeks))
    for first in range(0, m, CHUNK):
        rows = slice(first, first + CHUNK)
        both = np.concatenate(
            [np.ones((*residual[rows].shape, 1)), design[rows], residual[rows][..., None]], axis=2
        )
        white = whiten(covariance(noise, setting.of(rows)), both)[0]
        one = white[..., :1]
        # Frisch-Waugh: the intercept is projected out of the whitened columns and residual.
        rest = white[..., 1:] - one * (
            (one * white[..., 1:]).sum(axis=1, keepdims=True)
            / np.maximum((one**2).sum(axis=1, keepdims=True), 1e-12)
        )
        columns_, off = rest[..., :COUNT], rest[..., COUNT]
        inner = np.einsum("mti,mtj->mij", columns_, columns_)
        push = np.einsum("mti,mt->mi", columns_, off)
        fitted = np.linalg.solve(inner + np.diag(1 / prior_variance()), push[..., None])[..., 0]
        # Residual variance at the shrunk effects, for the series' own scale (pseudo-count of
        # weeks at 1).
        left = off - np.einsum("mti,mi->mt", columns_, fitted)
        seen = (setting.counting[rows] < MISSING_VARIANCE).sum(axis=1)
        own = (OWN_SCALE_WEEKS + (left**2).sum(axis=1)) / (
            OWN_SCALE_WEEKS + np.maximum(seen - 1, 0)
        )
        scale[rows] = own = np.clip(own, 0.3, 30.0)
        information[rows] = inner / own[:, None, None]
        score[rows] = push / own[:, None]
        x[rows], r[rows] = columns_[..., 0], left / np.sqrt(own)[:, None]
    return information, score, scale, x, r


def passing_share(weeks: PriceWeeks) -> np.ndarray:
    """Share of each row's price variance that passes within `PASSING_WEEKS` and comes back (m,); 0 where none moved."""
    # A shop-wide event's weeks are no evidence, so no passing price either.
    price = pd.DataFrame(np.where(weeks.known & (weeks.level == 0), weeks.log_price, np.nan).T)
    lasting = price.rolling(2 * PASSING_WEEKS + 1, center=True, min_periods=1).median()
    whole = price.var(ddof=0).fillna(0.0).to_numpy()
    passing = ((price - lasting) ** 2).mean().fillna(0.0).to_numpy()
    return np.clip(passing / np.maximum(whole, LEAST_STEP**2), 0.0, 1.0)


def common_memory(evidence: Evidence) -> float:
    """Autocorrelation of the week effects at one week, 0..0.98."""
    effects = evidence.common
    squares = float((effects[:-1] ** 2).sum())
    return float(np.clip((effects[1:] * effects[:-1]).sum() / max(squares, 1e-9), 0.0, 0.98))


def repeats(evidence: Evidence, group: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """(design effect of each group's evidence (count,), of the shop's)."""
    norm = np.sqrt((evidence.whitened_price**2).sum(axis=1))
    moved = norm > 1e-3
    x = evidence.whitened_price / np.maximum(norm, 1e-9)[:, None]
    r = evidence.whitened_residual
    result = np.ones(count)
    for code in range(count):
        rows = moved & (group == code)
        result[code] = _design_effect(x[rows], r[rows])
    sums = np.zeros((count, x.shape[1]))
    np.add.at(sums, group[moved], x[moved])
    voices = sums / np.maximum(np.sqrt((sums**2).sum(axis=1)), 1e-9)[:, None]
    residuals = np.zeros_like(sums)
    np.add.at(residuals, group[moved], r[moved])
    size = np.maximum(np.bincount(group[moved], minlength=count), 1)
    return result, _design_effect(voices, residuals / np.sqrt(size * result)[:, None])


def _design_effect(x: np.ndarray, r: np.ndarray) -> float:
    """1 + (m - 1) x correlation of residuals x likeness of prices; 1 where series are independent."""
    m = len(x)
    if m < 2:
        return 1.0
    # Mean cosine between different series' whitened prices.
    alike = ((x.sum(axis=0) ** 2).sum() - m) / (m * (m - 1))
    seen = (r != 0).sum()
    shared = ((r.sum(axis=0) ** 2).sum() - (r**2).sum()) / max(seen * (m - 1), 1)
    return float(1 + (m - 1) * max(alike, 0.0) * np.clip(shared, 0.0, 1.0))


def filter_levels(
    weeks: PriceWeeks, evidence: Evidence, expected: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Deviations of levels from `expected` (m, T), by Gaussian-process regression.

    Returns
    -------
    weights (m, T): kernel @ weights is the log of the level over its base in a week;
    its variance in the last week (m,); the log level of the last shop-wide event's aftermath (m,);
    the factor (m,) by which the mean of demand is above the exponential of its mean log.
    """
    m, count = expected.shape
    weights, variance, event = np.zeros((m, count)), np.zeros(m), np.zeros(m)
    drift = np.zeros((m, count))
    for _ in range(LEVEL_ROUNDS):
        # Iterated linearisation around the current level: y / mu - 1 is log(y / mu) only near mu.
        around = expected * np.exp(drift)
        counting = _counting(weeks, around)
        residual = working_residual(weeks.units, around, weeks.known)
        residual = _cut(residual, counting, evidence.noise) + drift
        setting = Setting(
            evidence.week,
            weeks.level,
            counting,
            evidence.design[..., 0],
            weeks.spell,
            np.zeros_like(weeks.event),
        )
        for first in range(0, m, CHUNK):
            rows = slice(first, first + CHUNK)
            weights[rows], variance[rows], event[rows], moved = _filter(
                residual[rows], evidence.noise, setting.of(rows)
            )
            drift[rows] = np.clip(moved, drift[rows] - 1, drift[rows] + 1)
    return weights, variance, event, _smear(weeks, expected * np.exp(drift))


def _filter(
    residual: np.ndarray, noise: Noise, setting: Setting
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(kernel weights, variance of the last level, constant of the last level, log level in every week)."""
    level = setting.level
    jumps = level.max(axis=1, initial=0) > 0
    whole = covariance(noise, setting) + LEVEL_VARIANCE
    slow = level_covariance(noise, setting) + LEVEL_VARIANCE
    reach = slow[:, -1, :]
    solved = np.linalg.solve(whole, np.stack([residual, reach], axis=2))
    weights = solved[..., 0]
    same = EVENT_VARIANCE * (level == level[:, -1:]) * jumps[:, None]
    constant = LEVEL_VARIANCE * weights.sum(axis=1) + (same * weights).sum(axis=1)
    variance = np.maximum(slow[:, -1, -1] - (reach * solved[..., 1]).sum(axis=1), 0.0)
    return weights, variance, constant, np.einsum("mts,ms->mt", slow, weights)


def _smear(weeks: PriceWeeks, fitted: np.ndarray) -> np.ndarray:
    """Smearing factor (m,): units sold over those expected once the level is filtered, shrunk toward the shop's.

    The mean of demand is above the exponential of its mean log.
    """
    sold = (weeks.units * weeks.known).sum(axis=1)
    whole = (fitted * weeks.known).sum(axis=1)
    own = sold / np.maximum(whole, 1e-9)
    seen = weeks.known.sum(axis=1)
    shop = float(np.median(own[seen > 0])) if (seen > 0).any() else 1.0
    return np.clip((seen * own + SMEAR_WEEKS * shop) / (seen + SMEAR_WEEKS), 0.3, 3.0)
