"""Pricing: prices worth changing, one in detail, and what became of earlier changes."""

from datetime import datetime, time
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import ledgers, pages, price_history, price_tests, rollouts, suggestions
from shopify_app.db.pages import EarlierChange
from shopify_app.domain.evidence import SuggestionKind
from shopify_app.domain.price_test import PriceTestState
from shopify_app.web.advice_words import answer_with_advice, read_advice
from shopify_app.web.answers import answer
from shopify_app.web.cards.kinds import card_of_kind
from shopify_app.web.cards.refusals import refused_lines
from shopify_app.web.cards.views import card_json, card_view
from shopify_app.web.home import everything
from shopify_app.web.price_tests.views import price_test_json
from shopify_app.web.price_tests.words import price_test_view
from shopify_app.web.pricing.view import price_view
from shopify_app.web.reading import chosen, now, reading, shop, today, zone
from shopify_app.web.results.views import brake_json, brake_view, waiting_views
from shopify_app.web.rollouts.views import rollout_json, rollout_view

blueprint = Blueprint("pricing", __name__, url_prefix="/pricing")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Open price suggestions, what was decided today, and the changes before."""
    shop_id = shop().shop_id
    with reading() as conn:
        midnight = datetime.combine(today(), time.min, zone())
        waiting = suggestions.cards(conn, shop_id, kinds=("price",))
        decided = suggestions.decided_cards(conn, shop_id, since=midnight, kinds=("price",))
        earlier = pages.earlier_changes(conn, shop_id)
        advice = read_advice(conn)
        shown = [*waiting, *decided]
        fixed = price_history.fixed_prices(conn, shop_id, [card.variant_id for card in shown])
        plans = [plan for plan in rollouts.newest(conn, shop_id) if plan.waiting]
        stopped = ledgers.brakes_on(conn, shop_id)
        ledger = ledgers.of_shop(conn, shop_id)
        tests = price_tests.newest(conn, shop_id)
    shown_tests = [price_test_view(test, today()) for test in tests if test.is_under_way or test.state is PriceTestState.PROPOSED]  # fmt: skip
    views = [card_view(card, today(), fixed) for card in shown]
    open_count = sum(view.may_accept for view in views)
    body = {
        "suggestions": [card_json(view) for view in views],
        "earlier": [_change_json(change) for change in earlier],
        "rollouts": [rollout_json(plan) for plan in plans],
        "stopped": [brake_json(brake) for brake in stopped],
        "price_tests": [price_test_json(view) for view in shown_tests],
    }
    return answer_with_advice(
        "pricing/index.html", body, advice,
        views=views, open_count=open_count, again_count=len(waiting) - open_count, refused=refused_lines(), earlier=earlier, everything=everything(advice), chosen=chosen(),
        plans=[rollout_view(plan) for plan in plans], brakes=[brake_view(brake) for brake in stopped] + waiting_views(ledger),
        price_tests=shown_tests,
    )  # fmt: skip


@blueprint.get("/<int:suggestion_id>")
def show(suggestion_id: int) -> ResponseReturnValue:
    """One price suggestion with its evidence."""
    shop_id = shop().shop_id
    with reading() as conn:
        card = card_of_kind(conn, suggestion_id, SuggestionKind.PRICE)
        earlier = pages.earlier_changes(conn, shop_id, variant_id=card.variant_id)
        fixed = price_history.fixed_prices(conn, shop_id, [card.variant_id])
        spells = price_history.spells(conn, shop_id, card.variant_id, limit=8)
        lowest = price_history.lowest_price(conn, shop_id, card.variant_id, before=now())
        sees_markets = price_history.markets_read_at(conn, shop_id) is not None
    view = card_view(card, today(), fixed)
    body = card_json(view) | {
        "evidence": card.evidence.as_json(),
        "earlier": [_change_json(change) for change in earlier],
        "fixed_prices": [
            {"market": one.name, "price": str(one.price), "currency": one.currency}
            for one in fixed.get(card.variant_id, [])
        ],
        "lowest_price_30_days": None if lowest is None else str(lowest),
    }
    return answer(
        "pricing/show.html", body, view=view, detail=price_view(card, chosen()), earlier=earlier,
        fixed=fixed.get(card.variant_id, []), sees_markets=sees_markets, spells=spells, lowest=lowest,
    )  # fmt: skip


def _change_json(change: EarlierChange) -> dict[str, Any]:
    return {
        "id": change.id, "suggestion_id": change.suggestion_id, "test_id": change.test_id, "product_title": change.product_title,
        "variant_title": change.variant_title, "old_price": str(change.old_price), "new_price": str(change.new_price),
        "seen_price": None if change.seen_price is None else str(change.seen_price), "currency": change.currency,
        "is_undo": change.is_undo, "state": change.state, "finished_at": change.finished_at.isoformat(),
    }  # fmt: skip
