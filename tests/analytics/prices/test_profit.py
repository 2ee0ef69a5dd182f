"""What a price earns with the stock there is: short until a delivery, or dying."""

import numpy as np
import pytest

from shopify_app.analytics.prices.profit import WEEKS_PER_MONTH, StockView, monthly_profit

COST = 10.0
PRICES = np.linspace(15.0, 30.0, 61)
ELASTICITY = -2.0
"""In plenty the best price is twice the cost."""


def best(stock, weekly=10.0):
    """The price that earns most where `weekly` units would sell at 20."""
    units = weekly * WEEKS_PER_MONTH * (PRICES[:, None] / 20.0) ** ELASTICITY
    return PRICES[int(monthly_profit(PRICES, units, COST, stock).argmax())]


def test_in_plenty_stock_changes_nothing():
    assert best(None) == 20.0
    assert best(StockView(available=1000.0, weeks_to_delivery=12.0)) == 20.0


def test_stock_that_lasts_this_month_but_not_until_the_delivery_is_sold_dearer():
    assert best(StockView(available=60.0, weeks_to_delivery=12.0)) > 24.0


def test_the_shorter_the_stock_the_dearer():
    found = [best(StockView(available=n, weeks_to_delivery=12.0)) for n in (120, 90, 70, 50)]

    assert found == sorted(found)
    assert found[0] < found[-1]


def test_a_price_for_scarce_stock_is_near_the_one_that_just_sells_it_out():
    # 60 units for twelve weeks: 5 a week are asked for at 20 * sqrt(2).
    assert best(StockView(available=60.0, weeks_to_delivery=12.0)) == pytest.approx(28.3, rel=0.1)


def test_a_delivery_within_days_leaves_the_price_where_it_is():
    assert best(StockView(available=20.0, weeks_to_delivery=0.2)) == pytest.approx(20.0, abs=0.5)


def test_an_empty_shelf_earns_nothing_at_any_price_until_the_delivery():
    units = np.full((2, 1), 40.0)
    shelf = StockView(available=0.0, weeks_to_delivery=8.0)

    assert monthly_profit(np.array([15.0, 25.0]), units, COST, shelf).tolist() == [[0.0], [0.0]]


def test_stock_too_much_for_its_season_is_marked_down_and_the_more_the_nearer_the_end():
    weeks = [best(StockView(available=100.0, sell_by_weeks=left)) for left in (12.0, 9.0, 6.0)]

    assert weeks == sorted(weeks, reverse=True)
    assert weeks[0] > 20.0 > weeks[-1]


def test_what_is_left_at_the_end_is_worth_its_salvage_and_no_less_is_taken():
    cheap, dear = (
        best(StockView(available=300.0, sell_by_weeks=9.0, salvage=salvage))
        for salvage in (0.0, 14.0)
    )

    assert cheap < dear
