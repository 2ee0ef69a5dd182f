"""A price raised while stock is short, in words: until when, and why its way back is suggested."""

from flask_babel import gettext

from shopify_app.domain.evidence import PriceEvidence, PriceProposal, Shortage
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web import formats


def shortage_of(card: SuggestionCard) -> Shortage | None:
    """How short stock was and until when; None where the price was not raised for that."""
    told = card.evidence
    return told.shortage if isinstance(told, PriceEvidence) else None


def until_words(card: SuggestionCard) -> str:
    """`Only while stock is short: until Dec 10, when more can be here.`, or '' for any other price."""
    shortage = shortage_of(card)
    if shortage is None:
        return ""
    return gettext(
        "Only while stock is short: until %(day)s, when more can be here.",
        day=formats.day(shortage.until),
    )


def then_words(card: SuggestionCard) -> str:
    """What we shall say when that day has come; '' for any other price."""
    shortage = shortage_of(card)
    if shortage is None:
        return ""
    return gettext(
        "On %(day)s, or once stock has come, we suggest going back to %(price)s.",
        day=formats.day(shortage.until),
        price=formats.price(card.proposal_as(PriceProposal).old_price, card.currency),
    )


def shortage_reasons(card: SuggestionCard) -> list[str]:
    """Why it is raised now, and what happens then."""
    shortage = shortage_of(card)
    if shortage is None:
        return []
    return [
        gettext(
            "%(there)s are there or on their way; at the old price about %(needed)s would sell until more can be here on %(day)s.",
            there=formats.count(shortage.there_units),
            needed=formats.count(shortage.needed_units),
            day=formats.day(shortage.until),
        ),
        then_words(card) + " " + gettext("Nothing is written without your click."),
    ]


def way_back_words(card: SuggestionCard) -> str:
    """Why it is time to go back; '' for any other price."""
    told = card.evidence_as(PriceEvidence).way_back
    if told is None:
        return ""
    words = {
        "raised": formats.day(told.raised_on),
        "now": formats.count(told.units_now),
        "then": formats.count(told.units_then),
        "until": formats.day(told.until),
    }
    if told.because == "stock_came":
        return gettext(
            "Raised on %(raised)s while stock was short. Stock has come: %(now)s are there, %(then)s then.",
            **words,
        )
    return gettext(
        "Raised on %(raised)s while stock was short, until %(until)s. That day has come; %(now)s are there now.",
        **words,
    )
