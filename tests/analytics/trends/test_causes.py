"""Causes: each called what it is, from stock, prices and the weeks themselves."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.trends.causes import promoted_weeks, with_dips
from shopify_app.analytics.trends.detect import detect_trends

LENGTH = 78
WEEKS = np.datetime64("2024-01-01", "s") + np.arange(LENGTH) * np.timedelta64(7, "D")


def shop(seed=0, n=300):
    """Units of a shop of steady sellers, its stock and prices, to be changed by a test."""
    units = np.random.default_rng(seed).poisson(6, (n, LENGTH)).astype(float)
    return units, np.ones(units.shape), np.full(units.shape, 20.0)


def judged(units, in_stock, price):
    n = len(units)
    frame = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), LENGTH),
            "period": np.tile(WEEKS, n),
            "units": units.ravel(),
            "in_stock": in_stock.ravel(),
            "price": price.ravel(),
        }
    )
    return detect_trends(frame, as_of="2030-01-01").set_index("series_id")


def test_a_price_cut_nobody_marked_is_a_promotion():
    units, in_stock, price = shop()
    units[0, -4:], price[0, -4:] = 25, 16.0
    row = judged(units, in_stock, price).loc[0]

    assert (row["direction"], row["cause"]) == ("rising", "promotion")


def test_a_dearer_or_unchanged_price_is_none():
    units, in_stock, price = shop()
    units[:2, -4:], price[0, -4:] = 25, 23.0

    assert list(judged(units, in_stock, price).loc[[0, 1], "cause"]) == ["demand", "demand"]


def test_last_months_promotion_does_not_make_this_months_sales_a_fall():
    units, in_stock, price = shop()
    units[0, -20:-9], price[0, -20:-9] = 40, 15.0
    row = judged(units, in_stock, price).loc[0]

    assert row["direction"] == "none"
    assert row["units_per_week_before"] == pytest.approx(6, abs=1.5)


def test_what_is_bought_less_right_after_a_promotion_is_the_promotions_doing():
    units, in_stock, price = shop()
    units[0, -10:-4], price[0, -10:-4], units[0, -4:] = 30, 14.0, 0
    row = judged(units, in_stock, price).loc[0]

    assert (row["direction"], row["cause"]) == ("falling", "promotion")


def test_stock_that_came_back_is_a_rebound_whether_or_not_the_records_know():
    units, in_stock, price = shop()
    units[:2, -10:-4], units[:2, -4:] = 0, 22
    in_stock[0, -10:-4] = 0.0
    found = judged(units, in_stock, price).loc[[0, 1]]

    assert list(found["direction"]) == ["rising", "rising"]
    assert list(found["cause"]) == ["stock-out rebound", "stock-out rebound"]


def test_last_years_same_weeks_make_it_a_season():
    units, in_stock, price = shop()
    units[0, -60:-52], units[:2, -8:] = 20, 20
    found = judged(units, in_stock, price).loc[[0, 1]]

    assert list(found["direction"]) == ["rising", "rising"]
    assert list(found["cause"]) == ["season", "demand"]


def test_one_large_week_is_a_one_off_and_not_said_to_rise():
    units, in_stock, price = shop()
    units[0, -2] = 90
    row = judged(units, in_stock, price).loc[0]

    assert (row["direction"], row["cause"]) == ("none", "one-off")


def test_weeks_without_a_price_are_not_promoted_and_dips_follow_promotions():
    price = np.full((1, 20), np.nan)
    price[0, [1, 3, 5, 9, 15]] = [10, 10, 10, 8, 10]
    promoted = promoted_weeks(price, None, (1, 20))

    assert np.flatnonzero(promoted[0]).tolist() == [9]
    assert np.flatnonzero(with_dips(promoted)[0]).tolist() == [9, 10, 11]
    assert not promoted_weeks(None, None, (1, 20)).any()
