"""Days on which a shelf was empty and yet things were sold from it: the stock that was told is not what could be bought.

In:  `domain.frames.STOCK_DAYS` and `DAILY_SALES` (or the same by week).
Out: the stock with such days as on offer.
Method: units sold in a period without any stock could be bought, whatever was counted: on order, over the counter, from stock
that was entered late. Where that happened twice or more in one stretch without stock, the whole stretch up to
the last of them was on offer, and so was the rest of the days at its ends: to count only the periods that sold would make a slow seller a fast one. One alone
(a return sold again, an order let through) says it of `STRAY` periods.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

STRAY_DAYS: Final = 7
"""Days, the last of them with a sale, that a single sale without stock says were on offer."""


def with_sold_while_empty(
    stock: pd.DataFrame,
    sold: "pd.Series[Any]",
    *,
    series: str,
    period: str,
    stray: int = STRAY_DAYS,
) -> pd.DataFrame:
    """The same rows, with `in_stock` 1 where things were sold without stock.

    Parameters
    ----------
    stock : `series`, `period` (any that sorts), `in_stock`
    sold : units by (series, period)
    stray : periods that a single sale says were on offer
    """
    empty = stock[stock["in_stock"] <= 0]
    sells = sold.reindex(pd.MultiIndex.from_frame(empty[[series, period]])).to_numpy(float) > 0
    if not sells.any():
        return stock
    theirs = stock[stock[series].isin(empty.loc[sells, series])]
    rows = theirs.sort_values([series, period])
    on_offer = _on_offer(
        rows[series].to_numpy(),
        rows["in_stock"].to_numpy(float) <= 0,
        rows.index.isin(empty.index[sells]),
        stray,
    )
    shares = stock["in_stock"].copy()
    shares[rows.index[on_offer]] = 1.0
    return stock.assign(in_stock=shares)


def _on_offer(ids: np.ndarray, empty: np.ndarray, sells: np.ndarray, stray: int) -> np.ndarray:
    """Periods (k,) that were on offer though empty; rows by series and period."""
    begins = np.ones(len(ids), dtype=bool)
    begins[1:] = (ids[1:] != ids[:-1]) | (empty[1:] != empty[:-1])
    stretch = np.cumsum(begins) - 1
    place = np.arange(len(ids))
    count = np.bincount(stretch, sells)
    last = np.full(len(count), -1)
    np.maximum.at(last, stretch[sells], place[sells])
    since = np.where(count[stretch] > 1, -1, last[stretch] - stray)
    on_offer = empty & (place <= last[stretch]) & (place > since)
    # The day on which it ran out, and that on which more came, were its beginning and its end.
    known = on_offer & (count[stretch] > 1)
    same = ids[1:] == ids[:-1]
    on_offer[:-1] |= known[1:] & same & ~empty[:-1]
    on_offer[1:] |= known[:-1] & same & ~empty[1:]
    return on_offer


def days_on_offer(stock: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """`STOCK_DAYS` with the days on which a variant sold without stock (and those between) as in stock."""
    sold = sales.set_index(["variant_id", "sold_on"])["ordered_units"]
    return with_sold_while_empty(stock, sold, series="variant_id", period="day")


def sells_on(variants: pd.DataFrame) -> np.ndarray:
    """Whether each variant (n,) is sold without stock too; none in runs from before it was looked at."""
    if "sells_on" not in variants:
        return np.zeros(len(variants), dtype=bool)
    return variants["sells_on"].to_numpy(bool)
