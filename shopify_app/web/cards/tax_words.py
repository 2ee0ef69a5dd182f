"""A price on the shelf and before tax, in words: wherever a margin is told, it is of the second."""

from flask_babel import gettext

from shopify_app.domain.documents import Number
from shopify_app.domain.evidence import PriceEvidence, RestockEvidence, TrendEvidence
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web import formats

Taxed = PriceEvidence | RestockEvidence | TrendEvidence


def tax_rate_of(card: SuggestionCard) -> float:
    """Tax in its price over the price before it, as the suggestion has it; 0 where none is in it."""
    told = card.evidence
    return float(told.tax_rate or 0) if isinstance(told, Taxed) else 0.0


def shelf_words(card: SuggestionCard, price: Number | str | None) -> str:
    """`£24.00 on the shelf, £20.00 before 20% tax`; '' where no tax is in the price or no price is told."""
    rate = tax_rate_of(card)
    if price is None or rate <= 0:
        return ""
    return gettext(
        "%(price)s on the shelf, %(net)s before %(rate)s tax",
        price=formats.price(float(price), card.currency),
        net=formats.total(float(price) / (1 + rate), card.currency),
        rate=formats.percent(rate, 0 if abs(rate - round(rate, 2)) < 1e-9 else 1),
    )


def unknown_words(card: SuggestionCard) -> str:
    """That prices have tax in them and no order tells how much; '' where it is known or there is none."""
    told = card.evidence
    if not isinstance(told, Taxed) or told.tax_from != "unknown":
        return ""
    return gettext(
        "Your prices include tax, but no order of late tells how much: the margin is worked out as if there were none in it."
    )


def from_shop_words(card: SuggestionCard) -> str:
    """That the tax is the store's usual one; '' where the product's own orders tell it, or there is none."""
    told = card.evidence
    if not isinstance(told, Taxed) or told.tax_from != "shop" or not told.tax_rate:
        return ""
    return gettext("No order of late has it, so its tax is taken to be your store's usual one.")
