"""What a shop's past says of its forecasts."""

import numpy as np
import pytest

from shopify_app.analytics import negative_binomial as nb
from shopify_app.analytics.demand import pooling
from shopify_app.analytics.demand.pooling import Windows


def windows(dispersion, mean=8.0, moments=20, n=400, seed=0):
    rng = np.random.default_rng(seed)
    shape = (moments, n)
    rate = (
        rng.gamma(1 / dispersion, dispersion * mean, shape) if dispersion else np.full(shape, mean)
    )
    return Windows(
        foreseen=np.full(shape, mean),
        actual=rng.poisson(rate).astype(float),
        exposure=np.ones(shape),
        begins=10 + 4 * np.arange(moments),
        ages=np.full(shape, -1),
        span=4,
    )


def shown(given):
    n = given.actual.shape[1]
    classes = pooling.rate_class(np.full(n, 2.0))
    return pooling.dispersion_of(given, np.full(n, 8.0), classes, np.full(n, -1))


@pytest.mark.parametrize("dispersion", [0.1, 0.5, 1.5])
def test_the_dispersion_of_totals_is_found(dispersion):
    assert shown(windows(dispersion)).values().mean() == pytest.approx(dispersion, rel=0.15)


def test_levels_move_where_the_model_is_wrong_and_only_there():
    right = windows(0.5)
    rng = np.random.default_rng(1)
    kept = pooling.held_levels(right, shown(right), most=40_000, rng=rng)
    at = [int(np.argmin(np.abs(pooling.LEVELS - level))) for level in (0.5, 0.9)]
    row = kept[int(pooling.rate_class(np.array([2.0]))[0])]

    assert row[at] == pytest.approx([0.5, 0.9], abs=0.03)

    short = Windows(
        right.foreseen * 0.7, right.actual, right.exposure, right.begins, right.ages, right.span
    )
    spread = shown(short)
    moved = pooling.held_levels(short, spread, most=40_000, rng=rng)
    row = moved[int(pooling.rate_class(np.array([1.4]))[0])]
    cut = nb.quantile(row[at[1]], np.array([5.6]), np.array([spread.values().mean()]))
    assert (right.actual <= cut).mean() == pytest.approx(0.9, abs=0.03)


def test_the_component_that_foresees_gets_the_weight():
    given = windows(0.2)
    good, bad = given.foreseen, given.foreseen * 2.5
    weights = pooling.component_weights(
        np.stack([bad, good]), given, pooling.rate_class(np.full(400, 2.0))
    )

    at = int(pooling.rate_class(np.array([2.0]))[0])
    assert weights[1, at] > 0.95
    assert weights.sum(axis=0) == pytest.approx(np.ones(len(weights[0])))


def test_a_total_is_judged_by_a_dispersion_that_has_not_seen_it():
    given = windows(0.3, n=50)
    given.actual[3, 0] = 400.0
    spread = shown(given)

    without = spread.without(given, np.array([3]), np.array([0]))
    assert without[0] < 0.5 * spread.values()[0]


def test_bulk_orders_make_no_other_total_unsure():
    given = windows(0.3)
    calm = shown(given).values().mean()
    rng = np.random.default_rng(5)
    hit = rng.random(given.actual.shape) < 0.002
    given.actual[hit] += 5_000.0

    assert shown(given).values().mean() < 2.5 * calm
