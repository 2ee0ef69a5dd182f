"""Restock: what to order within a budget, one order in detail, draft orders by vendor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from shopify_app.db import pages, suggestion_runs, suggestions
from shopify_app.db.connection import Connection
from shopify_app.db.pages import IdleStock
from shopify_app.domain.budget_plan import BudgetPlan, plan_within
from shopify_app.domain.evidence import Evidence, Move, SuggestionKind
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web.advice_words import AdviceView, answer_with_advice, read_advice
from shopify_app.web.answers import answer
from shopify_app.web.cards.kinds import card_of_kind
from shopify_app.web.cards.move_words import MoveView, move_views, moves_of
from shopify_app.web.cards.refusals import refused_lines
from shopify_app.web.cards.views import CardView, card_view
from shopify_app.web.demand_view import restock_chart
from shopify_app.web.json_twin import Inlined, Told, as_json
from shopify_app.web.reading import reading, shop, today, zone
from shopify_app.web.restock.budget_view import BudgetView, budget_view
from shopify_app.web.restock.order_words import beside
from shopify_app.web.restock.purchase_orders import PurchaseOrder, draft_orders

blueprint = Blueprint("restock", __name__, url_prefix="/restock")

MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A suggested order, and what the budget buys of it."""

    view: Inlined[CardView]
    is_in_budget: Told[bool]
    units_in_budget: Told[int]
    moves: Told[Sequence[Move]]
    """What to move between locations before."""


@dataclass(frozen=True, slots=True)
class RestockPage:
    """Open orders beside a budget, draft orders, and stock that lies idle."""

    suggestions: Told[list[OrderLine]]
    plan: Told[BudgetView]
    purchase_orders: Told[list[PurchaseOrder]]
    moves: Told[list[MoveView]]
    advice: Told[AdviceView]
    waiting: int
    """How many orders are open."""
    idle: list[IdleStock]
    refused: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One suggested order with its evidence."""

    view: Inlined[CardView]
    evidence: Told[Evidence]
    chart: Markup
    beside: list[str]
    """What less and what more would do."""


@as_json.register
def _(view: MoveView) -> dict[str, Any]:
    return view.move.as_json()


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Open orders beside a budget, draft orders, and stock that lies idle."""
    with reading() as conn:
        page = _read_list(conn, _budget(request.args.get("budget")))
    return answer_with_advice("restock/index.html", page)


def _read_list(conn: Connection, asked: Decimal | None) -> RestockPage:
    shop_id, currency = shop().shop_id, shop().currency
    midnight = datetime.combine(today(), time.min, zone())
    waiting = suggestions.cards(conn, shop_id, kinds=("restock",), limit=MOST_SHOWN)
    decided = suggestions.decided_cards(conn, shop_id, since=midnight, kinds=("restock",))
    plan = plan_within(waiting, suggestion_runs.newest_order_budget(conn, shop_id), asked)
    budget = plan.all_cost if asked is None else min(asked, plan.all_cost)
    advice = read_advice(conn)
    return RestockPage(
        suggestions=[_line(card, plan) for card in (*waiting, *decided)],
        plan=budget_view(plan, budget, currency),
        purchase_orders=draft_orders(pages.purchase_lines(conn, shop_id)),
        moves=move_views(suggestion_runs.newest_moves(conn, shop_id), currency),
        advice=advice,
        waiting=len(waiting),
        idle=pages.idle_stock(conn, shop_id, today()) if advice.state.may_judge else [],
        refused=refused_lines(),
    )


def _line(card: SuggestionCard, plan: BudgetPlan) -> OrderLine:
    return OrderLine(
        view=card_view(card, today()),
        is_in_budget=card.id in plan.picked,
        units_in_budget=plan.units.get(card.id, 0),
        moves=moves_of(card),
    )


@blueprint.get("/<int:suggestion_id>")
def show(suggestion_id: int) -> ResponseReturnValue:
    """One suggested order with its evidence."""
    with reading() as conn:
        card = card_of_kind(conn, suggestion_id, SuggestionKind.RESTOCK)
    page = OrderPage(card_view(card, today()), card.evidence, restock_chart(card), beside(card))
    return answer("restock/show.html", page)


def _budget(text: str | None) -> Decimal | None:
    """The budget asked for; None (everything) without one, or with nonsense."""
    try:
        budget = Decimal((text or "").replace(",", "").strip())
    except InvalidOperation:
        return None
    return max(budget, Decimal(0)) if budget.is_finite() else None
