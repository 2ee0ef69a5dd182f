"""A shop's sales and shelves by week: weeks that end yesterday, and the shop's own fixed weeks.

Trends, prices and charts look at the seven days up to yesterday, whatever day it is. Demand is
followed in weeks that begin on the shop's own weekday: a week that has closed never changes its days,
so that states move on once a week and stand in between (`advice.demand`). The days since the last
close are a part week: -1 weeks ago.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.advice.on_offer import days_on_offer
from shopify_app.advice.promoted_weeks import promoted_weeks

WEEKDAYS_SEEN: Final = 182
"""Days over which the shop's usual week is averaged."""

EVEN_ORDERS: Final = 70.0
"""Pseudo-count, in orders, of an even week beside what was seen."""

CLOSED_WEEKS: Final = {
    "variant_id": "int64",
    "weeks_ago": "int64",
    "units": "float64",
    "in_stock": "float64",
}
"""Columns of a shop's own weeks."""


@dataclass(frozen=True, slots=True)
class ShopWeeks:
    """Sales, stock and promotions of a shop by week.

    Attributes
    ----------
    weekly : variant_id, weeks_ago (0 ended yesterday), units, orders, in_stock, price (NaN: none seen),
        priced_orders (those that saw the price in the shop)
    closed : `CLOSED_WEEKS` of the shop's own weeks (0 is the last that closed, -1 the days since); empty
        on the day of a close, when they are the same
    promoted : `promoted_weeks.PROMOTED_WEEKS`, by the shop's own weeks
    part_share : of a usual week's orders, what the days since the last close bring
    """

    weekly: pd.DataFrame
    closed: pd.DataFrame
    promoted: pd.DataFrame
    part_share: float


def first_weekday(shop_id: int) -> int:
    """Weekday on which a shop's weeks begin (Monday 0): another for each shop, so that closes spread over the week."""
    return shop_id % 7


def week_begin(as_of: date, weekday: int) -> date:
    """The first day of the shop's week that a day lies in: what is before it has closed."""
    return as_of - timedelta(days=(as_of.weekday() - weekday) % 7)


def weeks_of(
    sales: pd.DataFrame,
    stock: pd.DataFrame,
    prices: pd.DataFrame,
    variants: pd.DataFrame,
    negotiated: pd.DataFrame | None = None,
    *,
    as_of: date,
    begin: date,
    weeks: int,
) -> ShopWeeks:
    """The `ShopWeeks` before a day.

    Parameters
    ----------
    sales : `domain.frames.DAILY_SALES` of the `weeks` weeks before `begin`, and of the days since
    stock : share of each of those days in stock
    prices : `standing_price.standing_prices` of the `weeks` weeks before `as_of`
    variants : those on sale, with their products
    negotiated : `domain.frames.NEGOTIATED_ORDERS` among the sales; None: none
    begin : the first day of the shop's own week that `as_of` lies in
    """
    stock = days_on_offer(stock, sales)
    weekly = _with_prices(by_week(sales, stock, as_of), prices, weeks)
    weekly = weekly.assign(priced_orders=priced_orders(weekly, negotiated, as_of))
    promoted = promoted_weeks(sales, _weeks_ago(sales["sold_on"], begin), variants)
    closed = by_week(sales, stock, begin)[list(CLOSED_WEEKS)].astype(CLOSED_WEEKS)
    if begin == as_of:
        return ShopWeeks(weekly, closed.iloc[:0], promoted, 0.0)
    return ShopWeeks(weekly, closed, promoted, part_share(sales, begin, as_of))


def part_share(sales: pd.DataFrame, begin: date, as_of: date) -> float:
    """Share of a usual week's orders that fall on the weekdays from `begin` until the day before `as_of`."""
    days = (pd.Timestamp(begin) - sales["sold_on"]).dt.days
    usual = sales[(days > 0) & (days <= WEEKDAYS_SEEN)]
    counts = np.bincount(usual["sold_on"].dt.dayofweek, usual["orders"], minlength=7)
    counts = counts + EVEN_ORDERS / 7
    passed = (begin.weekday() + np.arange((as_of - begin).days)) % 7
    return round(float(counts[passed].sum() / counts.sum()), 4)


def by_week(sales: pd.DataFrame, stock: pd.DataFrame, begin: date) -> pd.DataFrame:
    """Units, orders and share in stock of each variant and week before a day (and of the days since: -1)."""
    ago = _weeks_ago(sales["sold_on"], begin)
    sold = sales.groupby([sales["variant_id"], ago.rename("weeks_ago")])[
        ["ordered_units", "orders"]
    ].sum()
    ago = _weeks_ago(stock["day"], begin).rename("weeks_ago")
    shelf = stock.groupby([stock["variant_id"], ago])["in_stock"].agg(["mean", "count"])
    # Half a week tells little of the whole.
    known = shelf["count"] * 2 > np.where(shelf.index.get_level_values(1) < 0, 0, 7)
    found = pd.concat([sold, shelf["mean"].where(known).rename("in_stock")], axis=1)
    found = found.reset_index().sort_values(["variant_id", "weeks_ago"])
    return pd.DataFrame(
        {
            "variant_id": found["variant_id"].astype("int64"),
            "weeks_ago": found["weeks_ago"].astype("int64"),
            "units": found["ordered_units"].fillna(0).astype("float64"),
            "orders": found["orders"].fillna(0).astype("float64"),
            "in_stock": found["in_stock"].fillna(1.0).astype("float64"),
        }
    ).reset_index(drop=True)


def priced_orders(
    weekly: pd.DataFrame, negotiated: pd.DataFrame | None, begin: date
) -> "pd.Series[Any]":
    """Of each week's orders, those that saw the price in the shop: the others are demand, but answer to no price."""
    if negotiated is None or negotiated.empty:
        return weekly["orders"]
    ago = _weeks_ago(negotiated["sold_on"], begin).rename("weeks_ago")
    agreed = negotiated.groupby([negotiated["variant_id"], ago])["orders"].sum()
    theirs = agreed.reindex(pd.MultiIndex.from_frame(weekly[["variant_id", "weeks_ago"]]))
    return (weekly["orders"] - theirs.fillna(0).to_numpy(float)).clip(lower=0.0)


def _with_prices(weekly: pd.DataFrame, prices: pd.DataFrame, weeks: int) -> pd.DataFrame:
    keys = ["variant_id", "weeks_ago"]
    found = weekly[weekly["weeks_ago"] < weeks].merge(
        prices[[*keys, "price"]], how="outer", on=keys
    )
    found = found.sort_values(keys).reset_index(drop=True)
    filled = found.fillna({"units": 0.0, "orders": 0.0, "in_stock": 1.0})
    return filled.astype(dict.fromkeys(("units", "orders", "in_stock", "price"), "float64"))


def _weeks_ago(days: "pd.Series[Any]", begin: date) -> "pd.Series[Any]":
    return ((pd.Timestamp(begin) - days).dt.days - 1).floordiv(7).astype("int64")
