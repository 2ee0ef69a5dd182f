"""Every kind of suggestion that has cards: the one place where pages ask for a card's kind."""

from collections.abc import Mapping
from typing import Final

from shopify_app.db import suggestions
from shopify_app.db.connection import Connection
from shopify_app.domain.evidence import SuggestionKind
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.errors import NotFoundError
from shopify_app.web.cards.kind import CardKind, Decided
from shopify_app.web.cards.price import PriceCards
from shopify_app.web.cards.restock import RestockCards
from shopify_app.web.cards.trend import TrendCards
from shopify_app.web.reading import shop

KINDS: Final[Mapping[SuggestionKind, CardKind]] = {
    SuggestionKind.RESTOCK: RestockCards(),
    SuggestionKind.PRICE: PriceCards(),
    SuggestionKind.TREND: TrendCards(),
}
"""In the order in which Home counts them."""


def kind_of(decided: Decided) -> CardKind:
    """The words of a card, or of a line of the ledger."""
    return KINDS[decided.proposal.kind]


def card_of_kind(conn: Connection, suggestion_id: int, kind: SuggestionKind) -> SuggestionCard:
    """A suggestion for the page of its kind.

    Raises
    ------
    NotFoundError
        If this shop has no such suggestion, or it is of another kind.
    """
    card = suggestions.card(conn, shop().shop_id, suggestion_id)
    if card is None or card.kind is not kind:
        raise NotFoundError(f"{kind.value} suggestion {suggestion_id}")
    return card
