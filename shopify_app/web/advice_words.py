"""How far a shop's advice can be believed, in words: the same on every page, and in its JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from flask import Response, request
from flask_babel import gettext, ngettext

from shopify_app.db.connection import Connection
from shopify_app.usecases.suggestions.state import AdviceState, Stage, advice_state
from shopify_app.web import formats
from shopify_app.web.answers import answer
from shopify_app.web.books_words import trouble_view
from shopify_app.web.json_twin import as_json
from shopify_app.web.reading import shop, today, zone
from shopify_app.web.wording import STEPS, words_for

PASSING: Final = (Stage.IMPORTING, Stage.WORKING)
"""Stages that end by themselves within minutes: pages ask again."""


@dataclass(frozen=True, slots=True)
class AdviceView:
    """A state in words.

    Attributes
    ----------
    title, detail : '' when all is well
    nothing_left : what an empty list says instead of "all is in order"; '' when that may be said
    """

    state: AdviceState
    title: str
    detail: str
    nothing_left: str

    @property
    def is_passing(self) -> bool:
        """Whether a page should ask again by itself."""
        return self.state.stage in PASSING


def read_advice(conn: Connection) -> AdviceView:
    """How the asking shop's advice stands, in words."""
    return advice_view(advice_state(conn, shop().shop_id))


def advice_view(state: AdviceState) -> AdviceView:
    """A state in words."""
    title, detail = WORDS[state.stage](state)
    return AdviceView(state, title, detail, _nothing_left(state))


class PageWithAdvice(Protocol):
    """A page that says how far it can be believed."""

    @property
    def advice(self) -> AdviceView:
        """How the shop's advice stands."""
        ...


@as_json.register
def advice_json(view: AdviceView) -> dict[str, Any]:
    """The same for who asks for JSON: whether the page's lists, empty ones above all, may be believed."""
    state = view.state
    failed, run = state.failed, state.run
    return {
        "stage": state.stage.value,
        "may_judge": state.may_judge,
        "words": " ".join(words for words in (view.title, view.detail) if words),
        "share": round(state.share, 4) if view.is_passing else None,
        "as_of": as_json(run and run.as_of),
        "failing_since": as_json(failed and failed.failing_since),
        "attempts": failed.attempts if failed else 0,
        "next_try_at": as_json(failed and failed.next_try_at),
    }


def answer_with_advice(template: str, page: PageWithAdvice) -> Response:
    """A page with how its advice stands; one that asks whether that changed gets the whole page when it did."""
    made = answer(template, page)
    seen = request.args.get("seen")
    if seen and seen != page.advice.state.stage:
        made.headers["HX-Retarget"] = made.headers["HX-Reselect"] = "#app"
        made.headers["HX-Reswap"] = "outerHTML"
    return made


def _importing(state: AdviceState) -> tuple[str, str]:
    detail = gettext("Until all of it is read we say nothing of prices, stock or trends.")
    if state.stuck is not None:
        step = words_for(STEPS, state.stuck.step)
        detail = gettext(
            "%(step)s could not be read, so we say nothing of prices, stock or trends.", step=step
        )
    return gettext("We are reading your order history"), detail


def _working(_: AdviceState) -> tuple[str, str]:
    return (
        gettext("We are working out your first suggestions"),
        gettext("Your history is read. This takes some minutes; they appear here by themselves."),
    )


def _held(state: AdviceState) -> tuple[str, str]:
    held_by = state.books.held_by
    if held_by is None:
        return "", ""
    why = trouble_view(held_by)
    if state.run is None:
        title = gettext("Suggestions wait until your books are whole again")
    else:
        title = gettext(
            "No new suggestions until your books are whole again; those below are of %(day)s",
            day=formats.day(state.run.as_of),
        )
    return title, f"{why.title} {why.detail}"


def _failed(state: AdviceState) -> tuple[str, str]:
    failed = state.failed
    if failed is None:
        return "", ""
    since = _moment(failed.failing_since)
    if state.run is None:
        title = gettext("We could not work out your first suggestions since %(time)s.", time=since)
    else:
        title = gettext(
            "We could not work out new suggestions since %(time)s; those below are of %(day)s.",
            time=since,
            day=formats.day(state.run.as_of),
        )
    tried = ngettext("%(num)s try so far.", "%(num)s tries so far.", failed.attempts)
    again = gettext("We are trying again now.")
    if failed.next_try_at is not None:
        again = gettext("We try again %(time)s.", time=_moment(failed.next_try_at))
    return title, f"{tried} {again}"


def _no_sales(_: AdviceState) -> tuple[str, str]:
    title = gettext("No sales yet, nothing can be judged")
    if not shop().sees_all_orders:
        return title, gettext(
            "Shopify shows us the orders of the last 60 days, and nothing was sold in them."
        )
    return title, gettext("Suggestions for prices and stock come once orders have come in.")


def _ready(_: AdviceState) -> tuple[str, str]:
    return "", ""


WORDS: Final = {
    Stage.IMPORTING: _importing,
    Stage.HELD: _held,
    Stage.WORKING: _working,
    Stage.FAILED: _failed,
    Stage.NO_SALES: _no_sales,
    Stage.READY: _ready,
}


def _nothing_left(state: AdviceState) -> str:
    if state.stage is Stage.READY:
        return ""
    if state.stage in (Stage.FAILED, Stage.HELD) and state.run is not None:
        return gettext(
            "Nothing is left of the suggestions of %(day)s", day=formats.day(state.run.as_of)
        )
    return gettext("Nothing can be said yet")


def _moment(when: datetime) -> str:
    return formats.moment(when.astimezone(zone()), today())
