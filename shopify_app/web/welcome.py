"""Getting started: how far the shop's history has been read, and its first suggestions worked out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import pages
from shopify_app.db.connection import Connection
from shopify_app.db.pages import DataHealth
from shopify_app.usecases.suggestions.state import FIRST_RUN, StepShare
from shopify_app.web.advice_words import AdviceView, read_advice
from shopify_app.web.answers import answer
from shopify_app.web.json_twin import Told, rounded
from shopify_app.web.reading import reading, shop
from shopify_app.web.wording import STEPS, words_for

blueprint = Blueprint("welcome", __name__)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the import."""

    step: Told[str]
    words: str
    state: Told[str]
    """`running` while the first run that a done step asked for has not ended."""
    share: Annotated[float, rounded(4)]
    rows_loaded: Told[int]
    rows_expected: Told[int | None]
    error: Told[str | None]
    window_since: datetime | None


@dataclass(frozen=True, slots=True)
class WelcomePage:
    """Progress, and what can be done meanwhile."""

    done: Told[bool]
    share: Annotated[float, rounded(4)]
    steps: Told[list[StepView]]
    failed: str | None
    """The step that could not be read, in words."""
    advice: AdviceView
    health: DataHealth


@blueprint.get("/welcome")
def index() -> ResponseReturnValue:
    """Progress; the page asks again until all is read and the first run has ended."""
    with reading() as conn:
        page = _read(conn)
    return answer("welcome/index.html", page)


def _read(conn: Connection) -> WelcomePage:
    advice = read_advice(conn)
    state, stuck = advice.state, advice.state.stuck
    return WelcomePage(
        done=bool(state.steps) and all(one.is_done for one in state.steps),
        share=state.share,
        steps=[_step_view(one) for one in state.steps],
        failed=stuck and words_for(STEPS, stuck.step),
        advice=advice,
        health=pages.data_health(conn, shop().shop_id),
    )


def _step_view(one: StepShare) -> StepView:
    step = one.step
    asked = step.step == FIRST_RUN and step.state == "done" and not one.is_done
    return StepView(
        step=step.step,
        words=words_for(STEPS, step.step),
        state="running" if asked else step.state,
        share=one.share,
        rows_loaded=step.rows_loaded,
        rows_expected=step.rows_expected,
        error=step.error,
        window_since=step.window_since,
    )
