"""What a policy of the stock game is told of its shelf."""

import numpy as np
import pytest

from bench.lib.stock_game import _share


def shares(stock, demand):
    n = 4_000
    return _share(np.full(n, float(stock)), np.full(n, float(demand)), np.random.default_rng(0))


@pytest.mark.parametrize("demand", [0, 1, 7])
def test_an_empty_shelf_is_empty_whether_anybody_comes_or_not(demand):
    assert (shares(0, demand) == 0).all()


def test_a_shelf_that_is_never_emptied_is_in_stock_throughout():
    assert (shares(5, 4) == 1).all()


@pytest.mark.parametrize(("stock", "demand"), [(1, 1), (3, 3), (1, 4), (3, 9)])
def test_a_shelf_is_in_stock_until_its_last_unit_is_sold(stock, demand):
    """The k-th of n buyers in random order comes after k / (n + 1) of the time."""
    found = shares(stock, demand)
    assert ((found > 0) & (found < 1)).all()
    assert found.mean() == pytest.approx(stock / (demand + 1), abs=0.02)
