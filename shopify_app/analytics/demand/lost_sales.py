"""What could not be sold because it was out of stock: units, as a range.

In:  a long history with `in_stock`. Out: a frame, one row a series that was ever short.
Method: a series' rate over its newest periods is gamma-Poisson, counted only while it could be
bought and against what the whole shop did; the periods (and parts of periods) in which it could not
hold a negative binomial number of units of demand, whose dispersion is the series' own.
Source: Nahmias (1994), "Demand estimation in lost sales inventory systems", Naval Research
Logistics 41, 739-757; Conrad (1976), "Sales data and the estimation of demand", Operational Research
Quarterly 27, 123-127.
Weak: shoppers who took another product instead are counted as lost.
"""

from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics import negative_binomial as nb
from shopify_app.analytics.demand.common_factor import common_factor
from shopify_app.analytics.demand.rate_priors import group_priors
from shopify_app.analytics.panel import as_panel

SHRINK: Final = 8.0
"""Periods that a series needs for its own dispersion to count as much as its shop's."""

COLUMNS: Final = ("series_id", "lost", "low", "high")


def lost_demand(
    history: pd.DataFrame, *, period: str = "W", periods: int = 26, as_of: object | None = None
) -> pd.DataFrame:
    """Units of demand lost to stock-outs in the newest periods.

    Parameters
    ----------
    history : DataFrame
        As of `demand.forecast_demand`, with `in_stock`.
    periods : int
        Newest periods looked at, >= 1.

    Returns
    -------
    DataFrame `series_id, lost` (expected units), `low, high` (80 %); series never short are left out.

    Raises
    ------
    ValueError
        For a history that cannot be one, without `in_stock`, or `periods` below 1.
    """
    if periods < 1 or "in_stock" not in history:
        raise ValueError("periods must be >= 1 and the history must hold in_stock")
    panel = as_panel(history, period=period, as_of=as_of)
    if not len(panel.series_ids):
        return pd.DataFrame({name: [] for name in COLUMNS})
    units = np.where(panel.exposure > 0, panel.units, 0.0)
    common = common_factor(
        units,
        panel.exposure,
        panel.groups,
        panel.periods.astype("datetime64[D]"),
        period=period,
        moments=np.array([0]),
    )
    factor = common.past[panel.groups]
    existed = np.cumsum(panel.exposure, axis=1) > 0
    newest = slice(-periods, None)
    time = (panel.exposure * factor)[:, newest]
    short = ((1 - panel.exposure) * existed * factor)[:, newest]
    sold = units[:, newest]
    prior = group_priors(sold.sum(axis=1), time.sum(axis=1), panel.groups)
    shape = prior[:, 0] + sold.sum(axis=1)
    rate = shape / (prior[:, 1] + time.sum(axis=1))
    spread = _dispersion(sold, time, rate)
    lost = rate * short.sum(axis=1)
    # The level is uncertain as a whole; single periods scatter around it and average out.
    many = short.sum(axis=1) ** 2 / np.maximum((short**2).sum(axis=1), 1e-9)
    seen = np.maximum((time > 0).sum(axis=1), 1)
    total_spread = 1 / shape + spread / seen + spread / np.maximum(many, 1.0)
    rows = lost > 0
    low, high = (nb.quantile(level, lost[rows], total_spread[rows]) for level in (0.1, 0.9))
    return pd.DataFrame(
        {"series_id": panel.series_ids[rows], "lost": lost[rows], "low": low, "high": high}
    )


def _dispersion(sold: np.ndarray, time: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """K of a single period's demand, moved from the shop's toward each series' own (n,)."""
    mean = rate[:, None] * time
    excess = ((sold - mean) ** 2 - mean).sum(axis=1)
    squares = (mean**2).sum(axis=1)
    weight = 1 / np.maximum(mean.mean(axis=1), 0.05) ** 2
    pooled = np.clip((weight * excess).sum() / max((weight * squares).sum(), 1e-9), 0.0, 5.0)
    own = np.clip(excess / np.maximum(squares, 1e-9), 0.0, 10.0)
    count = (time > 0).sum(axis=1)
    share = count / (count + SHRINK) * np.clip(rate, 0.0, 1.0)
    return share * own + (1 - share) * pooled
