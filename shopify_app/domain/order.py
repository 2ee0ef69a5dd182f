"""Orders as facts without persons: who bought is not kept."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line item; `unit_price` before discounts, all money in the shop's currency."""

    id: int
    product_id: int | None
    variant_id: int | None
    sku: str | None
    title: str | None
    quantity: int
    current_quantity: int
    unit_price: Decimal
    discount: Decimal
    """What the line's discount allocations take off, in all."""
    tax: Decimal
    is_gift_card: bool


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its lines; `lines` replaces what was known (edits remove lines)."""

    id: int
    name: str | None
    source_name: str | None
    currency: str
    financial_status: str | None
    """Lower case, as webhooks write it."""
    is_test: bool
    processed_at: datetime
    created_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime
    lines: list[OrderLine] = field(default_factory=list[OrderLine])


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units given back on one line; `restock_type` lower case (return, cancel, no_restock)."""

    id: int
    order_line_id: int
    quantity: int
    restock_type: str
    subtotal: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund with its lines."""

    id: int
    order_id: int
    processed_at: datetime
    lines: list[RefundLine] = field(default_factory=list[RefundLine])
