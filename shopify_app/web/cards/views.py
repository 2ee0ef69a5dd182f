"""A suggestion as a template shows it, and as JSON: everything decided here, nothing in the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import url_for

from shopify_app.db.price_history import FixedPrice
from shopify_app.domain.evidence import way_back_of
from shopify_app.domain.price_limits import limit_broken_by
from shopify_app.domain.suggestion import SuggestionCard, SuggestionState
from shopify_app.web import formats
from shopify_app.web.cards.kind import Certainty, Facts, Outcome
from shopify_app.web.cards.kinds import kind_of
from shopify_app.web.cards.outcomes import outcome
from shopify_app.web.cards.shortage_words import shortage_of
from shopify_app.web.cards.tax_words import tax_rate_of
from shopify_app.web.json_twin import as_json, picked
from shopify_app.web.reading import chosen
from shopify_app.web.wording import UNITS, is_under_way, thing, words_for


@dataclass(frozen=True, slots=True)
class CardView:
    """A card in words."""

    card: SuggestionCard
    title: str
    thing: str
    why: str
    facts: Facts
    value: str
    value_unit: str
    value_range: str
    certainty: Certainty | None
    accept_label: str
    accept_means: str
    outcome: Outcome | None
    is_waiting: bool
    href: str
    note: str
    """Which markets a price change does not move; '' where none, or none is known."""
    fixed_in: list[str]
    """Those markets, by name."""
    beyond_limit: str | None
    """The limit of now that an open price goes beyond, as a code: it is being worked out again, and has no button."""

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.card.state is SuggestionState.OPEN

    @property
    def may_accept(self) -> bool:
        """Whether a click could carry it out."""
        return self.is_open and self.beyond_limit is None


def card_view(
    card: SuggestionCard, today: date, fixed: Mapping[int, Sequence[FixedPrice]] | None = None
) -> CardView:
    """A card in the reader's language; `fixed` are prices that markets hold fast, by variant."""
    fixed_in = [one.name for one in (fixed or {}).get(card.variant_id, ())]
    kind = kind_of(card)
    return CardView(
        card=card,
        title=kind.title(card, today),
        thing=thing(card.product_title, card.variant_title),
        why=kind.why(card),
        facts=kind.facts(card, today),
        value=_value(card)(card.value_mid),
        value_unit=words_for(UNITS, _unit(card)),
        value_range=formats.between(card.value_low, card.value_high, _value(card)),
        certainty=kind.certainty(card),
        accept_label=str(kind.page.accept_label),
        accept_means=str(kind.page.accept_means),
        outcome=outcome(card),
        is_waiting=is_under_way(card),
        href=url_for(kind.page.endpoint, suggestion_id=card.id),
        note=kind.note(card, fixed_in),
        fixed_in=fixed_in,
        beyond_limit=limit_broken_by(card, chosen())
        if card.state is SuggestionState.OPEN
        else None,
    )


@as_json.register
def card_json(view: CardView) -> dict[str, Any]:
    """A card as the JSON answers show it: numbers as they are kept, words beside them."""
    card = view.card
    return {
        **picked(card, "id", "kind", "state"),
        "title": view.title,
        "why": view.why,
        **picked(card, "variant_id", "product_id", "product_title", "variant_title", "sku"),
        **picked(card, "vendor", "proposal"),
        "value": {
            "low": str(card.value_low),
            "mid": str(card.value_mid),
            "high": str(card.value_high),
            "unit": card.value_unit,
            "currency": card.currency,
        },
        "certainty": view.certainty[0] if view.certainty else None,
        **picked(card, "is_urgent", "as_of", "decided_at", "dismiss_reason"),
        "outcome": view.outcome.words if view.outcome else None,
        "price_change": _change_json(card),
        "measured_until": as_json(card.measured_until),
        "verdict": _verdict_json(card),
        "fixed_in_markets": view.fixed_in,
        "until": as_json(shortage.until) if (shortage := shortage_of(card)) else None,
        "way_back_of": way_back_of(card.proposal),
        "beyond_limit": view.beyond_limit,
    }


def _change_json(card: SuggestionCard) -> dict[str, Any] | None:
    if card.change_id is None:
        return None
    return {
        "id": card.change_id,
        "is_undo": bool(card.change_is_undo),
        "state": card.change_state,
        "new_price": None if card.change_new_price is None else str(card.change_new_price),
        "seen_price": None if card.change_seen_price is None else str(card.change_seen_price),
        "error": card.change_error,
        "finished_at": card.change_finished_at.isoformat() if card.change_finished_at else None,
    }


def _verdict_json(card: SuggestionCard) -> dict[str, Any] | None:
    if card.verdict is None:
        return None
    profit, low, high = (
        None if amount is None else str(amount)
        for amount in (card.verdict_profit, card.verdict_low, card.verdict_high)
    )
    return {"outcome": card.verdict, "profit": profit, "low": low, "high": high}


def _unit(card: SuggestionCard) -> str:
    """What its money is of: sales are told before tax where prices have some in them."""
    is_net = card.value_unit == "sales_a_month" and tax_rate_of(card) > 0
    return "net_sales_a_month" if is_net else card.value_unit


def _value(card: SuggestionCard) -> Any:
    """How this card's money is written: what waiting costs has no sign, a gain has one."""
    if card.value_unit in ("margin_a_week", "waiting_margin_a_week"):
        return lambda amount: formats.money(amount, card.currency)
    return lambda amount: formats.gain(amount, card.currency)
