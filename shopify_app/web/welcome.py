"""Getting started: how far the shop's history has been read."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import backfills, pages
from shopify_app.db.backfills import BackfillStep
from shopify_app.web.answers import answer
from shopify_app.web.reading import reading, shop
from shopify_app.web.wording import STEPS, words_for

blueprint = Blueprint("welcome", __name__)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step in words; `share` is how much of it is done, 0..1."""

    step: BackfillStep
    words: str
    share: float


@blueprint.get("/welcome")
def index() -> ResponseReturnValue:
    """Progress; the page asks again until all is read."""
    with reading() as conn:
        steps = [step_view(step) for step in backfills.progress(conn, shop().shop_id)]
        health = pages.data_health(conn, shop().shop_id)
    share = sum(step.share for step in steps) / len(steps) if steps else 0.0
    done = bool(steps) and all(view.step.state == "done" for view in steps)
    failed = next((view for view in steps if view.step.state == "failed"), None)
    return answer(
        "welcome/index.html", _as_json(steps, share, done=done),
        steps=steps, share=share, is_done=done, failed=failed, health=health,
    )  # fmt: skip


def step_view(step: BackfillStep) -> StepView:
    """A step with its share: by bytes of the file, else by rows, else all or nothing."""
    return StepView(step, words_for(STEPS, step.step), _share(step))


def _share(step: BackfillStep) -> float:
    if step.state == "done":
        return 1.0
    for loaded, whole in (
        (step.loaded_bytes, step.file_bytes),
        (step.rows_loaded, step.rows_expected),
    ):
        if whole:
            return min(0.99, loaded / whole)
    return 0.0


def _as_json(steps: list[StepView], share: float, *, done: bool) -> dict[str, Any]:
    return {
        "done": done,
        "share": round(share, 4),
        "steps": [
            {
                "step": view.step.step, "state": view.step.state, "share": round(view.share, 4),
                "rows_loaded": view.step.rows_loaded, "rows_expected": view.step.rows_expected,
                "error": view.step.error,
            }
            for view in steps
        ],
    }  # fmt: skip
