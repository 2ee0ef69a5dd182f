"""Pricing: prices worth changing, one in detail, and what became of earlier changes."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import ledgers, pages, price_history, price_tests, rollouts, suggestions
from shopify_app.db.connection import Connection
from shopify_app.db.pages import EarlierChange
from shopify_app.db.price_history import FixedPrice, PriceSpell
from shopify_app.domain.evidence import Evidence, SuggestionKind
from shopify_app.domain.price_test import PriceTestState
from shopify_app.domain.shop import ShopSettings
from shopify_app.web.advice_words import AdviceView, answer_with_advice, read_advice
from shopify_app.web.answers import answer
from shopify_app.web.cards.kinds import card_of_kind
from shopify_app.web.cards.refusals import refused_lines
from shopify_app.web.cards.views import CardView, card_view
from shopify_app.web.home import everything
from shopify_app.web.json_twin import Inlined, Told, as_json, picked
from shopify_app.web.price_tests.words import PriceTestView, price_test_view
from shopify_app.web.pricing.view import PriceView, price_view
from shopify_app.web.reading import chosen, now, reading, shop, today, zone
from shopify_app.web.results.views import BrakeView, brake_view, waiting_views
from shopify_app.web.rollouts.views import RolloutView, rollout_view

blueprint = Blueprint("pricing", __name__, url_prefix="/pricing")


@dataclass(frozen=True, slots=True)
class PricingPage:
    """Prices worth changing, and what became of earlier changes."""

    suggestions: Told[list[CardView]]
    """Open ones, then those decided today."""
    earlier: Told[list[EarlierChange]]
    rollouts: Told[list[RolloutView]]
    stopped: Told[list[BrakeView]]
    price_tests: Told[list[PriceTestView]]
    advice: Told[AdviceView]
    waiting: list[BrakeView]
    everything: dict[str, Any] | None
    limits: ShopSettings
    refused: list[tuple[int, str]]

    @property
    def open_count(self) -> int:
        """Prices that a click could change."""
        return sum(view.may_accept for view in self.suggestions)

    @property
    def again_count(self) -> int:
        """Open prices beyond the limits of now, which are being worked out again."""
        return sum(view.is_open for view in self.suggestions) - self.open_count

    @property
    def brakes(self) -> list[BrakeView]:
        """Kinds that are stopped, and those that wait."""
        return self.stopped + self.waiting


@dataclass(frozen=True, slots=True)
class PricePage:
    """One price suggestion with its evidence."""

    view: Inlined[CardView]
    evidence: Told[Evidence]
    earlier: Told[list[EarlierChange]]
    fixed_prices: Told[list[FixedPrice]]
    lowest_price_30_days: Told[Decimal | None]
    detail: PriceView
    spells: list[PriceSpell]
    sees_markets: bool


@as_json.register
def _(change: EarlierChange) -> dict[str, Any]:
    return {
        **picked(change, "id", "suggestion_id", "test_id", "product_title", "variant_title"),
        **picked(change, "old_price", "new_price", "seen_price", "currency", "is_undo", "state"),
        "finished_at": as_json(change.finished_at),
    }


@as_json.register
def _(fixed: FixedPrice) -> dict[str, Any]:
    return {"market": fixed.name, **picked(fixed, "price", "currency")}


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Open price suggestions, what was decided today, and the changes before."""
    with reading() as conn:
        page = _read_list(conn)
    return answer_with_advice("pricing/index.html", page)


def _read_list(conn: Connection) -> PricingPage:
    shop_id = shop().shop_id
    midnight = datetime.combine(today(), time.min, zone())
    waiting = suggestions.cards(conn, shop_id, kinds=("price",))
    decided = suggestions.decided_cards(conn, shop_id, since=midnight, kinds=("price",))
    cards = [*waiting, *decided]
    fixed = price_history.fixed_prices(conn, shop_id, [card.variant_id for card in cards])
    advice = read_advice(conn)
    return PricingPage(
        suggestions=[card_view(card, today(), fixed) for card in cards],
        earlier=pages.earlier_changes(conn, shop_id),
        rollouts=[rollout_view(plan) for plan in rollouts.newest(conn, shop_id) if plan.waiting],
        stopped=[brake_view(brake) for brake in ledgers.brakes_on(conn, shop_id)],
        price_tests=[
            price_test_view(test, today())
            for test in price_tests.newest(conn, shop_id)
            if test.is_under_way or test.state is PriceTestState.PROPOSED
        ],
        advice=advice,
        waiting=waiting_views(ledgers.of_shop(conn, shop_id)),
        everything=everything(advice),
        limits=chosen(),
        refused=refused_lines(),
    )


@blueprint.get("/<int:suggestion_id>")
def show(suggestion_id: int) -> ResponseReturnValue:
    """One price suggestion with its evidence."""
    with reading() as conn:
        page = _read_one(conn, suggestion_id)
    return answer("pricing/show.html", page)


def _read_one(conn: Connection, suggestion_id: int) -> PricePage:
    card = card_of_kind(conn, suggestion_id, SuggestionKind.PRICE)
    shop_id, variant_id = shop().shop_id, card.variant_id
    fixed = price_history.fixed_prices(conn, shop_id, [variant_id])
    return PricePage(
        view=card_view(card, today(), fixed),
        evidence=card.evidence,
        earlier=pages.earlier_changes(conn, shop_id, variant_id=variant_id),
        fixed_prices=fixed.get(variant_id, []),
        lowest_price_30_days=price_history.lowest_price(conn, shop_id, variant_id, before=now()),
        detail=price_view(card, chosen()),
        spells=price_history.spells(conn, shop_id, variant_id, limit=8),
        sees_markets=price_history.markets_read_at(conn, shop_id) is not None,
    )
