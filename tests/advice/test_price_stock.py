"""What a price suggestion is told of stock: what there is until an order placed today would come."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from shopify_app.advice import price as price_advice
from shopify_app.advice.inputs import VENDORS, Inputs
from tests.factories import run_settings


@pytest.fixture
def stock():
    """The stock frame of four variants that sell ten a week: long, coming, untracked, oversold."""
    variants = pd.DataFrame(
        {
            "variant_id": [1, 2, 3, 4],
            "vendor": ["Far", "Far", "Near", "Near"],
            "is_tracked": [True, True, False, True],
            "available_units": [40, 10, 0, -3],
            "incoming_units": [0, 90, 0, 0],
        }
    )
    vendors = pd.DataFrame([("Far", 84, 1, 0, 0.0, "money", False)], columns=list(VENDORS)).astype(
        VENDORS
    )
    inputs = Inputs(
        date(2026, 11, 20), variants, pd.DataFrame(), vendors, run_settings(lead_time_days=10)
    )
    catalogue = pd.DataFrame({"series_id": [2, 1, 3, 4], "units_per_month": 10 * 52 / 12})
    return price_advice._stock(inputs, catalogue).set_index("series_id")


def test_until_an_order_would_come_is_the_vendors_lead_time_in_whole_weeks(stock):
    assert stock["weeks_to_delivery"].drop(3).to_dict() == {2: 12, 1: 12, 4: 2}


def test_what_is_on_its_way_counts_as_there_and_what_is_oversold_as_nothing(stock):
    assert stock["available"].drop(3).to_dict() == {2: 100, 1: 40, 4: 0}


def test_stock_that_is_not_tracked_is_unknown_and_never_short(stock):
    assert np.isnan(stock.loc[3, "available"])
    assert not stock.loc[3, "is_short"]


def test_a_shelf_of_less_than_two_weeks_is_short_whatever_is_on_its_way(stock):
    assert stock["is_short"].to_dict() == {2: True, 1: False, 3: False, 4: True}
