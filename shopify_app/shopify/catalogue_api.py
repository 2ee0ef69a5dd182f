"""Products, variants, items and locations as Shopify answers for them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from shopify_app.domain.product import InventoryItem, InventoryLevel, Location, Product, Variant
from shopify_app.shopify import nodes
from shopify_app.shopify.client import AdminApi
from shopify_app.shopify.gid import from_gid, to_gid

PRODUCT_FIELDS: Final = """
  id title handle status vendor productType tags isGiftCard createdAt updatedAt publishedAt
"""

VARIANT_FIELDS: Final = """
  id title sku position price compareAtPrice inventoryPolicy createdAt updatedAt
  inventoryItem { id tracked requiresShipping updatedAt unitCost { amount } }
"""

LEVEL_FIELDS: Final = """
  id isActive updatedAt
  location { id }
  quantities(names: ["available", "incoming"]) { name quantity }
"""

PRODUCT_BY_ID: Final = f"""
query ProductById($id: ID!, $after: String) {{
  product(id: $id) {{
    {PRODUCT_FIELDS}
    variants(first: 100, after: $after) {{
      nodes {{ {VARIANT_FIELDS} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

CHANGED_PRODUCTS: Final = """
query ChangedProducts($query: String!, $after: String) {
  products(first: 250, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { id updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

LOCATIONS: Final = """
query Locations($after: String) {
  locations(first: 50, after: $after, includeInactive: true) {
    nodes { id name isActive updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SHOWN: Final = """
query Shown($ids: [ID!]!) {
  nodes(ids: $ids) { id }
}
"""

MOST_AT_ONCE: Final = 250
"""Ids that `nodes` takes in one call."""

LOCATION_BY_ID: Final = """
query LocationById($id: ID!) {
  location(id: $id) { id name isActive updatedAt }
}
"""

CHANGED_LEVELS: Final = f"""
query ChangedLevels($locationId: ID!, $query: String!, $after: String) {{
  location(id: $locationId) {{
    id
    inventoryLevels(first: 250, after: $after, query: $query) {{
      nodes {{ {LEVEL_FIELDS} item {{ id }} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

ITEM_WITH_LEVELS: Final = f"""
query ItemWithLevels($id: ID!, $after: String) {{
  inventoryItem(id: $id) {{
    id tracked requiresShipping updatedAt unitCost {{ amount }}
    inventoryLevels(first: 50, after: $after) {{
      nodes {{ {LEVEL_FIELDS} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

BULK_PRODUCTS: Final = f"""
{{
  products {{
    edges {{
      node {{
        {PRODUCT_FIELDS}
        variants {{ edges {{ node {{ {VARIANT_FIELDS} }} }} }}
      }}
    }}
  }}
}}
"""

BULK_INVENTORY: Final = f"""
{{
  inventoryItems {{
    edges {{
      node {{
        id tracked requiresShipping updatedAt unitCost {{ amount }}
        inventoryLevels {{ edges {{ node {{ {LEVEL_FIELDS} }} }} }}
      }}
    }}
  }}
}}
"""


def product_with_variants(
    api: AdminApi, product_id: int
) -> tuple[Product, list[Variant], list[InventoryItem]] | None:
    """One product, all of its variants and their items; None if Shopify shows none: deleted, or not (yet) visible to us."""
    gid = to_gid("Product", product_id)
    node = api.query(PRODUCT_BY_ID, {"id": gid, "after": None}, operation="ProductById")["product"]
    if node is None:
        return None
    found: list[dict[str, Any]] = list(node["variants"]["nodes"])
    page = node["variants"]["pageInfo"]
    while page["hasNextPage"]:
        more = api.query(
            PRODUCT_BY_ID, {"id": gid, "after": page["endCursor"]}, operation="ProductById"
        )["product"]["variants"]
        found += more["nodes"]
        page = more["pageInfo"]
    items = [nodes.inventory_item(one["inventoryItem"]) for one in found]
    return nodes.product(node), [nodes.variant(one, product_id) for one in found], items


def changed_product_ids(api: AdminApi, since: datetime) -> Iterator[tuple[int, datetime]]:
    """(id, updated_at) of products changed since a moment, the oldest change first."""
    search = f"updated_at:>='{since.isoformat()}'"
    after: str | None = None
    while True:
        page = api.query(
            CHANGED_PRODUCTS, {"query": search, "after": after}, operation="ChangedProducts"
        )["products"]
        for node in page["nodes"]:
            yield (
                from_gid(node["id"], "Product"),
                datetime.fromisoformat(node["updatedAt"]),
            )
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def locations(api: AdminApi) -> list[Location]:
    """Every location, closed ones too."""
    found: list[Location] = []
    after: str | None = None
    while True:
        page = api.query(LOCATIONS, {"after": after}, operation="Locations")["locations"]
        found += [nodes.location(node) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def location(api: AdminApi, location_id: int) -> Location | None:
    """One location; None if Shopify shows none."""
    variables = {"id": to_gid("Location", location_id)}
    node = api.query(LOCATION_BY_ID, variables, operation="LocationById")["location"]
    return None if node is None else nodes.location(node)


def shown(api: AdminApi, kind: str, ids: Sequence[int]) -> set[int]:
    """Of these resources of a kind (`Product`, ...) those that Shopify shows when it is asked for each by its id."""
    found: set[int] = set()
    for first in range(0, len(ids), MOST_AT_ONCE):
        gids = [to_gid(kind, one) for one in ids[first : first + MOST_AT_ONCE]]
        answer = api.query(SHOWN, {"ids": gids}, operation="Shown")["nodes"]
        found |= {from_gid(node["id"], kind) for node in answer if node is not None}
    return found


def changed_levels(
    api: AdminApi, location_id: int, since: datetime | None
) -> Iterator[InventoryLevel]:
    """Levels of a location changed since a moment; None: all of them."""
    variables = {
        "locationId": to_gid("Location", location_id),
        "query": f"updated_at:>='{since.isoformat()}'" if since else "",
        "after": None,
    }
    while True:
        location = api.query(CHANGED_LEVELS, variables, operation="ChangedLevels")["location"]
        if location is None:
            return
        page = location["inventoryLevels"]
        for node in page["nodes"]:
            yield nodes.inventory_level(node, from_gid(node["item"]["id"], "InventoryItem"))
        if not page["pageInfo"]["hasNextPage"]:
            return
        variables["after"] = page["pageInfo"]["endCursor"]


def item_with_levels(
    api: AdminApi, item_id: int
) -> tuple[InventoryItem, list[InventoryLevel]] | None:
    """One inventory item and its level at every location; None if Shopify shows none: deleted, or not (yet) visible to us."""
    variables = {"id": to_gid("InventoryItem", item_id), "after": None}
    node = api.query(ITEM_WITH_LEVELS, variables, operation="ItemWithLevels")["inventoryItem"]
    if node is None:
        return None
    found = list(node["inventoryLevels"]["nodes"])
    page = node["inventoryLevels"]["pageInfo"]
    while page["hasNextPage"]:
        variables["after"] = page["endCursor"]
        more = api.query(ITEM_WITH_LEVELS, variables, operation="ItemWithLevels")["inventoryItem"][
            "inventoryLevels"
        ]
        found += more["nodes"]
        page = more["pageInfo"]
    return nodes.inventory_item(node), [nodes.inventory_level(level, item_id) for level in found]
