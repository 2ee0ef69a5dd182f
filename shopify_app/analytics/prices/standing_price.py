"""The standing price: that at which a product was on offer in each week, where it is sold at several prices at once.

In:  lines a variant, week and price.
Out: one price a variant and week in which something sold.
Method: price lists that stand side by side (a shop's and a web shop's, one by one and by the dozen) are not
changes of price: in a week with few orders the other list's price may be the most usual one. The
price that stands goes on standing while a fair part of the week's lines still sells at it. Else the week's most usual
price takes its place, unless both have sold side by side for weeks on end or taken turns at prices far apart, or
the other one is dearer and gone again at once: nobody raises a price for a week and takes it back.
Weak: a cheaper list that sells in weeks of its own passes for a promotion.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Final

import pandas as pd

FAIR_SHARE: Final = 1 / 3
"""Share of a week's lines that keeps a price standing."""

SIDE_BY_SIDE_WEEKS: Final = 3
"""Weeks of sales running in which two prices sell for them to be two lists: more than a change in mid-week
makes."""

TURNS: Final = 3
"""Times that two prices must take each other's place to be two lists."""

WIDE_STEP: Final = 0.3
"""Share by which such prices must differ: nearer ones may be promotions of one list."""

GONE_WEEKS: Final = 8
"""Weeks of sales without it after which a price no longer stands, whatever stood beside it."""

BACK_WITHIN: Final = 2
"""Weeks of sales within which a dearer price that is gone again was none."""

LEAST_STEP: Final = 0.004
"""Share within which prices are the same."""

FIRST_WEEKS: Final = 8
"""First weeks whose most usual price is the first to stand."""

Lines = dict[float, int]
"""Number of order lines by price."""


def standing_prices(lines: pd.DataFrame) -> pd.DataFrame:
    """The standing price of each variant and week.

    Parameters
    ----------
    lines : DataFrame `variant_id, weeks_ago` (larger: longer ago), `price` (> 0), `lines` (> 0), a row a price.

    Returns
    -------
    DataFrame `variant_id, weeks_ago, price, lines` (of the whole week), by variant and week.

    Raises
    ------
    ValueError
        If a column lacks.

    Examples
    --------
    In the last week more lines sold at 25 than at 20, but 20 still has a fair share: it stands.

    >>> lines = pd.DataFrame(
    ...     {"variant_id": 1, "weeks_ago": [2, 1, 1], "price": [20.0, 25.0, 20.0], "lines": [6, 4, 3]}
    ... )
    >>> standing_prices(lines)[["weeks_ago", "price", "lines"]].values.tolist()
    [[1.0, 20.0, 7.0], [2.0, 20.0, 6.0]]
    """
    if missing := {"variant_id", "weeks_ago", "price", "lines"} - set(lines.columns):
        raise ValueError(f"lines lack {sorted(missing)}")
    found = []
    for variant, weeks in _by_variant(lines):
        prices = _standing([sold for _, sold in weeks])
        found += [
            (variant, ago, price, sum(sold.values()))
            for (ago, sold), price in zip(weeks, prices, strict=True)
        ]
    result = pd.DataFrame(found, columns=["variant_id", "weeks_ago", "price", "lines"])
    result = result.astype({name: lines[name].dtype for name in result.columns})
    return result.sort_values(["variant_id", "weeks_ago"], ignore_index=True)


def _by_variant(lines: pd.DataFrame) -> Iterator[tuple[int, list[tuple[int, Lines]]]]:
    """Each variant's weeks of sales, oldest first, with the lines at each price."""
    ordered = lines.sort_values(["variant_id", "weeks_ago"], ascending=[True, False])
    rows = ordered[["variant_id", "weeks_ago", "price", "lines"]].itertuples(index=False, name=None)
    for variant, own in groupby(rows, key=lambda row: row[0]):
        weeks = [
            (ago, {price: count for _, _, price, count in week})
            for ago, week in groupby(own, key=lambda row: row[1])
        ]
        yield variant, weeks


def _standing(weeks: list[Lines]) -> list[float]:
    """The standing price of each week, oldest first."""
    beside = _side_by_side(weeks)
    stands = _most_usual(_together(weeks[:FIRST_WEEKS]))
    absent, found = 0, list[float]()
    for at, sold in enumerate(weeks):
        here = sum(count for price, count in sold.items() if _same(price, stands))
        # Weeks on end in which the standing price sold nothing.
        absent = 0 if here else absent + 1
        usual = _most_usual(sold)
        if here < FAIR_SHARE * sum(sold.values()) and not _is_other_list(
            usual, stands, beside, absent, weeks[at + 1 : at + 1 + BACK_WITHIN]
        ):
            stands, absent = usual, 0
        found.append(stands)
    return found


def _is_other_list(
    price: float, stands: float, beside: set[tuple[float, float]], absent: int, after: list[Lines]
) -> bool:
    """True if a price that outsold the one standing is another list's, not a change."""
    if absent > GONE_WEEKS:
        return False
    if (price, stands) in beside:
        return True
    back = any(_same(other, stands) for sold in after for other in sold)
    return price > stands and back


def _side_by_side(weeks: list[Lines]) -> set[tuple[float, float]]:
    """Pairs of prices, both ways round, that sold in the same weeks, several running."""
    running: dict[tuple[float, float], int] = {}
    found: set[tuple[float, float]] = set()
    for sold in weeks:
        pairs = {(a, b) for a in sold for b in sold if not _same(a, b)}
        # A pair that misses a week of sales starts again.
        running = {pair: running.get(pair, 0) + 1 for pair in pairs}
        found |= {pair for pair, count in running.items() if count >= SIDE_BY_SIDE_WEEKS}
    return found | _in_turn(weeks)


def _in_turn(weeks: list[Lines]) -> set[tuple[float, float]]:
    """Pairs of prices far apart that were the most usual in turn, again and again."""
    usual = [_most_usual(sold) for sold in weeks]
    turns: dict[tuple[float, float], int] = {}
    for before, after in pairwise(usual):
        if abs(before - after) > WIDE_STEP * max(before, after):
            pair = (min(before, after), max(before, after))
            turns[pair] = turns.get(pair, 0) + 1
    often = {pair for pair, count in turns.items() if count >= TURNS}
    return often | {(high, low) for low, high in often}


def _together(weeks: list[Lines]) -> Lines:
    """The lines of several weeks together."""
    whole: Lines = {}
    for sold in weeks:
        for price, count in sold.items():
            whole[price] = whole.get(price, 0) + count
    return whole


def _most_usual(sold: Lines) -> float:
    """The price of most lines; of equals the dearer one, for a discount is the exception."""
    return max(sold, key=lambda price: (sold[price], price))


def _same(one: float, other: float) -> bool:
    """True if two prices are within `LEAST_STEP` of each other."""
    return abs(one - other) <= LEAST_STEP * max(one, other)
