"""How launches begin is learned from earlier launches."""

import numpy as np
import pytest

from shopify_app.analytics.demand.launches import (
    AGES,
    LaunchCurve,
    first_seen,
    launch_curve,
    launch_factors,
)


def launches(first_share, n=120, length=60, seed=0):
    rng = np.random.default_rng(seed)
    units, exposure = np.zeros((n, length)), np.zeros((n, length))
    for row in range(n):
        born = rng.integers(8, 40)
        rate = rng.lognormal(1.5, 0.6)
        exposure[row, born:] = 1
        units[row, born:] = rng.poisson(rate, length - born)
        units[row, born] = rng.poisson(rate * first_share)
    return units, exposure


def test_a_first_week_that_is_half_a_week_is_known_for_one():
    units, exposure = launches(0.5)
    launched = first_seen(exposure, 6)
    curve = launch_curve(units, exposure, np.ones_like(units), launched, 1)

    assert curve.factors[0] == pytest.approx(0.5, abs=0.1)
    assert curve.factors[1:] == pytest.approx(np.ones(AGES - 1), abs=0.12)


def test_launches_like_all_other_weeks_have_no_curve():
    units, exposure = launches(1.0)
    curve = launch_curve(units, exposure, np.ones_like(units), first_seen(exposure, 6), 1)

    assert curve.factors == pytest.approx(np.ones(AGES), abs=0.12)
    assert curve.share < 0.1


def test_what_was_there_when_the_history_begins_is_no_launch():
    exposure = np.ones((2, 20))
    exposure[1, :10] = 0

    assert first_seen(exposure, 6).tolist() == [-1, 10]


def test_only_the_young_have_a_factor():
    curve = np.array([0.5, 0.8])
    found = launch_factors(curve, np.array([-1, 10]), np.arange(9, 14), 1)

    assert found[0].tolist() == [1, 1, 1, 1, 1]
    assert found[1].tolist() == [1, 0.5, 0.8, 1, 1]


def known_by_first_sale(n=400, length=60, seed=1):
    """Products that are there from some moment within a week on, and are seen when first sold."""
    rng = np.random.default_rng(seed)
    units, exposure = np.zeros((n, length)), np.zeros((n, length))
    for row in range(n):
        begin, rate = rng.uniform(8, 20), rng.lognormal(0.0, 1.3)
        sales = begin + np.cumsum(rng.exponential(1 / rate, 2000))
        weeks = sales[sales < length].astype(int)
        if len(weeks):
            units[row] = np.bincount(weeks, minlength=length)
            exposure[row, weeks[0] :] = 1
    return units, exposure


def test_the_sale_by_which_a_product_is_known_tells_nothing_of_its_rate():
    units, exposure = known_by_first_sale()
    curve = launch_curve(units, exposure, np.ones_like(units), first_seen(exposure, 6), 1)

    assert curve.spike == pytest.approx(1.0, abs=0.25)
    assert curve.without_spike[0] == pytest.approx(0.5, abs=0.15)


def test_a_launch_spike_is_taken_from_the_first_block_alone_and_leaves_a_sale():
    curve = LaunchCurve(np.ones(AGES), spike=2.0, share=0.4)
    units = np.array([[0.0, 1.0, 5.0], [5.0, 5.0, 5.0], [4.0, 4.0, 4.0]])

    told = curve.units_without_spike(units, np.array([11, 9, -1]), first=10)

    assert 0 < told[0, 1] < 0.1
    assert told[0, 2] == 5.0
    assert (told[1:] == units[1:]).all()
