"""The suggestions of a shop from its inputs: the pure middle of a run.

Nothing is read or written here, so that `keel explain` can do the same work again from the same snapshot.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shopify_app.advice import demand as demand_advice
from shopify_app.advice import price as price_advice
from shopify_app.advice import price_test as price_test_advice
from shopify_app.advice import restock as restock_advice
from shopify_app.advice import trend as trend_advice
from shopify_app.advice.inputs import Inputs
from shopify_app.domain.evidence import SuggestionKind
from shopify_app.domain.price_test import PriceTestPlan
from shopify_app.domain.run import NamedMove, OrderBudget, RunCounts
from shopify_app.domain.suggestion import NewSuggestion

MODEL_VERSION: Final = "13"
"""Version of the methods; raised with every change of one, or of what a suggestion is made of."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is found of one kind: suggestions, variants not judged by reason, and what it leaves beside them."""

    suggestions: list[NewSuggestion]
    not_sure: Counter[str] = field(default_factory=Counter)
    order_budget: OrderBudget | None = None
    moves: list[NamedMove] = field(default_factory=list)
    price_test: PriceTestPlan | None = None


@dataclass(frozen=True, slots=True)
class AdvisedKind:
    """How a kind is worked out, from a seed; and whether what it took as brought up to the day comes out of its history."""

    work_out: Callable[[Inputs, int], Found]
    comes_out_again: Callable[[Inputs, int], bool] = lambda _inputs, _variant_id: True


def _restock(inputs: Inputs, seed: int) -> Found:
    found = restock_advice.suggest(inputs, seed=seed)
    return Found(found.suggestions, found.not_sure, found.order_budget, found.moves)


def _price(inputs: Inputs, seed: int) -> Found:
    found = price_advice.suggest(inputs, seed=seed)
    test = price_test_advice.propose(inputs, found.unknown, price_advice.limits(inputs), seed=seed)
    return Found(found.suggestions, found.not_sure, price_test=test)


def _trend(inputs: Inputs, seed: int) -> Found:
    return Found(trend_advice.suggest(inputs, seed=seed))


KINDS: Final[Mapping[SuggestionKind, AdvisedKind]] = {
    SuggestionKind.RESTOCK: AdvisedKind(_restock, demand_advice.comes_out_again),
    SuggestionKind.PRICE: AdvisedKind(_price),
    SuggestionKind.TREND: AdvisedKind(_trend),
}
"""Every kind, in the order in which they are worked out."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Suggestions of a run, and what it looked at.

    What each budget would buy: `order_together`; what to move first: `transfers`; which prices to test:
    `price_test`.
    """

    suggestions: list[NewSuggestion]
    counts: RunCounts
    order_budget: OrderBudget
    moves: list[NamedMove]
    price_test: PriceTestPlan | None


def work_out(inputs: Inputs, *, seed: int) -> Advice:
    """The `Advice` of a shop: every suggestion, unranked, and how many variants needed nothing or were not sure."""
    each = [kind.work_out(inputs, seed) for kind in KINDS.values()]
    suggestions = [one for found in each for one in found.suggestions]
    touched = {one.variant_id for one in suggestions}
    not_sure = sum((found.not_sure for found in each), Counter[str]())
    looked_at = len(inputs.variants)
    budgets = (found.order_budget for found in each)
    tests = (found.price_test for found in each)
    return Advice(
        suggestions,
        RunCounts(
            looked_at=looked_at,
            suggested=len(touched),
            need_nothing=max(looked_at - len(touched), 0),
            not_sure=dict(sorted(not_sure.items())),
        ),
        next((one for one in budgets if one is not None), OrderBudget()),
        [move for found in each for move in found.moves],
        next((one for one in tests if one is not None), None),
    )
