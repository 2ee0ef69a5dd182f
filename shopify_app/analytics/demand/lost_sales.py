"""Lost sales: units of demand that met an empty shelf, as a range.

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
"""Pseudo-count, in periods, of the shop's dispersion beside a series' own."""

COLUMNS: Final = ("series_id", "lost", "low", "high")
"""Columns of the frame that comes back."""


def lost_demand(
    history: pd.DataFrame, *, period: str = "W", periods: int = 26, as_of: object | None = None
) -> pd.DataFrame:
    """Units of demand lost to stock-outs in the newest periods, with their 80 % range.

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

    Examples
    --------
    "b" sold five a week and was out of stock in the last two: ten are lost, 6 to 15 at 80 %.

    >>> weeks = np.datetime64("2026-01-05", "s") + np.arange(9) * np.timedelta64(7, "D")
    >>> history = pd.DataFrame({"series_id": np.repeat(["a", "b", "c"], 9), "in_stock": 1.0})
    >>> history["period"], history["units"] = np.tile(weeks, 3), np.repeat([2.0, 5.0, 9.0], 9)
    >>> history.loc[[16, 17], ["units", "in_stock"]] = 0.0
    >>> lost = lost_demand(history)
    >>> lost.round().values.tolist()
    [['b', 10.0, 6.0, 15.0]]
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
    # Gamma posterior of the rate: shape a + sum y, rate b + sum exposure.
    shape = prior[:, 0] + sold.sum(axis=1)
    rate = shape / (prior[:, 1] + time.sum(axis=1))
    spread = _dispersion(sold, time, rate)
    lost = rate * short.sum(axis=1)
    # The level is uncertain as a whole; single periods scatter around it and average out.
    # Effective number of short periods (sum e)^2 / sum e^2; likewise below: K of the loss is the
    # rate's
    # 1 / a, plus K over the periods that showed it, plus K over the periods that lost.
    many = short.sum(axis=1) ** 2 / np.maximum((short**2).sum(axis=1), 1e-9)
    seen = np.maximum((time > 0).sum(axis=1), 1)
    total_spread = 1 / shape + spread / seen + spread / np.maximum(many, 1.0)
    rows = lost > 0
    low, high = (nb.quantile(level, lost[rows], total_spread[rows]) for level in (0.1, 0.9))
    return pd.DataFrame(
        {"series_id": panel.series_ids[rows], "lost": lost[rows], "low": low, "high": high}
    )


def _dispersion(sold: np.ndarray, time: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """K of a single period's demand (n,), a series' own shrunk toward the shop's."""
    mean = rate[:, None] * time
    excess = ((sold - mean) ** 2 - mean).sum(axis=1)
    squares = (mean**2).sum(axis=1)
    # Method of moments: sum of (y - M)^2 - M over sum of M^2, each series scaled by its own mean.
    weight = 1 / np.maximum(mean.mean(axis=1), 0.05) ** 2
    pooled = np.clip((weight * excess).sum() / max((weight * squares).sum(), 1e-9), 0.0, 5.0)
    own = np.clip(excess / np.maximum(squares, 1e-9), 0.0, 10.0)
    count = (time > 0).sum(axis=1)
    share = count / (count + SHRINK) * np.clip(rate, 0.0, 1.0)
    return share * own + (1 - share) * pooled
