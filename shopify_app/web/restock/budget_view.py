"""What a budget earns, as a chart, a sentence and a short table."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext, ngettext
from markupsafe import Markup

from shopify_app.domain.budget_plan import BudgetPlan, round_amount
from shopify_app.web import formats
from shopify_app.web.charts import Plot, ReadOut, nice_ticks
from shopify_app.web.json_twin import as_json

ROWS: Final = (Decimal("0.25"), Decimal("0.5"), Decimal("0.75"), Decimal(1))
"""Budgets of the table, as shares of what everything costs."""


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A plan for a budget, and how it is shown."""

    plan: BudgetPlan
    budget: Decimal
    currency: str
    sentence: str
    next_sentence: str
    chart: Markup
    rows: list[tuple[Decimal, float]]


def budget_view(plan: BudgetPlan, budget: Decimal, currency: str) -> BudgetView:
    """A plan in words and figures."""
    rows = [_row(plan, share) for share in ROWS] if plan.all_cost else []
    return BudgetView(
        plan,
        budget,
        currency,
        _sentence(plan, budget, currency),
        _next_sentence(plan, budget, currency),
        _chart(plan, budget, currency),
        rows,
    )


@as_json.register
def _(shown: BudgetView) -> dict[str, Any]:
    plan, following = shown.plan, shown.plan.next_money(shown.budget)
    return {
        "orders": len(plan.picked),
        "cost": str(plan.cost),
        "gain": round(plan.gain, 2),
        "all_cost": str(plan.all_cost),
        "all_gain": round(plan.all_gain, 2),
        "unpriced": plan.unpriced,
        "next": following and {"money": str(following[0]), "gain": round(following[1], 2)},
        "curve": [[str(cost), round(gain, 2)] for cost, gain in plan.curve],
        "currency": shown.currency,
    }


def _sentence(plan: BudgetPlan, budget: Decimal, currency: str) -> str:
    return ngettext(
        "With %(budget)s buy this %(num)s line for %(cost)s: it should earn about %(gain)s until the order after.",
        "With %(budget)s buy these %(num)s lines for %(cost)s: they should earn about %(gain)s until the order after.",
        len(plan.units),
        budget=formats.whole(budget, currency),
        cost=formats.total(plan.cost, currency),
        gain=formats.money(plan.gain, currency),
    )


def _next_sentence(plan: BudgetPlan, budget: Decimal, currency: str) -> str:
    following = plan.next_money(budget)
    if following is None:
        return gettext("That is everything worth ordering now: more money would earn nothing here.")
    more, gain = following
    return gettext(
        "The next %(more)s would earn about %(gain)s more.",
        more=formats.whole(more, currency),
        gain=formats.money(gain, currency),
    )


def _row(plan: BudgetPlan, share: Decimal) -> tuple[Decimal, float]:
    money = plan.all_cost if share == 1 else max(round_amount(plan.all_cost * share), Decimal(1))
    return money, plan.earned_by(money)


def _chart(plan: BudgetPlan, budget: Decimal, currency: str) -> Markup:
    """Money earned against money spent, and where the budget stands."""
    if len(plan.curve) < 2 or plan.all_gain <= 0:
        return Markup("")
    ticks = nice_ticks(0, plan.all_gain, 3)
    plot = Plot(height=200, low=0, high=ticks[-1])
    plot.grid(ticks, lambda amount: formats.whole(amount, currency))

    def x(money: Decimal) -> float:
        return min(float(money / plan.all_cost), 1.0)

    plot.line([(x(cost), gain) for cost, gain in plan.curve], "c-line")
    plot.rule(x(budget))
    plot.dot(x(plan.cost), plan.gain, "c-new")
    for share in (Decimal(0), Decimal("0.5"), Decimal(1)):
        plot.under(float(share), formats.whole(plan.all_cost * share, currency))
    reads = [
        ReadOut(
            x(cost),
            gettext("With %(money)s", money=formats.whole(cost, currency)),
            gettext("earns about %(gain)s", gain=formats.money(gain, currency)),
            "",
            plot.y(gain),
        )
        for cost, gain in plan.curve[:: max(1, len(plan.curve) // 24)]
    ]
    words = gettext(
        "What each budget is expected to earn: %(half)s with half of the money, %(all)s with all of it.",
        half=formats.money(plan.earned_by(plan.all_cost / 2), currency),
        all=formats.money(plan.all_gain, currency),
    )
    return plot.svg(words, reads)
