"""The common factor of a shop: the multiplier that level, season and holidays put on all its products at once.

In:  units and exposure (n, T), groups, period starts.
Out: a factor per group and period, 1 on average, and its forecast from any moment of the past.
Method: the factor of a period is what was sold against what the products sell on average, weighted
so that no best-seller decides. Its logarithm is a Gaussian process: a random-walk level, periodic kernels of
a year (at three length scales), weekdays, and calendar regressors. Their variances are averaged over a small
grid by predictive likelihood (Rasmussen & Williams 2006, eq. 5.8), so that a season counts as soon as it has
shown itself and no sooner. A group of products adds a log factor of its own.
Source: Rasmussen & Williams, *Gaussian Processes for Machine Learning* (2006), ch. 5; Fliedner
(1999), "An investigation of aggregate variable time series forecast strategies", Computers &
Operations Research 26, 1133-1149 (top-down shares).
Weak: from less than a year the turn after Christmas is known from the calendar alone.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from shopify_app.analytics.demand.shop_calendar import EFFECTS, calendar_columns

ITEM_DISPERSION: Final = 0.5
"""K of a single product's period, assumed for weighting only."""

LOWEST, HIGHEST = float(np.log(0.05)), float(np.log(8.0))
"""Log factors are kept within these: a closed week is as low as it gets."""

LEVEL_STEPS: Final = (0.0005, 0.004, 0.03)
"""Grid of the log level's variance of innovation, a week."""

SEASONS: Final = (
    (0.0, 0.0, 0.0),
    (0.15, 0.0, 0.0),
    (0.05, 0.024, 0.006),
    (0.02, 0.006, 0.024),
    (0.15, 0.1, 0.03),
    (0.05, 0.03, 0.12),
)
"""Grid of the variances of the periodic kernels: broad swing, months, single weeks."""

SHOCKS: Final = (0.003, 0.02)
"""Grid of the variance of a period's own shock (nugget)."""

WEEKDAYS: Final = 0.1
"""Variance of a weekday's log effect."""

BROAD: Final = 0.8
"""Length scale of the yearly kernel's broad swing, in units of sin(pi t / year); so are the next three."""

SMOOTH: Final = 0.25
"""Length scale of its months."""

SHARP: Final = 0.06
"""Length scale of its single weeks."""

SMOOTH_MONTHS: Final = 0.6
"""Length scale of its months where a period is a month."""

YEARS_LAST: Final = 8.0
"""Decay time of a season, in years: seasons so far apart are correlated by 1 / e."""

GROUP_SHARE: Final = (0.3, 0.5)
"""Variances of a group's own (level, season), as shares of the shop's."""

LEAST_WEIGHT: Final = 0.03
"""Posterior weight, relative to the best, below which a grid point is left out of a forecast."""

_Setting = tuple[float, tuple[float, float, float], float]
"""(variance of a step of the level, variances of the season's parts, variance of a shock)."""

LONGEST: Final = {"D": 545, "W": 260, "M": 180}
"""Newest periods used, by length of period."""

WEEKS: Final = {"D": 1 / 7, "W": 1.0, "M": 4.348}
"""Weeks in a period."""

SEASON: Final = {"D": 365.25, "W": 52.18, "M": 12.0}
"""Periods in a year."""

DAYS: Final = {"D": 1, "W": 7}
"""Days in a period."""

SILENCE: Final = 6.0
"""Expected number of sales missed in a row, after which a product counts as gone."""

ROWS: Final = 5_000
"""Series handled at once where a copy of all would be large."""

UNKNOWN_VARIANCE: Final = 0.1
"""Variance of the log factor of a shop that has shown nothing."""

LEAST_PERIODS: Final = 10
"""Periods of history below which the factor is 1 throughout."""

LEAST_SERIES: Final = 3
"""Number of series below which a group has the whole shop's factor."""


@dataclass(frozen=True, slots=True)
class CommonFactor:
    """The common factors of all groups of a shop, past and foreseen.

    Attributes
    ----------
    past : array (groups, T)
        Factor of each group in each known period.
    foreseen : array (groups, moments, horizon)
        Factors of the periods after each of the moments asked for, from what was known then.
    variance : array (groups, moments, horizon)
        Variance of the mean log factor over the first 1, 2, ... periods after each moment.
    """

    past: np.ndarray
    foreseen: np.ndarray
    variance: np.ndarray


@dataclass(frozen=True, slots=True)
class _LogFactor:
    """One log factor: `past` (T,), `foreseen` and `variance` (moments, horizon)."""

    past: np.ndarray
    foreseen: np.ndarray
    variance: np.ndarray


def common_factor(
    units: np.ndarray,
    exposure: np.ndarray,
    groups: np.ndarray,
    starts: np.ndarray,
    *,
    period: str,
    moments: np.ndarray,
) -> CommonFactor:
    """The common factor of every group, from all series of a shop.

    Parameters
    ----------
    units, exposure : array (n, T)
        Units of a period without exposure are 0.
    groups : array (n,) of int, from 0
    starts : array (T + horizon,) of dates
    period : {"D", "W", "M"}
    moments : array (m,) of int
        Numbers of periods known, each at most T.
    """
    length = units.shape[1]
    horizon = len(starts) - length
    count = int(groups.max()) + 1 if len(groups) else 1
    past, foreseen = np.zeros((count, length)), np.zeros((count, len(moments), horizon))
    if length < LEAST_PERIODS:
        return CommonFactor(
            np.exp(past), np.exp(foreseen), np.full(foreseen.shape, UNKNOWN_VARIANCE)
        )
    skipped = max(length - LONGEST[period], 0)
    units = units[:, skipped:]
    exposure = _while_selling(units, exposure[:, skipped:])
    frame = _Frame(starts[skipped:], period)
    asked = np.maximum(moments - skipped, 0)
    flat = np.zeros(units.shape[1])
    shop = _log_factor_of(*_measured(units, exposure, flat), frame, asked, is_group=False)
    past[:, skipped:] = shop.past
    foreseen += shop.foreseen
    variance = np.tile(shop.variance, (count, 1, 1))
    for group in range(count) if count > 1 else ():
        members = groups == group
        if members.sum() >= LEAST_SERIES:
            measured = _measured(units[members], exposure[members], shop.past)
            own = _log_factor_of(*measured, frame, asked, is_group=True)
            past[group, skipped:] += own.past
            foreseen[group] += own.foreseen
            variance[group] += own.variance
    return CommonFactor(np.exp(past), np.exp(foreseen), variance)


def _while_selling(units: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Exposure with a product's last silence set to 0 where it must be taken for gone: it is no news of the shop."""
    length = units.shape[1]
    kept = exposure.copy()
    for begin in range(0, len(units), ROWS):
        part = slice(begin, begin + ROWS)
        sold = units[part] > 0
        last = np.where(sold.any(axis=1), length - 1 - np.argmax(sold[:, ::-1], axis=1), -1)
        after = np.arange(length)[None, :] > last[:, None]
        silent = (exposure[part] * after).sum(axis=1)
        time = exposure[part].sum(axis=1) - silent
        due = silent * sold.sum(axis=1) / np.maximum(time, 1.0)
        kept[part][(due > SILENCE)[:, None] & after] = 0.0
    return kept


def _log_factor_of(
    log_factor: np.ndarray,
    noise: np.ndarray,
    frame: "_Frame",
    moments: np.ndarray,
    *,
    is_group: bool,
) -> _LogFactor:
    """The log factor smoothed and foreseen, from one measured with variance `noise` (T,)."""
    length = len(log_factor)
    expected = np.zeros(len(frame.expected)) if is_group else frame.expected
    residual = log_factor - expected[:length]
    settings = _settings(is_group=is_group)
    fits = [_decompose(frame, setting, noise, residual, is_group=is_group) for setting in settings]
    record = np.array([_record(fit) for fit in fits])
    # Weights of the grid points at every moment t: their likelihood of the first t periods. Each
    # period
    # was foreseen from those before it, so this is a prequential score, not a fit.
    weights = np.exp(record - record.max(axis=0))
    weights = np.where(weights >= LEAST_WEIGHT, weights, 0.0)
    weights /= weights.sum(axis=0)
    foreseen, variance = _foreseen(frame, settings, fits, weights, moments, is_group=is_group)
    horizon = len(expected) - length
    foreseen += np.stack([expected[known : known + horizon] for known in moments])
    best = int(np.argmax(weights[:, length]))
    signal = frame.covariance(settings[best], is_group=is_group)[:length, :length]
    solved = _solve(fits[best], length)
    past = expected[:length] + signal @ solved + settings[best][2] * solved
    return _LogFactor(past, foreseen, variance)


def _foreseen(
    frame: "_Frame",
    settings: list[_Setting],
    fits: list[tuple[np.ndarray, np.ndarray]],
    weights: np.ndarray,
    moments: np.ndarray,
    *,
    is_group: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """(log factors beyond the calendar's, variance of their running mean), each (moments, horizon)."""
    horizon = len(frame.expected) - len(weights[0]) + 1
    mean, variance = np.zeros((len(moments), horizon)), np.zeros((len(moments), horizon))
    squares = np.zeros(mean.shape)
    for setting, fit, share in zip(settings, fits, weights, strict=True):
        if not share[moments].any():
            continue
        covariance = frame.covariance(setting, is_group=is_group)
        for row, known in enumerate(moments):
            if known and share[known]:
                ahead = slice(known, known + horizon)
                # GP posterior mean k* K^-1 r (Rasmussen & Williams 2006, eq. 2.25).
                found = covariance[ahead, :known] @ _solve(fit, known)
                within = _mean_variance(fit, covariance, known, ahead) + setting[2] / _count(
                    horizon
                )
                mean[row] += share[known] * found
                variance[row] += share[known] * within
                squares[row] += share[known] * _running_mean(found) ** 2
    # Law of total variance over the grid: mean of variances plus variance of means.
    between = squares - np.apply_along_axis(_running_mean, 1, mean) ** 2
    variance[moments == 0] = UNKNOWN_VARIANCE
    return mean, variance + np.maximum(between, 0.0)


def _mean_variance(
    fit: tuple[np.ndarray, np.ndarray], covariance: np.ndarray, known: int, ahead: slice
) -> np.ndarray:
    """Variance of the mean log factor over the first 1, 2, ... periods ahead, shocks left out."""
    lower = fit[0][:known, :known]
    white = solve_triangular(lower, covariance[:known, ahead], lower=True, check_finite=False)
    # GP posterior covariance k** - k* K^-1 k*^T (ibid., eq. 2.26), K^-1 by the Cholesky factor.
    left = covariance[ahead, ahead] - white.T @ white
    # Variance of a mean of the first m periods: sum of the m x m corner over m^2.
    return np.diag(left.cumsum(axis=0).cumsum(axis=1)) / _count(len(left)) ** 2


def _running_mean(values: np.ndarray) -> np.ndarray:
    """Means of the first 1, 2, ... values."""
    return np.cumsum(values) / _count(len(values))


def _count(length: int) -> np.ndarray:
    """1, 2, ..., length as floats."""
    return np.arange(1.0, length + 1.0)


class _Frame:
    """Kernel matrices of a shop's periods: level, season, calendar."""

    def __init__(self, starts: np.ndarray, period: str) -> None:
        time = np.arange(len(starts))
        self._gap = np.abs(time[:, None] - time[None, :])
        # Random walk: Cov(s, t) = variance of a step x min(s, t).
        self._level = np.minimum(time[:, None], time[None, :]) + 1.0
        self._weeks = WEEKS[period]
        swing = np.sin(np.pi * self._gap / SEASON[period]) ** 2
        fading = np.exp(-self._gap / (SEASON[period] * YEARS_LAST))
        smooth, sharp = (SMOOTH_MONTHS, 0.01) if period == "M" else (SMOOTH, SHARP)
        # Of months, a year's broad swing is what the smooth part follows already.
        # Periodic kernel exp(-2 sin^2(pi d / p) / l^2) (ibid., eq. 4.31), decaying over the
        # years.
        self._broad = np.exp(-2 * swing / BROAD**2) * fading * (period != "M")
        self._smooth = np.exp(-2 * swing / smooth**2) * fading
        self._sharp = np.exp(-2 * swing / sharp**2) * fading
        effects = np.array(list(EFFECTS.values()))
        columns = (
            np.zeros((len(starts), len(effects)))
            if period == "M"
            else calendar_columns(starts, DAYS[period])
        )
        self.expected = columns @ effects[:, 0]
        self._calendar = (columns * effects[:, 1] ** 2) @ columns.T
        self._weekday = WEEKDAYS * (self._gap % 7 == 0) if period == "D" else 0.0

    def covariance(self, setting: _Setting, *, is_group: bool) -> np.ndarray:
        """Covariance (T + horizon, T + horizon) of the log factor, shocks left out."""
        step, season, _ = setting
        begin, calendar = (0.1, GROUP_SHARE[0]) if is_group else (1.0, 1.0)
        return (
            begin
            + step * self._weeks * self._level
            + season[0] * self._broad
            + season[1] * self._smooth
            + season[2] * self._sharp
            + calendar * self._calendar
            + self._weekday
        )


def _settings(*, is_group: bool) -> list[_Setting]:
    """The grid of variances, each a `_Setting`."""
    level, season = GROUP_SHARE if is_group else (1.0, 1.0)
    return [
        (level * step, (season * broad, season * months, season * weeks), shock)
        for step in LEVEL_STEPS
        for broad, months, weeks in SEASONS
        for shock in SHOCKS
    ]


def _decompose(
    frame: _Frame, setting: _Setting, noise: np.ndarray, residual: np.ndarray, *, is_group: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(lower Cholesky factor L, whitened residual L^-1 r) of the known periods."""
    length = len(residual)
    seen = frame.covariance(setting, is_group=is_group)[:length, :length]
    lower = cholesky(seen + np.diag(setting[2] + noise), lower=True, check_finite=False)
    return lower, solve_triangular(lower, residual, lower=True, check_finite=False)


def _record(fit: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Log marginal likelihood of the first t periods, for t = 0..T, up to a constant."""
    lower, whitened = fit
    # Row t of L^-1 r is period t's standardised one-step error, log L_tt its log deviation.
    return np.concatenate([[0.0], np.cumsum(-0.5 * whitened**2 - np.log(np.diag(lower)))])


def _solve(fit: tuple[np.ndarray, np.ndarray], known: int) -> np.ndarray:
    """K^-1 r of the first `known` periods."""
    lower, whitened = fit
    return solve_triangular(
        # The Cholesky factor of a leading block is the leading block of the factor.
        lower[:known, :known],
        whitened[:known],
        lower=True,
        trans=1,
        check_finite=False,
    )


def _measured(
    units: np.ndarray, exposure: np.ndarray, base: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(log factor, its sampling variance) of each period, beyond a log factor `base` already explained."""
    factor = np.exp(base)
    # Ratio estimate of the period's factor, a series weighted by rate / variance of its count.
    rate = units.sum(axis=1, dtype=float) / np.maximum(exposure @ factor, 1e-9)
    weight = 1.0 / (1.0 + ITEM_DISPERSION * rate)
    sold = weight @ units
    usual = ((weight * rate) @ exposure) * factor
    raw = np.where(usual > 0, sold / np.maximum(usual, 1e-12), 1.0)
    scatter = ((weight**2 * (rate + ITEM_DISPERSION * rate**2)) @ exposure) * factor
    variance = scatter / np.maximum(usual, 1e-12) ** 2 / np.maximum(raw, 0.2)
    return (
        np.log(np.clip(raw, np.exp(LOWEST), np.exp(HIGHEST))),
        np.where(usual > 0, np.minimum(variance, 4.0), 1e4),
    )
