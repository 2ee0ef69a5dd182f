"""Which scope each root and object of the Admin API wants, as far as we serve them."""

from typing import Final

NEEDED: Final = {
    "shopifyqlQuery": "read_reports",
    "orders": "read_orders",
    "order": "read_orders",
    "refund": "read_orders",
    "products": "read_products",
    "product": "read_products",
    "productVariants": "read_products",
    "productVariant": "read_products",
    "inventoryItems": "read_inventory",
    "inventoryItem": "read_inventory",
    "inventoryLevel": "read_inventory",
    "locations": "read_locations",
    "location": "read_locations",
    "productVariantsBulkUpdate": "write_products",
    "catalogs": "read_markets",
    "priceList": "read_markets",
    "inventoryTransfer": "read_inventory_transfers",
    "inventoryTransfers": "read_inventory_transfers",
    "inventoryTransferCreate": "write_inventory_transfers",
}
"""Root field -> scope."""

PROTECTED: Final = frozenset({"Order", "Refund"})
"""Objects that hold protected customer data: an app without the approval gets none of them."""

NODE_SCOPES: Final = {
    "Order": "read_orders",
    "Refund": "read_orders",
    "Product": "read_products",
    "ProductVariant": "read_products",
    "InventoryItem": "read_inventory",
    "InventoryLevel": "read_inventory",
    "Location": "read_locations",
}
"""Type behind `nodes(ids:)` -> scope."""


def both(given: str, granted: str) -> str:
    """What a token may do: the scopes it was given, as far as they are still granted."""
    return ",".join(scope for scope in given.split(",") if scope and grants(granted, scope))


def grants(granted: str, scope: str) -> bool:
    """Whether a comma list grants a scope; writing implies reading."""
    have = set(granted.split(","))
    return scope in have or (
        scope.startswith("read_") and scope.replace("read_", "write_", 1) in have
    )
