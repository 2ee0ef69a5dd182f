"""What empty shelves kept from being sold: neither more nor less, on worlds whose truth is known."""

import numpy as np
import pytest

from shopify_app.analytics.replay.demand import demand_draws, levels
from shopify_app.analytics.replay.policy import time_in_stock
from shopify_app.analytics.replay.record import counted_weeks, presumed_short, record_of
from tests.analytics.replay.replay_shops import shop


def censored(rng, *, n=200, weeks=104, k=0.2, stocked=(0, 20)):
    """(wanted, sold, time in stock) where each week's shelf is filled anew to a random number of units."""
    rate = rng.lognormal(1.0, 0.8, (n, 1))
    wanted = rng.poisson(rate * rng.gamma(1 / k, k, (n, weeks))).astype(float)
    stock = rng.integers(*stocked, (n, weeks)).astype(float)
    return wanted, np.minimum(wanted, stock), time_in_stock(stock, wanted, rng)


def test_levels_are_those_of_the_demand_and_not_of_the_sales():
    wanted, sold, time = censored(np.random.default_rng(1), stocked=(0, 8))
    told = np.ones(sold.shape, bool)

    level, spread = levels(sold, time, told)

    assert sold.sum() < 0.7 * wanted.sum()
    assert level.sum() == pytest.approx(wanted.sum(), rel=0.04)
    assert 0.1 <= spread <= 0.3


def test_what_is_lost_is_neither_over_nor_understated():
    history, terms = shop(np.random.default_rng(2), n=150, stocked=0.3)
    record = record_of(
        history, terms, weeks=52, holding_per_year=0.3, most=999, rng=np.random.default_rng(0)
    )

    drawn = demand_draws(record, 16, np.random.default_rng(3))

    assert drawn.sum(axis=(1, 2)).mean() == pytest.approx(150 * 52 * 8.0, rel=0.03)
    assert (drawn >= record.units[:, -52:]).all()


def test_where_nothing_was_short_demand_is_what_was_sold():
    history, terms = shop(np.random.default_rng(4), n=10, cover=50.0)
    record = record_of(
        history, terms, weeks=52, holding_per_year=0.3, most=999, rng=np.random.default_rng(0)
    )

    drawn = demand_draws(record, 2, np.random.default_rng(5))

    assert (drawn == record.units[:, -52:]).all()


def test_weeks_whose_shelves_are_unknown_do_not_lower_the_level():
    wanted, sold, time = censored(np.random.default_rng(6), stocked=(4, 40))
    told = np.ones(sold.shape, bool)
    told[:, :52] = False
    sold[:, :52], time[:, :52] = 0.0, 1.0

    level, _ = levels(sold, time, told)

    assert level[:, 52:].sum() == pytest.approx(wanted[:, 52:].sum(), rel=0.04)


def test_a_run_without_sales_that_chance_would_not_bring_is_presumed_short():
    units = np.full((2, 40), 5.0)
    units[0, 20:24] = 0.0
    units[1] = np.tile([1.0, 0.0, 0.0, 0.0], 10)  # so slow that it means nothing
    unknown = np.zeros(units.shape, bool)

    found = presumed_short(units, np.ones(units.shape, bool), unknown)

    assert np.flatnonzero(found[0]).tolist() == [20, 21, 22, 23]
    assert not found[1].any()
    assert not presumed_short(units, np.ones(units.shape, bool), ~unknown).any()


def test_counted_weeks_are_those_since_the_last_gap():
    history, terms = shop(np.random.default_rng(7), n=20, counted_from=80)
    history.loc[history["series_id"] == 0, "on_hand"] = np.nan  # one of twenty is never counted

    record = record_of(
        history, terms, weeks=52, holding_per_year=0.3, most=999, rng=np.random.default_rng(0)
    )

    assert counted_weeks(record, 0.9) == 24
    assert counted_weeks(record, 0.99) == 0


def test_of_the_series_left_out_the_drawn_ones_stand_for_all():
    history, terms = shop(np.random.default_rng(8), n=50)

    record = record_of(
        history, terms, weeks=52, holding_per_year=0.3, most=20, rng=np.random.default_rng(0)
    )

    assert len(record.series_ids) == 20
    assert record.scale.sum() == pytest.approx(50)
