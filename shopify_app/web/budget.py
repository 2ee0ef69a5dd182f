"""Which orders a budget buys: the most margin kept per unit of money first."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from shopify_app.domain.suggestion import SuggestionCard


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """What is bought, and what it comes to."""

    picked: frozenset[int]
    cost: Decimal
    all_cost: Decimal
    kept_a_week: Decimal
    """Margin per week of waiting that the picked orders keep."""


def order_cost(card: SuggestionCard) -> Decimal | None:
    """What an order costs; None without a unit cost."""
    text = card.proposal.get("order_cost")
    return None if text is None else Decimal(text)


def plan_within(cards: Sequence[SuggestionCard], budget: Decimal) -> BudgetPlan:
    """Pick greedily by margin per money, skipping what no longer fits.

    Orders without a known cost are never picked: nobody knows whether they fit.
    """
    priced = [(card, cost) for card in cards if (cost := order_cost(card)) is not None and cost > 0]
    left, picked, kept = budget, set[int](), Decimal(0)
    for card, cost in sorted(priced, key=lambda pair: pair[0].value_mid / pair[1], reverse=True):
        if cost <= left:
            left -= cost
            kept += card.value_mid
            picked.add(card.id)
    all_cost = sum((cost for _, cost in priced), Decimal(0))
    return BudgetPlan(frozenset(picked), budget - left, all_cost, kept)
