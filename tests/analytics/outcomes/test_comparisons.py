"""What would have been sold is read from how this very shop's products go on after a turn."""

import numpy as np
import pytest

from shopify_app.analytics.outcomes.comparisons import WEEK, Weeks, expect

PAST, WINDOW, LEVEL = 26, 6, 10.0


def shop(level, seed=0):
    """Poisson counts of a weekly level (n, weeks), always in stock."""
    units = np.random.default_rng(seed).poisson(level).astype(float)
    ids = np.array([str(row) for row in range(len(units))])
    return Weeks(ids, units, np.ones_like(units), np.datetime64("2025-01-06") - PAST * WEEK)


def risen(n, since, until):
    """A level at which every other product sells double in columns [since, until)."""
    level = np.full((n, PAST + WINDOW), LEVEL)
    level[::2, since:until] *= 2
    return level


def expected_of_the_risen(level):
    weeks = shop(level)
    every = np.arange(len(weeks.ids))
    expected = expect(weeks, every[10:], every[:10], PAST, PAST + WINDOW, PAST)
    return expected.counts[::2].mean() / WINDOW


@pytest.mark.parametrize("risen_weeks", [2, 5])
def test_a_rise_is_carried_on_where_rises_last_and_forgotten_where_they_pass(risen_weeks):
    lasting = expected_of_the_risen(risen(300, PAST - risen_weeks, PAST + WINDOW))
    passing = expected_of_the_risen(risen(300, PAST - risen_weeks, PAST))

    assert lasting == pytest.approx(2 * LEVEL, rel=0.1)
    assert passing == pytest.approx(LEVEL, rel=0.1)


def test_a_rise_that_is_over_is_no_rise():
    over = expected_of_the_risen(risen(300, PAST - 9, PAST - 4))

    assert over == pytest.approx(LEVEL, rel=0.1)


def test_what_met_the_whole_shop_is_expected_of_every_product():
    level = np.full((300, PAST + WINDOW), LEVEL)
    level[:, PAST:] *= 1.5

    assert expected_of_the_risen(level) == pytest.approx(1.5 * LEVEL, rel=0.05)
