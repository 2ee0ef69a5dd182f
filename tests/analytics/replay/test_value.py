"""The year again with our advice: what it would have brought, told with care, and nothing known later used."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.replay import value as replay_module
from shopify_app.analytics.replay.value import Replay, replay
from tests.analytics.replay.replay_shops import shop, terms


def few(history, conditions, **more):
    return replay(history, conditions, **{"weeks": 13, "draws": 4, **more})


def test_a_shop_that_is_often_empty_had_much_to_gain():
    found = few(*shop(np.random.default_rng(1), stocked=0.3))

    assert found.verdict == "gain"
    assert 0 < found.gain_low < found.gain < found.gain_high
    assert found.lost_units_advised < 0.2 * found.lost_units


def test_the_parts_add_up_to_the_gain():
    found = few(*shop(np.random.default_rng(2), stocked=0.4), order_cost=1.0)

    parts = found.from_sales + found.from_holding + found.from_ordering
    assert parts == pytest.approx(found.gain)
    assert found.from_ordering != 0


def test_a_well_run_shop_is_told_that_there_is_little_to_gain():
    found = few(*shop(np.random.default_rng(3), cover=2.2))

    assert found.verdict == "little_to_gain"
    assert found.lost_units < 0.01 * found.revenue


def test_a_shop_that_drowns_in_stock_gains_by_holding_less():
    found = few(*shop(np.random.default_rng(4), cover=40.0), weeks=26)

    assert found.from_holding > 0
    assert found.stock_value_advised < 0.75 * found.stock_value
    assert found.lines_advised == 0


def test_advice_that_would_have_cost_money_is_called_a_loss():
    history, conditions = shop(np.random.default_rng(5), cover=2.2)

    found = few(history, conditions, service_level_cap=0.05)  # made to keep its shelves bare

    assert found.verdict == "loss"
    assert found.gain_high < 0


def test_a_short_past_is_not_replayed():
    history, conditions = shop(np.random.default_rng(6), n=5, weeks=25)

    assert replay(history, conditions) == Replay("too_little_history", 12, 0, 5)
    empty = history.iloc[:0]
    assert replay(empty, terms(0)).verdict == "too_little_history"


def test_one_series_is_enough():
    found = few(*shop(np.random.default_rng(7), n=1, stocked=0.3))

    assert found.series == 1
    assert np.isfinite([found.gain, found.gain_low, found.gain_high]).all()


def test_what_was_never_stocked_and_never_sold_neither_gains_nor_loses():
    history, conditions = shop(np.random.default_rng(8), n=3)
    never = history["series_id"] == 2
    history.loc[never, ["units", "in_stock", "on_hand"]] = 0.0
    with_it = few(history, conditions, weeks=26)
    without = few(history[~never], conditions.iloc[:2], weeks=26)

    assert with_it.gain == pytest.approx(without.gain, abs=0.02 * without.revenue)
    assert with_it.revenue == without.revenue


def test_where_the_range_is_wide_nothing_is_claimed(monkeypatch):
    history, conditions = shop(np.random.default_rng(17), n=10, stocked=0.6)
    assert few(history, conditions).verdict == "gain"
    monkeypatch.setattr(replay_module, "METHOD_ERROR", 0.5)

    found = few(history, conditions)

    assert found.gain_low < 0 < found.gain_high
    assert found.verdict == "cannot_tell"


def test_weeks_whose_shelves_nobody_counted_are_not_replayed():
    history, conditions = shop(np.random.default_rng(9), stocked=0.3, counted_from=84)

    found = replay(history, conditions, draws=4)

    assert found.weeks == 19
    assert not found.is_floor
    assert found.counted_share == 1.0
    assert found.verdict == "gain"


def test_a_shop_whose_shelves_nobody_counted_is_not_told_that_it_is_well_run():
    found = few(*shop(np.random.default_rng(10), n=40, stocked=0.8, counted_from=103), weeks=26)

    assert found.is_floor
    assert found.verdict == "not_counted"


def test_of_a_large_shop_a_part_is_looked_at_and_scaled_up():
    history, conditions = shop(np.random.default_rng(11), n=120, stocked=0.4)

    whole = few(history, conditions)
    part = few(history, conditions, most_series=40)

    assert (part.series, part.series_in_all) == (40, 120)
    assert part.gain_low < whole.gain < part.gain_high
    assert part.gain_high - part.gain_low > whole.gain_high - whole.gain_low


def test_the_same_history_and_seed_tell_the_same():
    history, conditions = shop(np.random.default_rng(12), n=10, stocked=0.5)

    assert few(history, conditions, seed=3) == few(history.sample(frac=1), conditions, seed=3)


def test_packs_that_are_large_cost_some_of_the_gain():
    history, conditions = shop(np.random.default_rng(13), n=20, stocked=0.3)

    loose = few(history, conditions)
    packed = few(history, conditions.assign(pack=60))

    assert packed.gain < loose.gain
    assert packed.stock_value_advised > loose.stock_value_advised


def test_the_currency_only_scales():
    history, conditions = shop(np.random.default_rng(14), n=10, stocked=0.5)
    dear = conditions.assign(price=conditions["price"] * 100, cost=conditions["cost"] * 100)

    cheap, costly = few(history, conditions), few(history, dear)

    assert costly.gain == pytest.approx(100 * cheap.gain)
    assert replace(costly, verdict="").verdict == ""
    assert costly.verdict == cheap.verdict


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h, t: (h, t.drop(columns="lead")), "terms lack"),
        (lambda h, t: (h, t.iloc[1:]), "each series once"),
        (lambda h, t: (h, pd.concat([t, t])), "each series once"),
    ],
)
def test_terms_that_do_not_fit_are_refused(change, words):
    history, conditions = shop(np.random.default_rng(15), n=3)

    with pytest.raises(ValueError, match=words):
        few(*change(history, conditions))


def test_a_single_draw_is_refused():
    with pytest.raises(ValueError, match="draws"):
        replay(*shop(np.random.default_rng(16), n=2), draws=1)
