"""A decision that stands in the ledger and is not measured."""

from decimal import Decimal

from shopify_app.db import registrations
from shopify_app.db.connection import Connection
from shopify_app.domain.outcome import NewRegistration, RegistrationState, decision_evidence
from shopify_app.domain.suggestion import SuggestionCard


def register_unmeasured(conn: Connection, shop_id: int, card: SuggestionCard, because: str) -> None:
    """In the ledger, and not measured: what changes nothing in the store, and the way back, which ends the raise it is from."""
    registration = NewRegistration(
        suggestion_id=card.id,
        variant_id=card.variant_id,
        kind=card.proposal.move,
        is_held_back=False,
        state=RegistrationState.NOT_MEASURED,
        metric="none",
        not_measurable_because=because,
        first_on=None,
        stop_on=None,
        record=None,
        evidence=decision_evidence(card),
        risk=Decimal(0),
    )
    registrations.add(conn, shop_id, [registration])
