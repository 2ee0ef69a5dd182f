"""Promotions are taken out of the history and put back as usual."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.demand.forecast import forecast_demand
from shopify_app.analytics.demand.promotions import earns_its_place, promotion_lift


def shop(lift=2.5, dip=0.7, n=150, length=70, seed=0, until=None):
    rng = np.random.default_rng(seed)
    promoted = (rng.random((n, length)) < 0.15).astype(float)
    if until is not None:
        promoted[:, until:] = 0
    after = np.zeros_like(promoted)
    after[:, 1:] = promoted[:, :-1] * (1 - promoted[:, 1:])
    rate = rng.lognormal(1.5, 0.6, n)[:, None]
    return rng.poisson(rate * lift**promoted * dip**after).astype(float), promoted, rate[:, 0]


def history(units, promoted):
    n, length = units.shape
    start = np.datetime64("2025-01-06", "s") + np.arange(length) * np.timedelta64(7, "D")
    return pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), length),
            "period": np.tile(start, n),
            "units": units.ravel(),
            "on_promotion": promoted.ravel(),
        }
    )


def test_the_lift_and_the_dip_after_it_are_found():
    units, promoted, _ = shop()
    found = promotion_lift(units, np.ones_like(units), promoted)

    assert np.exp(found.during) == pytest.approx(2.5, rel=0.06)
    assert np.exp(found.after) == pytest.approx(0.7, rel=0.08)


def test_a_shop_that_promotes_without_effect_is_given_none():
    units, promoted, _ = shop(lift=1.0, dip=1.0)
    found = promotion_lift(units, np.ones_like(units), promoted)

    assert abs(found.during) < 0.06
    assert abs(found.after) < 0.06


def test_demand_after_the_last_promotion_is_the_ordinary_one():
    units, promoted, rate = shop(lift=4.0, dip=1.0, until=55)
    promoted[:, 50:55] = 1
    units[:, 50:55] = np.random.default_rng(5).poisson(4 * rate[:, None], (150, 5))
    units[:, 55:] = np.random.default_rng(6).poisson(rate[:, None], (150, 15))

    told = forecast_demand(history(units[:, :68], promoted[:, :68]), horizon=4).mean[:, 0].sum()
    assert told == pytest.approx(rate.sum(), rel=0.08)


def test_a_promotion_written_down_only_beside_a_sale_is_not_believed():
    rng = np.random.default_rng(1)
    units = rng.poisson(rng.lognormal(-1, 0.5, 300)[:, None], (300, 70)).astype(float)
    promoted = (units > 0) * (rng.random(units.shape) < 0.6)
    lift = promotion_lift(units, np.ones_like(units), promoted.astype(float))

    assert lift.during > 0.5
    assert not earns_its_place(units, np.ones_like(units), lift.factors(promoted.astype(float)))


def test_promotions_that_go_on_are_counted_once():
    rng = np.random.default_rng(8)
    rate = rng.lognormal(1.0, 0.5, 150)[:, None]
    promoted = (rng.random((150, 70)) < 0.5).astype(float)
    units = rng.poisson(rate * 4**promoted).astype(float)
    told = forecast_demand(history(units[:, :66], promoted[:, :66]), horizon=4)

    assert told.mean.sum() == pytest.approx(units[:, 66:].sum(), rel=0.08)
