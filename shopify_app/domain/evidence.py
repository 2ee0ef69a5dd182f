"""What a suggestion of each kind proposes, and what it rests on.

A new kind is a member of `SuggestionKind`, a `Proposal`, an `Evidence` and a line of `DOCUMENTS`.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple

from shopify_app.domain.documents import Document, Number


class SuggestionKind(StrEnum):
    """What a suggestion is about."""

    TREND = "trend"
    RESTOCK = "restock"
    PRICE = "price"


class MoveKind(StrEnum):
    """What a decision does, as the brake tells kinds apart."""

    PRICE_RISE = "price_rise"
    PRICE_CUT = "price_cut"
    RESTOCK = "restock"
    TREND = "trend"


class Proposal(Document):
    """What accepting does."""

    kind: ClassVar[SuggestionKind]

    @property
    def move(self) -> MoveKind:
        """The brake's kind of it."""
        return MoveKind(self.kind.value)


class Evidence(Document):
    """What a suggestion rests on; the run's marks are set once the run is kept."""

    window_first: date | None = None
    window_last: date | None = None
    model: str = ""
    seed: int | None = None
    run_id: int | None = None
    inputs_sha256: str | None = None
    model_version: str | None = None


class PriceProposal(Proposal):
    """A price, and the one that it becomes."""

    kind: ClassVar[SuggestionKind] = SuggestionKind.PRICE
    price: Decimal
    compare_at_price: Decimal | None = None
    old_price: Decimal
    old_compare_at_price: Decimal | None = None
    back_from: int | None = None
    """The accepted suggestion whose raise this price takes back, now that its reason is gone."""

    @property
    def move(self) -> MoveKind:
        """The brake's kind of it: raises and cuts are braked apart."""
        return MoveKind.PRICE_RISE if self.price > self.old_price else MoveKind.PRICE_CUT


class Shortage(Document):
    """How short stock was when a price was raised for it, and until when."""

    until: date
    there_units: int
    needed_units: int


class WayBack(Document):
    """Why it is time to go back."""

    because: str
    """`stock_came` or `day_passed`."""
    raised_on: date
    until: date
    units_then: int
    units_now: int


class PriceTried(Document):
    """A price that was asked before, and what sold at it."""

    price: Decimal
    units_per_week: Number
    orders_per_week: Number | None = None
    weeks: int
    last_week: date | None = None


class CurvePoint(Document):
    """Gross profit a month at a price, with its 80 % range."""

    price: Number
    profit: Number
    profit_low: Number
    profit_high: Number


class ClampStep(Document):
    """A rule that a wished price ran into."""

    rule: str
    before: Number
    after: Number


class PriceEvidence(Evidence):
    """What a price rests on. Elasticities with their 80 % range; margins as shares of the price before tax."""

    elasticity: Number = 0
    elasticity_low: Number = 0
    elasticity_high: Number = 0
    chance_it_helps: Number = 0
    units_per_month_now: Number = 0
    units_per_month_then: Number = 0
    margin_now: Number | None = None
    margin_then: Number | None = None
    unit_cost: Decimal | None = None
    tax_rate: Number | None = None
    """Tax in the price over what is left before it. None: there is none."""
    tax_from: str | None = None
    """Where that is known from: `own` lines, the `shop`'s, `unknown`."""
    prices_tried: tuple[PriceTried, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    binding_limit: str | None = None
    clamp_trail: tuple[ClampStep, ...] = ()
    events: int | None = None
    information: Number | None = None
    shortage: Shortage | None = None
    """Only of a raise that stock for all would not ask for."""
    way_back: WayBack | None = None
    """Only of a price that takes such a raise back."""


class RestockProposal(Proposal):
    """An order of one variant."""

    kind: ClassVar[SuggestionKind] = SuggestionKind.RESTOCK
    units: int
    unit_cost: Decimal | None = None
    order_cost: Decimal | None = None
    order_by: date
    vendor: str | None = None
    location_id: int | None = None
    chosen_units: int | None = None
    """What the merchant ordered in place of `units`; None: what was proposed."""

    @property
    def ordered_units(self) -> int:
        """As the merchant chose, else as proposed."""
        return self.units if self.chosen_units is None else self.chosen_units

    @property
    def ordered_cost(self) -> Decimal | None:
        """What those cost; None without a unit cost."""
        return None if self.unit_cost is None else self.unit_cost * self.ordered_units


class SoldWeek(Document):
    """A week's units, and the share of it in stock."""

    start: date
    units: Number
    in_stock: Number | None = 1


class ForecastWeek(Document):
    """A week to come: what is expected, with its range."""

    start: date
    mean: Number
    low: Number
    high: Number


class OtherQuantity(Document):
    """What another quantity would do."""

    units: int
    expected_lost_units: Number
    dead_stock_risk: Number
    expected_gain: Number


class Deliveries(Document):
    """What a vendor's deliveries showed."""

    stated_days: int | None = None
    deliveries: int
    days_low: int
    days_high: int
    is_fixed: bool
    """The merchant's own number counts whatever they showed."""


class Move(Document):
    """Units of a variant to take from one location to another; `gain` is the money that it should earn."""

    variant_id: int
    source_id: int
    source: str
    destination_id: int
    destination: str
    units: int
    gain: Number


class PlaceStock(Document):
    """What lies at a location."""

    location: str
    available_units: int


class RestockEvidence(Evidence):
    """What an order rests on."""

    available_units: int = 0
    incoming_units: int = 0
    lead_time_days: int = 0
    review_period_days: int = 0
    critical_fractile: Number = 0
    target_units: Number = 0
    ideal_units: Number = 0
    expected_demand: Number = 0
    demand_low: Number = 0
    demand_high: Number = 0
    range_level_asked: Number | None = None
    run_out_first: date | None = None
    run_out_last: date | None = None
    demand_per_week: Number = 0
    stockout_weeks: int = 0
    weeks: tuple[SoldWeek, ...] = ()
    forecast: tuple[ForecastWeek, ...] = ()
    pack_units: int = 1
    minimum_units: int = 0
    dead_stock_risk: Number = 0
    expected_gain: Number | None = None
    less: OtherQuantity | None = None
    more: OtherQuantity | None = None
    look_ahead_weeks: int | None = None
    binding_rules: tuple[str, ...] = ()
    expected_lost_units: Number = 0
    cost_is_estimate: bool = False
    unit_margin: Decimal | None = None
    unit_price: Decimal | None = None
    tax_rate: Number | None = None
    """Tax in the price over what is left before it, which the margin is of. None: there is none."""
    tax_from: str | None = None
    """Where that is known from: `own` lines, the `shop`'s, `unknown`."""
    owed_units: int | None = None
    """Sold already and not there: part of the order."""
    sells_on: bool | None = None
    """It is sold without stock too: customers wait, nothing is lost."""
    lead_time: Deliveries | None = None
    moves: tuple[Move, ...] = ()
    places: tuple[PlaceStock, ...] = ()


class TrendProposal(Proposal):
    """A change to keep in view."""

    kind: ClassVar[SuggestionKind] = SuggestionKind.TREND
    direction: str = ""


class TrendWeek(Document):
    """A week's orders, and what was to be expected."""

    start: date
    units: Number
    expected: Number | None = None


class TrendEvidence(Evidence):
    """What a trend rests on; ratios are of now to before, with their 80 % range."""

    ratio: Number = 1
    ratio_low: Number = 1
    ratio_high: Number = 1
    since: date | None = None
    false_sign_rate: Number = 1
    cause: str | None = None
    lasting: Number | None = None
    units_per_week_before: Number = 0
    units_per_week_now: Number = 0
    tax_rate: Number | None = None
    """Tax in the price over what is left before it, which sales are of. None: there is none."""
    tax_from: str | None = None
    """Where that is known from: `own` lines, the `shop`'s, `unknown`."""
    weeks: tuple[TrendWeek, ...] = ()


class Documents(NamedTuple):
    """The documents of a kind."""

    proposal: type[Proposal]
    evidence: type[Evidence]


DOCUMENTS: Final[Mapping[SuggestionKind, Documents]] = {
    SuggestionKind.PRICE: Documents(PriceProposal, PriceEvidence),
    SuggestionKind.RESTOCK: Documents(RestockProposal, RestockEvidence),
    SuggestionKind.TREND: Documents(TrendProposal, TrendEvidence),
}


def kind_of_move(kind: str) -> SuggestionKind:
    """The kind of suggestion that a decision was on: raises and cuts are prices."""
    return SuggestionKind.PRICE if kind in PRICE_MOVES else SuggestionKind(kind)


PRICE_MOVES: Final = (MoveKind.PRICE_RISE, MoveKind.PRICE_CUT)
"""Kinds that change something in the shop, so that they are measured and can be braked."""


def way_back_of(proposal: Proposal) -> int | None:
    """The accepted suggestion whose raise this price takes back; None for any other."""
    return proposal.back_from if isinstance(proposal, PriceProposal) else None
