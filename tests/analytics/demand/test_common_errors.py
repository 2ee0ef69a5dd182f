"""What all series were foreseen wrongly by is told apart from what each one was."""

import numpy as np
import pytest

from shopify_app.analytics.demand import pooling
from shopify_app.analytics.demand.common_errors import common_errors
from shopify_app.analytics.demand.pooling import Windows


def shop(shocks, n=400, mean=20.0, own=0.2, seed=0):
    """Windows in which every series was foreseen wrongly by a shock, and each by its own scatter."""
    rng = np.random.default_rng(seed)
    shape = (len(shocks), n)
    level = np.exp(shocks)[:, None] * rng.gamma(1 / own, own, shape)
    return Windows(
        foreseen=np.full(shape, mean),
        actual=rng.poisson(mean * level).astype(float),
        exposure=np.ones(shape),
        begins=10 + 4 * np.arange(len(shocks)),
        ages=np.full(shape, -1),
        span=4,
    )


def errors(windows, doubt=0.05, groups=None):
    groups = np.zeros(windows.actual.shape[1], int) if groups is None else groups
    return common_errors(
        windows, groups, np.full((groups.max() + 1, len(windows.actual) + 1), doubt)
    )


def test_a_month_that_went_wrong_for_all_is_seen_as_one_move():
    shocks = np.array([0.0, 0.5, -0.4, 0.1, 0.0, 0.3])

    found = errors(shop(shocks))

    assert np.log(found.moves[:, 0]) == pytest.approx(shocks, abs=0.08)


def test_a_shop_often_wrong_as_a_whole_expects_to_be_wrong_again():
    rng = np.random.default_rng(1)
    calm, rough = (errors(shop(rng.normal(0, sd, 24))) for sd in (0.05, 0.5))

    assert rough.variance[0] > 4 * calm.variance[0]
    assert rough.variance[0] == pytest.approx(0.25, rel=0.5)


def test_the_scatter_of_a_few_series_is_not_taken_for_a_move_of_all():
    few = errors(shop(np.zeros(24), n=2, own=1.0, mean=1.0), doubt=0.01)

    assert np.abs(np.log(few.moves)).max() < 0.1


def test_a_group_moves_on_its_own():
    calm, rough = shop(np.zeros(12)), shop(np.tile([0.4, -0.4], 6), seed=2)
    both = Windows(
        *(
            np.concatenate([getattr(calm, name), getattr(rough, name)], axis=1)
            for name in ("foreseen", "actual", "exposure")
        ),
        calm.begins,
        np.full((12, 800), -1),
        4,
    )

    found = errors(both, groups=np.repeat([0, 1], 400))

    assert np.ptp(np.log(found.moves[:, 1])) > 3 * np.ptp(np.log(found.moves[:, 0]))


def test_own_dispersion_is_found_beneath_the_moves_of_the_shop():
    shocks = np.random.default_rng(3).normal(0, 0.5, 24)
    windows = shop(shocks - np.median(shocks))
    found = errors(windows)
    moved = Windows(
        *(windows.foreseen, windows.actual, windows.exposure, windows.begins, windows.ages, 4),
        found.of(24, np.zeros(400, int)),
    )
    n = np.full(400, 20.0)
    spread = pooling.dispersion_of(
        moved, n, pooling.rate_class(n / 4), np.full(400, -1), common=np.full(400, 0.3)
    )

    own = spread.without(moved, np.full(400, 0), np.arange(400))
    assert own.mean() == pytest.approx(0.2, abs=0.05)
    assert spread.values().mean() == pytest.approx(0.3 + 1.3 * 0.2, abs=0.08)


def test_bulk_orders_of_what_sells_seldom_are_no_move_of_the_shop():
    windows = shop(np.zeros(24), mean=0.5)
    rng = np.random.default_rng(4)
    windows.actual[rng.random(windows.actual.shape) < 0.002] = 2_000.0

    found = errors(windows, doubt=0.05)

    assert np.abs(np.log(found.moves)).max() < 0.3
    assert found.variance.max() < 0.1


def test_moments_after_the_fit_have_no_move_yet():
    found = errors(shop(np.array([0.5, 0.5])))

    assert (found.of(4, np.array([0, 1]))[2:] == 1.0).all()
