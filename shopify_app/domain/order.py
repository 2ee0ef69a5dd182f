"""Orders as facts without persons: who bought is not kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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

    @property
    def price(self) -> Decimal:
        """Of all its units, before discounts."""
        return self.unit_price * self.quantity

    @property
    def is_of_the_catalogue(self) -> bool:
        """Whether it says which thing of the shop's was sold."""
        return self.product_id is not None or self.variant_id is not None or bool(self.sku)

    @property
    def says_tip(self) -> bool:
        """Whether it is called a tip."""
        return (self.title or "").strip().lower() == "tip"


def with_tips(lines: Sequence[OrderLine], tipped: Decimal | None) -> list[OrderLine]:
    """Lines of which those that stand for the order's tips are tips: as they said, or as far as the order was `tipped` (None: not told).

    What is sold of the catalogue is none. A line that is called a tip comes first, then one of just what is left of it.
    Bodies of older versions told 0 beside such a line: there it is a tip unless it is taxed.
    """
    left = tipped - sum(one.price for one in lines if one.is_tip) if tipped else None
    found = {one.id for one in lines if one.is_tip}
    others = [one for one in lines if not one.is_tip and not one.is_of_the_catalogue]
    for one in sorted(others, key=lambda line: not line.says_tip):
        if left is None:
            is_tip = one.says_tip and (tipped is None or not one.tax)
        else:
            is_tip = 0 < one.price <= left and (one.says_tip or one.price == left)
            left -= one.price if is_tip else 0
        if is_tip:
            found.add(one.id)
    return [replace(one, is_tip=one.id in found) for one in lines]


def tip_of_no_line(tipped: Decimal | None, lines: Sequence[OrderLine]) -> Decimal | None:
    """What an order was tipped beyond the lines that are tips; None: not told."""
    if tipped is None:
        return None
    return max(tipped - sum((one.price for one in lines if one.is_tip), Decimal(0)), Decimal(0))


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
