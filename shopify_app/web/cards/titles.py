"""A card's words: verb, quantity, thing and deadline in the title; one line of why; the facts."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from flask_babel import gettext, ngettext

from shopify_app.domain.suggestion import SuggestionCard, SuggestionKind, way_back_of
from shopify_app.web import formats
from shopify_app.web.cards.lead_time_words import delivery_words
from shopify_app.web.cards.move_words import moves_first
from shopify_app.web.cards.shortage_words import shortage_of, until_words, way_back_words
from shopify_app.web.wording import CAUSES, RULES, certainty, lasting_words, thing, words_for

Facts = list[tuple[str, str]]


def title(card: SuggestionCard, today: date) -> str:
    """What accepting does, in the words of a title."""
    if card.kind is SuggestionKind.PRICE:
        return price_title(card)
    return restock_title(card, today) if card.kind is SuggestionKind.RESTOCK else trend_title(card)


class Priced(Protocol):
    """What a price's title is made of: a card, or a line of the ledger."""

    @property
    def proposal(self) -> dict[str, Any]:
        """The old and the new price."""
        ...

    @property
    def product_title(self) -> str:
        """The product's name."""
        ...

    @property
    def variant_title(self) -> str:
        """The variant's name."""
        ...

    @property
    def currency(self) -> str:
        """Of the prices."""
        ...


def price_title(card: Priced) -> str:
    """`Raise Soy candle from $24.00 to $26.00`."""
    old, new = Decimal(card.proposal["old_price"]), Decimal(card.proposal["price"])
    words = {
        "thing": thing(card.product_title, card.variant_title),
        "old": formats.price(old, card.currency),
        "new": formats.price(new, card.currency),
    }
    if way_back_of(card.proposal) is not None:
        return gettext("Set %(thing)s back from %(old)s to %(new)s", **words)
    if new > old:
        return gettext("Raise %(thing)s from %(old)s to %(new)s", **words)
    return gettext("Lower %(thing)s from %(old)s to %(new)s", **words)


def units_of(proposal: Mapping[str, Any]) -> int:
    """Units of a restock: as the merchant chose, else as proposed."""
    return int(proposal.get("chosen_units", proposal["units"]))


def cost_of(proposal: Mapping[str, Any]) -> Decimal | None:
    """What those cost; None without a unit cost."""
    cost = proposal["unit_cost"]
    return None if cost is None else Decimal(cost) * units_of(proposal)


def restock_title(card: SuggestionCard, today: date) -> str:
    """`Order 120 x Linen apron, Navy by Thu, Nov 26`, or today if that day is here or past."""
    order_by = date.fromisoformat(card.proposal["order_by"])
    words = {
        "units": formats.count(units_of(card.proposal)),
        "thing": thing(card.product_title, card.variant_title),
    }
    if order_by <= today:
        return gettext("Order %(units)s × %(thing)s today", **words)
    return gettext("Order %(units)s × %(thing)s by %(day)s", day=formats.weekday(order_by), **words)


def trend_title(card: SuggestionCard) -> str:
    """`Watch Linen apron, Navy: up 40% since Nov 3`."""
    ratio = float(card.evidence.get("ratio", 1))
    words = {
        "thing": thing(card.product_title, card.variant_title),
        "share": formats.percent(abs(ratio - 1)),
        "day": formats.day(card.evidence["since"]),
    }
    if card.proposal.get("direction") in ("down", "falling") or ratio < 1:
        return gettext("Watch %(thing)s: down %(share)s since %(day)s", **words)
    return gettext("Watch %(thing)s: up %(share)s since %(day)s", **words)


def why(card: SuggestionCard) -> str:
    """One line of evidence."""
    if card.kind is SuggestionKind.PRICE:
        return _price_why(card)
    return _restock_why(card) if card.kind is SuggestionKind.RESTOCK else _trend_why(card)


def _price_why(card: SuggestionCard) -> str:
    if words := way_back_words(card):
        return words
    return f"{until_words(card)} {_price_evidence(card)}".strip()


def _price_evidence(card: SuggestionCard) -> str:
    evidence = card.evidence
    tried = evidence.get("prices_tried", [])
    weeks = sum(int(t["weeks"]) for t in tried)
    based = ngettext(
        "Based on %(weeks)s weeks at %(num)s price.",
        "Based on %(weeks)s weeks at %(num)s prices.",
        len(tried),
        weeks=formats.count(weeks),
    )
    now, then = (
        float(evidence.get("units_per_month_now", 0)),
        float(evidence.get("units_per_month_then", 0)),
    )
    if now <= 0:
        return based
    sales = gettext(
        "Sales should go from %(now)s to %(then)s a month.",
        now=formats.count(now),
        then=formats.count(then),
    )
    return f"{sales} {based}"


def _restock_why(card: SuggestionCard) -> str:
    first = moves_first(card, units_of(card.proposal))
    return f"{first} {_run_out(card)}" if first else _run_out(card)


def _run_out(card: SuggestionCard) -> str:
    evidence = card.evidence
    delivery = delivery_words(evidence)
    first, last = evidence.get("run_out_first"), evidence.get("run_out_last")
    if first is None:
        return delivery
    if last is None or last == first:
        return (
            gettext("Likely to run out from %(first)s on.", first=formats.day(first))
            + " "
            + delivery
        )
    out = gettext(
        "Likely to run out between %(first)s and %(last)s.",
        first=formats.day(first),
        last=formats.day(last),
    )
    return f"{out} {delivery}"


def _trend_why(card: SuggestionCard) -> str:
    evidence = card.evidence
    sold = gettext(
        "Sold %(before)s a week before, %(now)s a week now.",
        before=formats.rate(evidence.get("units_per_week_before", 0)),
        now=formats.rate(evidence.get("units_per_week_now", 0)),
    )
    cause = str(evidence.get("cause") or "unexplained")
    return f"{sold} {words_for(CAUSES, cause)}"


def facts(card: SuggestionCard, today: date) -> Facts:
    """At most three facts, as label and value."""
    if card.kind is SuggestionKind.PRICE:
        return _price_facts(card)
    return (
        _restock_facts(card, today) if card.kind is SuggestionKind.RESTOCK else _trend_facts(card)
    )


def _price_facts(card: SuggestionCard) -> Facts:
    old, new = Decimal(card.proposal["old_price"]), Decimal(card.proposal["price"])
    found = [(gettext("Step"), formats.change(new / old - 1, 1) if old else "")]
    found += [(gettext("Certainty"), words[0])] if (words := certainty(card)) else []
    if shortage := shortage_of(card):
        return [*found, (gettext("Until"), formats.day(shortage["until"]))]
    limit = card.evidence.get("binding_limit")
    if limit:
        return [*found, (gettext("Held by"), words_for(RULES, limit))]
    margin = card.evidence.get("margin_then")
    return (
        [*found, (gettext("Margin after"), formats.percent(margin))]
        if margin is not None
        else found
    )


def _restock_facts(card: SuggestionCard, today: date) -> Facts:
    proposal = card.proposal
    order_by = date.fromisoformat(proposal["order_by"])
    found = [(gettext("Available"), formats.count(card.evidence.get("available_units", 0)))]
    if (cost := cost_of(proposal)) is not None:
        found.append((gettext("Order cost"), formats.total(cost, card.currency)))
    found.append(
        (gettext("Order by"), gettext("today") if order_by <= today else formats.day(order_by))
    )
    return found


def _trend_facts(card: SuggestionCard) -> Facts:
    evidence = card.evidence
    low, high = float(evidence.get("ratio_low", 1)) - 1, float(evidence.get("ratio_high", 1)) - 1
    found = [(gettext("Likely range"), formats.between(low, high, formats.change))]
    found += [(gettext("Certainty"), words[0])] if (words := certainty(card)) else []
    lasts = lasting_words(evidence.get("lasting"))
    return [*found, (gettext("Outlook"), lasts)] if lasts else found
