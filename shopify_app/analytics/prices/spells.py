"""Price spells: which weeks of a panel are evidence of price response, and which only look so.

In:  a frame `series_id, period, units, price` and optional `group, on_promotion, in_stock, randomised, store`.
Out: `PriceWeeks`: units, log prices, promotion and exposure side by side, one row a unit of evidence.
Method: series that always moved together (colours or stores at one price) are added up and count once;
a week out of stock is left out, a week partly in stock counts for its part; a single cheaper week
in an otherwise steady price is a quantity tier or a wholesale order unless it is marked as a promotion;
a week in which an unusual share of the shop moved starts a new level for what moved: the
event's own effect is confounded with its price. A price that was drawn by lot (a price test) is nobody's choice and no copy of
another that was drawn alike. A shop-wide sale that ended is marked as one: its own effect is
what its products have in common, so that what they do not have in common is price response.
Weak: a genuine one-week sale of one product that nobody marked is left out too.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

DRAWN: Final = 0.5
"""Share of a week from which its price counts as drawn by lot."""

LEAST_STEP: Final = 0.02
"""Smallest change of log price that is no rounding."""

SHOP_WIDE_SHARE: Final = 0.3
"""Share of a shop's products that must move for a shop-wide event."""

SHOP_WIDE_LEAST: Final = 5
"""Products below which a shop has no shop-wide events."""

MARKET_LEAST: Final = 3
"""Series below which a store is no market of its own."""

UNUSUAL: Final = 4.0
"""Multiple of the usual share of movers that makes a week a shop-wide event."""

MOST_SALE_WEEKS: Final = 8
"""Longest sale, in weeks: what was cut for longer was not on sale."""

STEADY_SHARE: Final = 0.6
"""Share of its weeks that a steady series spends at few prices."""

STEADY_LEVELS: Final = 3
"""Number of those prices."""

LEAST_IN_STOCK: Final = 0.3
"""Share of a week in stock below which it is left out."""


@dataclass(frozen=True, slots=True)
class PriceWeeks:
    """Weeks of evidence side by side, (m, T) unless said otherwise.

    Attributes
    ----------
    periods : (T,) datetime64[s], every start of a week with a row.
    series_ids : (n,) the panel's series; `unit_of` (n,) the row each belongs to.
    share : (n,)
        A series' share of its row's units; the shares of a row sum to 1.
    units, exposure, log_price, promotion : what was sold, the part of the week in stock, log of the
        price as it stood, whether it was promoted (0..1).
    regular : log of the last price that was no promotion.
    known : bool
        Whether the week may say something.
    level : int
        Weeks with one number share a level; a shop-wide event starts another.
    sale : bool
        Weeks of a shop-wide sale in which the row was cut: it came back to the price it had.
    randomised : bool
        Weeks whose price was drawn by lot.
    event : int
        Number of the shop-wide sale a week is in, of what is cut and what is not; 0: none.
    unit_cost : (m,) the last one known; NaN where none is.
    group : (m,) int codes; `groups` their names.
    market : (m,) int codes of what stands beside each other: the series of one store.
    """

    periods: np.ndarray
    series_ids: np.ndarray
    unit_of: np.ndarray
    share: np.ndarray
    units: np.ndarray
    exposure: np.ndarray
    log_price: np.ndarray
    regular: np.ndarray
    promotion: np.ndarray
    known: np.ndarray
    level: np.ndarray
    sale: np.ndarray
    randomised: np.ndarray
    event: np.ndarray
    unit_cost: np.ndarray
    group: np.ndarray
    groups: np.ndarray
    market: np.ndarray

    @property
    def spell(self) -> np.ndarray:
        """Number of the spell of one price (m, T)."""
        moved = np.abs(np.diff(self.log_price, axis=1, prepend=self.log_price[:, :1])) > LEAST_STEP
        return moved.cumsum(axis=1)

    @property
    def lasting_level(self) -> np.ndarray:
        """`level` (m, T) with that of the weeks around it where a sale passed."""
        around = pd.DataFrame(np.where(self.sale, np.nan, self.level)).ffill(axis=1)
        return around.fillna(0.0).to_numpy(int)


def price_weeks(panel: pd.DataFrame) -> PriceWeeks:
    """The `PriceWeeks` of a panel, with what is no evidence of price response left out.

    Raises
    ------
    ValueError
        If columns are missing, prices are not positive, units negative, or a series has a period twice.
    """
    _check(panel)
    series, ids = pd.factorize(panel["series_id"], sort=True)
    column, periods = pd.factorize(panel["period"].to_numpy("datetime64[s]"), sort=True)
    shape = (len(ids), len(periods))
    seen = np.zeros(shape, bool)
    seen[series, column] = True

    def spread(values: np.ndarray, empty: float) -> np.ndarray:
        result = np.full(shape, empty)
        result[series, column] = values
        return result

    units = spread(panel["units"].to_numpy(float), 0.0)
    price = _filled(spread(np.log(panel["price"].to_numpy(float)), np.nan))
    promotion = spread(_optional(panel, "on_promotion", 0.0), 0.0)
    exposure = spread(_optional(panel, "in_stock", 1.0), 0.0)
    randomised = spread(_optional(panel, "randomised", 0.0), 0.0) >= DRAWN
    group_names = (
        panel["group"].astype(str).to_numpy() if "group" in panel else np.full(len(panel), "")
    )
    codes, groups = pd.factorize(group_names, sort=True)
    group = np.zeros(len(ids), int)
    group[series] = codes
    cost = np.full(len(ids), np.nan)
    if "unit_cost" in panel:
        latest = panel["unit_cost"].groupby(series).last()
        cost[latest.index.to_numpy(int)] = latest.to_numpy(float)
    known = seen & (exposure >= LEAST_IN_STOCK)
    # Quantity tiers and slips are no offers to everybody: such weeks say nothing.
    known &= ~_tiers(price, promotion, known)
    store = _stores(panel, series, len(ids))
    level = _levels(price, known, store)
    sale = _sales(price, level)
    unit_of = _copies(price, promotion, group, sale, randomised)
    first, share = _sizes(unit_of, units, known)
    # Copies are added up: their sum is one observation of one price move.
    summed, open_ = np.zeros((len(first), len(periods))), np.zeros((len(first), len(periods)))
    np.add.at(summed, unit_of, np.where(known, units, 0.0))
    np.add.at(open_, unit_of, np.where(known, exposure, 0.0) * share[:, None])
    return PriceWeeks(
        periods=periods,
        series_ids=np.asarray(ids),
        unit_of=unit_of,
        share=share,
        units=summed,
        exposure=open_,
        # Log prices of copies differ by a constant; a row's price is its first copy's.
        log_price=price[first],
        regular=_regular(price[first], promotion[first]),
        promotion=promotion[first],
        known=open_ > LEAST_IN_STOCK / 2,
        level=level[first],
        sale=sale[first],
        randomised=randomised[first],
        event=_events(sale, store)[first],
        unit_cost=cost[first],
        group=group[first],
        groups=np.asarray(groups),
        market=_markets(store[first]),
    )


def _check(panel: pd.DataFrame) -> None:
    """Nothing; raises `ValueError` for a panel that cannot be one."""
    if missing := {"series_id", "period", "units", "price"} - set(panel.columns):
        raise ValueError(f"panel lacks {sorted(missing)}")
    if len(panel) and (not (panel["price"] > 0).all() or not (panel["units"] >= 0).all()):
        raise ValueError("prices must be > 0 and units >= 0")
    if panel.duplicated(["series_id", "period"]).any():
        raise ValueError("a series has a period twice")


def _optional(panel: pd.DataFrame, name: str, otherwise: float) -> np.ndarray:
    """A column within 0..1, or `otherwise` where it is missing."""
    if name not in panel:
        return np.full(len(panel), otherwise)
    return np.clip(panel[name].astype(float).fillna(otherwise).to_numpy(), 0.0, 1.0)


def _filled(log_price: np.ndarray) -> np.ndarray:
    """Log prices with gaps filled from before, a series' first weeks from its first price."""
    frame = pd.DataFrame(log_price).ffill(axis=1).bfill(axis=1)
    return frame.fillna(0.0).to_numpy()


def _tiers(price: np.ndarray, promotion: np.ndarray, known: np.ndarray) -> np.ndarray:
    """True (n, T) for single cheaper weeks of steady prices that no promotion explains."""
    found = np.zeros(price.shape, bool)
    if price.shape[1] < 3:
        return found
    before, here, after = price[:, :-2], price[:, 1:-1], price[:, 2:]
    found[:, 1:-1] = (
        (here < before - LEAST_STEP) & (here < after - LEAST_STEP) & (promotion[:, 1:-1] < 0.5)
    )
    return found & _steady(price, known)[:, None]


def _steady(price: np.ndarray, known: np.ndarray) -> np.ndarray:
    """True (n,) where a few prices make up most of a series' weeks."""
    result = np.zeros(len(price), bool)
    for row in range(len(price)):
        levels = np.round(price[row, known[row]] / LEAST_STEP).astype(int)
        if len(levels):
            counts = np.sort(np.unique(levels, return_counts=True)[1])[::-1]
            result[row] = counts[:STEADY_LEVELS].sum() >= STEADY_SHARE * len(levels)
    return result


def _copies(
    price: np.ndarray,
    promotion: np.ndarray,
    group: np.ndarray,
    sale: np.ndarray,
    randomised: np.ndarray,
) -> np.ndarray:
    """Row number (n,) of each series: those of one group whose prices made the same moves in the same weeks share one.

    What only the shop's sales moved need not be alike for that; nor what a lot gave the same order of prices.
    """
    moves = np.round(np.diff(price, axis=1, prepend=price[:, :1]) / LEAST_STEP).astype(int)
    alone = (moves != 0) & ~np.diff(sale, axis=1, prepend=sale[:, :1])
    alone &= ~randomised.any(axis=1, keepdims=True)
    seen: dict[tuple[int, bytes, bytes], int] = {}
    result = np.zeros(len(price), int)
    rows = 0
    for row in range(len(price)):
        # The same moves in the same weeks, to the rounding of `LEAST_STEP`.
        key = (int(group[row]), moves[row].tobytes(), np.round(promotion[row], 1).tobytes())
        if alone[row].any() and key in seen:
            result[row] = seen[key]
            continue
        seen[key] = result[row] = rows
        rows += 1
    return result


def _sizes(
    unit_of: np.ndarray, units: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(first series of each row (m,), each series' share of its row (n,))."""
    rows = int(unit_of.max()) + 1 if len(unit_of) else 0
    first = np.zeros(rows, int)
    first[unit_of[::-1]] = np.arange(len(unit_of))[::-1]
    size = np.where(known, units, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1) + 0.01
    return first, size / np.bincount(unit_of, size, minlength=rows)[unit_of]


def _stores(panel: pd.DataFrame, series: np.ndarray, count: int) -> np.ndarray:
    """Code of each series' store; one store where none is named."""
    result = np.zeros(count, int)
    if "store" in panel:
        result[series] = pd.factorize(panel["store"])[0]
    return result


def _markets(store: np.ndarray) -> np.ndarray:
    """Code of each series' market: stores with too few series are one market together."""
    count = np.bincount(store, minlength=1)
    return np.where(count[store] >= MARKET_LEAST, store + 1, 0)


def _regular(log_price: np.ndarray, promotion: np.ndarray) -> np.ndarray:
    """Log regular price (n, T): the last one that was no promotion, or the week's own if dearer."""
    plain = pd.DataFrame(np.where(promotion < 0.5, log_price, np.nan)).ffill(axis=1).bfill(axis=1)
    return np.fmax(plain.fillna(pd.DataFrame(log_price)).to_numpy(), log_price)


def _levels(log_price: np.ndarray, known: np.ndarray, store: np.ndarray) -> np.ndarray:
    """Number of the level each week belongs to: what moved in a week its whole store moved begins another."""
    level = np.zeros(log_price.shape, int)
    if log_price.shape[1] < 2:
        return level
    step = np.diff(log_price, axis=1)
    moved = np.abs(step) > LEAST_STEP
    for code in np.unique(store):
        rows = np.flatnonzero(store == code)
        if len(rows) < SHOP_WIDE_LEAST:
            continue
        active = np.maximum((known[rows, 1:] & known[rows, :-1]).sum(axis=0), 1)
        # A sale moves prices one way; a test that moves half up and half down is no event of the shop.
        up = (moved[rows] & known[rows, 1:] & (step[rows] > 0)).sum(axis=0)
        down = (moved[rows] & known[rows, 1:] & (step[rows] < 0)).sum(axis=0)
        share = np.maximum(up, down) / active
        wide = share > max(SHOP_WIDE_SHARE, UNUSUAL * float(np.median(share)))
        for row in rows[(moved[rows] & wide[None, :]).any(axis=1)]:
            _number_levels(level[row], log_price[row], np.flatnonzero(moved[row] & wide) + 1)
    return level


def _number_levels(level: np.ndarray, price: np.ndarray, events: np.ndarray) -> None:
    """Nothing; numbers one series' levels in place: a price that comes back from an event comes back to its level."""
    stood: list[tuple[float, int]] = []
    for count, week in enumerate(events, start=1):
        before, number = price[week - 1], level[week - 1]
        # A sale's end is no new level: demand returns to what it was.
        back = [old for at, old in stood if abs(at - price[week]) < LEAST_STEP]
        level[week:] = back[-1] if back else count
        stood.append((float(before), int(number)))


def _sales(log_price: np.ndarray, level: np.ndarray) -> np.ndarray:
    """True (n, T) for weeks cut by a shop-wide event whose price soon came back to what it was."""
    found = np.zeros(level.shape, bool)
    for row in np.flatnonzero(level.max(axis=1, initial=0) > 0):
        turns = np.flatnonzero(np.diff(level[row])) + 1
        for first, end in pairwise(turns):
            cut = log_price[row, first:end] < log_price[row, first - 1] - LEAST_STEP
            came_back = level[row, end] == level[row, first - 1]
            found[row, first:end] = cut & came_back & (end - first <= MOST_SALE_WEEKS)
    return found


def _events(sale: np.ndarray, store: np.ndarray) -> np.ndarray:
    """Number (n, T) of the sale of its store that a week is in: weeks on end are one sale."""
    event = np.zeros(sale.shape, int)
    for code in np.unique(store):
        on: np.ndarray = sale[store == code].max(axis=0, initial=False)
        begun = (np.diff(on.astype(int), prepend=0) > 0).cumsum()
        event[store == code] = np.where(on, begun, 0)
    return event
