"""Shopify's sale rows: what its own sales reports are sums of. All money in the shop's currency.

What an order, an edit, a return or a refund brought about is an agreement of some sales; a sale is
never changed. A kind that Shopify adds is UNKNOWN: it is kept and counted apart, never dropped.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self


class Told(StrEnum):
    """A word of Shopify's; one that it added since is UNKNOWN, and counted as such."""

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003 -- the name is Enum's
        return cls["UNKNOWN"]


class Reason(Told):
    """Why an agreement was made."""

    ORDER = "ORDER"
    ORDER_EDIT = "ORDER_EDIT"
    REFUND = "REFUND"
    RETURN = "RETURN"
    UNKNOWN = "UNKNOWN"


class Action(Told):
    """What a sale does: it sells, takes back, or changes the price, tax or discount of an earlier one."""

    ORDER = "ORDER"
    RETURN = "RETURN"
    UPDATE = "UPDATE"
    UNKNOWN = "UNKNOWN"


class LineType(Told):
    """What was sold. Goods are PRODUCT; a refund's money above or below the worth of its lines is an ADJUSTMENT."""

    PRODUCT = "PRODUCT"
    SHIPPING = "SHIPPING"
    TIP = "TIP"
    GIFT_CARD = "GIFT_CARD"
    DUTY = "DUTY"
    FEE = "FEE"
    ADDITIONAL_FEE = "ADDITIONAL_FEE"
    ADJUSTMENT = "ADJUSTMENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale; `total` after discounts and with tax, `discount` before tax. What is taken back is below nothing."""

    id: int
    agreement_id: int
    happened_at: datetime
    reason: Reason
    action: Action
    line_type: LineType
    quantity: int | None
    total: Decimal
    tax: Decimal
    discount: Decimal
    currency: str
    line_item_id: int | None = None
    refund_id: int | None = None


@dataclass(frozen=True, slots=True)
class OrderLedger:
    """All sales of an order, with the totals against which they are proved."""

    order_id: int
    updated_at: datetime
    """The order's own stamp: news with a later one may have brought further sales."""
    original_total: Decimal
    current_total: Decimal
    refund_discrepancy: Decimal
    refund_ids: tuple[int, ...]
    """The order's refunds: none of them counts beside these sales."""
    sales: list[Sale] = field(default_factory=list[Sale])
