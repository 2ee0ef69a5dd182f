"""Orders as Shopify answers for them: one whole, a page of changed ones, refunds of many, all in bulk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shopify_app.domain.order import Order, Refund
from shopify_app.errors import TransientError
from shopify_app.shopify import nodes
from shopify_app.shopify.client import AdminApi
from shopify_app.shopify.gid import from_gid, to_gid

ORDER_FIELDS: Final = """
  id name createdAt processedAt updatedAt cancelledAt test sourceName currencyCode displayFinancialStatus
  taxesIncluded edited
  totalPriceSet { shopMoney { amount } }
  currentTotalPriceSet { shopMoney { amount } }
  totalTipReceivedSet { shopMoney { amount } }
"""

SHIPPING_FIELDS: Final = """
  id
  discountedPriceSet { shopMoney { amount } }
  taxLines { rate priceSet { shopMoney { amount } } }
"""

LINE_FIELDS: Final = """
  id quantity currentQuantity isGiftCard sku title
  product { id }
  variant { id }
  originalUnitPriceSet { shopMoney { amount } }
  discountAllocations { allocatedAmountSet { shopMoney { amount } } }
  taxLines { rate priceSet { shopMoney { amount } } }
"""

REFUND_FIELDS: Final = """
  id createdAt processedAt
  refundLineItems(first: 50) {
    nodes {
      id quantity restockType
      lineItem { id }
      subtotalSet { shopMoney { amount } }
      totalTaxSet { shopMoney { amount } }
    }
    pageInfo { hasNextPage endCursor }
  }
  orderAdjustments(first: 10) { nodes { amountSet { shopMoney { amount } } taxAmountSet { shopMoney { amount } } } }
  refundShippingLines(first: 10) { nodes { subtotalAmountSet { shopMoney { amount } } taxAmountSet { shopMoney { amount } } } }
"""

MOST_REFUNDS: Final = 20
"""Refunds of an order in one answer: the list has no pages, so an order that fills it is asked for the ids of all."""

ORDER_BY_ID: Final = f"""
query OrderById($id: ID!, $after: String) {{
  order(id: $id) {{
    {ORDER_FIELDS}
    lineItems(first: 100, after: $after) {{
      nodes {{ {LINE_FIELDS} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
    shippingLines(first: 20) {{ nodes {{ {SHIPPING_FIELDS} }} }}
    refunds(first: {MOST_REFUNDS}) {{ {REFUND_FIELDS} }}
  }}
}}
"""

CHANGED_ORDERS: Final = """
query ChangedOrders($query: String!, $after: String) {
  orders(first: 50, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { id updatedAt edited refunds { id } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

REFUNDS_OF_ORDERS: Final = f"""
query RefundsOfOrders($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    __typename
    ... on Order {{
      id
      refunds(first: {MOST_REFUNDS}) {{ {REFUND_FIELDS} }}
    }}
  }}
}}
"""

REFUND_IDS: Final = """
query RefundIds($id: ID!) {
  order(id: $id) { id refunds { id } }
}
"""

REFUNDS_BY_IDS: Final = f"""
query RefundsByIds($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    __typename
    ... on Refund {{ {REFUND_FIELDS} }}
  }}
}}
"""

REFUND_LINES: Final = """
query RefundLines($id: ID!, $after: String) {
  refund(id: $id) {
    id
    refundLineItems(first: 100, after: $after) {
      nodes {
        id quantity restockType
        lineItem { id }
        subtotalSet { shopMoney { amount } }
        totalTaxSet { shopMoney { amount } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

BULK_ORDERS: Final = f"""
{{
  orders(query: "__QUERY__", sortKey: UPDATED_AT) {{
    edges {{
      node {{
        {ORDER_FIELDS}
        totalRefundedSet {{ shopMoney {{ amount }} }}
        lineItems {{ edges {{ node {{ {LINE_FIELDS} }} }} }}
        shippingLines {{ edges {{ node {{ {SHIPPING_FIELDS} }} }} }}
      }}
    }}
  }}
}}
"""

BULK_ORDER_VERSIONS: Final = """
{
  orders {
    edges { node { id createdAt updatedAt edited refunds { id } } }
  }
}
"""

LARGEST_REFUND_BATCH: Final = 50
"""Orders a call: were each counted (18 points), they would still cost less than the 1,000 at which a query is refused."""


def order_with_refunds(api: AdminApi, order_id: int) -> tuple[Order, list[Refund]] | None:
    """One order, all of its lines and refunds; None if Shopify shows none: deleted, too old for our scopes, or not there yet."""
    gid = to_gid("Order", order_id)
    node = api.query(ORDER_BY_ID, {"id": gid, "after": None}, operation="OrderById")["order"]
    if node is None:
        return None
    lines: list[Any] = list(node["lineItems"]["nodes"])
    page = node["lineItems"]["pageInfo"]
    while page["hasNextPage"]:
        more = api.query(
            ORDER_BY_ID, {"id": gid, "after": page["endCursor"]}, operation="OrderById"
        )["order"]["lineItems"]
        lines += more["nodes"]
        page = more["pageInfo"]
    return nodes.order(node, lines, node["shippingLines"]["nodes"]), [
        _whole_refund(api, refund, order_id) for refund in _all_refunds(api, node)
    ]


@dataclass(frozen=True, slots=True)
class ChangedOrder:
    """An order's version, as a poll sees it."""

    id: int
    updated_at: datetime
    refund_ids: tuple[int, ...]
    is_edited: bool


def changed_orders(api: AdminApi, since: datetime) -> Iterator[ChangedOrder]:
    """Orders changed since a moment, the oldest change first.

    With the ids of their refunds, and whether they were edited: news of an order can arrive while that of its refund,
    or of its edit, is lost.
    """
    search = f"updated_at:>='{since.isoformat()}'"
    after: str | None = None
    while True:
        page = api.query(
            CHANGED_ORDERS, {"query": search, "after": after}, operation="ChangedOrders"
        )["orders"]
        yield from map(order_version, page["nodes"])
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def order_version(node: dict[str, Any]) -> ChangedOrder:
    """Which version of an order Shopify has, and which refunds."""
    return ChangedOrder(
        from_gid(node["id"], "Order"),
        datetime.fromisoformat(node["updatedAt"]),
        tuple(from_gid(refund["id"], "Refund") for refund in node["refunds"]),
        node["edited"],
    )


def refunds_of_orders(api: AdminApi, order_ids: Sequence[int]) -> list[Refund]:
    """Every refund, with all its lines, of at most `LARGEST_REFUND_BATCH` orders."""
    ids = [to_gid("Order", order_id) for order_id in order_ids]
    answer = api.query(REFUNDS_OF_ORDERS, {"ids": ids}, operation="RefundsOfOrders")["nodes"]
    return [
        _whole_refund(api, refund, from_gid(order["id"], "Order"))
        for order in answer
        if order is not None
        for refund in _all_refunds(api, order)
    ]


def bulk_orders_query(since: datetime | None) -> str:
    """The inner text of the bulk query for all orders, or those created since a moment."""
    search = f"created_at:>='{since.isoformat()}'" if since else ""
    return BULK_ORDERS.replace("__QUERY__", search)


def _all_refunds(api: AdminApi, order: dict[str, Any]) -> list[dict[str, Any]]:
    """Every refund of an order, also where more were made than one answer holds.

    Raises
    ------
    TransientError
        If Shopify lists a refund that it does not show (yet).
    """
    told: list[dict[str, Any]] = order["refunds"]
    if len(told) < MOST_REFUNDS:
        return told
    answer = api.query(REFUND_IDS, {"id": order["id"]}, operation="RefundIds")["order"]
    have = {one["id"] for one in told}
    lacking = [one["id"] for one in (answer or {"refunds": []})["refunds"] if one["id"] not in have]
    for first in range(0, len(lacking), MOST_REFUNDS):
        ids = lacking[first : first + MOST_REFUNDS]
        found = api.query(REFUNDS_BY_IDS, {"ids": ids}, operation="RefundsByIds")["nodes"]
        if None in found:
            raise TransientError("a refund that Shopify lists is not shown")
        told = told + found
    return told


def _whole_refund(api: AdminApi, node: dict[str, Any], order_id: int) -> Refund:
    """A refund whose lines are all there."""
    page = node["refundLineItems"]["pageInfo"]
    while page["hasNextPage"]:
        variables = {"id": node["id"], "after": page["endCursor"]}
        more = api.query(REFUND_LINES, variables, operation="RefundLines")["refund"][
            "refundLineItems"
        ]
        node["refundLineItems"]["nodes"] += more["nodes"]
        page = more["pageInfo"]
    return nodes.refund(node, order_id)
