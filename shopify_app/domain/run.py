"""What a run of the models is told, and what it leaves beside its suggestions."""

from datetime import date
from decimal import Decimal

from pydantic import Field

from shopify_app.domain.documents import Document, Number
from shopify_app.domain.evidence import Move, PriceProposal, Shortage, SuggestionKind


class RaiseEvidence(Document):
    """Of a raise for a shortage: what its way back is worked out from."""

    shortage: Shortage
    elasticity: Number
    elasticity_low: Number
    elasticity_high: Number
    units_per_month_now: Number
    unit_cost: Decimal
    tax_rate: Number | None = None
    tax_from: str | None = None
    window_first: date
    window_last: date


class StandingRaise(Document):
    """A raise for a shortage that stands in the shop."""

    suggestion_id: int
    variant_id: int
    proposal: PriceProposal
    evidence: RaiseEvidence
    raised_on: date
    is_quiet: bool


class PriceTestRoom(Document):
    """What a price test may be; all but `may_propose` only where one may be proposed."""

    may_propose: bool
    cost_left: Decimal = Decimal(0)
    exposure_limit: Decimal = Decimal(0)
    """Share of sales that may be under change."""
    shares: dict[str, Number] = Field(default_factory=dict)
    """Share of sales by product, as the plan names it."""
    share_under_change: Number = 0
    fixed: tuple[int, ...] = ()
    """Variants whose price a market holds fast."""


class RunSettings(Document):
    """What the models are told of a shop beside its rows; kept in the run's snapshot, and part of its digest."""

    language: str = "en"
    timezone: str | None = None
    lead_time_days: int
    review_period_days: int
    cycle_service_level: Decimal | None = None
    holding_cost_per_year: Decimal
    margin_floor: Decimal
    max_price_step: Decimal
    price_ending: str
    prices_frozen_first: date | None = None
    prices_frozen_last: date | None = None
    currency: str
    minor_digits: int
    resting: dict[SuggestionKind, tuple[int, ...]]
    """Variants of which a kind keeps quiet."""
    trends_before: tuple[tuple[int, str], ...] = ()
    """Variant and direction of the trends on show."""
    raised_while_short: tuple[StandingRaise, ...] = ()
    range_levels: dict[str, Number] = Field(default_factory=dict)
    """Level said -> level to ask the model for."""
    price_switches: tuple[tuple[int, date, bool], ...] = ()
    """Variant, day, whether back to the regular price, of the prices that tests set."""
    price_test: PriceTestRoom | None = None
    first_weekday: int | None = None
    """None: the weeks of a run of before end yesterday."""
    part_share: Number = 0

    def rests(self, kind: SuggestionKind) -> frozenset[int]:
        """Variants of which a kind keeps quiet; none in a run from before there was the kind."""
        return frozenset(self.resting.get(kind, ()))


class RunCounts(Document):
    """How many variants a run looked at, and what came of them."""

    looked_at: int = 0
    suggested: int = 0
    need_nothing: int = 0
    not_sure: dict[str, int] = Field(default_factory=dict)
    """By reason."""
    braked: int = 0


class BudgetLine(Document):
    """An order, and what each number of units of it would earn."""

    variant_id: int
    levels: tuple[tuple[int, Number], ...]


class OrderBudget(Document):
    """What each budget would buy: `plans` hold a level of each line, `turns` are those at which the curve turns."""

    lines: tuple[BudgetLine, ...] = ()
    plans: tuple[tuple[int, ...], ...] = ()
    turns: tuple[int, ...] = ()


class NamedMove(Move):
    """A move with the names of its variant, for pages."""

    product_title: str
    variant_title: str
