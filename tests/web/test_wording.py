"""The tables of words: thresholds, and that every code has its words."""

from itertools import pairwise

import pytest

from shopify_app.domain.suggestion import DISMISS_REASONS, PriceChangeState
from shopify_app.web import create_app, wording
from shopify_app.web.charts import nice_ticks
from shopify_app.web.formats import money


@pytest.fixture(autouse=True)
def _speaking(settings_env):
    with create_app().test_request_context("/", headers={"Accept-Language": "en"}):
        yield


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.95, "Very likely to help"),
        (0.9, "Very likely to help"),
        (0.89, "Likely to help"),
        (0.7, "Likely to help"),
        (0.69, "Worth a test"),
        (0, "Worth a test"),
    ],
)
def test_price_certainty(chance, words):
    assert wording.price_certainty(chance)[0] == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0, "Clear change"),
        (0.05, "Clear change"),
        (0.06, "Probably a change"),
        (0.2, "Probably a change"),
        (0.21, "Could be chance"),
        (1, "Could be chance"),
    ],
)
def test_trend_certainty(rate, words):
    assert wording.trend_certainty(rate)[0] == words


def test_every_reason_and_refusal_has_words():
    assert set(wording.DISMISS_REASONS) == set(DISMISS_REASONS)
    assert {
        PriceChangeState.CONFLICT,
        PriceChangeState.FAILED,
        PriceChangeState.UNKNOWN,
        PriceChangeState.UNDONE,
    } <= set(wording.UNDO_REFUSALS)


def test_a_rule_without_words_is_shown_as_it_is():
    assert wording.words_for(wording.RULES, "a_new_rule") == "a new rule"


@pytest.mark.parametrize(
    ("amount", "text"),
    [(1_284.4, "$1,300"), (-96, "−$96"), (0.4, "$0"), (99.6, "$100"), (12_345_678, "$12,000,000")],
)
def test_estimates_have_two_digits(amount, text):
    assert money(amount, "USD") == text


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 0), (-50, 130), (3_700, 5_200), (0.001, 0.009)]
)
def test_ticks_cover_the_range_evenly(low, high):
    ticks = nice_ticks(low, high)
    steps = [b - a for a, b in pairwise(ticks)]

    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert all(abs(step - steps[0]) < 1e-6 for step in steps)
