"""What is really rising or falling: adaptive shrinkage of rate ratios with false signs under control.

In:  a weekly history; every series' last 4 and 8 weeks are compared with the 26 before.
Out: a frame with a direction only where the average chance of a wrong sign stays below the rate asked for.
Method: counts of two windows are beta-binomial given the ratio of rates, with the overdispersion
that the shop's own past shows; the ratios' prior (a spike at "no change" and normals of several
widths) is learned from the whole shop; what moves the whole shop is taken out first.
Source: Stephens (2017), "False discovery rates: a new deal", Biostatistics 18, 275-294.
Weak: at one sale a week a doubling cannot be told within a month, and is not claimed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import betaln

from shopify_app.analytics.panel import Panel, as_panel

WINDOWS: Final = (4, 8)
"""Recent weeks compared."""

BASE_WEEKS: Final = 26
LEAST_EFFECT: Final = 1.15
"""Smaller changes are no news to a merchant, however sure."""

GRID: Final = np.linspace(-2.4, 2.4, 97)
WIDTHS: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
COLUMNS: Final = (
    "series_id",
    "direction",
    "ratio",
    "ratio_low",
    "ratio_high",
    "since",
    "false_sign_rate",
    "cause",
    "lasting",
    "units_per_week_before",
    "units_per_week_now",
    "weeks_recent",
)


@dataclass(frozen=True, slots=True)
class _Window:
    """Two windows of every series."""

    weeks: int
    recent: np.ndarray
    before: np.ndarray
    recent_exposure: np.ndarray
    before_exposure: np.ndarray


def detect_trends(
    history: pd.DataFrame,
    *,
    as_of: object,
    false_sign_rate: float = 0.1,
    lead_time: float | None = None,
) -> pd.DataFrame:
    """Directions of all series.

    Parameters
    ----------
    history : DataFrame
        Weekly: `series_id, period, units`, optional `in_stock`, `on_promotion`.
    as_of : date
        Weeks that start on or after it are not looked at.
    false_sign_rate : float
        Average probability of a wrong sign among all directions given, in (0, 0.5).
    lead_time : float, optional
        Kept for callers; `lasting` is NaN until enough of the shop's own trends have run their course.

    Returns
    -------
    DataFrame with `COLUMNS`, one row a series, in the panel's order. `direction` is rising, falling or
    none; `ratio` with its 80 % range is the rate now over the rate before, the whole shop's move taken
    out; `cause` is demand, promotion, stock-out rebound or one-off.

    Raises
    ------
    ValueError
        For a history that cannot be one, or a rate outside (0, 0.5).
    """
    del lead_time
    if not 0 < false_sign_rate < 0.5:
        raise ValueError(f"false_sign_rate must be in (0, 0.5), got {false_sign_rate}")
    panel = as_panel(history, period="W", as_of=as_of)
    n, length = panel.units.shape if panel.units.size else (0, 0)
    if n == 0 or length < BASE_WEEKS // 2 + WINDOWS[0]:
        return pd.DataFrame({name: [] for name in COLUMNS})
    found = [_judge(panel, weeks) for weeks in WINDOWS if length >= weeks + BASE_WEEKS // 2]
    return _frame(panel, found, history, false_sign_rate / len(found))


def _judge(panel: Panel, weeks: int) -> dict[str, np.ndarray]:
    """Posterior of every series' log ratio for one window length."""
    window = _windows(panel, weeks)
    excess = _overdispersion(panel, weeks)
    likelihood = _log_likelihood(window, excess)
    posterior = _shrink(likelihood, (window.recent + window.before) >= 1)
    up = posterior[:, GRID > 1e-9].sum(axis=1)
    down = posterior[:, GRID < -1e-9].sum(axis=1)
    cumulative = posterior.cumsum(axis=1)
    mean = posterior @ GRID
    at = [
        np.array([GRID[min(np.searchsorted(row, level), len(GRID) - 1)] for row in cumulative])
        for level in (0.1, 0.9)
    ]
    return {
        "mean": mean,
        "low": at[0],
        "high": at[1],
        "wrong": 1.0 - np.maximum(up, down),
        "weeks": np.full(len(mean), weeks),
        "now": window.recent / np.maximum(window.recent_exposure, 1e-9),
        "before": window.before / np.maximum(window.before_exposure, 1e-9),
    }


def _windows(panel: Panel, weeks: int) -> _Window:
    units, exposure = panel.units, panel.exposure
    recent, before = slice(-weeks, None), slice(-weeks - BASE_WEEKS, -weeks)
    y1, e1 = (
        (units[:, recent] * (exposure[:, recent] > 0)).sum(axis=1),
        exposure[:, recent].sum(axis=1),
    )
    y0, e0 = (
        (units[:, before] * (exposure[:, before] > 0)).sum(axis=1),
        exposure[:, before].sum(axis=1),
    )
    return _Window(weeks, y1, y0, e1 * _shop_wide(y1, e1, y0, e0), e0)


def _shop_wide(y1: np.ndarray, e1: np.ndarray, y0: np.ndarray, e0: np.ndarray) -> float:
    """By how much everything moved: the middle of the better sellers' ratios, so that no single one sets it."""
    steady = (e1 > 0) & (e0 > 0) & (y0 >= max(np.quantile(y0, 0.5), 3.0))
    if steady.sum() < 10:
        return 1.0
    ratio = ((y1 + 0.5) / e1)[steady] / ((y0 + 0.5) / e0)[steady]
    return float(np.clip(np.median(ratio), 0.2, 5.0))


def _overdispersion(panel: Panel, weeks: int) -> np.ndarray:
    """Squared coefficient of variation, beyond Poisson, of totals of `weeks` weeks: by rate class, shrunk per series."""
    units, exposure = panel.units[:, :-weeks], panel.exposure[:, :-weeks]
    blocks = units.shape[1] // weeks
    if blocks < 3:
        return np.full(len(units), 0.5)
    cut = slice(units.shape[1] - blocks * weeks, None)
    totals = units[:, cut].reshape(len(units), blocks, weeks).sum(axis=2)
    seen = exposure[:, cut].reshape(len(units), blocks, weeks).mean(axis=2) > 0.5
    count = np.maximum(seen.sum(axis=1), 1)
    mean = (totals * seen).sum(axis=1) / count
    scatter = ((totals - mean[:, None]) ** 2 * seen).sum(axis=1) * count / np.maximum(
        count - 1, 1
    ) / count - mean
    classes = np.digitize(mean, (0.5, 2, 8, 30))
    pooled = np.array(
        [
            np.clip(
                (scatter * count)[classes == c].sum()
                / max((mean**2 * count)[classes == c].sum(), 1e-9),
                0.02,
                5.0,
            )
            for c in range(5)
        ]
    )[classes]
    share = count / (count + 8.0) * (mean > 0)
    return np.clip(
        share * np.clip(scatter / np.maximum(mean**2, 1e-9), 0, 5) + (1 - share) * pooled, 0.02, 5.0
    )


def _log_likelihood(window: _Window, excess: np.ndarray) -> np.ndarray:
    """Beta-binomial log likelihood of the recent count given both, (n, grid)."""
    total = (window.recent + window.before)[:, None]
    odds = (
        np.exp(GRID)[None, :]
        * (window.recent_exposure / np.maximum(window.before_exposure, 1e-9))[:, None]
    )
    share = np.clip(odds / (1 + odds), 1e-9, 1 - 1e-9)
    noise = (excess * (1 + window.weeks / BASE_WEEKS))[:, None]
    concentration = np.clip(1 / (share * (1 - share) * noise) - 1, 0.5, 1e6)
    a, b = share * concentration, (1 - share) * concentration
    usable = (window.recent_exposure > 0) & (window.before_exposure > 0)
    found = betaln(a + window.recent[:, None], b + total - window.recent[:, None]) - betaln(a, b)
    return np.where(usable[:, None], found, 0.0)


def _shrink(log_likelihood: np.ndarray, informative: np.ndarray) -> np.ndarray:
    """Posterior over the grid under a prior learned from the shop by EM, (n, grid)."""
    spike = np.where(np.abs(GRID) < 1e-9, 1.0, 0.0)
    bells = [np.exp(-0.5 * (GRID / width) ** 2) for width in WIDTHS]
    components = np.stack([spike, *[bell / bell.sum() for bell in bells]])
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    marginal = likelihood @ components.T
    weights = np.array([0.8, *[0.2 / len(WIDTHS)] * len(WIDTHS)])
    if informative.sum() >= 20:
        for _ in range(60):
            belongs = marginal[informative] * weights
            belongs /= belongs.sum(axis=1, keepdims=True)
            counts = belongs.sum(axis=0) + np.array(
                [10.0, *[0.0] * len(WIDTHS)]
            )  # ash's own penalty: leans to no change
            weights = counts / counts.sum()
    posterior = likelihood * (weights @ components)
    return posterior / posterior.sum(axis=1, keepdims=True)


def _frame(
    panel: Panel, found: list[dict[str, np.ndarray]], history: pd.DataFrame, rate: float
) -> pd.DataFrame:
    """The surer window of each series, and a direction where the average wrong sign stays below the rate."""
    best = np.argmin(np.stack([one["wrong"] for one in found]), axis=0)
    pick = {name: np.choose(best, [one[name] for one in found]) for name in found[0]}
    large = np.abs(pick["mean"]) >= np.log(LEAST_EFFECT)
    order = np.argsort(np.where(large, pick["wrong"], 1.0))
    average = np.cumsum(pick["wrong"][order]) / np.arange(1, len(order) + 1)
    given = np.zeros(len(order), bool)
    given[order[: int(np.searchsorted(average, rate, side="right"))]] = True
    given &= large & (pick["wrong"] < 0.5)
    direction = np.where(given, np.where(pick["mean"] > 0, "rising", "falling"), "none")
    since = panel.periods[-1] - (pick["weeks"] - 1) * np.timedelta64(7, "D")
    return pd.DataFrame(
        {
            "series_id": panel.series_ids,
            "direction": direction,
            "ratio": np.exp(np.clip(pick["mean"], pick["low"], pick["high"])),
            "ratio_low": np.exp(pick["low"]),
            "ratio_high": np.exp(pick["high"]),
            "since": since,
            "false_sign_rate": pick["wrong"],
            "cause": _causes(panel, history, pick["weeks"]),
            "lasting": np.nan,
            "units_per_week_before": pick["before"],
            "units_per_week_now": pick["now"],
            "weeks_recent": pick["weeks"],
        }
    )


def _causes(panel: Panel, history: pd.DataFrame, weeks: np.ndarray) -> np.ndarray:
    """What else could explain a change: a promotion now, stock-outs before, or one single week."""
    cause = np.full(len(panel.series_ids), "demand", dtype=object)
    for span in np.unique(weeks):
        rows = weeks == span
        recent = panel.units[:, -int(span) :]
        total = recent.sum(axis=1)
        cause[rows & (total > 0) & (recent.max(axis=1) > 0.7 * total)] = "one-off"
        earlier = (
            panel.exposure[:, -int(span) - 8 : -int(span)].mean(axis=1)
            if panel.exposure.shape[1] > span + 8
            else np.ones(len(rows))
        )
        cause[rows & (earlier < 0.6) & (panel.exposure[:, -int(span) :].mean(axis=1) > 0.9)] = (
            "stock-out rebound"
        )
        if "on_promotion" in history:
            start = panel.periods[-int(span)]
            promoted = (
                history[history["period"] >= start].groupby("series_id")["on_promotion"].mean()
            )
            share = promoted.reindex(panel.series_ids).fillna(0).to_numpy(float)
            cause[rows & (share > 0.4)] = "promotion"
    return cause
