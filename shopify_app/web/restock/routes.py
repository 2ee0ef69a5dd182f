"""Restock: what to order within a budget, one order in detail, draft orders by vendor."""

from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from shopify_app.db import pages, suggestion_runs, suggestions
from shopify_app.domain.budget_plan import BudgetPlan, plan_within
from shopify_app.domain.suggestion import SuggestionKind
from shopify_app.errors import NotFoundError
from shopify_app.web.advice_words import answer_with_advice, read_advice
from shopify_app.web.answers import answer
from shopify_app.web.cards.move_words import move_views, moves_of
from shopify_app.web.cards.refusals import refused_lines
from shopify_app.web.cards.views import CardView, card_json, card_view
from shopify_app.web.demand_view import restock_chart
from shopify_app.web.reading import reading, shop, today, zone
from shopify_app.web.restock.budget_view import budget_view
from shopify_app.web.restock.order_words import beside
from shopify_app.web.restock.purchase_orders import draft_orders, order_json

blueprint = Blueprint("restock", __name__, url_prefix="/restock")

MOST_SHOWN: Final = 100


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Open orders beside a budget, draft orders, and stock that lies idle."""
    shop_id = shop().shop_id
    with reading() as conn:
        midnight = datetime.combine(today(), time.min, zone())
        waiting = suggestions.cards(conn, shop_id, kinds=("restock",), limit=MOST_SHOWN)
        decided = suggestions.decided_cards(conn, shop_id, since=midnight, kinds=("restock",))
        lines = pages.purchase_lines(conn, shop_id)
        order_budget = suggestion_runs.newest_order_budget(conn, shop_id)
        to_move = suggestion_runs.newest_moves(conn, shop_id)
        advice = read_advice(conn)
        idle = pages.idle_stock(conn, shop_id, today()) if advice.state.may_judge else []
    asked = _budget(request.args.get("budget"))
    plan = plan_within(waiting, order_budget, asked)
    budget = plan.all_cost if asked is None else min(asked, plan.all_cost)
    views = [card_view(card, today()) for card in (*waiting, *decided)]
    orders = draft_orders(lines)
    body = _as_json(views, plan, budget) | {
        "purchase_orders": [order_json(order) for order in orders],
        "moves": to_move,
    }
    return answer_with_advice(
        "restock/index.html", body, advice,
        views=views, refused=refused_lines(), waiting=waiting, plan=plan, budget=budget, orders=orders, idle=idle,
        shown=budget_view(plan, budget, shop().currency), moves=move_views(to_move, shop().currency),
    )  # fmt: skip


@blueprint.get("/<int:suggestion_id>")
def show(suggestion_id: int) -> ResponseReturnValue:
    """One suggested order with its evidence."""
    with reading() as conn:
        card = suggestions.card(conn, shop().shop_id, suggestion_id)
    if card is None or card.kind is not SuggestionKind.RESTOCK:
        raise NotFoundError(f"restock suggestion {suggestion_id}")
    view = card_view(card, today())
    body = card_json(view) | {"evidence": card.evidence}
    return answer(
        "restock/show.html", body, view=view, chart=restock_chart(card), beside=beside(card)
    )


def _budget(text: str | None) -> Decimal | None:
    """The budget asked for; None (everything) without one, or with nonsense."""
    try:
        budget = Decimal((text or "").replace(",", "").strip())
    except InvalidOperation:
        return None
    return max(budget, Decimal(0)) if budget.is_finite() else None


def _as_json(views: list[CardView], plan: BudgetPlan, budget: Decimal) -> dict[str, Any]:
    following = plan.next_money(budget)
    return {
        "suggestions": [
            card_json(view) | {"is_in_budget": view.card.id in plan.picked, "units_in_budget": plan.units.get(view.card.id, 0),
                               "moves": moves_of(view.card)}
            for view in views
        ],
        "plan": {
            "orders": len(plan.picked), "cost": str(plan.cost), "gain": round(plan.gain, 2),
            "all_cost": str(plan.all_cost), "all_gain": round(plan.all_gain, 2), "unpriced": plan.unpriced,
            "next": following and {"money": str(following[0]), "gain": round(following[1], 2)},
            "curve": [[str(cost), round(gain, 2)] for cost, gain in plan.curve], "currency": shop().currency,
        },
    }  # fmt: skip
