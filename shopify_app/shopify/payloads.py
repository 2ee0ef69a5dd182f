"""Webhook bodies (REST-shaped, snake_case) -> our nouns. Persons are left out.

Every function raises PoisonError, naming the field, when a body cannot be what it says it is.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from shopify_app.domain.ids import LARGEST_ID
from shopify_app.domain.order import Order, Refund
from shopify_app.domain.product import InventoryItem, InventoryLevel, Location, Product, Variant
from shopify_app.errors import PoisonError
from shopify_app.shopify.payload_models import (
    ItemBody,
    LevelBody,
    LocationBody,
    OrderBody,
    ProductBody,
    RefundBody,
    TrackedBody,
    VariantsBody,
    aware,
    clean,
)

Body = Mapping[str, Any]
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

CDN_FOLDER: Final = re.compile(r"https://cdn\.shopify\.com/s/files/1/((?:[0-9]{4}/){2,3})")
"""The shop's id in groups of four digits: `1/0005/4838/0009/` is shop 548380009."""

MOST_NAMED: Final = 5
"""Wrong fields of a body that its error names."""


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
    return _read(OrderBody, body).noun()


def refund(body: Body, *, told_at: datetime | None = None) -> Refund:
    """A refund with its lines; JSON floats among them are read as decimals.

    One without a time (Shopify's own sample bodies) is as old as its delivery: `told_at`.
    """
    told = _read(RefundBody, body)
    try:
        return told.noun(told_at)
    except ValueError as error:
        raise PoisonError(f"processed_at {error}") from error


def product(body: Body) -> Product:
    """A product without its variants."""
    return _read(ProductBody, body).noun()


def variants(body: Body) -> tuple[list[Variant], bool]:
    """A product's variants, and whether they are all of them (large products are cut short).

    A variant without a stamp (Shopify's own sample bodies) is as old as its product.
    """
    told = _read(VariantsBody, body)
    try:
        return told.nouns()
    except ValueError as error:
        raise PoisonError(f"updated_at {error}") from error


def tracked_items(body: Body) -> dict[int, bool]:
    """Inventory item -> whether Shopify tracks it, as far as a product's body tells."""
    listed = _read(TrackedBody, body).variants
    return {
        one.inventory_item_id: one.inventory_management is not None
        for one in listed
        if one.inventory_item_id is not None
    }


def inventory_level(body: Body) -> InventoryLevel:
    """A level; `available` null means not tracked or not stocked there."""
    told = _read(LevelBody, body)
    return InventoryLevel(
        inventory_item_id=told.inventory_item_id,
        location_id=told.location_id,
        available_units=told.available or 0,
        incoming_units=None,
        is_active=told.available is not None,
        updated_at=told.updated_at,
    )


def inventory_item(body: Body, held: InventoryItem | None = None) -> InventoryItem:
    """An item with its unit cost; null is unknown, not zero. What the body leaves out is as in `held`."""
    told = _read(ItemBody, body)
    said = told.model_fields_set
    return InventoryItem(
        id=told.id,
        is_tracked=held.is_tracked if held and "tracked" not in said else told.tracked,
        unit_cost=held.unit_cost if held and "cost" not in said else told.cost,
        updated_at=told.updated_at,
        requires_shipping=told.requires_shipping,
    )


def location(body: Body) -> Location:
    """A location."""
    told = _read(LocationBody, body)
    return Location(id=told.id, name=told.name, is_active=told.active, updated_at=told.updated_at)


def number(body: Body, name: str) -> int:
    """An id."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        raise PoisonError(f"{name} is not an id")
    return value


def moment(body: Body, name: str) -> datetime:
    """An aware time."""
    try:
        return aware(body.get(name))
    except ValueError as error:
        raise PoisonError(f"{name} is not a time") from error


def text(body: Body, name: str) -> str | None:
    """A text Postgres can keep."""
    try:
        return clean(body.get(name))
    except ValueError as error:
        raise PoisonError(f"{name} {error}") from error


def part(body: Body, name: str) -> Body:
    """An object inside; absent and null are empty."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise PoisonError(f"{name} is not an object")
    return value or {}


def maybe(read: Callable[[Body, str], T], body: Body, name: str) -> T | None:
    """What `read` says, or None where the field is absent or null."""
    return None if body.get(name) is None else read(body, name)


def need(value: T | None, name: str) -> T:
    """The value, or poison where there is none."""
    if value is None:
        raise PoisonError(f"{name} is missing")
    return value


def _read(model: type[M], body: Body) -> M:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise PoisonError(_words(error)) from error


def _words(error: ValidationError) -> str:
    """Each wrong field by its path (`line_items.0.price`), the first few."""
    found = error.errors(include_url=False, include_input=False, include_context=False)[:MOST_NAMED]
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
