"""Prices that go out together, later or in stages, and what they put at stake."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

MOST_STAGES: Final = 12
MOST_DAYS_APART: Final = 28


@dataclass(frozen=True, slots=True)
class When:
    """When an accepted price goes out (None: at once), and in which stage of which plan."""

    planned_for: datetime | None = None
    rollout_id: int | None = None
    stage: int | None = None


AT_ONCE: Final = When()


@dataclass(frozen=True, slots=True)
class Plan:
    """When accepted prices go out: the first stage at a moment, each next so many days later."""

    first_at: datetime
    stages: int = 1
    every_days: int = 7


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a bulk change: kept or not, with the figure and the bound it was held against.

    `code`: `step`, `margin`, `no_cost`, `frozen`, `exposure`, `loss_cap`, `brake`, `under_way`.
    """

    code: str
    is_kept: bool
    figure: str
    bound: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a bulk change puts at stake. Money a month, in the shop's currency.

    Attributes
    ----------
    prices, products : how many would change
    share_of_sales : of the last ninety days' sales, those of the variants that would change
    share_under_change : the same, with prices that are being measured already
    worst, expected, best : gain a month if every estimate came out at its low end, its middle, its high end
    open_risk : what decisions now being measured may still lose
    limits : each limit, kept or not
    """

    prices: int
    products: int
    share_of_sales: Decimal
    share_under_change: Decimal
    worst: Decimal
    expected: Decimal
    best: Decimal
    open_risk: Decimal
    currency: str
    limits: list[Limit]

    @property
    def may_go(self) -> bool:
        """Whether no limit stands against it."""
        return self.prices > 0 and all(limit.is_kept for limit in self.limits)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A row of `rollouts` with how far it has come."""

    id: int
    created_by: str
    created_at: datetime
    first_at: datetime
    stages: int
    every_days: int
    exposure: dict[str, Any]
    stopped_at: datetime | None
    stopped_because: str | None
    prices: int
    waiting: int
    applied: int
    undone: int
    not_written: int
    next_at: datetime | None
