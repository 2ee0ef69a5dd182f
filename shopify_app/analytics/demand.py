"""Forecasts of demand, not of sales: an empirical-Bayes bank of gamma-Poisson discount filters.

In:  a long history (`forecast_demand`).
Out: a `DemandForecast`: a negative binomial for the total of any run of coming periods.
Method: each series is followed by 18 filters that differ in how fast they forget and how readily
they take a product for dead; a period counts by the share of it in which the product could be
bought (a stock-out is censored, not a zero). The filters are averaged by how well they foresaw the
series' own past; rates start from the shop's (or group's) own prior; the dispersion of totals is
learned from rolling forecasts and shrunk per series.
Source: Harvey & Fernandes (1989), "Time series models for count or qualitative observations",
JBES 7, 407-417; West & Harrison, *Bayesian Forecasting and Dynamic Models* (1997), ch. 14.
Weak: no season is fitted (a single shop's two years do not carry one), so a product that sells
only at Christmas is foreseen at its recent rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics import negative_binomial as nb
from shopify_app.analytics.panel import Panel, as_panel

FORGETTING: Final = (0.5, 0.7, 0.85, 0.92, 0.96, 0.99)
"""Weight of a period against the one after it."""

DEATH_HAZARDS: Final = (0.0, 0.01, 0.04)
"""Chance a period that a product stops selling for good."""

PRIOR_FOR_GOOD: Final = 0.1
"""Share of the group's prior that a series never forgets; the rest fades as its own history grows."""

REVIVAL: Final = 0.02
SCORE_MEMORY: Final = 0.99
SHRINK_PERIODS: Final = 8.0
"""A series' own dispersion counts fully only after many times this number of windows."""

LEAST_EXPOSURE: Final = 0.05
"""Below this share in stock a period says nothing."""

CHUNK: Final = 5_000
SPANS: Final = (1, 2, 4, 8)
"""Numbers of periods for whose totals a dispersion is learned; between them it is interpolated."""

CLASSES: Final = np.array([0.0, 0.1, 0.5, 2.0, 10.0, np.inf])
"""Edges of the rate classes that share a dispersion, units a period."""


@dataclass(frozen=True, slots=True)
class DemandForecast:
    """Demand of each series in the coming periods, were it in stock throughout.

    Attributes
    ----------
    series_ids : array (n,)
    mean : array (n, horizon)
        Expected units in each coming period.
    dispersion : array (n, len(SPANS))
        K of totals over `SPANS` periods.
    alive : array (n,)
        Probability that the series still sells at all.
    """

    series_ids: np.ndarray
    mean: np.ndarray
    dispersion: np.ndarray
    alive: np.ndarray

    def total(self, *, first: int = 1, last: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(mean, dispersion) of the total over periods first..last, counted from 1.

        Raises
        ------
        ValueError
            If the run is empty or leaves the horizon.
        """
        last = int(self.mean.shape[1] if last is None else last)
        if not 1 <= first <= last <= self.mean.shape[1]:
            raise ValueError(f"periods {first}..{last} are not within 1..{self.mean.shape[1]}")
        span = np.log(min(last - first + 1, SPANS[-1]))
        position = np.interp(span, np.log(SPANS), np.arange(len(SPANS)))
        low, share = int(position), position - int(position)
        high = min(low + 1, len(SPANS) - 1)
        dispersion = (1 - share) * self.dispersion[:, low] + share * self.dispersion[:, high]
        return self.mean[:, first - 1 : last].sum(axis=1), dispersion

    def quantile(
        self, levels: Sequence[float], *, first: int = 1, last: int | None = None
    ) -> np.ndarray:
        """Quantiles (n, k) of the total over periods first..last."""
        mean, dispersion = self.total(first=first, last=last)
        return nb.quantile(np.asarray(levels, float)[None, :], mean[:, None], dispersion[:, None])

    def period_quantile(self, levels: Sequence[float]) -> np.ndarray:
        """Quantiles (n, horizon, k) of each coming period."""
        levels_ = np.asarray(levels, float)[None, None, :]
        return nb.quantile(levels_, self.mean[:, :, None], self.dispersion[:, :1, None])

    def cdf(self, units: np.ndarray, *, first: int = 1, last: int | None = None) -> np.ndarray:
        """P(total over periods first..last <= units), shape (n,)."""
        mean, dispersion = self.total(first=first, last=last)
        return nb.cdf(units, mean, dispersion)


def forecast_demand(
    history: pd.DataFrame,
    *,
    horizon: int,
    period: str = "W",
    as_of: object | None = None,
    events: pd.DataFrame | None = None,
    seed: int = 0,
) -> DemandForecast:
    """Forecast every series of a history.

    Parameters
    ----------
    history : DataFrame
        `series_id, period (start, datetime64), units` and optional `in_stock` (share of the period in
        which it could be bought), `group` (whose series share a prior).
    horizon : int
        Coming periods, >= 1.
    period : {"D", "W", "M"}
    as_of : date, optional
        Periods that start on or after it are not looked at.
    events : DataFrame, optional
        `period, factor`: known multipliers of everybody's demand, past or coming.
    seed : int
        Kept for callers that record it; the method draws nothing.

    Raises
    ------
    ValueError
        For a history that cannot be one (`panel.as_panel`), or a horizon below 1.
    """
    del seed
    if horizon < 1:
        raise ValueError(f"horizon must be >= 1, got {horizon}")
    panel = as_panel(history, period=period, as_of=as_of)
    past, coming = _event_factors(panel, events, period, horizon)
    chunks = [
        _forecast(panel.units[part], panel.exposure[part] * past[None, :], prior)
        for part, prior in _parts(panel, past)
    ]
    if not chunks:
        return DemandForecast(
            panel.series_ids, np.zeros((0, horizon)), np.zeros((0, len(SPANS))), np.zeros(0)
        )
    rate, alive, residuals = (np.concatenate(pieces) for pieces in zip(*chunks, strict=True))
    dispersion = _dispersion(rate, residuals)
    return DemandForecast(panel.series_ids, rate[:, None] * coming[None, :], dispersion, alive)


def _parts(panel: Panel, past: np.ndarray) -> list[tuple[slice, np.ndarray]]:
    """Slices of series, each with its prior (shape, rate) per series."""
    prior = _group_priors(panel.units, panel.exposure * past[None, :], panel.groups)
    return [
        (slice(at, at + CHUNK), prior[at : at + CHUNK])
        for at in range(0, len(panel.series_ids), CHUNK)
    ]


def _event_factors(
    panel: Panel, events: pd.DataFrame | None, period: str, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers of the past periods and of the coming ones."""
    past, coming = np.ones(len(panel.periods)), np.ones(horizon)
    if events is None or events.empty or not len(panel.periods):
        return past, coming
    days = {"D": 1, "W": 7, "M": 30}[period]
    offset = (
        (
            (events["period"].to_numpy("datetime64[s]") - panel.periods[0])
            / np.timedelta64(days, "D")
        )
        .round()
        .astype(int)
    )
    for at, factor in zip(offset, events["factor"].to_numpy(float), strict=True):
        if 0 <= at < len(past):
            past[at] *= factor
        elif len(past) <= at < len(past) + horizon:
            coming[at - len(past)] *= factor
    return past, coming


def _group_priors(units: np.ndarray, exposure: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Gamma (shape, rate) per series by moments over its group, shrunk to the whole shop's."""
    time = exposure.sum(axis=1)
    known = time > 0
    rate = np.where(known, units.sum(axis=1) / np.maximum(time, 1e-9), 0.0)
    whole = _gamma_moments(rate[known], time[known])
    prior = np.tile(whole, (len(units), 1))
    for group in np.unique(groups):
        members = known & (groups == group)
        if members.sum() >= 5:
            own = _gamma_moments(rate[members], time[members])
            share = members.sum() / (members.sum() + 20.0)
            prior[groups == group] = share * own + (1 - share) * whole
    return prior


def _gamma_moments(rate: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Shape and rate of a gamma that the series' rates could be draws of."""
    if not len(rate):
        return np.array([0.5, 0.5])
    mean = max(float(rate.mean()), 1e-4)
    noise = float((rate / time).mean())
    variance = max(float(rate.var()) - noise, 0.05 * mean**2)
    shape = float(np.clip(mean**2 / variance, 0.1, 10.0))
    return np.array([shape, shape / mean])


def _forecast(
    units: np.ndarray, exposure: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rate (n,), alive (n,), dispersion statistics (n, spans, 2)) of some series."""
    exposure = np.where(exposure < LEAST_EXPOSURE, 0.0, exposure)
    models = [(forget, hazard) for forget in FORGETTING for hazard in DEATH_HAZARDS]
    rates = np.empty((len(models), *units.shape), np.float32)
    final = np.empty((2, len(models), len(units)))
    scores = np.empty((len(models), len(units)))
    for number, (forget, hazard) in enumerate(models):
        rates[number], final[0, number], final[1, number], scores[number] = _filter(
            units, exposure, prior, forget, hazard
        )
    weights = _weights(scores, units, exposure)
    rate = (weights * final[0] * final[1]).sum(axis=0)
    alive = (weights * final[1]).sum(axis=0)
    foreseen = np.einsum("mn,mnt->nt", weights, rates, optimize=True)
    return rate, alive, _residual_moments(units, exposure, foreseen)


def _filter(
    units: np.ndarray, exposure: np.ndarray, prior: np.ndarray, forget: float, hazard: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One filter over time: (rate before each period (n, T), final rate, final alive, score)."""
    n, length = units.shape
    shape, rate = PRIOR_FOR_GOOD * prior[:, 0], PRIOR_FOR_GOOD * prior[:, 1]
    a, b = prior[:, 0] - shape, prior[:, 1] - rate
    alive, score = np.ones(n), np.zeros(n)
    before = np.empty((n, length), np.float32)
    for t in range(length):
        y, e = units[:, t], exposure[:, t]
        m = (a + shape) / (b + rate)
        before[:, t] = m * alive
        f = np.maximum(m * alive * e, 1e-9)
        seen = e > 0
        score = np.where(seen, SCORE_MEMORY * score + y * np.log(f) - f, score)
        size = a + shape
        silent = (1 + e / (b + rate)) ** -size
        alive = np.minimum(alive, 1.0)  # rounding above 1 would grow without bound
        still = np.where(y > 0, 1.0, alive * silent / np.maximum(alive * silent + 1 - alive, 1e-12))
        alive = np.where(seen, still * (1 - hazard) + (1 - still) * REVIVAL, alive)
        a = np.where(seen, forget * a + y, a)
        b = np.where(seen, forget * b + e * np.maximum(alive, 0.05), b)
    return before, (a + shape) / (b + rate), alive, score


def _weights(scores: np.ndarray, units: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """How much each filter counts for each series: its score, tempered by how erratic the series is."""
    time = np.maximum((exposure > 0).sum(axis=1), 1)
    mean = np.maximum(units.sum(axis=1) / time, 1e-3)
    steps = np.diff(units, axis=1) * (exposure[:, 1:] > 0) * (exposure[:, :-1] > 0)
    noise = (steps**2).sum(axis=1) / (
        2 * np.maximum(time - 1, 1)
    )  # of steps, so that a change of level is no noise
    erratic = np.maximum(noise / mean, 1.0)
    tempered = scores / erratic[None, :]
    weights = np.exp(tempered - tempered.max(axis=0))
    return weights / weights.sum(axis=0)


def _residual_moments(units: np.ndarray, exposure: np.ndarray, foreseen: np.ndarray) -> np.ndarray:
    """Sums of (S - M)^2 - M and of M^2 over rolling totals, per series and span (n, spans, 2)."""
    n, length = units.shape
    found = np.zeros((n, len(SPANS), 2))
    warm = min(8, length // 3)
    for number, span in enumerate(SPANS):
        for start in range(max(warm, 1), length - span + 1, max(span // 2, 1)):
            window = exposure[:, start : start + span]
            m = foreseen[:, start].astype(float) * window.sum(axis=1)
            s = (units[:, start : start + span] * (window > 0)).sum(axis=1)
            seen = window.sum(axis=1) >= 0.75 * span
            found[:, number, 0] += np.where(seen, (s - m) ** 2 - m, 0.0)
            found[:, number, 1] += np.where(seen, m**2, 0.0)
    return found


def _dispersion(rate: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """K per series and span: the class's own, moved toward the series' own by how much it has shown."""
    classes = np.clip(np.digitize(rate, CLASSES[1:-1]), 0, len(CLASSES) - 2)
    result = np.empty(residuals.shape[:2])
    for number in range(len(SPANS)):
        excess, squares = residuals[:, number, 0], residuals[:, number, 1]
        pooled = np.array(
            [
                _ratio(
                    excess[classes == c].sum(),
                    squares[classes == c].sum(),
                    excess.sum(),
                    squares.sum(),
                )
                for c in range(len(CLASSES) - 1)
            ]
        )[classes]
        evidence = squares / np.maximum(rate * SPANS[number], 1e-6) ** 2
        share = evidence / (evidence + SHRINK_PERIODS)
        own = np.clip(excess / np.maximum(squares, 1e-9), 0.0, 25.0)
        result[:, number] = np.clip(share * own + (1 - share) * pooled, 0.01, 25.0)
    return result


def _ratio(excess: float, squares: float, all_excess: float, all_squares: float) -> float:
    """A class's dispersion; the whole shop's where the class has shown too little."""
    if squares < 1.0:
        excess, squares = all_excess, max(all_squares, 1.0)
    return float(np.clip(excess / squares, 0.02, 25.0))
