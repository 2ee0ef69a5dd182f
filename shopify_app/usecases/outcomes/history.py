"""A shop's weeks as `analytics.outcomes` reads them: orders a variant and week, and what was out of stock."""

from datetime import date, timedelta
from typing import Final

import pandas as pd

from shopify_app.advice.on_offer import with_sold_while_empty
from shopify_app.db import frames, outcome_frames
from shopify_app.db.connection import Connection
from shopify_app.domain.shop import Shop

PAST_WEEKS: Final = 40
"""Weeks read before the first one that is measured: more than `analytics.outcomes` looks at."""


def monday_after(day: date) -> date:
    """The first Monday after a day: a week that began before the write is not measured."""
    return day + timedelta(days=7 - day.weekday())


def monday_of(day: date) -> date:
    """The Monday of a day's week: weeks before it are whole."""
    return day - timedelta(days=day.weekday())


def read_history(conn: Connection, shop: Shop, *, first: date, until: date) -> pd.DataFrame:
    """Weeks in [first, until), both Mondays.

    Returns
    -------
    DataFrame
        series_id (variant id as text), period (Monday), units (orders of the week that saw the price in the shop),
        pieces (units of all of the week's orders, in proportion), in_stock (share of the week), group (product type). A week without orders has
        a row only if the variant was out of stock in it.
    """
    orders = outcome_frames.weekly_orders(conn, shop.shop_id, first, until)
    short = outcome_frames.short_weeks(conn, shop.shop_id, first, until, shop.timezone)
    negotiated = frames.negotiated_orders_between(
        conn, shop.shop_id, first, until - timedelta(days=1)
    )
    groups = outcome_frames.groups(conn, shop.shop_id)
    sold = orders.set_index(["series_id", "period"])["pieces"]
    short = with_sold_while_empty(short, sold, series="series_id", period="period", stray=1)
    orders = _that_saw_the_price(orders, negotiated)
    history = orders.merge(short, how="outer", on=["series_id", "period"])
    history = history.fillna({"units": 0.0, "pieces": 0.0, "in_stock": 1.0})
    history = history.merge(groups, how="left", on="series_id").fillna({"group": ""})
    return history.sort_values(["series_id", "period"], ignore_index=True)


def _that_saw_the_price(orders: pd.DataFrame, negotiated: pd.DataFrame) -> pd.DataFrame:
    """The weeks without the orders whose price was agreed with the buyer, and without their share of the units."""
    if negotiated.empty:
        return orders
    days = negotiated["sold_on"]
    monday = days - pd.to_timedelta(days.dt.dayofweek, unit="D")
    agreed = negotiated.groupby([negotiated["variant_id"].astype(str), monday])["orders"].sum()
    keys = pd.MultiIndex.from_frame(orders[["series_id", "period"]])
    left = (orders["units"] - agreed.reindex(keys).fillna(0).to_numpy(float)).clip(lower=0.0)
    share = left / orders["units"].where(orders["units"] > 0, 1.0)
    return orders.assign(units=left, pieces=orders["pieces"] * share)


def units_per_order(history: pd.DataFrame) -> dict[str, float]:
    """Usual units an order of each series; 1 where none is known."""
    sums = history.groupby("series_id")[["units", "pieces"]].sum()
    sold = sums[sums["units"] > 0]
    return {str(series): float(p / u) for series, u, p in sold.itertuples()}
