"""What is kept of a decision's outcome: registration, verdict, ledger, brake (docs/states.md).

The figures themselves are `analytics.outcomes` and `analytics.outcomes.brake`; pages read them from here, as
kept, because a page loads no pandas.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from pydantic import SerializeAsAny

from shopify_app.domain.documents import Document, Number
from shopify_app.domain.evidence import MoveKind, PriceProposal, Proposal
from shopify_app.domain.suggestion import SuggestionCard

Record = dict[str, Any]
"""A registration or a verdict as `analytics.outcomes` writes it: read by nobody but it (`registration_from`)."""

BASIS: Final = (
    "run_id",
    "inputs_sha256",
    "model_version",
    "seed",
    "chance_it_helps",
    "elasticity",
    "tax_rate",
)
"""Of a suggestion's evidence, what is kept with a decision on it."""


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


class _Basis(Document):
    run_id: int | None = None
    inputs_sha256: str | None = None
    model_version: str | None = None
    seed: int | None = None
    chance_it_helps: Number | None = None
    elasticity: Number | None = None
    tax_rate: Number | None = None
    """Of the tax in the prices; None: there is none."""
    value: tuple[Decimal, Decimal, Decimal]
    value_unit: str


class DecisionEvidence(_Basis):
    """What a decision rested on, as it was when it was made."""

    proposal: SerializeAsAny[Proposal]


class PriceDecisionEvidence(_Basis):
    """The same of a price: nothing else is measured."""

    proposal: PriceProposal


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
    record: Record | None
    evidence: DecisionEvidence
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
    record: Record
    evidence: PriceDecisionEvidence
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
    record: Record


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A registered decision with its end so far, as the Results page shows it."""

    suggestion_id: int
    kind: MoveKind
    is_held_back: bool
    state: RegistrationState
    product_title: str
    variant_title: str
    proposal: Proposal
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


class LedgerTotal(Document):
    """What pages read of `analytics.outcomes.PortfolioVerdict`: gross profit gained, and its 80 % range."""

    outcome: str = "too_early"
    basis: str = "none"
    profit: Number | None = None
    profit_low: Number | None = None
    profit_high: Number | None = None


class Ruling(Document):
    """What is read of `analytics.outcomes.brake.BrakeRuling`: what a kind may do now, and why."""

    ruling: str = ""
    """`go`, `wait` (no new ones until more is known), `stop` (off until the merchant says otherwise)."""
    reason: str = ""
    judged: int = 0


class Rulings(Document):
    """The ruling of each kind that the brake looks at."""

    price_rise: Ruling | None = None
    price_cut: Ruling | None = None

    @property
    def has_judged(self) -> bool:
        """Whether a decision of any kind has figures."""
        return any(one is not None and one.judged for one in (self.price_rise, self.price_cut))

    def of_kinds(self, ruling: str) -> dict[MoveKind, Ruling]:
        """The kinds that are ruled so."""
        found = {MoveKind.PRICE_RISE: self.price_rise, MoveKind.PRICE_CUT: self.price_cut}
        return {
            kind: one for kind, one in found.items() if one is not None and one.ruling == ruling
        }


@dataclass(frozen=True, slots=True)
class Ledger:
    """All decisions together as last worked out."""

    as_of: date | None
    total: LedgerTotal | None
    rulings: Rulings
    worked_out_at: datetime | None

    @property
    def waiting(self) -> dict[MoveKind, Ruling]:
        """Kinds of which no new ones are suggested until more is known, with the brake's ruling."""
        return self.rulings.of_kinds("wait")


@dataclass(frozen=True, slots=True)
class Brake:
    """A kind of suggestion that stopped itself."""

    id: int
    kind: MoveKind
    ruling: Ruling
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


def decision_evidence(card: SuggestionCard) -> DecisionEvidence:
    """What a decision rested on, as it was when it was made."""
    told = card.evidence.as_json()
    return DecisionEvidence(
        **{name: told[name] for name in BASIS if name in told},
        proposal=card.proposal,
        value=(card.value_low, card.value_mid, card.value_high),
        value_unit=card.value_unit,
    )
