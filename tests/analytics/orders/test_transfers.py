"""Moves between locations: what is sent arrives, and only where it is worth more."""

import numpy as np
import pytest

from shopify_app.analytics.orders.replenishment import order_quantities
from shopify_app.analytics.orders.transfers import transfers_before_purchases
from tests.analytics.forecasts import level_forecast
from tests.analytics.lost_sales import cost_of_each_order


def moved(rates, on_hand, **changed):
    n = len(rates)
    terms = {
        "product": np.zeros(n),
        "transfer_time": 0,
        "freight": 0.1,
        "on_hand": np.asarray(on_hand, float),
        "incoming": np.zeros(n),
        "lead_time": 3,
        "review_periods": 1,
        "holding_cost": 0.02,
        "shortage_cost": 5.0,
    }
    return transfers_before_purchases(
        level_forecast(rates, dispersion=changed.pop("dispersion", 0.2)), **{**terms, **changed}
    )


def test_an_empty_shelf_is_filled_from_a_full_one():
    found = moved([4.0, 4.0], [0, 100])

    assert found.source.tolist() == [1]
    assert found.destination.tolist() == [0]
    assert 12 <= found.units[0] <= 60
    assert found.value[0] > 0


def test_no_unit_is_lost_or_made_on_the_way():
    rng = np.random.default_rng(0)
    for _ in range(20):
        rates, stock = rng.uniform(0.1, 6, 9), rng.integers(0, 60, 9)
        product = np.repeat([0, 1, 2], 3)

        found = moved(rates, stock, product=product, transfer_time=1, pack=rng.choice([1, 4], 9))

        after = found.on_hand + found.arriving.sum(axis=1)
        for one in range(3):
            assert after[product == one].sum() == stock[product == one].sum()
        assert (found.on_hand >= 0).all()
        assert (product[found.source] == product[found.destination]).all()
        assert not set(found.source) & set(found.destination)
        assert (found.value > 0).all()


def test_the_greedy_moves_are_the_best_of_all_moves():
    """Two locations, every possible number of units tried."""
    rng = np.random.default_rng(4)
    for _ in range(15):
        rates, stock = rng.uniform(0.2, 4, 2), np.array([0, rng.integers(1, 25)])
        found = moved(rates, stock, dispersion=0.0)
        units = float(found.units.sum()) if found.source.tolist() == [1] else 0.0

        best = min(
            range(int(stock[1]) + 1), key=lambda k: _cost(rates, [k, stock[1] - k]) + 0.1 * k
        )

        assert abs(_cost(rates, [units, stock[1] - units]) + 0.1 * units) <= (
            _cost(rates, [best, stock[1] - best]) + 0.1 * best
        ) * (1 + 1e-3)


def _cost(rates, stock):
    """Shortage and holding over the four periods until the next order, by brute force."""
    return sum(
        cost_of_each_order(rate, int(units), np.zeros(1), 0, 4, 0.02, 5.0, most=0)[0]
        for rate, units in zip(rates, stock, strict=True)
    )


def test_freight_dearer_than_the_gain_and_other_products_stop_a_move():
    assert len(moved([4.0, 4.0], [0, 100], freight=6.0).units) == 0
    assert len(moved([4.0, 4.0], [0, 100], product=np.array([0, 1])).units) == 0
    assert len(moved([4.0, 4.0], [20, 20]).units) == 0


def test_a_transfer_saves_its_units_of_a_purchase():
    rates, stock = np.array([4.0, 0.5]), np.array([0.0, 60.0])
    moves = moved(rates, stock)
    terms = {
        "lead_time": 3,
        "review_periods": 1,
        "holding_cost": 0.02,
        "shortage_cost": 5.0,
    }
    forecast = level_forecast(rates, dispersion=0.2)

    before = order_quantities(forecast, on_hand=stock, incoming=np.zeros(2), **terms)
    after = order_quantities(forecast, on_hand=moves.on_hand, incoming=moves.arriving, **terms)

    assert after.units.sum() < before.units.sum()
    assert after.lost_with.sum() < before.lost_with.sum()


def test_a_move_into_the_past_is_refused():
    with pytest.raises(ValueError, match="transfer_time"):
        moved([1.0], [1], transfer_time=-1)
