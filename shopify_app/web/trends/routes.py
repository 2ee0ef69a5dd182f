"""Trends: what really changes, and one of them in detail."""

from datetime import datetime, time

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import suggestions
from shopify_app.domain.evidence import SuggestionKind, TrendEvidence
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web.advice_words import answer_with_advice, read_advice
from shopify_app.web.answers import answer
from shopify_app.web.cards.kinds import card_of_kind
from shopify_app.web.cards.views import card_json, card_view
from shopify_app.web.demand_view import trend_chart
from shopify_app.web.reading import reading, shop, today, zone

blueprint = Blueprint("trends", __name__, url_prefix="/trends")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Rising and falling products, the clearest money first."""
    shop_id = shop().shop_id
    with reading() as conn:
        midnight = datetime.combine(today(), time.min, zone())
        waiting = suggestions.cards(conn, shop_id, kinds=("trend",), limit=100)
        decided = suggestions.decided_cards(conn, shop_id, since=midnight, kinds=("trend",))
        advice = read_advice(conn)
        watched = suggestions.cards(conn, shop_id, kinds=("trend",), states=("accepted",), limit=20)
    fresh = {card.id for card in decided}
    everything = [*waiting, *decided, *(card for card in watched if card.id not in fresh)]
    views = [card_view(card, today()) for card in everything]
    rising = [view for view in views if not is_falling(view.card)]
    falling = [view for view in views if is_falling(view.card)]
    body = {
        "rising": [card_json(view) for view in rising],
        "falling": [card_json(view) for view in falling],
    }
    return answer_with_advice("trends/index.html", body, advice, rising=rising, falling=falling)


@blueprint.get("/<int:suggestion_id>")
def show(suggestion_id: int) -> ResponseReturnValue:
    """One trend with its evidence."""
    with reading() as conn:
        card = card_of_kind(conn, suggestion_id, SuggestionKind.TREND)
    view = card_view(card, today())
    body = card_json(view) | {"evidence": card.evidence.as_json()}
    return answer("trends/show.html", body, view=view, chart=trend_chart(card))


def is_falling(card: SuggestionCard) -> bool:
    """Whether it sells less than was to be expected."""
    return card.evidence_as(TrendEvidence).ratio < 1
