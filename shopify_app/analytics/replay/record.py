"""The record of a shop's past year as arrays: units sold, stock, arrivals.

In:  the history and terms of `replay.replay`. Out: a `Record`.
Method: stock of weeks that no one counted is taken at the cover that the counted weeks show. Where
the shelf is unknown, a run of weeks without a sale that is too rare for the product is presumed a stock-out.
Weak: presumed stock-outs may have been a season; long runs are therefore left alone.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics.panel import as_panel

TERMS: Final = ("series_id", "price", "cost", "lead", "review")
"""Columns that terms must have."""

RARE_RUN: Final = 0.0001
"""Probability below which a run of weeks without a sale is presumed a stock-out."""

LONGEST_RUN: Final = 12
"""Longest such run, in weeks; a longer one is a season or an end."""

USUAL_DISPERSION: Final = 0.3
"""K of a week's demand, assumed when a run of empty weeks is weighed."""

LOCAL_WEEKS: Final = 13
"""Weeks over which a series' local rate is averaged."""


@dataclass(frozen=True, slots=True)
class Record:
    """The year as it went: `n` series, `T` weeks of which the last `weeks` are replayed.

    Attributes
    ----------
    units, in_stock : (n, T); `in_stock` is 1 where the shelf is unknown
    presumed : (n, T) bool, weeks presumed out of stock
    on_hand : (n, T) at the end of each week, filled in where unknown
    is_counted : (n, T) whether `on_hand` was counted
    arrived : (n, T) units that came in, 0 where unknown
    price, cost, holding (per week) : (n,); lead, review, pack, minimum : (n,) int
    scale : (n,) how many series each stands for
    """

    series_ids: np.ndarray
    groups: np.ndarray
    periods: np.ndarray
    units: np.ndarray
    exists: np.ndarray
    in_stock: np.ndarray
    presumed: np.ndarray
    on_hand: np.ndarray
    is_counted: np.ndarray
    arrived: np.ndarray
    price: np.ndarray
    cost: np.ndarray
    holding: np.ndarray
    lead: np.ndarray
    review: np.ndarray
    pack: np.ndarray
    minimum: np.ndarray
    scale: np.ndarray
    weeks: int

    @property
    def first(self) -> int:
        """Column of the first week replayed."""
        return self.units.shape[1] - self.weeks

    def history(self, until: int, *, units: np.ndarray, in_stock: np.ndarray) -> pd.DataFrame:
        """The history known before week `until`, as `demand.forecast_demand` takes it."""
        row, column = np.nonzero(self.exists[:, :until])
        return pd.DataFrame(
            {
                "series_id": row,
                "period": self.periods[column],
                "units": units[row, column],
                "in_stock": in_stock[row, column],
                "group": self.groups[row],
            }
        )


def record_of(
    history: pd.DataFrame,
    terms: pd.DataFrame,
    *,
    weeks: int,
    holding_per_year: float,
    most: int,
    rng: np.random.Generator,
) -> Record:
    """The `Record` of a history: lined up, series drawn, unknown shelves filled in.

    Raises
    ------
    ValueError
        For a history that cannot be one, or terms that lack columns or series.
    """
    if missing := set(TERMS) - set(terms.columns):
        raise ValueError(f"terms lack {sorted(missing)}")
    panel = as_panel(history.drop(columns=["in_stock"], errors="ignore"), period="W")
    known = terms.set_index("series_id")
    if not known.index.is_unique or not set(panel.series_ids) <= set(known.index):
        raise ValueError("terms must name each series once")
    ordered = known.loc[panel.series_ids]
    sold = panel.units[:, -weeks:].sum(axis=1) * ordered["price"].to_numpy(float)
    rows, scale = _chosen(sold, most, rng)
    ordered, units = ordered.iloc[rows], panel.units[rows]
    in_stock = _matrix(history, "in_stock", panel.series_ids, panel.periods)[rows]
    counted = _matrix(history, "on_hand", panel.series_ids, panel.periods)[rows]
    exists = panel.exposure[rows] > 0
    presumed = presumed_short(units, exists, ~np.isnan(in_stock) | ~np.isnan(counted))
    on_hand = _filled(counted, units)
    names = history.drop_duplicates("series_id").set_index("series_id")
    groups = (
        names["group"].loc[panel.series_ids]
        if "group" in names
        else pd.Series("", index=panel.series_ids)
    )
    return Record(
        series_ids=panel.series_ids[rows],
        groups=groups.to_numpy(str)[rows],
        periods=panel.periods,
        units=units,
        exists=exists,
        in_stock=np.where(np.isnan(in_stock), 1.0, in_stock),
        presumed=presumed,
        on_hand=on_hand,
        is_counted=~np.isnan(counted),
        arrived=_arrived(counted, units),
        price=ordered["price"].to_numpy(float),
        cost=ordered["cost"].to_numpy(float),
        holding=ordered["cost"].to_numpy(float) * holding_per_year / 52,
        lead=ordered["lead"].to_numpy(int),
        review=ordered["review"].to_numpy(int),
        pack=_whole(ordered, "pack", 1),
        minimum=_whole(ordered, "minimum", 0),
        scale=scale,
        weeks=weeks,
    )


def counted_weeks(record: Record, share: float) -> int:
    """Number of last weeks, without a gap, whose shelves are counted for this share of the series."""
    exists = record.exists
    counted = (record.is_counted & exists).sum(axis=0) >= share * np.maximum(exists.sum(axis=0), 1)
    gaps = np.flatnonzero(~counted)
    return record.units.shape[1] - (int(gaps[-1]) + 1 if len(gaps) else 0)


def presumed_short(units: np.ndarray, exists: np.ndarray, is_known: np.ndarray) -> np.ndarray:
    """True (n, T) for weeks in which a product sold nothing for so long that it was probably not there.

    Looked for between two weeks with sales, where the shelf is not known.
    """
    found = np.zeros(units.shape, bool)
    rate = (units * exists).sum(axis=1) / np.maximum(exists.sum(axis=1), 1)
    # P(0) of a negative binomial: (1 + K M)^(-1 / K); a run of g weeks has probability P(0)^g.
    none = (1 + USUAL_DISPERSION * rate) ** (-1 / USUAL_DISPERSION)
    for row in np.flatnonzero(none < RARE_RUN ** (1 / LONGEST_RUN)):
        sold = np.flatnonzero(units[row] > 0)
        gaps = np.diff(sold) - 1
        for at in np.flatnonzero((gaps >= 2) & (gaps <= LONGEST_RUN)):
            run = slice(sold[at] + 1, sold[at + 1])
            if none[row] ** gaps[at] < RARE_RUN and not is_known[row, run].any():
                found[row, run] = True
    return found


def _chosen(sold: np.ndarray, most: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(series, how many each stands for): the best sellers, and a draw of the others."""
    n = len(sold)
    if n <= most:
        return np.arange(n), np.ones(n)
    order = np.argsort(-sold, kind="stable")
    sure = most // 2
    drawn = rng.choice(order[sure:], most - sure, replace=False)
    rows = np.concatenate([order[:sure], drawn])
    # Stratified sample: best sellers for certain, of the others each stands for N / n.
    scale = np.concatenate([np.ones(sure), np.full(len(drawn), (n - sure) / len(drawn))])
    back = np.argsort(rows)
    return rows[back], scale[back]


def _matrix(history: pd.DataFrame, name: str, ids: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """A column as (n, T); NaN where it is not known."""
    found = np.full((len(ids), len(periods)), np.nan)
    if name in history:
        row = pd.Index(ids).get_indexer(history["series_id"].to_numpy())
        column = pd.Index(periods).get_indexer(history["period"].to_numpy("datetime64[s]"))
        found[row, column] = history[name].to_numpy(float)
    return found


def _filled(counted: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Stock at the end of each week; what was not counted lies at the shop's usual cover."""
    counted = np.maximum(counted, 0.0)
    known = ~np.isnan(counted)
    total = units.cumsum(axis=1)
    before = np.concatenate([np.zeros((len(units), LOCAL_WEEKS)), total[:, :-LOCAL_WEEKS]], axis=1)
    span = np.minimum(np.arange(1, units.shape[1] + 1), LOCAL_WEEKS)
    local = (total - before[:, : units.shape[1]]) / span[None, :]
    # Cover: units on the shelf per unit of weekly sales, over all counted weeks of the shop.
    cover = counted[known].sum() / max(float(local[known].sum()), 1e-9) if known.any() else 0.0
    return np.where(known, counted, np.round(local * cover))


def _arrived(counted: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Units that came in, in weeks whose stock is counted at both ends; returns and corrections included."""
    # Stock now - stock before + units sold = units that came in.
    step = np.diff(counted, axis=1, prepend=np.nan) + units
    return np.where(np.isnan(step), 0.0, np.maximum(step, 0.0))


def _whole(terms: pd.DataFrame, name: str, otherwise: int) -> np.ndarray:
    """A column of whole numbers, or what stands for it."""
    if name not in terms:
        return np.full(len(terms), otherwise)
    return terms[name].to_numpy(int)
