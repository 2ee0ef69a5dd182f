"""Outlook: a probability that knows what is over, what was given, and how this shop's changes went on."""

import numpy as np
import pandas as pd

from shopify_app.analytics.trends import lasting as trend_lasting
from shopify_app.analytics.trends.detect import detect_trends

LENGTH = 96
WEEKS = np.datetime64("2024-01-01", "s") + np.arange(LENGTH) * np.timedelta64(7, "D")


def judged(units, **given):
    n, length = units.shape
    frame = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), length),
            "period": np.tile(WEEKS[:length], n),
            "units": units.ravel().astype(float),
        }
    )
    if (price := given.pop("price", None)) is not None:
        frame["price"] = price.ravel()
    return detect_trends(frame, as_of="2030-01-01", **given).set_index("series_id")


def steady(seed=0, n=300):
    return np.random.default_rng(seed).poisson(6, (n, LENGTH)).astype(float)


def test_what_is_over_already_is_less_likely_to_be_there_than_what_goes_on():
    units = steady()
    units[0, -8:], units[1, -8:-3] = 18, 24
    found = judged(units)

    assert (found.loc[[0, 1], "direction"] == "rising").all()
    assert found.loc[0, "lasting"] > found.loc[1, "lasting"] + 0.15


def test_the_longer_the_lead_time_the_less_likely_and_each_product_has_its_own():
    units = steady()
    units[:2, -8:] = 18
    soon, late = judged(units, lead_time=1), judged(units, lead_time=12)
    own = judged(units, lead_time=pd.Series({0: 1.0, 1: 12.0}))

    assert soon.loc[0, "lasting"] > late.loc[0, "lasting"]
    assert own.loc[0, "lasting"] > own.loc[1, "lasting"]
    assert soon["lasting"].between(0, 1).all()


def test_a_discounts_rise_is_less_likely_to_last_than_the_same_rise_without():
    units = steady()
    units[:2, -8:] = 18
    price = np.full(units.shape, 20.0)
    price[0, -8:] = 15.0
    found = judged(units, price=price)

    assert found.loc[0, "lasting"] < found.loc[1, "lasting"] - 0.1


def test_every_product_gets_a_probability_and_one_that_stands_still_is_hardly_said_to_rise():
    found = judged(steady(1))
    still = found[(found["direction"] == "none") & (found["ratio"] > 1)]

    assert found["lasting"].between(0, 1).all()
    assert still["lasting"].mean() < 0.5


def test_a_lead_time_of_years_is_looked_at_no_further_than_half_a_year():
    units = steady()
    units[0, -8:] = 18
    far, very_far = judged(units, lead_time=26), judged(units, lead_time=200)

    assert 0 < very_far.loc[0, "lasting"] < far.loc[0, "lasting"] < 1


def test_of_a_large_shop_the_changed_and_some_from_the_best_to_the_least_are_forecast():
    units = np.arange(5000.0)[:, None] * np.ones((1, 3))
    said = np.zeros(5000, bool)
    said[[7, 4321]] = True
    rows = trend_lasting._looked_at(units, said)

    assert {7, 4321} <= set(rows)
    assert len(rows) <= trend_lasting.LEARNED_FROM + 2
    assert (rows[0], rows[-1]) == (0, 4999)
    assert (np.diff(rows) > 0).all()
    assert trend_lasting._looked_at(units[:40], said[:40]).tolist() == list(range(40))


def with_a_past(lasts):
    """A shop in which 60 products rose in their time, for good or for five weeks, and two rise now."""
    rng = np.random.default_rng(4)
    mean = np.full((400, LENGTH), 6.0)
    for row in range(60):
        start = 40 + row % 40
        mean[row, start : None if lasts else start + 5] *= 3
    mean[398:, -5:] *= 3
    return rng.poisson(mean).astype(float)


def test_a_shop_learns_from_what_became_of_its_own_past_changes():
    for_good, passing = judged(with_a_past(lasts=True)), judged(with_a_past(lasts=False))

    assert for_good.loc[398:, "lasting"].mean() > passing.loc[398:, "lasting"].mean() + 0.1
