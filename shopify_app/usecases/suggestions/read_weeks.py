"""A shop's sales and shelves by week, read from rows; what a week is, `advice.shop_weeks` says."""

from datetime import date, timedelta

import pandas as pd

from shopify_app.advice.shop_weeks import ShopWeeks, first_weekday, week_begin, weeks_of
from shopify_app.analytics.prices.standing_price import standing_prices
from shopify_app.db import frames
from shopify_app.db.connection import Connection
from shopify_app.domain.shop import Shop


def read_weeks(
    conn: Connection, shop: Shop, as_of: date, *, weeks: int, variants: pd.DataFrame
) -> ShopWeeks:
    """The weeks before a day; `variants` are those on sale, with their products."""
    begin, last = week_begin(as_of, first_weekday(shop.shop_id)), as_of - timedelta(days=1)
    first = begin - timedelta(days=7 * weeks)
    sales = frames.daily_sales_between(conn, shop.shop_id, first, last)
    stock = frames.stock_days_between(conn, shop.shop_id, first, last, shop.timezone)
    rolling = as_of - timedelta(days=7 * weeks)
    prices = standing_prices(frames.weekly_prices(conn, shop.shop_id, rolling, last))
    negotiated = frames.negotiated_orders_between(conn, shop.shop_id, rolling, last)
    return weeks_of(
        sales, stock, prices, variants, negotiated, as_of=as_of, begin=begin, weeks=weeks
    )
