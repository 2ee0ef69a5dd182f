"""A large shop's history in parts that are judged one after the other, siblings together.

In:  a weekly history. Out: histories of at most so many products each, the same weeks in all.
Each part learns from its own thousands of products, and keeps to the rate of wrong signs itself: if
every part does, so does the shop.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from shopify_app.analytics.trends.prior import GROUP_MOST


def batches(history: pd.DataFrame, as_of: object, most: int) -> Iterator[pd.DataFrame]:
    """Parts of a history with about `most` products each; the history itself if it has no more.

    Parameters
    ----------
    history : DataFrame
        `series_id, period, units` and whatever else `detect_trends` takes.
    as_of : date
        Weeks that start on or after it are not looked at.
    most : int
        Products in a part; a few more where siblings would be parted.
    """
    codes, ids = pd.factorize(history["series_id"])
    if len(ids) <= most:
        yield history
        return
    number = _numbers(_groups(history, codes, len(ids)), most)[codes].astype(np.int16)
    del codes  # as large as a column of the history, and not needed while parts are judged
    seen = history["period"] < pd.Timestamp(str(as_of))
    last = history.loc[seen, "period"].max()
    for batch in range(int(number.max()) + 1):
        part = history[(number == batch) & seen.to_numpy()]
        if part.empty:
            continue
        if part["period"].max() < last:  # a week without a sale is a week all the same
            quiet = part.iloc[[0]].assign(period=last, units=0.0)
            quiet = quiet.assign(**{name: 1.0 for name in ("in_stock",) if name in part})
            part = pd.concat([part, quiet], ignore_index=True)
        yield part


def _groups(history: pd.DataFrame, codes: np.ndarray, products: int) -> np.ndarray:
    """Group code of each product (products,)."""
    groups = np.zeros(products, int)
    if "group" in history:
        groups[codes] = pd.factorize(history["group"])[0]
    return groups


def _numbers(groups: np.ndarray, most: int) -> np.ndarray:
    """Number of the part that each product is in; groups of siblings are not cut."""
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups - groups.min())[groups - groups.min()]
    lined = groups[order]
    found = np.zeros(len(groups), int)
    begin = number = 0
    while begin < len(order):
        end = min(begin + most, len(order))
        if end < len(order) and lined[end - 1] == lined[end] and sizes[order[end]] <= GROUP_MOST:
            end = int(np.searchsorted(lined, lined[end], side="right"))
        found[order[begin:end]] = number
        begin, number = end, number + 1
    return found
