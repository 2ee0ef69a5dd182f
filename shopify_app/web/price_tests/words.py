"""A price test in words: what it may cost and teach before it begins, what it knows while it runs, what it showed.

In:  a row of `price_tests`, the merchant's day, how many prices are back.
Out: a `PriceTestView`. "It could not tell" is a result like any other.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from flask_babel import gettext
from flask_babel import lazy_gettext as later

from shopify_app.domain.price_test import PriceTest, PriceTestState, StopReason
from shopify_app.web import formats
from shopify_app.web.price_tests import answers, costs, terms
from shopify_app.web.reading import zone

STATES: Final = {
    PriceTestState.PROPOSED: (later("Proposed"), ""),
    PriceTestState.RUNNING: (later("Under way"), "info"),
    PriceTestState.RETURNING: (later("Putting prices back"), "info"),
    PriceTestState.ENDED: (later("Ended"), "good"),
    PriceTestState.DECLINED: (later("Declined"), ""),
}
"""Words and badge."""

STOPPED: Final = {
    StopReason.PRECISE: later("It knew enough before its weeks were over."),
    StopReason.COST: later("With one more block it could have cost more than the stated maximum."),
    StopReason.FINISHED: later("Its weeks were over."),
    StopReason.MERCHANT: later("You stopped it."),
    StopReason.FROZEN: later("Prices are frozen on days that it would have needed."),
    StopReason.TOO_FEW_LEFT: later("Too few products were left in it to tell anything."),
    StopReason.UNINSTALLED: later("Keel was uninstalled."),
}

REFUSALS: Final = {
    "price_test_under_way": later(
        "Another price test is under way, so nothing was changed. Start this one when that is over."
    ),
    "prices_frozen": later(
        "Days on which your prices are frozen lie within the test, so nothing was changed. Start it when they are over, "
        "or change them in Settings."
    ),
    "loss_cap": later(
        "With this test, price changes could lose more than you allow until we know better, so nothing was changed. "
        "Wait for the first verdicts, or raise the limit in Settings."
    ),
    "exposure": later(
        "Too large a share of your sales would be under change at once, so nothing was changed. Wait until other price "
        "changes are measured, or raise the limit in Settings."
    ),
    "changed": later(
        "A price of this test is no longer what it was when we proposed it, so nothing was changed. We propose a new test "
        "when we look again tonight."
    ),
}
"""Why a click on Start changed nothing."""


@dataclass(frozen=True, slots=True)
class PriceTestView:
    """A price test in words.

    Attributes
    ----------
    title, detail : what it is or showed; what that costs, or how it stands
    brief : the same in one line, for lists
    figures : (name, figure) to see at a glance
    terms : (name, sentences), in the order in which they matter
    """

    test: PriceTest
    state: str
    tone: str
    title: str
    detail: str
    brief: str
    figures: list[tuple[str, str]]
    terms: list[tuple[str, str]]

    @property
    def is_proposed(self) -> bool:
        """Whether it waits for a yes or no."""
        return self.test.state is PriceTestState.PROPOSED

    @property
    def is_running(self) -> bool:
        """Whether it can be stopped."""
        return self.test.state is PriceTestState.RUNNING


def price_test_view(test: PriceTest, today: date, *, back: int = 0, of: int = 0) -> PriceTestView:
    """A test as it stands; `back` of `of` prices are the regular ones again."""
    state, tone = STATES[test.state]
    make = {
        PriceTestState.RUNNING: _running,
        PriceTestState.RETURNING: _returning,
        PriceTestState.ENDED: _ended,
    }.get(test.state)
    title, detail, brief, figures, clauses = (
        make(test, today, back, of) if make else _proposed(test)
    )
    if test.state is PriceTestState.ENDED and not answers.could_tell(test):
        tone = ""
    return PriceTestView(test, str(state), tone, title, detail, brief, figures, clauses)


Parts = tuple[str, str, str, list[tuple[str, str]], list[tuple[str, str]]]
"""Title, detail, brief, figures, terms."""


def _proposed(test: PriceTest) -> Parts:
    most, likely = costs.at_most(test.maximum_cost, test), costs.likely(test)
    brief = gettext(
        "A test of %(products)s over %(weeks)s, at most %(most)s.",
        products=terms.products(test),
        weeks=terms.weeks(test.weeks),
        most=most,
    )
    title = gettext(
        "Learn what your prices do: a test of %(products)s over %(weeks)s",
        products=terms.products(test),
        weeks=terms.weeks(test.weeks),
    )
    detail = gettext(
        "It costs at most %(most)s of gross profit in all, probably %(likely)s. Nothing changes before you start it.",
        most=most,
        likely=likely,
    )
    if test.state is PriceTestState.DECLINED:
        detail = gettext("You said no to this test. Nothing was changed.")
    figures = [
        (gettext("Products"), formats.count(len(test.plan.series))),
        (gettext("How long"), terms.weeks(test.weeks)),
        (gettext("Costs at most"), most),
        (gettext("Costs probably"), likely),
    ]
    clauses = [
        (gettext("Prices"), terms.swing(test)),
        (gettext("What we know now"), answers.guess_words(test)),
        (gettext("What we will know"), answers.promise(test)),
        (gettext("How it ends"), terms.ends(test)),
        (gettext("What is left alone"), terms.left_alone()),
        (gettext("To compare with"), terms.comparison(test)),
    ]
    return title, detail, brief, figures, clauses


def _running(test: PriceTest, today: date, _back: int, _of: int) -> Parts:
    when = terms.when(test, today)
    cost, most = costs.so_far(test), costs.at_most(test.maximum_cost, test)
    title = gettext("Price test of %(products)s", products=terms.products(test))
    brief = (
        gettext("%(when)s; at most %(most)s.", when=when, most=most)
        if test.reading is None
        else gettext(
            "%(when)s; it has cost %(cost)s of at most %(most)s.", when=when, cost=cost, most=most
        )
    )
    figures = [
        terms.block_figure(test, today),
        (gettext("Weeks read"), terms.of_all(test.weeks_read, test.weeks)),
        (gettext("Cost so far"), cost),
        (gettext("Maximum stated"), most),
    ]
    clauses = [
        (gettext("Prices now"), terms.standing(test, today)),
        (gettext("What is known so far"), answers.known_so_far(test)),
        (gettext("What we guessed before"), answers.guess_words(test)),
        (gettext("What it costs"), costs.words(test)),
        (gettext("How it ends"), terms.ends(test)),
        (gettext("What is left alone"), terms.left_alone()),
    ]
    return title, terms.lasts(test, when), brief, figures, clauses


def _returning(test: PriceTest, _today: date, back: int, of: int) -> Parts:
    title = gettext("The test is over; prices are going back")
    done = (
        gettext(
            "%(back)s of %(of)s prices are back.", back=formats.count(back), of=formats.count(of)
        )
        if of
        else gettext("Each price goes back to exactly what it was.")
    )
    why = _why(test)
    figures = [
        (gettext("Prices back"), terms.of_all(back, of)),
        (gettext("Weeks read"), terms.of_all(test.weeks_read, test.weeks)),
        (gettext("It cost"), costs.so_far(test)),
        (gettext("Maximum stated"), costs.at_most(test.maximum_cost, test)),
    ]
    clauses = [
        (gettext("Why it ended"), why),
        (gettext("What it showed"), answers.result(test)),
        (gettext("What it cost"), costs.words(test)),
        (gettext("What is left alone"), terms.left_alone()),
    ]
    return title, f"{why} {done}", f"{why} {done}", figures, clauses


def _ended(test: PriceTest, _today: date, back: int, of: int) -> Parts:
    title, cost = answers.showed(test), costs.so_far(test)
    ended = test.ended_at or test.stopped_at or test.proposed_at
    figures = [
        (gettext("Ended"), formats.day(ended.astimezone(zone()).date())),
        (gettext("Weeks read"), terms.of_all(test.weeks_read, test.weeks)),
        (gettext("It cost"), cost),
        (gettext("Maximum stated"), costs.at_most(test.maximum_cost, test)),
    ]
    clauses = [
        (gettext("Why it ended"), _why(test)),
        (gettext("What it showed"), answers.result(test)),
        (gettext("How sure that is"), answers.sure(test)),
        (gettext("What we guessed before"), answers.guess_words(test)),
        (gettext("What it cost"), costs.words(test)),
    ]
    if test.weeks_read:
        learned = gettext(
            "These weeks are part of your price history now: later price suggestions learn from them."
        )
        clauses.append((gettext("What comes of it"), learned))
    if of:
        back_words = gettext(
            "%(back)s of %(of)s prices are exactly what they were before the test.",
            back=formats.count(back),
            of=formats.count(of),
        )
        clauses.append((gettext("Prices"), back_words))
    return title, costs.brief(test), f"{_why(test)} {costs.brief(test)}", figures, clauses


def _why(test: PriceTest) -> str:
    return str(STOPPED[test.stop_because]) if test.stop_because else ""
