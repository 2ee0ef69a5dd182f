"""The suggestions of a shop from its inputs: the pure middle of a run.

Nothing is read or written here, so that `keel explain` can do the same work again from the same snapshot.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from shopify_app.advice import price as price_advice
from shopify_app.advice import price_test as price_test_advice
from shopify_app.advice import restock as restock_advice
from shopify_app.advice import trend as trend_advice
from shopify_app.advice.inputs import Inputs
from shopify_app.domain.suggestion import NewSuggestion

MODEL_VERSION: Final = "12"
"""Version of the methods; raised with every change of one, or of what a suggestion is made of."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Suggestions of a run, and what it looked at.

    What each budget would buy: `order_together`; what to move first: `transfers`; which prices to test:
    `price_test`.
    """

    suggestions: list[NewSuggestion]
    counts: dict[str, Any]
    order_budget: dict[str, Any]
    moves: list[dict[str, Any]]
    price_test: dict[str, Any] | None


def work_out(inputs: Inputs, *, seed: int) -> Advice:
    """The `Advice` of a shop: every suggestion, unranked, and how many variants needed nothing or were not sure."""
    restock = restock_advice.suggest(inputs, seed=seed)
    price = price_advice.suggest(inputs, seed=seed)
    trend = trend_advice.suggest(inputs, seed=seed)
    found = [*restock.suggestions, *price.suggestions, *trend]
    touched = {one.variant_id for one in found}
    not_sure: Counter[str] = Counter(price.not_sure) + restock.not_sure
    looked_at = len(inputs.variants)
    return Advice(
        found,
        {
            "looked_at": looked_at,
            "suggested": len(touched),
            "need_nothing": max(looked_at - len(touched), 0),
            "not_sure": dict(sorted(not_sure.items())),
        },
        restock.order_budget,
        restock.moves,
        price_test_advice.propose(inputs, price.unknown, price_advice.limits(inputs), seed=seed),
    )
