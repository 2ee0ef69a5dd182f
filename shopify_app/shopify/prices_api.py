"""Reading and writing prices.

Shopify has no compare-and-set for them: usecases/decisions/price_outbox.py reads, compares, writes and reads back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from shopify_app.shopify.client import AdminApi
from shopify_app.shopify.gid import from_gid, to_gid

VARIANT_PRICES = """
query VariantPrices($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    ... on ProductVariant { id price compareAtPrice updatedAt product { id } }
  }
}
"""

SET_PRICES = """
mutation SetPrices($productId: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $productId, variants: $variants) {
    productVariants { id price compareAtPrice updatedAt product { id } }
    userErrors { field message code }
  }
}
"""

LARGEST_CALL: Final = 250
"""Shopify's limit on arrays."""


@dataclass(frozen=True, slots=True)
class VariantPrice:
    """What a variant costs in the shop right now, in the shop's currency."""

    price: Decimal
    compare_at_price: Decimal | None
    product_id: int
    updated_at: datetime
    """Shopify's stamp of the variant's last change, of whatever kind, to the second."""


def variant_prices(api: AdminApi, variant_ids: Sequence[int]) -> dict[int, VariantPrice]:
    """Prices by variant id; a variant that is gone is absent."""
    found: dict[int, VariantPrice] = {}
    for start in range(0, len(variant_ids), LARGEST_CALL):
        ids = [
            to_gid("ProductVariant", number) for number in variant_ids[start : start + LARGEST_CALL]
        ]
        nodes = api.query(VARIANT_PRICES, {"ids": ids}, operation="VariantPrices")["nodes"]
        found |= _by_id([node for node in nodes if node is not None])
    return found


def set_prices(
    api: AdminApi, product_id: int, prices: Sequence[tuple[int, Decimal, Decimal | None]]
) -> dict[int, VariantPrice]:
    """Set (variant id, price, compare-at price) of one product's variants, all or none.

    Returns what Shopify shows afterwards. A compare-at price of None clears it.

    Raises
    ------
    ShopifyUserError
        With Shopify's code and the path of the variant it refuses.
    OutcomeUnknownError
        If it may or may not have happened.
    """
    variants = [
        {
            "id": to_gid("ProductVariant", variant_id),
            "price": str(price),
            "compareAtPrice": None if compare_at is None else str(compare_at),
        }
        for variant_id, price, compare_at in prices
    ]
    payload = api.mutate(
        SET_PRICES,
        {"productId": to_gid("Product", product_id), "variants": variants},
        operation="SetPrices",
    )
    return _by_id(payload["productVariants"])


def _by_id(nodes: Sequence[dict[str, Any]]) -> dict[int, VariantPrice]:
    return {
        from_gid(node["id"], "ProductVariant"): VariantPrice(
            price=Decimal(node["price"]),
            compare_at_price=None
            if node["compareAtPrice"] is None
            else Decimal(node["compareAtPrice"]),
            product_id=from_gid(node["product"]["id"], "Product"),
            updated_at=datetime.fromisoformat(node["updatedAt"]),
        )
        for node in nodes
        if node.get("id", "").startswith("gid://shopify/ProductVariant/")
    }
