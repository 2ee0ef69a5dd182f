r"""The way back from a price that was raised while stock was short: its own suggestion, once its reason is gone.

    raise written --stock has come, or its day is past--> a suggestion back to exactly the price before
         \--the merchant edits the price, or undoes it--> nothing to go back from

In:  the raises that stand in the shop (`RunSettings.raised_while_short`), the shelves, the day.
Out: price suggestions, each with why it is time; nothing is written without a click.
Method: stock has come when the shelves hold `LEAST_RISE` units more than all that the raise counted as there and on its
    way (corrections and returns are smaller). What going back brings is worked out from what the raise's card knew: its units a month
    at the old price and its range of elasticity, now with stock for all of them.
Weak: demand is taken as it was when the price was raised; stock that came and sold between two runs is not seen, and
    a delivery that does not lift the shelves above what was there when the price was raised waits for the day.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import log
from statistics import NormalDist
from typing import Any, Final

from shopify_app.advice.inputs import Inputs
from shopify_app.domain.evidence import (
    PriceEvidence,
    PriceProposal,
    Shortage,
    SuggestionKind,
    WayBack,
)
from shopify_app.domain.purchase_order import LEAST_RISE
from shopify_app.domain.run import RaiseEvidence, StandingRaise
from shopify_app.domain.suggestion import NewSuggestion

RANGE_IN_DEVIATIONS: Final = 2 * NormalDist().inv_cdf(0.9)
"""Width of an 80 % range of a normal distribution, in standard deviations."""


def standing(inputs: Inputs) -> set[int]:
    """Variants whose raise stands: until it has gone back, nothing else is said of their price."""
    return {one.variant_id for one in inputs.settings.raised_while_short}


def suggest(inputs: Inputs, *, seed: int) -> list[NewSuggestion]:
    """The ways back whose time has come."""
    shelves = inputs.variants.set_index("variant_id")
    found: list[NewSuggestion] = []
    for one in inputs.settings.raised_while_short:
        if one.is_quiet or one.variant_id not in shelves.index:
            continue
        variant: Any = shelves.loc[one.variant_id]
        because = _because(one.evidence.shortage, int(variant["available_units"]), inputs.as_of)
        if because is not None:
            found.append(_suggestion(inputs, one, variant, because, seed))
    return found


def _because(shortage: Shortage, on_shelves: int, today: date) -> str | None:
    """A code for why it is time; None while it is not."""
    if on_shelves >= shortage.there_units + LEAST_RISE:
        return "stock_came"
    return "day_passed" if today >= shortage.until else None


@dataclass(frozen=True, slots=True)
class _Gain:
    """Money a month of going back, its 80 % range, and the chance that it is above nothing."""

    low: float
    mid: float
    high: float
    chance: float
    units_now: float


def _gain(evidence: RaiseEvidence, *, price: float, back: float, cost: float) -> _Gain:
    """From `price` back to `back`, as the raise knew demand."""
    units = float(evidence.units_per_month_now)
    ratio, kept = price / back, _kept_share(evidence)
    found = [
        units * ((back * kept - cost) - (price * kept - cost) * ratio ** float(elasticity))
        for elasticity in (evidence.elasticity, evidence.elasticity_low, evidence.elasticity_high)
    ]
    then = units * ratio ** float(evidence.elasticity)
    return _Gain(min(found), found[0], max(found), _chance(evidence, price, back, cost), then)


def _kept_share(evidence: RaiseEvidence) -> float:
    """Share of a price that is left before tax, as the raise knew it."""
    return 1 / (1 + float(evidence.tax_rate or 0))


def _chance(evidence: RaiseEvidence, price: float, back: float, cost: float) -> float:
    """Probability that demand is elastic enough for the lower price to earn more."""
    kept = _kept_share(evidence)
    if back * kept <= cost:
        return 0.0
    enough = log((back * kept - cost) / (price * kept - cost)) / log(price / back)
    width = float(evidence.elasticity_high) - float(evidence.elasticity_low)
    deviation = max(width / RANGE_IN_DEVIATIONS, 1e-6)
    return NormalDist(float(evidence.elasticity), deviation).cdf(enough)


def _suggestion(
    inputs: Inputs, raised: StandingRaise, variant: Any, because: str, seed: int
) -> NewSuggestion:
    was, told = raised.proposal, raised.evidence
    cost = float(told.unit_cost)
    price, back = float(was.price), float(was.old_price)
    gain, kept = _gain(told, price=price, back=back, cost=cost), _kept_share(told)
    tax = {} if told.tax_rate is None else {"tax_rate": told.tax_rate, "tax_from": told.tax_from}
    return NewSuggestion(
        kind=SuggestionKind.PRICE,
        variant_id=raised.variant_id,
        proposal=PriceProposal(
            price=was.old_price,
            compare_at_price=was.old_compare_at_price,
            old_price=was.price,
            old_compare_at_price=was.compare_at_price,
            back_from=raised.suggestion_id,
        ),
        evidence=PriceEvidence(
            way_back=WayBack(
                because=because,
                raised_on=raised.raised_on,
                until=told.shortage.until,
                units_then=told.shortage.there_units,
                units_now=int(variant["available_units"]),
            ),
            elasticity=told.elasticity,
            elasticity_low=told.elasticity_low,
            elasticity_high=told.elasticity_high,
            chance_it_helps=round(gain.chance, 4),
            units_per_month_now=round(gain.units_now, 1),
            units_per_month_then=told.units_per_month_now,
            margin_now=round(1 - cost / (price * kept), 4),
            margin_then=round(1 - cost / (back * kept), 4),
            unit_cost=told.unit_cost,
            prices_tried=(),
            curve=(),
            binding_limit=None,
            clamp_trail=(),
            window_first=told.window_first,
            window_last=told.window_last,
            model="way back 1: what the raise knew, with stock for all",
            seed=seed,
        ).with_changes(**tax),
        value_low=_money(gain.low),
        value_mid=_money(gain.mid),
        value_high=_money(gain.high),
        value_unit="profit_a_month",
        currency=inputs.settings.currency,
        rank_score=gain.mid,
        is_urgent=True,
        as_of=inputs.as_of,
    )


def _money(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))
