"""The advice at work in a replayed year: orders know nothing of what comes after them."""

import numpy as np
import pytest

from shopify_app.analytics import demand
from shopify_app.analytics.replay import policy as replay_policy
from shopify_app.analytics.replay.record import record_of
from tests.analytics.replay.replay_shops import shop


@pytest.fixture(scope="module")
def record():
    history, terms = shop(np.random.default_rng(20), n=15, stocked=0.4)
    return record_of(
        history, terms.assign(lead=2), weeks=20, holding_per_year=0.3, most=100,
        rng=np.random.default_rng(0),
    )  # fmt: skip


@pytest.fixture
def wanted(record):
    return np.random.default_rng(21).poisson(8.0, (3, 15, record.weeks)).astype(float)


def changed_after(record, wanted, week):
    """The same until a week; another world from it on."""
    from dataclasses import replace

    at = record.first + week
    arrays = {
        name: getattr(record, name).copy() for name in ("units", "in_stock", "on_hand", "arrived")
    }
    arrays["units"][:, at:] += 30
    arrays["in_stock"][:, at:] = 0.1
    arrays["on_hand"][:, at:] = 500
    arrays["arrived"][:, at:] = 700
    later = wanted.copy()
    later[:, :, week:] = 5 * later[:, :, week:] + 40
    return replace(record, **arrays), later


def orders_before(run, record, wanted, week):
    """(orders until that week, orders in a world that is another one after it)."""
    one = run(record, wanted, cap=None, seed=0)
    other = run(*changed_after(record, wanted, week), cap=None, seed=0)
    return one.ordered[:, : week + 1], other.ordered[:, : week + 1]


@pytest.mark.parametrize("week", [3, 10, 11])
def test_no_order_knows_what_comes_after_it(record, wanted, week):
    one, other = orders_before(replay_policy.run, record, wanted, week)

    assert one.sum() > 0
    assert np.array_equal(one, other)


def test_a_policy_that_peeks_would_be_caught(record, wanted, monkeypatch):
    honest = demand.forecast_demand

    def peeking(history, **more):
        return honest(history.assign(units=history["units"] * peeking.factor), **more)

    real = replay_policy._forecast

    def forecast(a_record, seen, until, seed):
        peeking.factor = a_record.units[:, min(until, a_record.units.shape[1] - 1)].mean() / 8.0
        monkeypatch.setattr(demand, "forecast_demand", peeking)
        found = real(a_record, seen, until, seed)
        monkeypatch.setattr(demand, "forecast_demand", honest)
        return found

    monkeypatch.setattr(replay_policy, "_forecast", forecast)
    one, other = orders_before(replay_policy.run, record, wanted, 10)

    assert not np.array_equal(one, other)


def test_units_are_neither_made_nor_lost(record, wanted):
    found = replay_policy.run(record, wanted, cap=None, seed=0)

    assert np.allclose(found.sold + found.lost, wanted.sum(axis=2))
    assert (found.sold <= wanted.sum(axis=2)).all()
    assert (found.lost >= 0).all()


def test_what_was_on_its_way_before_the_year_still_arrives(record, wanted):
    from dataclasses import replace

    none = replace(record, arrived=np.zeros_like(record.arrived), on_hand=0 * record.on_hand)
    arrived = np.zeros_like(record.arrived)
    arrived[:, record.first : record.first + 2] = 8.0
    some = replace(none, arrived=arrived)

    without, with_it = (replay_policy.run(one, wanted, cap=None, seed=0) for one in (none, some))

    assert with_it.sold.sum() > without.sold.sum() + 5 * 15 * 3


def test_an_empty_shelf_shows_no_time_in_stock_and_a_full_one_all():
    share = replay_policy.time_in_stock(
        np.array([0.0, 5.0, 5.0]), np.array([0.0, 4.0, 50.0]), np.random.default_rng(0)
    )

    assert share[:2].tolist() == [0.0, 1.0]
    assert 0 < share[2] < 0.5
