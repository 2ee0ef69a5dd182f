"""A price test in words: never more than is known, the most it costs never rounded down, each code with its words."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app.domain.price_test import (
    LeftReason,
    PriceTest,
    PriceTestPlan,
    PriceTestReading,
    PriceTestState,
    StopReason,
)
from shopify_app.web import create_app
from shopify_app.web.price_tests import answers as price_test_answers
from shopify_app.web.price_tests import costs as price_test_costs
from shopify_app.web.price_tests import views as price_test_views
from shopify_app.web.price_tests import words as price_test_words
from shopify_app.web.price_tests.words import price_test_view
from tests.web.page_rows import plan_record, reading_record

DAY = date(2026, 11, 20)
MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _speaking(acme):
    from flask import g

    with create_app().test_request_context("/", headers={"Accept-Language": "en"}):
        g.shop = acme
        yield


def made(
    state="proposed", *, first_on=DAY, maximum="30.2000", because=None, weeks_read=4, **changed
):
    plan = PriceTestPlan.of_json(plan_record(list(range(12)), **changed.pop("plan", {})))
    reading = changed.pop("reading", None)
    begun = state in ("running", "returning", "ended")
    return PriceTest(
        id=1,
        run_id=1,
        state=PriceTestState(state),
        plan=plan,
        weeks=plan.weeks,
        block_weeks=plan.block_weeks,
        maximum_cost=Decimal(maximum),
        expected_cost=Decimal("9.4000"),
        currency="GBP",
        proposed_at=MOMENT,
        decided_at=None,
        decided_by=None,
        first_on=first_on if begun else None,
        weeks_read=weeks_read,
        reading=reading and PriceTestReading.of_json(reading),
        stop_because=because,
        stopped_at=changed.pop("stopped_at", None),
        ended_at=MOMENT if state == "ended" else None,
    )


def said(view):
    return " ".join(
        [
            view.title,
            view.detail,
            view.brief,
            *(f"{a}: {b}" for a, b in (*view.figures, *view.terms)),
        ]
    )


def test_a_proposal_says_what_it_costs_what_it_teaches_and_how_it_ends():
    words = said(price_test_view(made(), DAY))

    for expected in (
        "Learn what your prices do: a test of 12 products over 8 weeks",
        "at most £31 of gross profit in all, probably about £9",
        "Of every two blocks of 1 week each product stands one below today's price (by 5.0%) and one above it (by 5.0%)",
        "for each 1% that a price rises, sales fall by 0.8% to 3.6%",
        "to within about 0.5% of sales to either side",
        "when it knows enough, when the next block could take it past the maximum, or after 8 weeks",
        "Each price then goes back to exactly what it was",
        "stays as you set it",
        "13 other products keep their prices",
    ):
        assert expected in words


def test_the_most_it_may_cost_is_never_rounded_down():
    for amount, words in (("30.01", "£31"), ("1349.50", "£1,350"), ("0.20", "£1"), ("40", "£40")):
        assert price_test_costs.at_most(Decimal(amount), made()) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-3.6, -0.8, "sales fall by 0.8% to 3.6%"),
        (-3.6, 0.04, "sales fall by 0.0% to 3.6%"),
        (-2.0, 0.5, "anything from falling by 2.0% to rising by 0.5%"),
        (0.2, 0.9, "sales rise by 0.2% to 0.9%"),
    ],
)
def test_an_elasticity_is_what_sales_do_when_a_price_rises(low, high, words):
    assert words in price_test_answers.span_words(low, high)


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (0.002, "so clear a difference would come by chance in fewer than 1 of 100"),
        (0.03, "so clear a difference would come by chance in 3 of 100"),
        (0.45, "would still come by chance in 45 of 100 such tests: it is not clear that they do"),
        (1.0, "in 100 of 100"),
    ],
)
def test_a_p_value_is_how_often_chance_shows_as_much(p_value, words):
    assert words in price_test_answers.chance_words(p_value)


def test_a_test_before_its_first_day_says_when_it_begins():
    view = price_test_view(made("running", first_on=DAY + timedelta(days=1)), DAY)

    assert "Begins on Nov 21" in view.brief
    assert "Nothing yet" in said(view)
    assert "at most £31." in view.brief


def test_a_running_test_says_its_block_what_is_known_and_what_it_has_cost():
    test = made("running", first_on=DAY - timedelta(days=31), reading=reading_record())

    words = said(price_test_view(test, DAY))

    for expected in (
        "Block 5 of 8, until Nov 23",
        "Weeks read: 4 of 8",
        "it has cost about £6 of at most £31",
        "6 products are to stand at their higher price and 6 at their lower one",
        "As far as it shows now: for each 1% that a price rises, sales fall by 1.4% to 2.4%",
        "in 9 of 10 cases not more than £12",
    ):
        assert expected in words


def test_a_test_that_gives_back_says_how_many_prices_are_back():
    view = price_test_view(made("returning", because=StopReason.MERCHANT), DAY, back=3, of=13)

    assert "You stopped it. 3 of 13 prices are back." in view.detail
    assert "No whole week of it was read" in said(view)


def test_an_ended_test_says_what_it_showed_how_surely_and_what_it_cost():
    view = price_test_view(made("ended", because=StopReason.PRECISE, reading=reading_record()), DAY)

    assert view.title == "For each 1% that a price rose, sales fell by about 1.9%"
    assert view.brief.endswith("It cost about £6; at most £31 was stated.")
    assert "by chance in 3 of 100 such tests" in said(view)
    assert "It knew enough" in said(view)


@pytest.mark.parametrize(
    "reading",
    [
        None,
        reading_record(drawn_low=None, drawn_high=None, p_value_no_answer=None),
        reading_record(drawn_low=-4.0, drawn_high=0.5, p_value_no_answer=0.6),
    ],
)
def test_a_test_that_narrowed_nothing_down_could_not_tell(reading):
    view = price_test_view(made("ended", because=StopReason.MERCHANT, reading=reading), DAY)

    assert view.title == "The test could not tell what your prices do"
    assert view.tone == ""


def test_costing_more_than_was_stated_is_said_plainly():
    dear = reading_record(cost_so_far=28.0, cost_high=36.0)

    words = said(price_test_view(made("ended", because=StopReason.COST, reading=dear), DAY))

    assert "So it may have cost more than we stated." in words


def test_a_test_that_gained_does_not_boast():
    gained = reading_record(cost_so_far=-3.0, cost_high=4.0)

    words = said(price_test_view(made("ended", because=StopReason.FINISHED, reading=gained), DAY))

    assert "It cost about £0" in words
    assert "it has even gained a little" in words


def test_a_test_of_which_no_week_was_read_claims_no_cost():
    view = price_test_view(made("ended", because=StopReason.UNINSTALLED, weeks_read=0), DAY)

    assert "What it cost was not read." in view.brief


def test_a_test_stopped_before_its_first_day_cost_nothing_and_did_not_begin():
    stopped = {"because": StopReason.MERCHANT, "stopped_at": MOMENT, "weeks_read": 0}
    words = said(price_test_view(made("ended", first_on=DAY + timedelta(days=1), **stopped), DAY))

    assert "The test never began" in words
    assert "It never began, so it cost nothing." in words
    begun = said(price_test_view(made("ended", first_on=DAY, **stopped), DAY))
    assert "never began" not in begun


def test_every_code_has_its_words():
    assert set(price_test_words.STATES) == set(PriceTestState)
    assert set(price_test_words.STOPPED) == set(StopReason)
    assert set(price_test_views.LEFT) == set(LeftReason)
    assert set(price_test_words.REFUSALS) == {
        "price_test_under_way",
        "prices_frozen",
        "loss_cap",
        "exposure",
        "changed",
    }
