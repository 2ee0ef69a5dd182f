"""Suggestions and price changes: their states, and who may follow whom (docs/states.md)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from shopify_app.domain.evidence import (
    Evidence,
    PriceEvidence,
    PriceProposal,
    Proposal,
    SuggestionKind,
)

P = TypeVar("P", bound=Proposal)
E = TypeVar("E", bound=Evidence)
T = TypeVar("T")


class SuggestionState(StrEnum):
    """Where a suggestion stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    SUPERSEDED = "superseded"
    UNDONE = "undone"
    HELD_BACK = "held_back"
    """Drawn by lot, with the merchant's consent, not to be made: what the others are held against."""


class PriceChangeState(StrEnum):
    """Where a price write stands; the merchant sees this, never optimism."""

    APPROVED = "approved"
    SENDING = "sending"
    APPLIED = "applied"
    CONFLICT = "conflict"
    """The price is no longer what we suggested from: nothing was written."""
    FAILED = "failed"
    """Shopify refused; nothing was written."""
    UNKNOWN = "unknown"
    """A reply was lost and what we now read is neither the old price nor ours."""
    UNDONE = "undone"


PRICE_CHANGE_FOLLOWERS: Final[dict[PriceChangeState, frozenset[PriceChangeState]]] = {
    PriceChangeState.APPROVED: frozenset(
        {PriceChangeState.SENDING, PriceChangeState.FAILED, PriceChangeState.UNDONE}
    ),
    PriceChangeState.SENDING: frozenset(
        {
            PriceChangeState.APPROVED,
            PriceChangeState.APPLIED,
            PriceChangeState.CONFLICT,
            PriceChangeState.FAILED,
            PriceChangeState.UNKNOWN,
        }
    ),
    PriceChangeState.APPLIED: frozenset({PriceChangeState.UNDONE}),
    PriceChangeState.CONFLICT: frozenset(),
    PriceChangeState.FAILED: frozenset(),
    PriceChangeState.UNKNOWN: frozenset(),
    PriceChangeState.UNDONE: frozenset(),
}
"""State -> what may come next; the statements of db/price_changes.py are held to it by test."""

DISMISS_REASONS: Final = ("not_now", "wrong_numbers", "not_my_plan", "already_done", "other")
"""Why a merchant says no; the words are in templates."""


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    """What a run found, before it is a row."""

    kind: SuggestionKind
    variant_id: int
    proposal: Proposal
    evidence: Evidence
    value_low: Decimal
    value_mid: Decimal
    value_high: Decimal
    value_unit: str
    currency: str
    rank_score: float
    is_urgent: bool
    as_of: date


@dataclass(frozen=True, slots=True)
class ShortageRaise:
    """A price that was raised because stock was short, and that stands in the shop as it was written."""

    suggestion_id: int
    variant_id: int
    proposal: PriceProposal
    evidence: PriceEvidence
    written_at: datetime
    is_quiet: bool
    """The merchant has decided about its way back: lately, or for good."""


@dataclass(frozen=True, slots=True)
class SuggestionCard:
    """A suggestion as a page shows it: the row, its variant's names, its last price change."""

    id: int
    kind: SuggestionKind
    state: SuggestionState
    variant_id: int
    product_id: int
    product_title: str
    variant_title: str
    sku: str | None
    vendor: str | None
    image_url: str | None
    unit_cost: Decimal | None
    """What a unit costs now; None: not known."""
    tax_rate: Decimal | None
    """Tax in the shelf price over what is left before it, as the newest run found it; None: no run has looked."""
    proposal: Proposal
    evidence: Evidence
    value_low: Decimal
    value_mid: Decimal
    value_high: Decimal
    value_unit: str
    currency: str
    rank_score: float
    is_urgent: bool
    as_of: date
    created_at: datetime
    decided_at: datetime | None
    dismiss_reason: str | None
    change_id: int | None
    """The newest price change of this suggestion (an apply or an undo), or None."""
    change_is_undo: bool | None
    change_state: PriceChangeState | None
    change_new_price: Decimal | None
    change_seen_price: Decimal | None
    change_error: str | None
    change_finished_at: datetime | None
    change_old_price: Decimal | None
    change_error_code: str | None
    change_due_at: datetime | None
    """When a planned change goes out; None where it goes at once or is past that."""
    rollout_id: int | None
    measured_until: date | None
    """The stop date of a decision that is being measured; None where it is not."""
    went_back: bool
    """A raise for a shortage whose way back was accepted since."""
    verdict: str | None
    """`domain.outcome.VerdictOutcome`, once the stop date is past."""
    verdict_profit: Decimal | None
    verdict_low: Decimal | None
    verdict_high: Decimal | None

    def proposal_as(self, kind: type[P]) -> P:
        """The proposal, of a card that is known to be of a kind."""
        return of_type(self.proposal, kind)

    def evidence_as(self, kind: type[E]) -> E:
        """The evidence, of a card that is known to be of a kind."""
        return of_type(self.evidence, kind)


def of_type(found: object, wanted: type[T]) -> T:
    """The same, known to be what is wanted.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(found, wanted):
        raise TypeError(f"{type(found).__name__} where {wanted.__name__} is wanted")
    return found


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A row of `price_changes`: a write of a suggestion, or of a price test."""

    id: int
    suggestion_id: int | None
    undo_of: int | None
    install_epoch: int
    product_id: int
    variant_id: int
    old_price: Decimal
    old_compare_at_price: Decimal | None
    new_price: Decimal
    new_compare_at_price: Decimal | None
    currency: str
    approved_by: str
    approved_at: datetime
    state: PriceChangeState
    attempts: int
    sent_at: datetime | None
    before_updated_at: datetime | None
    """Shopify's stamp of the variant as we read it before the first write; None: never sent."""
    planned_for: datetime | None
    seen_price: Decimal | None
    seen_compare_at_price: Decimal | None
    error_code: str | None
    error: str | None
    finished_at: datetime | None
    test_id: int | None
    test_block: int | None
    """Of a price test: counted from 0; None: back to the regular price."""
