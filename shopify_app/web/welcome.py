"""Getting started: how far the shop's history has been read, and its first suggestions worked out."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import pages
from shopify_app.usecases.suggestions.state import FIRST_RUN, AdviceState, StepShare
from shopify_app.web.advice_words import read_advice
from shopify_app.web.answers import answer
from shopify_app.web.reading import reading, shop
from shopify_app.web.wording import STEPS, words_for

blueprint = Blueprint("welcome", __name__)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step in words; the first run is no done step before it has ended."""

    of: StepShare
    words: str

    @property
    def state(self) -> str:
        """The step's state; `running` while the first run that it asked for has not ended."""
        step = self.of.step
        asked = step.step == FIRST_RUN and step.state == "done" and not self.of.is_done
        return "running" if asked else step.state


@blueprint.get("/welcome")
def index() -> ResponseReturnValue:
    """Progress; the page asks again until all is read and the first run has ended."""
    with reading() as conn:
        advice = read_advice(conn)
        health = pages.data_health(conn, shop().shop_id)
    steps = [StepView(one, words_for(STEPS, one.step.step)) for one in advice.state.steps]
    done = bool(steps) and all(view.of.is_done for view in steps)
    stuck = advice.state.stuck
    return answer(
        "welcome/index.html", _as_json(advice.state, steps, done=done),
        steps=steps, share=advice.state.share, is_done=done, advice=advice, health=health,
        failed=stuck and words_for(STEPS, stuck.step),
    )  # fmt: skip


def _as_json(state: AdviceState, steps: list[StepView], *, done: bool) -> dict[str, Any]:
    return {
        "done": done,
        "share": round(state.share, 4),
        "steps": [
            {
                "step": view.of.step.step, "state": view.state, "share": round(view.of.share, 4),
                "rows_loaded": view.of.step.rows_loaded, "rows_expected": view.of.step.rows_expected,
                "error": view.of.step.error,
            }
            for view in steps
        ],
    }  # fmt: skip
