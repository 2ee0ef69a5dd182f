"""What is kept of a decision's outcome: registration, verdict, ledger, brake (docs/states.md).

The figures themselves are `analytics.outcomes` and `analytics.outcomes.brake`; pages read them from here, as
kept, because a page loads no pandas.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from shopify_app.domain.suggestion import SuggestionCard


class MoveKind(StrEnum):
    """What a decision does, as the brake tells kinds apart."""

    PRICE_RISE = "price_rise"
    PRICE_CUT = "price_cut"
    RESTOCK = "restock"
    TREND = "trend"


PRICE_MOVES: Final = (MoveKind.PRICE_RISE, MoveKind.PRICE_CUT)
"""Kinds that change something in the shop, so that they are measured and can be braked."""


class RegistrationState(StrEnum):
    """Where a registered decision stands."""

    MEASURING = "measuring"
    JUDGED = "judged"
    NOT_MEASURED = "not_measured"
    """It changes nothing that we could measure, or too little is known; `not_measurable_because` says."""
    VOID = "void"
    """Nothing was written, so there is nothing to judge."""


class VerdictOutcome(StrEnum):
    """What came of a decision."""

    HELPED = "helped"
    HURT = "hurt"
    COULD_NOT_TELL = "could_not_tell"
    TOO_EARLY = "too_early"
    NOT_MEASURABLE = "not_measurable"


@dataclass(frozen=True, slots=True)
class NewRegistration:
    """A registration before it is a row; `record` is `analytics.outcomes.Registration` as JSON."""

    suggestion_id: int
    variant_id: int
    kind: MoveKind
    is_held_back: bool
    state: RegistrationState
    metric: str
    not_measurable_because: str | None
    first_on: date | None
    stop_on: date | None
    record: dict[str, Any] | None
    evidence: dict[str, Any]
    risk: Decimal


@dataclass(frozen=True, slots=True)
class RegistrationRow:
    """A row of `registrations`, as the judge reads it."""

    id: int
    suggestion_id: int
    variant_id: int
    kind: MoveKind
    is_held_back: bool
    state: RegistrationState
    first_on: date
    stop_on: date
    record: dict[str, Any]
    evidence: dict[str, Any]
    risk: Decimal
    registered_at: datetime
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class NewVerdict:
    """A verdict before it is a row; money over the window, 80 % range; None where nothing can be said."""

    registration_id: int
    outcome: VerdictOutcome
    profit: Decimal | None
    profit_low: Decimal | None
    profit_high: Decimal | None
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A registered decision with its end so far, as the Results page shows it."""

    suggestion_id: int
    kind: MoveKind
    is_held_back: bool
    state: RegistrationState
    product_title: str
    variant_title: str
    proposal: dict[str, Any]
    value_low: Decimal
    value_mid: Decimal
    value_high: Decimal
    currency: str
    not_measurable_because: str | None
    first_on: date | None
    stop_on: date | None
    registered_at: datetime
    ended_on: date | None
    ended_because: str | None
    suggestion_state: str
    outcome: VerdictOutcome | None
    profit: Decimal | None
    profit_low: Decimal | None
    profit_high: Decimal | None
    judged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """All decisions together as last worked out: `analytics.outcomes.PortfolioVerdict` as JSON."""

    as_of: date | None
    total: dict[str, Any] | None
    rulings: dict[str, Any]
    worked_out_at: datetime | None

    @property
    def waiting(self) -> dict[MoveKind, dict[str, Any]]:
        """Kinds of which no new ones are suggested until more is known, with the brake's ruling."""
        return {
            MoveKind(kind): ruling
            for kind, ruling in self.rulings.items()
            if ruling.get("ruling") == "wait"
        }


@dataclass(frozen=True, slots=True)
class Brake:
    """A kind of suggestion that stopped itself; `ruling` is `analytics.outcomes.brake.BrakeRuling` as JSON."""

    id: int
    kind: MoveKind
    ruling: dict[str, Any]
    pulled_at: datetime


@dataclass(frozen=True, slots=True)
class MeasuringSettings:
    """What a merchant chose about measuring and its risks."""

    holdback_share: Decimal
    """Share of price suggestions held back at random, 0.10 to 0.20; 0: the merchant has not consented."""
    loss_cap: Decimal | None
    """Gross profit that price changes may lose in all; None: a hundredth of ninety days' sales."""
    exposure_limit: Decimal
    """Share of sales whose prices may be under change at once."""


def move_kind(kind: str, proposal: dict[str, Any]) -> MoveKind:
    """The brake's kind of a suggestion."""
    if kind != "price":
        return MoveKind(kind)
    rises = Decimal(proposal["price"]) > Decimal(proposal["old_price"])
    return MoveKind.PRICE_RISE if rises else MoveKind.PRICE_CUT


def decision_evidence(card: SuggestionCard) -> dict[str, Any]:
    """What a decision rested on, as it was when it was made: JSON values."""
    kept = ("run_id", "inputs_sha256", "model_version", "seed", "chance_it_helps", "elasticity")
    return {name: card.evidence[name] for name in kept if name in card.evidence} | {
        "proposal": card.proposal,
        "value": [str(card.value_low), str(card.value_mid), str(card.value_high)],
        "value_unit": card.value_unit,
    }
