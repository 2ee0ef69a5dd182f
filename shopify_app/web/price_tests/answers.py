"""What a price test says of customers, in words: the guess before it, what it will tell, what it has shown and how surely.

In:  a row of `price_tests`.
Out: sentences; an elasticity reads "for each 1 % that a price rises, sales fall by 1.9 %".
"""

from typing import Final

from flask_babel import gettext

from shopify_app.domain.price_test import PriceTest
from shopify_app.web import formats
from shopify_app.web.price_tests.terms import never_began

HALF_RANGE_80: Final = 1.2816
"""Half an 80 % range, in deviations of a normal distribution."""

CLEAR: Final = 0.2
"""A difference that comes by chance more often is not called clear: the other side of an 80 % range."""


def could_tell(test: PriceTest) -> bool:
    """Whether the test itself said more than the guess before it: a pair was complete, and narrowed something down."""
    reading = test.reading
    if reading is None or reading.drawn_low is None or reading.drawn_high is None:
        return False
    low, high = guess(test)
    return reading.drawn_low > low or reading.drawn_high < high


def guess(test: PriceTest) -> tuple[float, float]:
    """The 80 % range of the elasticity before the test."""
    mean, spread = float(test.plan.prior_mean), HALF_RANGE_80 * float(test.plan.prior_sd)
    return mean - spread, mean + spread


def span_words(low: float, high: float) -> str:
    """What sales do when a price rises by a per cent, from one elasticity to another."""
    one = formats.percent(0.01)
    if round(high, 1) <= 0:
        return gettext(
            "for each %(one)s that a price rises, sales fall by %(least)s to %(most)s",
            one=one,
            least=_percent(-high),
            most=_percent(-low),
        )
    if round(low, 1) >= 0:
        return gettext(
            "for each %(one)s that a price rises, sales rise by %(least)s to %(most)s",
            one=one,
            least=_percent(low),
            most=_percent(high),
        )
    return gettext(
        "for each %(one)s that a price rises, sales may do anything from falling by %(fall)s to rising by %(rise)s",
        one=one,
        fall=_percent(-low),
        rise=_percent(high),
    )


def chance_words(p_value: float) -> str:
    """How often chance alone would show as much."""
    times = round(100 * p_value)
    if times < 1:
        return gettext(
            "If prices did not matter, so clear a difference would come by chance in fewer than 1 of 100 such tests."
        )
    if p_value <= CLEAR:
        return gettext(
            "If prices did not matter, so clear a difference would come by chance in %(times)s of 100 such tests.",
            times=formats.count(times),
        )
    return gettext(
        "If prices did not matter, such a difference would still come by chance in %(times)s of 100 such tests: "
        "it is not clear that they do.",
        times=formats.count(times),
    )


def _percent(points: float) -> str:
    return formats.percent(max(points, 0.0) / 100, 1)


def guess_words(test: PriceTest) -> str:
    """What is believed without the test."""
    return gettext("Only a guess: %(span)s (8 of 10 cases).", span=span_words(*guess(test)))


def promise(test: PriceTest) -> str:
    """What will be known at the end."""
    points = float(test.plan.precision)
    return gettext(
        "What customers do when these products cost %(one)s more, to within about %(points)s of sales to either side "
        "(8 of 10 cases). It tells that for the products together, hardly for each one.",
        one=formats.percent(0.01),
        points=_percent(points),
    )


def known_so_far(test: PriceTest) -> str:
    """What a test under way has shown."""
    reading = test.reading
    if reading is None or reading.drawn_low is None:
        return gettext(
            "Nothing yet: products must first have stood at both prices, which takes two blocks."
        )
    return gettext(
        "As far as it shows now: %(span)s (8 of 10 cases). This can still change.",
        span=span_words(reading.low, reading.high),
    )


def showed(test: PriceTest) -> str:
    """The result as a heading."""
    if never_began(test):
        return gettext("The test never began")
    if test.reading is None or not could_tell(test):
        return gettext("The test could not tell what your prices do")
    elasticity, one = float(test.reading.elasticity), formats.percent(0.01)
    if round(elasticity, 1) > 0:
        return gettext(
            "For each %(one)s that a price rose, sales rose by about %(much)s",
            one=one,
            much=_percent(elasticity),
        )
    return gettext(
        "For each %(one)s that a price rose, sales fell by about %(much)s",
        one=one,
        much=_percent(-elasticity),
    )


def result(test: PriceTest) -> str:
    """The result with its range, or why there is none."""
    reading = test.reading
    if reading is None or reading.drawn_low is None or reading.drawn_high is None:
        return gettext(
            "It ended before its products had stood at both prices, so there is nothing to compare."
        )
    if not could_tell(test):
        return gettext(
            "What was sold fits too much to tell: %(span)s. That is no narrower than our guess before.",
            span=span_words(reading.drawn_low, reading.drawn_high),
        )
    return gettext(
        "Likely range: %(span)s (8 of 10 cases). That is for these products together, in those weeks.",
        span=span_words(reading.low, reading.high),
    )


def sure(test: PriceTest) -> str:
    """How likely chance alone is to show as much."""
    if test.reading is None or test.reading.p_value_no_answer is None:
        return gettext("Nothing can be said about it.")
    return chance_words(float(test.reading.p_value_no_answer))
