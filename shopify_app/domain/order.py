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
    tax_rate: Decimal | None = None
    """Of all its taxes together; None: not told."""
    is_tip: bool = False


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
    taxes_included: bool | None = None
    """Whether its prices hold their tax; None: not told, as the shop has it. So it is with what else is None here."""
    shipping: Decimal | None = None
    """What its shipping lines come to after their discounts, as its prices are told."""
    shipping_tax: Decimal | None = None
    tip: Decimal | None = None
    """Tips that no line stands for."""
    total_price: Decimal | None = None
    current_total: Decimal | None = None
    """Less what was taken back since."""
    is_edited: bool = False
    """Whether Shopify says that it was edited; a webhook does not say."""


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
    adjustment: Decimal | None = None
    """Money beside its lines: goodwill of 10 is -10; what is kept, or still to come, is above nothing. None: not told."""
    adjustment_tax: Decimal | None = None
    shipping: Decimal | None = None
    """Shipping given back, above nothing, as the order's prices are told."""
    shipping_tax: Decimal | None = None
