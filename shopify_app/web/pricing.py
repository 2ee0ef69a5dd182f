"""Pricing: prices worth changing, one in detail, and what became of earlier changes."""

from datetime import datetime, time
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import pages, suggestions
from shopify_app.db.pages import EarlierChange
from shopify_app.domain.suggestion import SuggestionKind
from shopify_app.errors import NotFoundError
from shopify_app.web.answers import answer
from shopify_app.web.card_views import card_json, card_view
from shopify_app.web.home import everything
from shopify_app.web.price_view import price_view
from shopify_app.web.reading import chosen, reading, shop, today, zone

blueprint = Blueprint("pricing", __name__, url_prefix="/pricing")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Open price suggestions, what was decided today, and the changes before."""
    shop_id = shop().shop_id
    with reading() as conn:
        midnight = datetime.combine(today(), time.min, zone())
        waiting = suggestions.cards(conn, shop_id, kinds=("price",))
        decided = pages.decided_cards(conn, shop_id, since=midnight, kinds=("price",))
        earlier = pages.earlier_changes(conn, shop_id)
        run = pages.latest_run(conn, shop_id)
    views = [card_view(card, today()) for card in (*waiting, *decided)]
    body = {
        "suggestions": [card_json(view) for view in views],
        "earlier": [_change_json(change) for change in earlier],
    }
    return answer(
        "pricing/index.html", body,
        views=views, open_count=len(waiting), earlier=earlier, everything=everything(run), chosen=chosen(),
    )  # fmt: skip


@blueprint.get("/<int:suggestion_id>")
def show(suggestion_id: int) -> ResponseReturnValue:
    """One price suggestion with its evidence."""
    shop_id = shop().shop_id
    with reading() as conn:
        card = suggestions.card(conn, shop_id, suggestion_id)
        if card is None or card.kind is not SuggestionKind.PRICE:
            raise NotFoundError(f"price suggestion {suggestion_id}")
        earlier = pages.earlier_changes(conn, shop_id, variant_id=card.variant_id)
    view = card_view(card, today())
    body = card_json(view) | {
        "evidence": card.evidence,
        "earlier": [_change_json(change) for change in earlier],
    }
    return answer(
        "pricing/show.html", body, view=view, detail=price_view(card, chosen()), earlier=earlier
    )


def _change_json(change: EarlierChange) -> dict[str, Any]:
    return {
        "id": change.id, "suggestion_id": change.suggestion_id, "product_title": change.product_title,
        "variant_title": change.variant_title, "old_price": str(change.old_price), "new_price": str(change.new_price),
        "seen_price": None if change.seen_price is None else str(change.seen_price), "currency": change.currency,
        "is_undo": change.is_undo, "state": change.state, "finished_at": change.finished_at.isoformat(),
    }  # fmt: skip
