"""Webhook bodies (REST-shaped, snake_case) -> our nouns. Persons are left out.

Every function raises PoisonError, naming the field, when a body cannot be what it says it is.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from shopify_app.domain.order import Order, OrderLine, Refund, RefundLine
from shopify_app.domain.product import InventoryItem, InventoryLevel, Location, Product, Variant
from shopify_app.errors import PoisonError

Body = Mapping[str, Any]
T = TypeVar("T")

CDN_FOLDER: Final = re.compile(r"https://cdn\.shopify\.com/s/files/1/((?:[0-9]{4}/){2,3})")
"""The shop's id in groups of four digits: `1/0005/4838/0009/` is shop 548380009."""

LARGEST_ID: Final = 2**63 - 1
LARGEST_COUNT: Final = 2**31 - 1
LARGEST_MONEY: Final = Decimal(10) ** 13


def check_shop(body: Body, domain: str, *, must_name: bool = False) -> None:
    """Refuse a body that names another shop than the (unsigned) header it came under, or none where it must.

    Shopify's facts of a shop say `myshopify_domain`, its privacy topics `shop_domain`; no other body names its shop.
    """
    named = [
        body[name] for name in ("myshopify_domain", "shop_domain") if body.get(name) is not None
    ]
    if any(one != domain for one in named):
        raise PoisonError("the body is another shop's")
    if must_name and not named:
        raise PoisonError("the body does not name its shop")


def shows_another_shop(body: Body, shopify_id: int | None) -> bool:
    """Whether a product's picture lies in the folder of another shop on Shopify's CDN, which is named by the shop's id.

    False where there is no picture, or none with such an address: then a product's body does not tell whose it is.
    """
    found = CDN_FOLDER.match(text(part(body, "image"), "src") or "")
    if found is None or shopify_id is None:
        return False
    return int(found[1].replace("/", "")) != shopify_id


def order(body: Body) -> Order:
    """An order with its lines."""
    return Order(
        id=number(body, "id"),
        name=text(body, "name"),
        source_name=text(body, "source_name"),
        currency=need(text(body, "currency"), "currency"),
        financial_status=text(body, "financial_status"),
        is_test=bool(body.get("test")),
        processed_at=moment(body, "processed_at")
        if body.get("processed_at")
        else moment(body, "created_at"),
        created_at=maybe(moment, body, "created_at"),
        cancelled_at=maybe(moment, body, "cancelled_at"),
        updated_at=moment(body, "updated_at"),
        lines=[order_line(line) for line in items(body, "line_items")],
    )


def order_line(line: Body) -> OrderLine:
    """A line item; its discount is what the allocations come to (`total_discount` says 0.00)."""
    quantity = count(line, "quantity")
    return OrderLine(
        id=number(line, "id"),
        product_id=maybe(number, line, "product_id"),
        variant_id=maybe(number, line, "variant_id"),
        sku=text(line, "sku"),
        title=text(line, "title"),
        quantity=quantity,
        current_quantity=count(line, "current_quantity")
        if line.get("current_quantity") is not None
        else quantity,
        unit_price=money(line, "price"),
        discount=sum(
            (money(part, "amount") for part in items(line, "discount_allocations")), Decimal(0)
        ),
        tax=sum((money(part, "price") for part in items(line, "tax_lines")), Decimal(0)),
        is_gift_card=bool(line.get("gift_card")),
    )


def refund(body: Body, *, told_at: datetime | None = None) -> Refund:
    """A refund with its lines; JSON floats among them are read as decimals.

    One without a time (Shopify's own sample bodies) is as old as its delivery: `told_at`.
    """
    made_at = "processed_at" if body.get("processed_at") else "created_at"
    return Refund(
        id=number(body, "id"),
        order_id=number(body, "order_id"),
        processed_at=told_at if told_at and not body.get(made_at) else moment(body, made_at),
        lines=[
            RefundLine(
                id=number(line, "id"),
                order_line_id=number(line, "line_item_id"),
                quantity=count(line, "quantity"),
                restock_type=need(text(line, "restock_type"), "restock_type").lower(),
                subtotal=money(line, "subtotal"),
                tax=money(line, "total_tax") if line.get("total_tax") is not None else Decimal(0),
            )
            for line in items(body, "refund_line_items")
        ],
    )


def product(body: Body) -> Product:
    """A product without its variants."""
    return Product(
        id=number(body, "id"),
        title=need(text(body, "title"), "title"),
        handle=text(body, "handle"),
        status=(text(body, "status") or "active").upper(),
        vendor=text(body, "vendor"),
        product_type=text(body, "product_type"),
        tags=[tag.strip() for tag in (text(body, "tags") or "").split(",") if tag.strip()],
        is_gift_card=False,
        image_url=text(part(body, "image"), "src"),
        created_at=maybe(moment, body, "created_at"),
        published_at=maybe(moment, body, "published_at"),
        updated_at=moment(body, "updated_at"),
    )


def variants(body: Body) -> tuple[list[Variant], bool]:
    """A product's variants, and whether they are all of them (large products are cut short).

    A variant without a stamp (Shopify's own sample bodies) is as old as its product.
    """
    found = [
        Variant(
            id=number(one, "id"),
            product_id=number(body, "id"),
            inventory_item_id=maybe(number, one, "inventory_item_id"),
            title=text(one, "title") or "",
            sku=text(one, "sku"),
            position=count(one, "position") if one.get("position") is not None else 1,
            price=money(one, "price"),
            compare_at_price=maybe(money, one, "compare_at_price"),
            inventory_policy=(text(one, "inventory_policy") or "deny").upper(),
            created_at=maybe(moment, one, "created_at"),
            updated_at=maybe(moment, one, "updated_at") or moment(body, "updated_at"),
        )
        for one in items(body, "variants")
    ]
    listed = body.get("variant_gids")
    return found, len(found) >= len(listed) if isinstance(listed, list) else "variants" in body


def tracked_items(body: Body) -> dict[int, bool]:
    """Inventory item -> whether Shopify tracks it, as far as a product's body tells."""
    return {
        number(one, "inventory_item_id"): one.get("inventory_management") is not None
        for one in items(body, "variants")
        if one.get("inventory_item_id") is not None
    }


def inventory_level(body: Body) -> InventoryLevel:
    """A level; `available` null means not tracked or not stocked there."""
    available = body.get("available")
    return InventoryLevel(
        inventory_item_id=number(body, "inventory_item_id"),
        location_id=number(body, "location_id"),
        available_units=count(body, "available") if available is not None else 0,
        incoming_units=None,
        is_active=available is not None,
        updated_at=moment(body, "updated_at"),
    )


def inventory_item(body: Body, held: InventoryItem | None = None) -> InventoryItem:
    """An item with its unit cost; null is unknown, not zero. What the body leaves out is as in `held`."""
    return InventoryItem(
        id=number(body, "id"),
        is_tracked=held.is_tracked if held and "tracked" not in body else bool(body.get("tracked")),
        unit_cost=held.unit_cost if held and "cost" not in body else maybe(money, body, "cost"),
        updated_at=moment(body, "updated_at"),
    )


def location(body: Body) -> Location:
    """A location."""
    return Location(
        id=number(body, "id"),
        name=need(text(body, "name"), "name"),
        is_active=bool(body.get("active", True)),
        updated_at=moment(body, "updated_at"),
    )


def number(body: Body, name: str) -> int:
    """An id."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        raise PoisonError(f"{name} is not an id")
    return value


def count(body: Body, name: str) -> int:
    """A whole number of units."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_COUNT:
        raise PoisonError(f"{name} is not a whole number")
    return value


def money(body: Body, name: str) -> Decimal:
    """An amount, whether it came as text or as a JSON number."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise PoisonError(f"{name} is not an amount")
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise PoisonError(f"{name} is not an amount") from error
    if not amount.is_finite() or abs(amount) > LARGEST_MONEY:
        raise PoisonError(f"{name} is not an amount we can keep")
    return amount


def moment(body: Body, name: str) -> datetime:
    """An aware time."""
    value = body.get(name)
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise PoisonError(f"{name} is not a time")
    return when


def text(body: Body, name: str) -> str | None:
    """A text Postgres can keep: NUL and lone surrogates cannot be, so they become U+FFFD."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise PoisonError(f"{name} is not text")
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def part(body: Body, name: str) -> Body:
    """An object inside; absent and null are empty."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise PoisonError(f"{name} is not an object")
    return value or {}


def items(body: Body, name: str) -> list[Body]:
    """A list of objects; absent and null are empty."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise PoisonError(f"{name} is not a list of objects")
    return value


def maybe(read: Callable[[Body, str], T], body: Body, name: str) -> T | None:
    """What `read` says, or None where the field is absent or null."""
    return None if body.get(name) is None else read(body, name)


def need(value: T | None, name: str) -> T:
    """The value, or poison where there is none."""
    if value is None:
        raise PoisonError(f"{name} is missing")
    return value
