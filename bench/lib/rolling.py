"""Rolling origins over a set: what is known at each, and what then came.

An origin is a number of periods known. Four origins are judged, a horizon apart; two earlier ones
serve the peers' bands to learn from. A window is judged where the series had sold before, its scale
is known, and it could be bought throughout (what was out of stock is not known to be right).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bench.lib.data import DataSet
from bench.lib.scores import naive_scale
from shopify_app.analytics.panel import Panel, as_panel

HORIZON: Final = 4
JUDGED: Final = 4
LEARNED: Final = 2
LEAST_KNOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Origin:
    """One moment: `known` periods are seen; `rows` of the panel are judged on `actual` totals (n,)."""

    known: int
    is_judged: bool
    rows: np.ndarray
    actual: np.ndarray
    scale: np.ndarray


def sample(data: DataSet, most: int, seed: int) -> DataSet:
    """At most so many series of a set, drawn by chance."""
    ids = np.sort(data.history["series_id"].unique().astype(str))
    if len(ids) <= most:
        return data
    kept = set(np.random.default_rng(seed).choice(ids, most, replace=False))
    history = data.history[data.history["series_id"].astype(str).isin(kept)]
    return DataSet(data.name, history.reset_index(drop=True), data.period)


def origins(panel: Panel) -> Iterator[Origin]:
    """Oldest first; the last ends with the panel."""
    length = panel.units.shape[1]
    for back in range(JUDGED + LEARNED, 0, -1):
        known = length - HORIZON * back
        if known < LEAST_KNOWN:
            continue
        past, coming = slice(0, known), slice(known, known + HORIZON)
        scale = naive_scale(panel.units[:, past], panel.exposure[:, past])
        seen = (panel.units[:, past] > 0).any(axis=1)
        buyable = panel.exposure[:, coming].min(axis=1) > 0.99
        rows = np.flatnonzero(seen & buyable & np.isfinite(scale))
        yield Origin(
            known,
            back <= JUDGED,
            rows,
            panel.units[rows, coming].sum(axis=1),
            scale[rows] * HORIZON,
        )


def known_history(data: DataSet, panel: Panel, known: int) -> pd.DataFrame:
    """The rows of a history that were known at an origin, the quiet end included."""
    history = data.history[data.history["period"] < pd.Timestamp(panel.periods[known])]
    last = pd.Timestamp(panel.periods[known - 1])
    newest = history.groupby("series_id")["period"].max()
    quiet = newest.index[newest < last]
    if not len(quiet):
        return history
    ends = history.drop_duplicates("series_id").set_index("series_id").loc[quiet].reset_index()
    ends["period"], ends["units"] = last, 0.0
    if "in_stock" in ends:
        ends["in_stock"] = 1.0
    if "on_promotion" in ends:
        ends["on_promotion"] = 0.0
    return pd.concat([history, ends], ignore_index=True)


def period_panel(data: DataSet) -> Panel:
    """The whole set as a panel."""
    return as_panel(data.history, period=data.period)
