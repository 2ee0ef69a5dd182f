"""A long history becomes arrays: one row a series, one column a period.

In:  a frame `series_id, period (start, datetime64), units` and optional columns.
Out: a `Panel`: units and exposure, where exposure is the share of a period in which the series could
     be bought, as in a Poisson regression. A period of exposure 0 is censored: it says nothing.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd

STEP: Final = {"D": np.timedelta64(1, "D"), "W": np.timedelta64(7, "D")}
"""Length of a day and of a week; months are counted by the calendar."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Histories side by side, one row a series, one column a period.

    Attributes
    ----------
    series_ids : array (n,)
    periods : array (T,) of datetime64[s], starts, oldest first
    units : array (n, T), units sold
    exposure : array (n, T), share of the period in stock, 0..1; 0 before a series' first row
    groups : array (n,) of int, codes; all 0 where the history names no group
    promoted : array (n, T), share of the period on promotion; None where the history has no such column
    group_names : array (groups,), names of the codes
    """

    series_ids: np.ndarray
    periods: np.ndarray
    units: np.ndarray
    exposure: np.ndarray
    groups: np.ndarray
    promoted: np.ndarray | None = None
    group_names: np.ndarray = field(default_factory=lambda: np.array([""]))

    def of(self, series: np.ndarray) -> "Panel":
        """The panel of the chosen series."""
        return replace(
            self,
            series_ids=self.series_ids[series],
            units=self.units[series],
            exposure=self.exposure[series],
            groups=self.groups[series],
            promoted=None if self.promoted is None else self.promoted[series],
        )


def as_panel(history: pd.DataFrame, *, period: str, as_of: object | None = None) -> Panel:
    """The `Panel` of a history: a period without a row holds zero units; before its first row a series did not exist.

    Raises
    ------
    ValueError
        If columns are missing, units are negative or NaN, shares are outside 0..1, a period stands
        twice, or `period` is unknown.

    Examples
    --------
    Two products over three weeks; "b" is new in the second, and sold nothing in the third:

    >>> weeks = np.array(["2026-01-05", "2026-01-12", "2026-01-19"], "datetime64[s]")
    >>> history = pd.DataFrame(
    ...     {"series_id": ["a", "a", "b"], "period": weeks[[0, 2, 1]], "units": [3, 5, 2]}
    ... )
    >>> panel = as_panel(history, period="W")
    >>> panel.units.tolist()
    [[3.0, 0.0, 5.0], [0.0, 2.0, 0.0]]
    >>> panel.exposure.tolist()
    [[1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
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
    # A series begins with its first row: earlier columns are no zeros but nothing (exposure 0).
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
    """(column of each row, starts of all columns), without gaps between the first and the last period."""
    if period == "M":
        # Months are counted by the calendar, for they have no common length.
        months = starts.astype("datetime64[M]").astype(int)
        column = months - months.min()
        return column, np.arange(months.min(), months.max() + 1).astype("datetime64[M]").astype(
            "datetime64[s]"
        )
    step = STEP[period]
    column = ((starts - starts.min()) / step).astype(int)
    return column, starts.min() + np.arange(column.max() + 1) * step.astype("timedelta64[s]")


def _check(history: pd.DataFrame, period: str) -> None:
    """Nothing; raises `ValueError` for a history that cannot be one."""
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
