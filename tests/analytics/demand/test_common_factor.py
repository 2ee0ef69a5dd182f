"""What moves the whole shop: seasons, holidays, levels, the dead."""

import numpy as np
import pytest

from shopify_app.analytics.demand.common_factor import common_factor


def weeks(first, count):
    return np.datetime64(first, "D") + np.arange(count) * 7


def factor(units, horizon=8, first="2022-01-03", groups=None, period="W"):
    n, length = units.shape
    groups = np.zeros(n, int) if groups is None else groups
    return common_factor(
        units.astype(float),
        np.ones(units.shape),
        groups,
        weeks(first, length + horizon),
        period=period,
        moments=np.array([max(length - 20, 0), length]),
    )


def seasonal(n, length, amplitude, seed=0, level=4.0):
    course = np.exp(amplitude * np.sin(2 * np.pi * np.arange(length) / 52.18))
    rate = np.random.default_rng(seed).lognormal(np.log(level), 0.5, n)
    return np.random.default_rng(seed + 1).poisson(rate[:, None] * course[None, :]), course


def test_a_season_seen_twice_is_foreseen():
    units, course = seasonal(300, 140, 0.7)
    found = factor(units[:, :130], horizon=10)

    ahead = found.foreseen[0, -1] / found.past[0, -1]
    truth = course[130:140] / course[129]
    assert np.abs(np.log(ahead / truth)).max() < 0.15


def test_a_shop_without_a_season_is_given_none():
    units, _ = seasonal(300, 130, 0.0)
    found = factor(units)

    assert np.abs(np.log(found.past)).mean() < 0.05
    assert found.foreseen[0, -1][:4] == pytest.approx(np.ones(4), abs=0.12)


def test_a_forecast_from_the_past_knows_nothing_of_what_came_after():
    units, _ = seasonal(100, 100, 0.3)
    later = units.copy()
    later[:, 82:] *= 5

    before, after = factor(units), factor(later)
    usual = 0.2  # a forecast from week 80 may know the products' average level only
    ratio = (after.foreseen[0, 0] / after.past[0, 79]) / (
        before.foreseen[0, 0] / before.past[0, 79]
    )
    assert np.abs(np.log(ratio)).max() < usual


def test_products_that_died_are_no_news_of_the_shop():
    units = np.random.default_rng(3).poisson(3, (200, 80))
    units[:80, 50:] = 0
    found = factor(units)

    assert found.past[0, 60:].mean() / found.past[0, :40].mean() == pytest.approx(1.0, abs=0.06)


def test_a_group_has_a_course_of_its_own():
    winter, _ = seasonal(60, 156, 0.8, seed=5)
    flat, _ = seasonal(60, 156, 0.0, seed=6)
    found = factor(np.vstack([winter, flat]), groups=np.repeat([0, 1], 60))

    assert np.std(np.log(found.past[0])) > 2 * np.std(np.log(found.past[1]))


def test_a_shop_too_young_to_know_has_a_flat_course():
    found = factor(np.random.default_rng(1).poisson(2, (20, 6)))

    assert (found.past == 1).all()
    assert (found.foreseen == 1).all()
