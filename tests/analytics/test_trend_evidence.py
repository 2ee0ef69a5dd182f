"""Evidence: equal to brute force, silent where nothing is known, blind to what all products share."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln

from shopify_app.analytics import trend_evidence, trend_prior, trend_shocks
from shopify_app.analytics.trend_evidence import GRID, MIDDLE


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
        trend_evidence._Weeks(*[np.array([float(v)]) for v in (sold, weeks, weeks)])
        for sold, weeks in (before, after)
    ]
    ours = trend_evidence._integrated(*stretch, shape, GRID[20:61:8])[0]
    exact = np.array([by_quadrature(before, after, shape, g) for g in GRID[20:61:8]])

    assert np.ptp(ours - exact) < 0.06


def test_the_terms_of_a_week_add_up_to_its_negative_binomial_probability():
    counts = np.array([[0.0, 3.0, 7.0]])
    found = trend_evidence._log_counts(counts, np.ones((1, 3)), (1, 2)).sum(axis=1)[0]
    r = trend_evidence.SHAPES
    expected = sum(gammaln(y + r) - gammaln(r) - gammaln(y + 1) for y in counts[0])

    assert found == pytest.approx(expected)


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
