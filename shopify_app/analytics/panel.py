"""A long history becomes arrays: one row a series, one column a period.

In:  a frame `series_id, period (start, datetime64), units` and optional columns.
Out: a `Panel`. Periods in which a series could not be bought have exposure 0 and say nothing.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd

STEP: Final = {"D": np.timedelta64(1, "D"), "W": np.timedelta64(7, "D")}


@dataclass(frozen=True, slots=True)
class Panel:
    """Histories side by side.

    `units` and `exposure` have shape (n_series, n_periods); `periods` are starts, oldest first;
    `groups` is an integer code per series, all 0 where the history names no group, and `group_names`
    what they stand for; `promoted` is the share of each period on promotion, None where the history
    does not tell.
    """

    series_ids: np.ndarray
    periods: np.ndarray
    units: np.ndarray
    exposure: np.ndarray
    groups: np.ndarray
    promoted: np.ndarray | None = None
    group_names: np.ndarray = field(default_factory=lambda: np.array([""]))

    def of(self, series: np.ndarray) -> "Panel":
        """The panel of some series."""
        return replace(
            self,
            series_ids=self.series_ids[series],
            units=self.units[series],
            exposure=self.exposure[series],
            groups=self.groups[series],
            promoted=None if self.promoted is None else self.promoted[series],
        )


def as_panel(history: pd.DataFrame, *, period: str, as_of: object | None = None) -> Panel:
    """Line a history up. Periods without a row hold zero units; before a series' first row it did not exist.

    Raises
    ------
    ValueError
        If columns are missing, units are negative or NaN, shares are outside 0..1, a period stands
        twice, or `period` is unknown.
    """
    _check(history, period)
    if as_of is not None:
        history = history[history["period"] < pd.Timestamp(str(as_of))]
    if history.empty:
        empty = np.zeros((0, 0))
        return Panel(np.array([]), np.array([], "datetime64[s]"), empty, empty, np.array([], int))
    series, ids = pd.factorize(history["series_id"], sort=True)
    starts = history["period"].to_numpy("datetime64[s]")
    column, periods = _columns(starts, period)
    units = np.zeros((len(ids), len(periods)))
    exposure = np.ones_like(units)
    units[series, column] = history["units"].to_numpy(float)
    if "in_stock" in history:
        exposure[series, column] = history["in_stock"].to_numpy(float)
    first = np.full(len(ids), len(periods))
    np.minimum.at(first, series, column)
    exposure[np.arange(len(periods))[None, :] < first[:, None]] = 0.0
    groups, names = np.zeros(len(ids), int), np.array([""])
    if "group" in history:
        codes, found = pd.factorize(history["group"], sort=True)
        groups[series], names = codes, np.asarray(found).astype(str)
    promoted = None
    if "on_promotion" in history:
        promoted = np.zeros(units.shape, np.float32)
        promoted[series, column] = history["on_promotion"].to_numpy(float)
    return Panel(np.asarray(ids), periods, units, exposure, groups, promoted, names)


def _columns(starts: np.ndarray, period: str) -> tuple[np.ndarray, np.ndarray]:
    """(column of each row, starts of all columns)."""
    if period == "M":
        months = starts.astype("datetime64[M]").astype(int)
        column = months - months.min()
        return column, np.arange(months.min(), months.max() + 1).astype("datetime64[M]").astype(
            "datetime64[s]"
        )
    step = STEP[period]
    column = ((starts - starts.min()) / step).astype(int)
    return column, starts.min() + np.arange(column.max() + 1) * step.astype("timedelta64[s]")


def _check(history: pd.DataFrame, period: str) -> None:
    if period not in (*STEP, "M"):
        raise ValueError(f"period must be D, W or M, got {period!r}")
    if missing := {"series_id", "period", "units"} - set(history.columns):
        raise ValueError(f"history lacks {sorted(missing)}")
    units = history["units"].to_numpy(float)
    if not np.isfinite(units).all() or (units < 0).any():
        raise ValueError("units must be finite and >= 0")
    if "in_stock" in history:
        share = history["in_stock"].to_numpy(float)
        if not ((share >= 0) & (share <= 1)).all():
            raise ValueError("in_stock must be a share, 0..1")
    if history.duplicated(["series_id", "period"]).any():
        raise ValueError("a series has a period twice")
