"""Prices that markets hold fast: a change of the base price does not move them. Needs read_markets."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shopify_app.shopify.client import AdminApi
from shopify_app.shopify.gid import from_gid, to_gid

MARKET_CATALOGS = """
query MarketCatalogs($first: Int!, $after: String) {
  catalogs(first: $first, after: $after, type: MARKET) {
    nodes {
      id
      title
      status
      priceList { id name currency fixedPricesCount }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

FIXED_PRICES = """
query FixedPrices($id: ID!, $first: Int!, $after: String) {
  priceList(id: $id) {
    prices(first: $first, after: $after, originType: FIXED) {
      nodes {
        price { amount currencyCode }
        compareAtPrice { amount currencyCode }
        variant { id }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class PriceList:
    """A market's price list that holds some prices fast; `name` is the catalogue's, as the merchant calls it."""

    id: int
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A variant's fixed price in a list, in the list's currency."""

    variant_id: int
    price: Decimal
    compare_at_price: Decimal | None
    currency: str


def price_lists(api: AdminApi) -> list[PriceList]:
    """Active markets' price lists with at least one fixed price."""
    return [
        PriceList(
            from_gid(node["priceList"]["id"], "PriceList"),
            node["title"],
            node["priceList"]["currency"],
        )
        for node in _pages(api, MARKET_CATALOGS, {}, "MarketCatalogs", ("catalogs",), first=50)
        if node["status"] == "ACTIVE"
        and node["priceList"] is not None
        and node["priceList"]["fixedPricesCount"]
    ]


def fixed_prices(api: AdminApi, price_list_id: int) -> Iterator[ListedPrice]:
    """Every fixed price of a list."""
    variables = {"id": to_gid("PriceList", price_list_id)}
    for node in _pages(
        api, FIXED_PRICES, variables, "FixedPrices", ("priceList", "prices"), first=250
    ):
        compare_at = node["compareAtPrice"]
        yield ListedPrice(
            from_gid(node["variant"]["id"], "ProductVariant"),
            Decimal(node["price"]["amount"]),
            None if compare_at is None else Decimal(compare_at["amount"]),
            node["price"]["currencyCode"],
        )


def _pages(
    api: AdminApi,
    document: str,
    variables: dict[str, Any],
    operation: str,
    path: tuple[str, ...],
    *,
    first: int,
) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page: Any = api.query(
            document, {**variables, "first": first, "after": after}, operation=operation
        )
        for name in path:
            page = page[name] if page else None
        if page is None:
            return
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]
