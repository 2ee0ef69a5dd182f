"""The last weeks, judged: what all products share is nobody's trend."""

import numpy as np
import pytest

from shopify_app.analytics.trends.judge import JUDGED, judge


def shop(share_of_rate, *, n=60, weeks=52, one=1.0):
    """Units of products that sell twenty a week, all times a share in the last four weeks, the first times `one` more."""
    rate = np.full((n, weeks), 20.0)
    rate[:, -4:] *= share_of_rate
    rate[0, -4:] *= one
    return np.random.default_rng(3).poisson(rate).astype(float)


def judged(units):
    return judge(units, np.ones_like(units), np.zeros(len(units), int))


def test_a_quiet_shop_has_the_rates_it_sold_at():
    found = judged(shop(1.0))

    assert found.rate == pytest.approx(np.full(60, 20.0), rel=0.2)


def test_a_season_that_lifts_all_alike_is_taken_into_exposure():
    found = judged(shop(2.0))
    lift = found.exposure[:, -4:].mean() / found.exposure[:, :-JUDGED].mean()

    assert lift == pytest.approx(2.0, rel=0.1)
    assert found.rate == pytest.approx(np.full(60, 20.0), rel=0.25)


def test_one_product_that_doubles_in_a_shop_that_doubles_has_doubled_once():
    found = judged(shop(2.0, one=2.0))
    newest = found.windows

    own = newest.sold[0, 0] / newest.exposed[0, 0]
    assert own / 20 == pytest.approx(2.0, rel=0.2)
