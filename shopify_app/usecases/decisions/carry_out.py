"""What accepting a suggestion does, and taking it back: the one place where use cases ask for its kind.

A kind without a line of its own is kept in view: it changes nothing in the store, stands in the ledger and is not measured.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shopify_app.db import suggestions
from shopify_app.db.connection import Connection
from shopify_app.domain.evidence import SuggestionKind
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.errors import InvalidInputError
from shopify_app.usecases.decisions import accepted_prices, accepted_restocks
from shopify_app.usecases.decisions.answers import Click, UndoAnswer
from shopify_app.usecases.decisions.unmeasured import register_unmeasured


def _keep_in_view(conn: Connection, shop_id: int, card: SuggestionCard, _click: Click) -> None:
    register_unmeasured(conn, shop_id, card, "not_in_store")


def _let_go(conn: Connection, shop_id: int, card: SuggestionCard, _by: str) -> UndoAnswer:
    return UndoAnswer(suggestions.mark_undone(conn, shop_id, card.id))


def _has_no_units(_card: SuggestionCard, _units: int) -> SuggestionCard:
    raise InvalidInputError("only a restock has units", field="units")


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What a kind does. Each in the transaction of the decision.

    Attributes
    ----------
    carry_out : what accepting does; raises InvalidInputError where it may not be done now
    take_back : what an undo of what was accepted does
    with_units : the card with the units that the merchant chose; raises InvalidInputError where it has none
    """

    carry_out: Callable[[Connection, int, SuggestionCard, Click], None] = _keep_in_view
    take_back: Callable[[Connection, int, SuggestionCard, str], UndoAnswer] = _let_go
    with_units: Callable[[SuggestionCard, int], SuggestionCard] = _has_no_units


KEPT_IN_VIEW: Final = CarriedOut()

KINDS: Final[Mapping[SuggestionKind, CarriedOut]] = {
    SuggestionKind.PRICE: CarriedOut(accepted_prices.carry_out, accepted_prices.take_back),
    SuggestionKind.RESTOCK: CarriedOut(
        accepted_restocks.carry_out, accepted_restocks.take_back, accepted_restocks.with_units
    ),
}


def of_kind(kind: SuggestionKind) -> CarriedOut:
    """What is done with suggestions of a kind."""
    return KINDS.get(kind, KEPT_IN_VIEW)
