"""An accepted restock: a line on the vendor's draft order, and off it again while it is a draft."""

from dataclasses import replace
from typing import Final

from shopify_app.db import purchase_orders, suggestions
from shopify_app.db.connection import Connection
from shopify_app.domain.evidence import RestockEvidence, RestockProposal
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.errors import InvalidInputError
from shopify_app.usecases.decisions.answers import Click, UndoAnswer
from shopify_app.usecases.decisions.unmeasured import register_unmeasured

MOST_UNITS: Final = 1_000_000
"""Of one line of an order."""


def with_units(card: SuggestionCard, units: int) -> SuggestionCard:
    """The same with another number of units, as packs and minimum allow.

    Raises
    ------
    InvalidInputError
        If the vendor does not sell so many.
    """
    told = card.evidence_as(RestockEvidence)
    pack, least = told.pack_units, told.minimum_units
    if not max(least, 1) <= units <= MOST_UNITS or units % pack:
        raise InvalidInputError(
            f"units must be whole packs of {pack}, at least {least}", field="units"
        )
    return replace(card, proposal=card.proposal.with_changes(chosen_units=units))


def carry_out(conn: Connection, shop_id: int, card: SuggestionCard, click: Click) -> None:
    """Put a line on the vendor's draft order."""
    register_unmeasured(conn, shop_id, card, "not_in_store")
    asked = card.proposal_as(RestockProposal)
    purchase_orders.add_line(
        conn,
        shop_id,
        card.id,
        card.variant_id,
        vendor=asked.vendor,
        units=asked.ordered_units,
        unit_cost=asked.unit_cost,
        currency=card.currency,
        order_by=asked.order_by,
        added_by=click.by,
    )


def take_back(conn: Connection, shop_id: int, card: SuggestionCard, _by: str) -> UndoAnswer:
    """Take the line off; an order that was sent stays."""
    if not purchase_orders.withdraw(conn, shop_id, card.id):
        return UndoAnswer(accepted=False, refused_because="already_exported")
    return UndoAnswer(suggestions.mark_undone(conn, shop_id, card.id))
