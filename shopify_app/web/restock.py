"""Restock: what to order within a budget, one order in detail, draft orders by vendor."""

from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from shopify_app.db import pages, suggestions
from shopify_app.domain.suggestion import SuggestionKind
from shopify_app.errors import NotFoundError
from shopify_app.web.answers import answer
from shopify_app.web.budget import BudgetPlan, plan_within
from shopify_app.web.card_views import CardView, card_json, card_view
from shopify_app.web.demand_view import restock_chart
from shopify_app.web.purchase_orders import draft_orders, order_json
from shopify_app.web.reading import reading, shop, today, zone

blueprint = Blueprint("restock", __name__, url_prefix="/restock")

MOST_SHOWN: Final = 100


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Open orders beside a budget, draft orders, and stock that lies idle."""
    shop_id = shop().shop_id
    with reading() as conn:
        midnight = datetime.combine(today(), time.min, zone())
        waiting = suggestions.cards(conn, shop_id, kinds=("restock",), limit=MOST_SHOWN)
        decided = pages.decided_cards(conn, shop_id, since=midnight, kinds=("restock",))
        lines = pages.purchase_lines(conn, shop_id)
        idle = pages.idle_stock(conn, shop_id, today())
    plan = plan_within(waiting, _budget(request.args.get("budget")))
    views = [card_view(card, today()) for card in (*waiting, *decided)]
    orders = draft_orders(lines)
    body = _as_json(views, plan) | {"purchase_orders": [order_json(order) for order in orders]}
    most = max(plan.all_cost, Decimal(1))
    return answer(
        "restock/index.html", body,
        views=views, waiting=waiting, plan=plan, budget=min(_budget(request.args.get("budget")), most), most=most,
        orders=orders, idle=idle,
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
    return answer("restock/show.html", body, view=view, chart=restock_chart(card))


def _budget(text: str | None) -> Decimal:
    """The budget asked for; without one, or with nonsense: enough for everything."""
    try:
        budget = Decimal(text or "1e15")
    except InvalidOperation:
        budget = Decimal("1e15")
    return max(budget, Decimal(0)) if budget.is_finite() else Decimal("1e15")


def _as_json(views: list[CardView], plan: BudgetPlan) -> dict[str, Any]:
    return {
        "suggestions": [card_json(view) | {"is_in_budget": view.card.id in plan.picked} for view in views],
        "plan": {
            "orders": len(plan.picked), "cost": str(plan.cost), "all_cost": str(plan.all_cost),
            "kept_a_week": str(plan.kept_a_week), "currency": shop().currency,
        },
    }  # fmt: skip
