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
from typing import Any, Final

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


@dataclass(frozen=True, slots=True)
class PriceTest:
    """A row of `price_tests`; `plan` and `reading` as `dataclasses.asdict` made them of `SwitchbackPlan` and `SwitchbackReading`."""

    id: int
    run_id: int
    state: PriceTestState
    plan: dict[str, Any]
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
    reading: dict[str, Any] | None
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

    @property
    def is_in_test(self) -> bool:
        """Whether it is the test that sets this price."""
        return self.left_because is None and self.returned_at is None
