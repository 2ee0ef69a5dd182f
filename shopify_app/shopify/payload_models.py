"""Webhook bodies (REST-shaped, snake_case) as models: what of them we read, and what each field may be.

Ids and units are strict integers, amounts finite decimals (as text or as a number), times aware. A text
that Postgres cannot keep is cleaned. What we do not read is not looked at. `payloads` hands out the nouns.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from shopify_app.domain.ids import LARGEST_ID
from shopify_app.domain.order import (
    Order,
    OrderLine,
    Refund,
    RefundLine,
    tip_of_no_line,
    with_tips,
)
from shopify_app.domain.product import Product, Variant

LARGEST_COUNT: Final = 2**31 - 1
LARGEST_MONEY: Final = Decimal(10) ** 13
SHIPPING_REFUND: Final = "shipping_refund"
"""Kind of an adjustment that is refunded shipping."""


def clean(value: Any) -> str | None:
    """A text Postgres can keep: NUL and lone surrogates cannot be, so they become U+FFFD."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("is not text")  # noqa: TRY004 -- what pydantic collects
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _needed_text(value: Any) -> str:
    found = clean(value)
    if found is None:
        raise ValueError("is missing")
    return found


def aware(value: Any) -> datetime:
    """A time with its offset, as Python reads ISO 8601."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else None
    if found is None or found.tzinfo is None:
        raise ValueError("is not a time")
    return found


def _or_none(value: Any) -> Any:
    return None if value is None else aware(value)


def _empty_if_none(value: Any) -> Any:
    return [] if value is None else value


Id = Annotated[int, Field(strict=True, gt=0, le=LARGEST_ID)]
Count = Annotated[int, Field(strict=True, ge=-LARGEST_COUNT, le=LARGEST_COUNT)]
Money = Annotated[Decimal, Field(ge=-LARGEST_MONEY, le=LARGEST_MONEY)]
Text = Annotated[str | None, PlainValidator(clean)]
NeededText = Annotated[str, PlainValidator(_needed_text)]
Time = Annotated[datetime, PlainValidator(aware)]
MaybeTime = Annotated[datetime | None, PlainValidator(_or_none)]
Flag = Annotated[bool, PlainValidator(bool)]
ListOrNone = BeforeValidator(_empty_if_none)


class Body(BaseModel):
    """A body, or an object inside one. What we do not read may be anything."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class AllocationBody(Body):
    """A discount's share of a line."""

    amount: Money


class TaxBody(Body):
    """A tax on a line; `rate` 0.2 is 20 %."""

    price: Money
    rate: Annotated[Decimal, Field(ge=0, le=100)] | None = None


class LineBody(Body):
    """A line item; its discount is what the allocations come to (`total_discount` says 0.00)."""

    id: Id
    product_id: Id | None = None
    variant_id: Id | None = None
    sku: Text = None
    title: Text = None
    quantity: Count
    current_quantity: Count | None = None
    price: Money
    discount_allocations: Annotated[list[AllocationBody], ListOrNone] = []
    tax_lines: Annotated[list[TaxBody], ListOrNone] = []
    gift_card: Flag = False
    tip_payment_gateway: Any = None
    tip_payment_method: Any = None

    def noun(self) -> OrderLine:
        """The line as we keep it; a tip that names the way it was paid is one, of another the order tells."""
        kept = self.quantity if self.current_quantity is None else self.current_quantity
        return OrderLine(
            id=self.id,
            product_id=self.product_id,
            variant_id=self.variant_id,
            sku=self.sku,
            title=self.title,
            quantity=self.quantity,
            current_quantity=kept,
            unit_price=self.price,
            discount=sum((one.amount for one in self.discount_allocations), Decimal(0)),
            tax=sum((one.price for one in self.tax_lines), Decimal(0)),
            is_gift_card=self.gift_card,
            tax_rate=sum_of_told([one.rate for one in self.tax_lines]),
            is_tip=self.tip_payment_gateway is not None or self.tip_payment_method is not None,
        )


def sum_of_told(parts: Sequence[Decimal | None]) -> Decimal | None:
    """What the parts come to; None where there is none, or one is not told."""
    told = [part for part in parts if part is not None]
    return sum(told, Decimal(0)) if told and len(told) == len(parts) else None


class ShippingBody(Body):
    """A shipping line: what it comes to after its discounts."""

    price: Money = Decimal(0)
    discounted_price: Money | None = None
    discount_allocations: Annotated[list[AllocationBody], ListOrNone] = []
    tax_lines: Annotated[list[TaxBody], ListOrNone] = []
    is_removed: Flag = False
    """An edit took it off: it stays in the list, and is charged no more."""

    @property
    def paid(self) -> Decimal:
        """After its discounts, as the order's prices are told.

        `discounted_price` "doesn't reflect cart-level or order-level discounts": the allocations do.
        """
        if self.is_removed:
            return Decimal(0)
        left = self.price - sum((one.amount for one in self.discount_allocations), Decimal(0))
        return left if self.discounted_price is None else min(left, self.discounted_price)

    @property
    def tax(self) -> Decimal:
        """Its taxes."""
        if self.is_removed:
            return Decimal(0)
        return sum((one.price for one in self.tax_lines), Decimal(0))


def _no_time_if_empty(value: Any) -> datetime | None:
    """An empty text is as no time: then the order is as old as its making."""
    return aware(value) if value else None


class OrderBody(Body):
    """An order."""

    id: Id
    name: Text = None
    source_name: Text = None
    currency: NeededText
    financial_status: Text = None
    test: Flag = False
    processed_at: Annotated[datetime | None, PlainValidator(_no_time_if_empty)] = None
    created_at: MaybeTime = None
    cancelled_at: MaybeTime = None
    updated_at: Time
    line_items: Annotated[list[LineBody], ListOrNone] = []
    taxes_included: bool | None = None
    shipping_lines: list[ShippingBody] | None = None
    total_tip_received: Money | None = None
    total_price: Money | None = None
    current_total_price: Money | None = None

    @model_validator(mode="after")
    def _is_of_a_time(self) -> Self:
        if self.processed_at is None and self.created_at is None:
            raise ValueError("created_at is not a time")
        return self

    def noun(self) -> Order:
        """The order as we keep it."""
        processed_at = self.processed_at or self.created_at
        assert processed_at is not None, "proved above"  # noqa: S101 -- for the type checker
        once = {line.id: line for line in self.line_items}
        lines = with_tips([line.noun() for line in once.values()], self.total_tip_received)
        shipping = self.shipping_lines
        return Order(
            id=self.id,
            name=self.name,
            source_name=self.source_name,
            currency=self.currency,
            financial_status=self.financial_status,
            is_test=self.test,
            processed_at=processed_at,
            created_at=self.created_at,
            cancelled_at=self.cancelled_at,
            updated_at=self.updated_at,
            lines=lines,
            taxes_included=self.taxes_included,
            shipping=None if shipping is None else sum((s.paid for s in shipping), Decimal(0)),
            shipping_tax=None if shipping is None else sum((s.tax for s in shipping), Decimal(0)),
            tip=tip_of_no_line(self.total_tip_received, lines),
            total_price=self.total_price,
            current_total=self.current_total_price,
        )


class RefundLineBody(Body):
    """A line of a refund."""

    id: Id
    line_item_id: Id
    quantity: Count
    restock_type: NeededText
    subtotal: Money
    total_tax: Money | None = None

    def noun(self) -> RefundLine:
        """The line as we keep it."""
        return RefundLine(
            id=self.id,
            order_line_id=self.line_item_id,
            quantity=self.quantity,
            restock_type=self.restock_type.lower(),
            subtotal=self.subtotal,
            tax=Decimal(0) if self.total_tax is None else self.total_tax,
        )


class AdjustmentBody(Body):
    """Money of a refund beside its lines; older bodies list refunded shipping here too."""

    amount: Money
    tax_amount: Money | None = None
    kind: Any = None


class ShopMoneyBody(Body):
    """An amount in the shop's currency."""

    amount: Money


class MoneyBagBody(Body):
    """An amount in two currencies."""

    shop_money: ShopMoneyBody


class RefundShippingBody(Body):
    """Shipping given back."""

    subtotal_amount_set: MoneyBagBody | None = None
    tax_amount_set: MoneyBagBody | None = None


class RefundBody(Body):
    """A refund. Its time is read last: which of two fields counts depends on the other."""

    id: Id
    order_id: Id
    processed_at: Any = None
    created_at: Any = None
    refund_line_items: Annotated[list[RefundLineBody], ListOrNone] = []
    order_adjustments: list[AdjustmentBody] | None = None
    refund_shipping_lines: list[RefundShippingBody] | None = None

    def noun(self, told_at: datetime | None) -> Refund:
        """The refund as we keep it; as old as its delivery where it names no time."""
        made_at = self.processed_at or self.created_at
        adjustment, adjustment_tax = self._beside_lines()
        shipping, shipping_tax = self._shipping()
        return Refund(
            id=self.id,
            order_id=self.order_id,
            processed_at=told_at if told_at and not made_at else aware(made_at),
            lines=[line.noun() for line in self.refund_line_items],
            adjustment=adjustment,
            adjustment_tax=adjustment_tax,
            shipping=shipping,
            shipping_tax=shipping_tax,
        )

    def _beside_lines(self) -> tuple[Decimal, Decimal] | tuple[None, None]:
        if self.order_adjustments is None:
            return None, None
        return _sums(one for one in self.order_adjustments if one.kind != SHIPPING_REFUND)

    def _shipping(self) -> tuple[Decimal, Decimal] | tuple[None, None]:
        """Shipping given back, from where it is listed; a body that lists it twice says it once."""
        if self.refund_shipping_lines:
            return (
                _sum_of_bags(one.subtotal_amount_set for one in self.refund_shipping_lines),
                _sum_of_bags(one.tax_amount_set for one in self.refund_shipping_lines),
            )
        if self.order_adjustments is None:
            return (None, None) if self.refund_shipping_lines is None else (Decimal(0), Decimal(0))
        amount, tax = _sums(one for one in self.order_adjustments if one.kind == SHIPPING_REFUND)
        return -amount, -tax


def _sum_of_bags(bags: Iterable[MoneyBagBody | None]) -> Decimal:
    return sum((bag.shop_money.amount for bag in bags if bag is not None), Decimal(0))


def _sums(adjustments: Iterable[AdjustmentBody]) -> tuple[Decimal, Decimal]:
    listed = list(adjustments)
    return (
        sum((one.amount for one in listed), Decimal(0)),
        sum((one.tax_amount or Decimal(0) for one in listed), Decimal(0)),
    )


class ImageBody(Body):
    """A picture."""

    src: Text = None


class ProductBody(Body):
    """A product without its variants."""

    id: Id
    title: NeededText
    handle: Text = None
    status: Text = None
    vendor: Text = None
    product_type: Text = None
    tags: Text = None
    image: ImageBody | None = None
    created_at: MaybeTime = None
    published_at: MaybeTime = None
    updated_at: Time

    def noun(self) -> Product:
        """The product as we keep it."""
        return Product(
            id=self.id,
            title=self.title,
            handle=self.handle,
            status=(self.status or "active").upper(),
            vendor=self.vendor,
            product_type=self.product_type,
            tags=[tag.strip() for tag in (self.tags or "").split(",") if tag.strip()],
            is_gift_card=False,
            image_url=self.image.src if self.image else None,
            created_at=self.created_at,
            published_at=self.published_at,
            updated_at=self.updated_at,
        )


class VariantBody(Body):
    """A variant."""

    id: Id
    inventory_item_id: Id | None = None
    title: Text = None
    sku: Text = None
    position: Count | None = None
    price: Money
    compare_at_price: Money | None = None
    inventory_policy: Text = None
    created_at: MaybeTime = None
    updated_at: MaybeTime = None

    def noun(self, product_id: int, product_updated_at: Any) -> Variant:
        """The variant as we keep it; as old as its product where it names no time."""
        return Variant(
            id=self.id,
            product_id=product_id,
            inventory_item_id=self.inventory_item_id,
            title=self.title or "",
            sku=self.sku,
            position=1 if self.position is None else self.position,
            price=self.price,
            compare_at_price=self.compare_at_price,
            inventory_policy=(self.inventory_policy or "deny").upper(),
            created_at=self.created_at,
            updated_at=self.updated_at or aware(product_updated_at),
        )


class VariantsBody(Body):
    """A product's variants; `variant_gids` lists all of them where `variants` is cut short. Null tells of none, nor that there are none."""

    id: Id
    updated_at: Any = None
    variants: list[VariantBody] | None = None
    variant_gids: Any = None

    def nouns(self) -> tuple[list[Variant], bool]:
        """The variants, and whether they are all."""
        found = [one.noun(self.id, self.updated_at) for one in self.variants or []]
        named = self.variant_gids if isinstance(self.variant_gids, list) else []
        return found, self.variants is not None and len(found) >= len(named)


class TrackedVariantBody(Body):
    """Whether a variant's stock is counted by Shopify."""

    inventory_item_id: Id | None = None
    inventory_management: Any = None


class TrackedBody(Body):
    """A product's variants, for their stock alone."""

    variants: Annotated[list[TrackedVariantBody], ListOrNone] = []


class LevelBody(Body):
    """What is available of an item at a location."""

    inventory_item_id: Id
    location_id: Id
    available: Count | None = None
    updated_at: Time


class ItemBody(Body):
    """An inventory item."""

    id: Id
    tracked: Flag = False
    cost: Money | None = None
    requires_shipping: bool | None = None
    updated_at: Time


def _open_unless_told(value: Any) -> bool:
    """A null says nothing, and closes no place."""
    return value is None or bool(value)


class LocationBody(Body):
    """A location."""

    id: Id
    name: NeededText
    active: Annotated[bool, PlainValidator(_open_unless_told)] = True
    updated_at: Time
