"""Which orders a budget buys: the plan that the newest run worked out for it, of the orders still open.

In:  the open cards, and what `advice.order_together` left for every budget.
Out: a `BudgetPlan`. Nothing is ranked here: of the run's plans, each without the lines that were decided
     since, the one that earns most within the budget is read off. Without those lines a plan is still
     the best for its money, as every line in it has the units that the same return on money gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from shopify_app.domain.evidence import RestockProposal
from shopify_app.domain.run import OrderBudget
from shopify_app.domain.suggestion import SuggestionCard

NEXT_SHARE: Final = Decimal("0.15")
"""What the next money would earn is told of a round amount of at most this share of all orders."""


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """What is bought, what it comes to, and what other budgets would.

    Attributes
    ----------
    units : suggestion -> units that the budget buys of it
    cost, gain : what they cost, and are expected to earn: sales not lost, less what holding them costs
    all_cost, all_gain : of everything worth ordering
    unpriced : open orders whose cost nobody knows, so that they are in no budget
    curve : (cost, gain) rising from nothing to everything, each step earning less per money than the one before
    """

    units: Mapping[int, int]
    cost: Decimal
    gain: float
    all_cost: Decimal
    all_gain: float
    unpriced: int
    curve: list[tuple[Decimal, float]]

    @property
    def picked(self) -> frozenset[int]:
        """Suggestions of which something is bought."""
        return frozenset(self.units)

    def earned_by(self, money: Decimal) -> float:
        """What the best use of an amount would earn."""
        for (left, low), (right, high) in pairwise(self.curve):
            if money < right:
                return low + (high - low) * float((money - left) / (right - left))
        return self.all_gain

    def next_money(self, budget: Decimal) -> tuple[Decimal, float] | None:
        """A round amount after a budget, and what it would earn more; None where everything is bought."""
        if budget >= self.all_cost:
            return None
        more = round_amount(self.all_cost * NEXT_SHARE)
        return more, self.earned_by(budget + more) - self.earned_by(budget)


def round_amount(money: Decimal) -> Decimal:
    """The greatest of 1, 2 or 5 times a power of ten that is not above an amount (at least 1)."""
    power = Decimal(10) ** max(money.adjusted(), 0) if money > 0 else Decimal(1)
    return next((s * power for s in (5, 2, 1) if s * power <= money), Decimal(1))


def order_cost(card: SuggestionCard) -> Decimal | None:
    """What an order costs; None without a unit cost."""
    return card.proposal_as(RestockProposal).order_cost


def _unit_cost(card: SuggestionCard) -> Decimal:
    """Of an order whose cost is known."""
    return card.proposal_as(RestockProposal).unit_cost or Decimal(0)


def plan_within(
    cards: Sequence[SuggestionCard], order_budget: OrderBudget, budget: Decimal | None
) -> BudgetPlan:
    """The plan for a budget (None: for everything), of the orders that are still open."""
    lines = _Lines(cards, order_budget)
    plans = order_budget.plans
    totals = [lines.total(plan) for plan in plans] or [(Decimal(0), 0.0)]
    fitting = [at for at, (cost, _) in enumerate(totals) if budget is None or cost <= budget]
    best = max(fitting, key=lambda at: (totals[at][1], -totals[at][0]), default=0)
    turns = [totals[at] for at in order_budget.turns]
    cost, gain = totals[best]
    return BudgetPlan(
        units=lines.units(plans[best]) if plans else {},
        cost=cost,
        gain=gain,
        all_cost=totals[-1][0],
        all_gain=totals[-1][1],
        unpriced=sum(order_cost(card) is None for card in cards),
        curve=[one for at, one in enumerate(turns) if at == 0 or one[0] > turns[at - 1][0]],
    )


class _Lines:
    """The lines of the run's plans that are still open."""

    def __init__(self, cards: Sequence[SuggestionCard], order_budget: OrderBudget) -> None:
        by_variant = {card.variant_id: card for card in cards if order_cost(card) is not None}
        self._open = [
            (at, card, line.levels)
            for at, line in enumerate(order_budget.lines)
            if (card := by_variant.get(line.variant_id)) is not None
        ]
        self._prices = {card.id: _unit_cost(card) for _, card, _ in self._open}

    def total(self, plan: Sequence[int]) -> tuple[Decimal, float]:
        """What a plan costs and earns."""
        cost, gain = Decimal(0), 0.0
        for at, card, levels in self._open:
            units, worth = levels[plan[at]]
            cost += units * self._prices[card.id]
            gain += worth
        return cost, gain

    def units(self, plan: Sequence[int]) -> dict[int, int]:
        """Units of each suggestion of which a plan buys any."""
        bought = {card.id: int(levels[plan[at]][0]) for at, card, levels in self._open}
        return {number: units for number, units in bought.items() if units}
