"""The distribution against scipy's and against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from shopify_app.analytics import negative_binomial as nb

means, dispersions = st.floats(0.05, 200), st.one_of(st.just(0.0), st.floats(0.01, 5))


def reference(mean, dispersion):
    return (
        stats.poisson(mean)
        if dispersion == 0
        else stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean))
    )


@settings(max_examples=150, deadline=None)
@given(means, dispersions, st.integers(0, 300))
def test_the_distribution_function_is_scipys(mean, dispersion, units):
    assert nb.cdf(np.array([units]), np.array([mean]), np.array([dispersion]))[0] == pytest.approx(
        reference(mean, dispersion).cdf(units), abs=1e-9
    )


@settings(max_examples=150, deadline=None)
@given(means, dispersions, st.floats(0.01, 0.995))
def test_a_quantile_is_the_smallest_that_is_enough(mean, dispersion, level):
    found = nb.quantile(np.array([level]), np.array([mean]), np.array([dispersion]))[0]

    assert reference(mean, dispersion).cdf(found) >= level - 1e-9
    assert found == 0 or reference(mean, dispersion).cdf(found - 1) < level + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 30), dispersions.filter(lambda k: k < 2), st.integers(0, 40))
def test_expected_shortage_is_the_sum_over_every_demand(mean, dispersion, stock):
    demand = np.arange(stock, 4_000)
    by_hand = ((demand - stock) * reference(mean, dispersion).pmf(demand)).sum()

    assert nb.expected_shortage(np.array([stock]), np.array([mean]), np.array([dispersion]))[
        0
    ] == pytest.approx(by_hand, abs=1e-6, rel=1e-6)


def test_a_level_of_one_is_refused():
    with pytest.raises(ValueError, match="levels"):
        nb.quantile(np.array([1.0]), np.array([1.0]), np.array([0.1]))
