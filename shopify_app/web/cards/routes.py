"""Deciding: an acceptance, a dismissal or an undo is a resource of its suggestion."""

from typing import Any, Final

from flask import Blueprint, Response, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from shopify_app.db import pages, price_history, suggestions
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.decisions import decide
from shopify_app.web.advice_words import read_advice
from shopify_app.web.answers import answer_fragment, with_toast
from shopify_app.web.cards.kinds import kind_of
from shopify_app.web.cards.refusals import refusals
from shopify_app.web.cards.views import CardView, card_json, card_view
from shopify_app.web.posted import asked, posted
from shopify_app.web.reading import reading, shop, today, wants_json
from shopify_app.web.request_models import (
    AcceptanceQuery,
    AcceptancesRequest,
    DismissalRequest,
    IdsRequest,
)
from shopify_app.web.wording import ACCEPT_REFUSALS, UNDO_REFUSALS, words_for

blueprint = Blueprint("suggestions", __name__, url_prefix="/suggestions")

SHAPES: Final = ("row", "line", "act")
"""How a suggestion stands on the page that asks: a row of Home, a line of a table, a detail page's card."""


@blueprint.get("/<int:suggestion_id>")
def show(suggestion_id: int) -> ResponseReturnValue:
    """A suggestion as it stands now; pages ask again while a price is being sent."""
    return _answer(_view(suggestion_id), {})


@blueprint.post("/<int:suggestion_id>/acceptance")
def create_acceptance(suggestion_id: int) -> ResponseReturnValue:
    """Accept it; a second click finds it accepted and changes nothing."""
    try:
        accepted = decide.accept_suggestion(
            shop().shop_id,
            suggestion_id,
            accepted_by=g.user_id,
            units=asked(AcceptanceQuery).units,
        )
    except InvalidInputError as error:
        if error.field == "units":
            raise
        return _refused(suggestion_id, error)
    view = _view(suggestion_id)
    made = _answer(view, {"accepted": accepted})
    words = view.outcome.words if view.outcome else ""
    return with_toast(
        made, words, undo_url=url_for(".create_undo", suggestion_id=suggestion_id, shape=_shape())
    )


@blueprint.post("/<int:suggestion_id>/dismissal")
def create_dismissal(suggestion_id: int) -> ResponseReturnValue:
    """Dismiss it, with a reason."""
    reason = posted(DismissalRequest).reason
    dismissed = decide.dismiss_suggestion(
        shop().shop_id, suggestion_id, reason=reason, dismissed_by=g.user_id
    )
    return _answer(_view(suggestion_id), {"dismissed": dismissed})


@blueprint.post("/<int:suggestion_id>/undo")
def create_undo(suggestion_id: int) -> ResponseReturnValue:
    """Take the decision back, or say what stands against it."""
    try:
        undone = decide.undo_suggestion(shop().shop_id, suggestion_id, asked_by=g.user_id)
    except InvalidInputError as error:
        return _refused(suggestion_id, error)
    body: dict[str, Any] = {"accepted": undone.accepted, "refused_because": undone.refused_because}
    problem = (
        None
        if undone.accepted
        else words_for(UNDO_REFUSALS, undone.refused_because or "not_accepted")
    )
    return _answer(
        _view(suggestion_id), body, problem=problem, status=200 if undone.accepted else 422
    )


@blueprint.post("/acceptances")
def create_acceptances() -> ResponseReturnValue:
    """Accept several; each for itself."""
    told = posted(AcceptancesRequest)
    results = decide.accept_suggestions(
        shop().shop_id, told.ids, accepted_by=g.user_id, units=told.units_by_id
    )
    body = {
        "results": [
            {"id": number, "accepted": one.accepted, "refused_because": one.refused_because}
            for number, one in results
        ]
    }
    if wants_json():
        return jsonify(body)
    back = "restock.index" if request.args.get("back") == "restock" else "pricing.index"
    return redirect(url_for(back, not_accepted=refusals(results)), 303)


@blueprint.post("/undos")
def create_undos() -> ResponseReturnValue:
    """Take several decisions back; each for itself, each refusal with its reason."""
    answers = decide.undo_suggestions(shop().shop_id, posted(IdsRequest).ids, asked_by=g.user_id)
    results = [
        {"id": number, "accepted": one.accepted, "refused_because": one.refused_because}
        for number, one in answers
    ]
    if wants_json():
        return jsonify({"results": results})
    return redirect(url_for("results.index", not_undone=refusals(answers)), 303)


def _view(suggestion_id: int) -> CardView:
    with reading() as conn:
        card = suggestions.card(conn, shop().shop_id, suggestion_id)
        ids = [card.variant_id] if card else []
        fixed = price_history.fixed_prices(conn, shop().shop_id, ids)
        g.open_counts = pages.open_counts(conn, shop().shop_id)
        g.advice = read_advice(conn)
    if card is None:
        raise NotFoundError(f"suggestion {suggestion_id}")
    return card_view(card, today(), fixed)


def _answer(
    view: CardView, body: dict[str, Any], *, problem: str | None = None, status: int = 200
) -> Response:
    shape = _shape()
    return answer_fragment(
        kind_of(view.card).page.line_template if shape == "line" else f"suggestions/_{shape}.html",
        body | {"suggestion": card_json(view)},
        status=status,
        view=view,
        problem=problem,
        counts=g.open_counts,
        advice=g.advice,
        is_fragment=True,
    )


def _refused(suggestion_id: int, error: InvalidInputError) -> Response:
    code = error.field if error.field in ACCEPT_REFUSALS else "under_way"
    problem = words_for(ACCEPT_REFUSALS, code)
    return _answer(
        _view(suggestion_id),
        {"accepted": False, "refused_because": code},
        problem=problem,
        status=422,
    )


def _shape() -> str:
    asked = request.args.get("shape", "row")
    return asked if asked in SHAPES else "row"
