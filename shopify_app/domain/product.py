"""The catalogue: products, variants, inventory items, locations, levels."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

ON_SALE: Final = ["ACTIVE", "UNLISTED"]
"""Statuses of products that can be bought: an unlisted one by whoever has its link."""


@dataclass(frozen=True, slots=True)
class Product:
    """A Shopify product as we keep it."""

    id: int
    title: str
    handle: str | None
    status: str
    """ACTIVE, UNLISTED, DRAFT or ARCHIVED (upper case whichever road it came by)."""
    vendor: str | None
    product_type: str | None
    tags: list[str]
    is_gift_card: bool
    image_url: str | None
    created_at: datetime | None
    published_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant; its price is in the shop's currency."""

    id: int
    product_id: int
    inventory_item_id: int | None
    title: str
    sku: str | None
    position: int
    price: Decimal
    compare_at_price: Decimal | None
    inventory_policy: str
    created_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """What is stocked; `unit_cost` None means unknown, not zero."""

    id: int
    is_tracked: bool
    unit_cost: Decimal | None
    updated_at: datetime
    requires_shipping: bool | None = None
    """None: this road does not say, keep what is known."""

    def differs_from(self, held: "InventoryItem") -> bool:
        """Whether it tells something else than what is held; what it does not tell is no difference."""
        return (self.is_tracked, self.unit_cost) != (held.is_tracked, held.unit_cost) or (
            self.requires_shipping not in (None, held.requires_shipping)
        )


@dataclass(frozen=True, slots=True)
class Location:
    """A place that holds stock."""

    id: int
    name: str
    is_active: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class InventoryLevel:
    """Stock of an item at a location. Shopify's `available` already excludes `committed`."""

    inventory_item_id: int
    location_id: int
    available_units: int
    incoming_units: int | None
    """None: this road does not say (webhooks), keep what is known."""
    is_active: bool
    updated_at: datetime

    @property
    def key(self) -> tuple[int, int]:
        """Which item, and where."""
        return (self.inventory_item_id, self.location_id)
