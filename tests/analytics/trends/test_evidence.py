"""Evidence: equal to brute force, silent where nothing is known, blind to what all products share."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import softmax
from scipy.stats import nbinom

from shopify_app.analytics.trends import evidence as trend_evidence
from shopify_app.analytics.trends import prior as trend_prior
from shopify_app.analytics.trends import shocks as trend_shocks
from shopify_app.analytics.trends.evidence import GRID, MIDDLE


def by_quadrature(before, after, shape, log_ratio):
    """log of the integral, over the log of rate / r, of two stretches' likelihood."""
    (sold, weeks), (sold_now, weeks_now) = before, after

    def height(x):
        odds, changed = np.exp(x), np.exp(x + log_ratio)
        return (
            (sold + 0.5) * np.log(odds / (1 + odds)) - weeks * shape * np.log1p(odds)
            + sold_now * np.log(changed / (1 + changed)) - weeks_now * shape * np.log1p(changed)
        )  # fmt: skip

    top = max(height(x) for x in np.linspace(-12, 6, 2000))
    return top + np.log(quad(lambda x: np.exp(height(x) - top), -14, 8, limit=400)[0])


@pytest.mark.parametrize(
    ("before", "after"), [((60, 26), (30, 8)), ((4, 26), (5, 4)), ((300, 52), (9, 8))]
)
@pytest.mark.parametrize("shape", [50.0, 4.0, 0.8])
def test_laplace_in_closed_form_equals_quadrature_up_to_a_constant(before, after, shape):
    stretch = [
        trend_evidence._Weeks(*[np.array([float(v)]) for v in (sold, weeks, weeks, weeks)])
        for sold, weeks in (before, after)
    ]
    ours = trend_evidence._integrated(*stretch, shape, GRID[20:61:8])[0]
    exact = np.array([by_quadrature(before, after, shape, g) for g in GRID[20:61:8]])

    assert np.ptp(ours - exact) < 0.06


def test_the_terms_of_weeks_add_up_to_their_negative_binomial_probability():
    counts, exposure = np.array([[0.0, 3.0, 7.0]]), np.array([[0.5, 1.0, 2.0]])
    found = trend_evidence._log_counts(counts, exposure, np.array([3.0]), (1, 2)).sum(axis=1)[0]
    r = trend_evidence.SHAPES
    expected = sum(
        nbinom.logpmf(y, r, r / (r + 3 * e)) for y, e in zip(counts[0], exposure[0], strict=True)
    )

    assert found == pytest.approx(expected)


def test_on_even_weeks_the_integral_over_the_rate_is_exact_wherever_they_were_taken():
    units, exposure = np.array([[4.0, 0.0, 9.0, 2.0]]), np.full((1, 4), 0.8)
    part = trend_evidence._stretch(units, exposure, 4, 0)
    found = [
        trend_evidence._log_counts(units, exposure, rate, (1, 2)).sum(axis=1)
        + trend_evidence._level(part, rate)
        for rate in (np.array([1.0]), np.array([7.0]))
    ]

    np.testing.assert_allclose(found[0], found[1])


@pytest.mark.parametrize("shape", [6.0, 2.0])
def test_uneven_weeks_are_as_good_as_the_even_ones_they_are_taken_for(shape):
    rng = np.random.default_rng(4)
    exposure = rng.lognormal(0, 0.5, (1, 40))
    units = rng.negative_binomial(shape, shape / (shape + 5 * exposure)).astype(float)
    rate, number = trend_evidence._rate(units, exposure), trend_evidence.SHAPES[6:14]
    part = trend_evidence._stretch(units, exposure, 40, 0)
    found = trend_evidence._log_counts(units, exposure, rate, (1, 2)).sum(axis=1)
    found = (found + trend_evidence._level(part, rate))[0, 6:14]

    def exact(r):
        def height(x):
            mean = np.exp(x) * exposure
            return nbinom.logpmf(units, r, r / (r + mean)).sum() + 0.5 * np.log(np.exp(x) / r)

        top = height(np.log(rate[0]))
        return top + np.log(quad(lambda x: np.exp(height(x) - top), -2, 5, limit=400)[0])

    believed, truly = softmax(found), softmax([exact(r) for r in number])
    assert believed @ np.log(number) == pytest.approx(truly @ np.log(number), abs=0.1)


def test_weeks_known_to_differ_do_not_make_a_product_erratic():
    rng = np.random.default_rng(5)
    exposure = np.exp(rng.normal(0, 0.7, (1, 60))) * np.ones((300, 1))
    units = rng.poisson(6 * exposure).astype(float)
    known = trend_evidence.evidence(units, exposure, (4, 8)).dispersion
    unknown = trend_evidence.evidence(units, np.ones(units.shape), (4, 8)).dispersion

    assert known.mean() < 0.04
    assert unknown.mean() > 0.3


def test_a_product_that_never_sold_or_was_never_on_sale_says_nothing():
    units = np.zeros((3, 60))
    units[2] = 4
    exposure = np.ones((3, 60))
    exposure[1] = 0
    found = trend_evidence.evidence(units, exposure, (4, 8))

    assert found.informative.tolist() == [False, False, True]
    assert (found.likelihood[:2] == 1).all()


def test_twice_the_exposure_explains_twice_the_sales():
    rng = np.random.default_rng(0)
    units = rng.poisson(6, (200, 60)).astype(float)
    units[:, -8:] = rng.poisson(12, (200, 8))
    exposure = np.ones((200, 60))
    changed = trend_evidence.evidence(units, exposure, (4, 8)).likelihood[:, 1].argmax(axis=1)
    exposure[:, -8:] = 2
    explained = trend_evidence.evidence(units, exposure, (4, 8)).likelihood[:, 1].argmax(axis=1)

    assert GRID[changed].mean() == pytest.approx(np.log(2), abs=0.06)
    assert GRID[explained].mean() == pytest.approx(0, abs=0.06)


def test_what_a_kind_of_product_shares_is_foreseen_from_its_past():
    rng = np.random.default_rng(1)
    season = np.where(np.arange(70) % 10 < 4, 3.0, 0.5)
    mean = np.full((400, 70), 4.0)
    mean[:150] *= season
    factor = trend_shocks.shared_factor(
        rng.poisson(mean).astype(float), np.ones((400, 70)), judged=8
    )
    kind, rest = factor[:150, -8:].mean(axis=0), factor[150:, -8:].mean(axis=0)

    assert np.corrcoef(kind / rest, season[-8:])[0, 1] > 0.95
    assert (kind / rest).max() / (kind / rest).min() > 3


def test_a_products_own_change_in_the_judged_weeks_is_no_shared_factor():
    rng = np.random.default_rng(2)
    mean = np.full((400, 70), 4.0)
    mean[:40, -8:] *= 3
    factor = trend_shocks.shared_factor(
        rng.poisson(mean).astype(float), np.ones((400, 70)), judged=8
    )

    assert factor[:40, -8:].mean() == pytest.approx(factor[40:, -8:].mean(), rel=0.05)


def test_the_typical_product_stands_still_though_the_sum_moves():
    rng = np.random.default_rng(3)
    mean = np.full((300, 60), 5.0)
    mean[:60, -8:] *= 4
    units = rng.poisson(mean).astype(float)
    factor = trend_shocks.shop_factor(units, np.ones(units.shape))
    shop_moved = np.log(factor[-8:].mean() / factor[:-8].mean())
    move = trend_prior.typical_move(
        trend_evidence.evidence(units, factor * np.ones((300, 1)), (4, 8))
    )

    assert shop_moved > 0.3
    assert shop_moved + move[1] == pytest.approx(0, abs=0.06)
    assert GRID[MIDDLE] == 0
