"""Several prices at once: a preview of what is at stake, a plan, and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from shopify_app.db import ledgers, price_history, suggestions
from shopify_app.db import rollouts as rows
from shopify_app.db.connection import Connection
from shopify_app.domain.price_limits import limit_broken_by
from shopify_app.domain.rollout import Exposure, Plan
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.decisions import rollouts
from shopify_app.usecases.decisions.rollouts import Preview
from shopify_app.web.answers import answer
from shopify_app.web.cards.refusals import refusals, refused_lines
from shopify_app.web.cards.views import CardView, card_view
from shopify_app.web.json_twin import Inlined, Told
from shopify_app.web.posted import posted
from shopify_app.web.reading import chosen, now, reading, shop, today, wants_json, zone
from shopify_app.web.request_models import RolloutRequest
from shopify_app.web.rollouts.views import RolloutView, limit_words, rollout_view

blueprint = Blueprint("rollouts", __name__, url_prefix="/rollouts")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a plan (0 first), and how many prices go out in it."""

    stage: int
    due_at: datetime
    prices: int


@dataclass(frozen=True, slots=True)
class RolloutPage:
    """A plan: its stages, and each price as it stands."""

    rollout: Told[RolloutView]
    stages: Told[list[Stage]]
    suggestions: Told[list[CardView]]
    refused: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What several prices put at stake, before anything is changed."""

    exposure: Inlined[Exposure]
    ids: Told[list[int]]
    plan: Inlined[Plan]
    problem: Told[str | None]
    limits: list[tuple[bool, str]]
    views: list[CardView]
    is_later: bool
    """Whether a moment was chosen, rather than now."""
    is_new: bool
    """Whether no price change was measured in this shop yet."""


@blueprint.post("/previews")
def create_preview() -> ResponseReturnValue:
    """What these prices put at stake; nothing is changed by looking."""
    ids, plan = _told()
    return _preview_answer(rollouts.preview(shop().shop_id, ids, plan), plan)


@blueprint.post("")
def create() -> ResponseReturnValue:
    """Confirm: the prices are accepted and go out by the plan; a limit that is not kept refuses all."""
    ids, plan = _told()
    try:
        number = rollouts.confirm(shop().shop_id, ids, plan, confirmed_by=g.user_id)
    except InvalidInputError as error:
        found = rollouts.preview(shop().shop_id, ids, plan)
        return _preview_answer(found, plan, problem=_problem(error), status=422)
    made = show(number)
    if isinstance(made, Response):
        made.headers["HX-Push-Url"] = url_for(".show", rollout_id=number)
    return made


@blueprint.get("/<int:rollout_id>")
def show(rollout_id: int) -> ResponseReturnValue:
    """A plan: its stages, and each price as it stands."""
    return answer("rollouts/show.html", _read(rollout_id))


def _read(rollout_id: int) -> RolloutPage:
    shop_id = shop().shop_id
    with reading() as conn:
        found = rows.newest(conn, shop_id, rollout_id=rollout_id)
        if not found:
            raise NotFoundError(f"rollout {rollout_id}")
        ids = rows.suggestion_ids(conn, shop_id, rollout_id, waiting_only=False)
        cards = [suggestions.card(conn, shop_id, number) for number in ids]
        stages = rows.stages_of(conn, shop_id, rollout_id)
    return RolloutPage(
        rollout=rollout_view(found[0]),
        stages=[Stage(*stage) for stage in stages],
        suggestions=_views([card for card in cards if card is not None]),
        refused=refused_lines(),
    )


@blueprint.post("/<int:rollout_id>/stop")
def create_stop(rollout_id: int) -> ResponseReturnValue:
    """Let no further stage go out."""
    stopped = rollouts.stop(shop().shop_id, rollout_id, asked_by=g.user_id)
    if wants_json():
        return jsonify({"stopped": stopped})
    return redirect(url_for(".show", rollout_id=rollout_id), 303)


@blueprint.post("/<int:rollout_id>/undo")
def create_undo(rollout_id: int) -> ResponseReturnValue:
    """Take back every price of the plan, each for itself."""
    answers = rollouts.undo(shop().shop_id, rollout_id, asked_by=g.user_id)
    if wants_json():
        results = [
            {"id": number, "accepted": one.accepted, "refused_because": one.refused_because}
            for number, one in answers
        ]
        return jsonify({"results": results})
    return redirect(url_for(".show", rollout_id=rollout_id, not_undone=refusals(answers)), 303)


def _told() -> tuple[list[int], Plan]:
    """Which prices, and by which plan: a moment without an offset is in the merchant's zone, none means now."""
    told = posted(RolloutRequest)
    with reading() as conn:  # reads the merchant's zone too
        ids = _open_ids(conn) if told.all else told.ids
    first_at = told.first_at or now()
    if first_at.tzinfo is None:
        first_at = first_at.replace(tzinfo=zone())
    return ids, Plan(first_at, told.stages, told.every_days)


def _open_ids(conn: Connection) -> list[int]:
    """All open prices, at most as many as one plan may hold."""
    cards = suggestions.cards(conn, shop().shop_id, kinds=("price",), limit=rollouts.MOST_PRICES)
    # Those beyond the limits of now are being worked out again; where all are, the preview says what stands against it.
    cards = [card for card in cards if limit_broken_by(card, chosen()) is None] or cards
    if not cards:
        raise NotFoundError("open price suggestions")
    return [card.id for card in cards]


def _preview_answer(
    found: Preview, plan: Plan, *, problem: str | None = None, status: int = 200
) -> Response:
    page = PreviewPage(
        exposure=found.exposure,
        ids=[card.id for card in found.cards],
        plan=plan,
        problem=problem,
        limits=limit_words(found.exposure),
        views=_views(found.cards),
        is_later=bool(request.form.get("first_at")),
        is_new=_is_new(),
    )
    return answer("rollouts/preview.html", page, status=status)


def _is_new() -> bool:
    """Whether no price change was measured in this shop yet."""
    with reading() as conn:
        rulings = ledgers.of_shop(conn, shop().shop_id).rulings
    return not rulings.has_judged


def _views(cards: Sequence[SuggestionCard]) -> list[CardView]:
    with reading() as conn:
        fixed = price_history.fixed_prices(
            conn, shop().shop_id, [card.variant_id for card in cards]
        )
    return [card_view(card, today(), fixed) for card in cards]


def _problem(error: InvalidInputError) -> str:
    if error.field == "first_at":
        return gettext("Choose a moment from now on and within half a year.")
    if error.field in ("stages", "every_days"):
        return gettext("Choose 1 to 12 stages, 1 to 28 days apart.")
    return gettext("A limit is not kept, so nothing was changed.")
