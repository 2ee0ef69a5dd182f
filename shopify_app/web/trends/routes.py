"""Trends: what really changes, and one of them in detail."""

from dataclasses import dataclass
from datetime import datetime, time

from flask import Blueprint
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from shopify_app.db import suggestions
from shopify_app.domain.evidence import Evidence, SuggestionKind, TrendEvidence
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web.advice_words import AdviceView, answer_with_advice, read_advice
from shopify_app.web.answers import answer
from shopify_app.web.cards.kinds import card_of_kind
from shopify_app.web.cards.views import CardView, card_view
from shopify_app.web.demand_view import trend_chart
from shopify_app.web.json_twin import Inlined, Told
from shopify_app.web.reading import reading, shop, today, zone

blueprint = Blueprint("trends", __name__, url_prefix="/trends")


@dataclass(frozen=True, slots=True)
class TrendsPage:
    """What really changes."""

    rising: Told[list[CardView]]
    falling: Told[list[CardView]]
    advice: Told[AdviceView]


@dataclass(frozen=True, slots=True)
class TrendPage:
    """One trend with its evidence."""

    view: Inlined[CardView]
    evidence: Told[Evidence]
    chart: Markup


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
    page = TrendsPage(
        rising=[view for view in views if not is_falling(view.card)],
        falling=[view for view in views if is_falling(view.card)],
        advice=advice,
    )
    return answer_with_advice("trends/index.html", page)


@blueprint.get("/<int:suggestion_id>")
def show(suggestion_id: int) -> ResponseReturnValue:
    """One trend with its evidence."""
    with reading() as conn:
        card = card_of_kind(conn, suggestion_id, SuggestionKind.TREND)
    page = TrendPage(card_view(card, today()), card.evidence, trend_chart(card))
    return answer("trends/show.html", page)


def is_falling(card: SuggestionCard) -> bool:
    """Whether it sells less than was to be expected."""
    return card.evidence_as(TrendEvidence).ratio < 1
