"""What a price test costs, in words: gross profit given up, beside the most that was stated before it began."""

import math
from decimal import Decimal

from flask_babel import gettext

from shopify_app.domain.price_test import PriceTest, PriceTestState
from shopify_app.web import formats
from shopify_app.web.price_tests.terms import never_began, weeks


def at_most(amount: Decimal | float, test: PriceTest) -> str:
    """A promised most: rounded up, so that it is never less than what was promised."""
    return formats.whole(math.ceil(amount), test.currency)


def about(amount: Decimal | float, test: PriceTest) -> str:
    """An estimate."""
    return gettext("about %(amount)s", amount=formats.money(amount, test.currency))


def likely(test: PriceTest) -> str:
    """What it will cost, as far as we can foresee: where many answers are likely it may be nothing."""
    if test.expected_cost <= 0:
        return gettext("nothing")
    return about(test.expected_cost, test)


def so_far(test: PriceTest) -> str:
    """What it has cost, about."""
    if never_began(test):
        return gettext("nothing")
    if test.reading is None:
        return (
            gettext("not read yet") if test.state is PriceTestState.RUNNING else gettext("not read")
        )
    cost = float(test.reading.cost_so_far)
    return about(max(cost, 0.0), test)


def words(test: PriceTest) -> str:
    """What it has cost, with its range, beside what was stated."""
    reading, most = test.reading, at_most(test.maximum_cost, test)
    if never_began(test):
        return gettext("It never began, so it cost nothing.")
    if reading is None:
        if test.state is PriceTestState.RUNNING:
            return gettext(
                "Its first week is read when it is over. Over all its weeks it costs at most %(most)s.",
                most=most,
            )
        return gettext(
            "No whole week of it was read, so what it cost is not known. Over all its weeks it would have been at most %(most)s.",
            most=most,
        )
    said = gettext(
        "Over %(weeks)s read: %(cost)s of gross profit given up, in 9 of 10 cases not more than %(high)s. "
        "The maximum stated before was %(most)s.",
        weeks=weeks(test.weeks_read),
        cost=about(max(float(reading.cost_so_far), 0.0), test),
        high=at_most(reading.cost_high, test),
        most=most,
    )
    if reading.cost_so_far < 0:
        said += " " + gettext("By our estimate it has even gained a little.")
    if reading.cost_high > test.maximum_cost:
        said += " " + gettext("So it may have cost more than we stated. That should not happen.")
    return said


def brief(test: PriceTest) -> str:
    """What it cost in a sentence."""
    if never_began(test):
        return gettext("It never began, so it cost nothing.")
    if test.reading is None:
        return gettext("What it cost was not read.")
    return gettext(
        "It cost %(cost)s; at most %(most)s was stated.",
        cost=so_far(test),
        most=at_most(test.maximum_cost, test),
    )
