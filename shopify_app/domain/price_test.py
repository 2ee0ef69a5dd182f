r"""A small alternating price test: proposed, agreed to, under way, its prices given back.

    proposed --start--> running --stop (by itself or by the merchant)--> returning --all back--> ended
        \--decline--> declined

What it is and may cost is kept before it is agreed to (`analytics.price_tests.experiments`). The unit is a product: its variants
move together.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from shopify_app.domain.documents import Document, Number
from shopify_app.domain.suggestion import PriceChangeState


class PriceTestState(StrEnum):
    """See the module's head."""

    PROPOSED = "proposed"
    RUNNING = "running"
    RETURNING = "returning"
    ENDED = "ended"
    DECLINED = "declined"


UNDER_WAY: Final = frozenset({PriceTestState.RUNNING, PriceTestState.RETURNING})


class StopReason(StrEnum):
    """Why a test ended.

    It knows enough; it would have cost too much; its weeks are over; the merchant said so; prices are frozen on a
    day of it; too few products are left; Keel was uninstalled.
    """

    PRECISE = "precise"
    COST = "cost"
    FINISHED = "finished"
    MERCHANT = "merchant"
    FROZEN = "frozen"
    TOO_FEW_LEFT = "too_few_left"
    UNINSTALLED = "uninstalled"


class LeftReason(StrEnum):
    """Why a variant left a test; its price is then left as it is.

    The merchant changed it; it was not the price we knew; what a write did is not known; Shopify refused; it is no
    longer on sale.
    """

    EDITED = "edited"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    FAILED = "failed"
    GONE = "gone"


class TestedSeries(Document):
    """A product of a plan, as `analytics.price_tests.switchback.TrialSeries` has it."""

    series_id: str
    old_price: Number
    low_price: Number
    high_price: Number
    unit_cost: Number
    units_per_week: Number
    dispersion: Number
    starts_high: tuple[bool, ...]
    """Whether pair k of blocks begins with the high price."""
    units_each: Number = 1.0
    tax_rate: Number = 0.0
    """Of the tax in the prices, over what is left before it."""

    @property
    def product_id(self) -> int:
        """The product."""
        return int(self.series_id)

    def is_high_in(self, block: int) -> bool:
        """Whether it stands at its high price in a block (counted from 0)."""
        return self.starts_high[block // 2] == (block % 2 == 0)


class PriceTestPlan(Document):
    """A test as it was shown before it was agreed to: `analytics.price_tests.switchback.SwitchbackPlan`, kept."""

    maximum_cost: Number
    expected_cost: Number
    weeks: int
    block_weeks: int
    precision: Number
    prior_mean: Number
    prior_sd: Number
    product_sd: Number
    wanted_precision: Number
    series: tuple[TestedSeries, ...]
    comparison_ids: tuple[str, ...]
    abstained_because: str | None
    seed: int


class PriceTestReading(Document):
    """What a test has shown: `analytics.price_tests.switchback_reading.SwitchbackReading`, kept."""

    weeks_seen: int
    elasticity: Number
    sd: Number
    low: Number
    high: Number
    drawn_low: Number | None
    drawn_high: Number | None
    p_value_no_answer: Number | None
    cost_so_far: Number
    cost_high: Number
    cost_after_next_block_high: Number
    stop_because: str | None


@dataclass(frozen=True, slots=True)
class PriceTest:
    """A row of `price_tests`."""

    id: int
    run_id: int
    state: PriceTestState
    plan: PriceTestPlan
    weeks: int
    block_weeks: int
    maximum_cost: Decimal
    expected_cost: Decimal
    currency: str
    proposed_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    first_on: date | None
    weeks_read: int
    reading: PriceTestReading | None
    stop_because: StopReason | None
    stopped_at: datetime | None
    ended_at: datetime | None

    @property
    def is_under_way(self) -> bool:
        """Whether prices are, or may still be, those of the test."""
        return self.state in UNDER_WAY

    @property
    def last_on(self) -> date | None:
        """The last day, if it runs to its end."""
        return self.first_on and self.first_on + timedelta(weeks=self.weeks, days=-1)

    def block_on(self, day: date) -> int | None:
        """The block (0 first) that a day lies in; None outside the test."""
        if self.first_on is None or not 0 <= (day - self.first_on).days < 7 * self.weeks:
            return None
        return (day - self.first_on).days // (7 * self.block_weeks)

    def weeks_over(self, day: date) -> int:
        """Whole weeks of the test that are over on a day."""
        if self.first_on is None:
            return 0
        return min(max((day - self.first_on).days // 7, 0), self.weeks)


@dataclass(frozen=True, slots=True)
class PriceUnderTest:
    """A row of `tested_prices`, with what the store has had of the test.

    Attributes
    ----------
    was_edited : by the merchant, since the test was agreed to
    written_price : the newest price of the test that is in the store; the regular one before the first
    change_state, change_block, change_error_code : of the newest write (`price_changes`), None before the first;
        the block is None for the way back
    change_sent_at : when that write last left for the store; None as long as it can be withdrawn
    """

    product_id: int
    variant_id: int
    product_title: str
    variant_title: str
    regular_price: Decimal
    regular_compare_at_price: Decimal | None
    left_because: LeftReason | None
    returned_at: datetime | None
    is_gone: bool
    was_edited: bool
    written_price: Decimal
    change_state: PriceChangeState | None
    change_block: int | None
    change_error_code: str | None
    change_sent_at: datetime | None

    @property
    def is_in_test(self) -> bool:
        """Whether it is the test that sets this price."""
        return self.left_because is None and self.returned_at is None
