"""Orders' sales as Shopify answers for them: of some orders whole, or of many in bulk.

A sale has no road of its own: it is reached by its order and its agreement, page by page.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from shopify_app.domain.sale import OrderLedger
from shopify_app.shopify import nodes
from shopify_app.shopify.client import AdminApi
from shopify_app.shopify.gid import from_gid, kind_of, to_gid

LARGEST_BATCH: Final = 10
"""Orders a call, each with up to ten agreements of fifty sales; more are read page by page."""

TOTALS_FIELDS: Final = """
  id updatedAt
  originalTotalPriceSet { shopMoney { amount } }
  currentTotalPriceSet { shopMoney { amount } }
  refundDiscrepancySet { shopMoney { amount } }
  refunds { id }
"""

AGREEMENT_FIELDS: Final = """
  __typename id happenedAt reason
  ... on RefundAgreement { refund { id } }
"""

SALE_FIELDS: Final = """
  __typename id actionType lineType quantity
  totalAmount { shopMoney { amount currencyCode } }
  totalTaxAmount { shopMoney { amount } }
  totalDiscountAmountBeforeTaxes { shopMoney { amount } }
  ... on ProductSale { lineItem { id } }
  ... on GiftCardSale { lineItem { id } }
  ... on TipSale { lineItem { id } }
"""

LEDGERS_OF_ORDERS: Final = f"""
query LedgersOfOrders($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    __typename
    ... on Order {{
      {TOTALS_FIELDS}
      agreements(first: 10) {{
        nodes {{
          {AGREEMENT_FIELDS}
          sales(first: 50) {{ nodes {{ {SALE_FIELDS} }} pageInfo {{ hasNextPage endCursor }} }}
        }}
        pageInfo {{ hasNextPage endCursor }}
      }}
    }}
  }}
}}
"""

AGREEMENTS_OF_ORDER: Final = f"""
query AgreementsOfOrder($id: ID!, $after: String) {{
  order(id: $id) {{
    id
    agreements(first: 25, after: $after) {{
      nodes {{
        {AGREEMENT_FIELDS}
        sales(first: 50) {{ nodes {{ {SALE_FIELDS} }} pageInfo {{ hasNextPage endCursor }} }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

SALES_OF_AGREEMENT: Final = f"""
query SalesOfAgreement($id: ID!, $agreement: String!, $after: String) {{
  order(id: $id) {{
    id
    agreements(first: 1, query: $agreement) {{
      nodes {{
        id
        sales(first: 250, after: $after) {{ nodes {{ {SALE_FIELDS} }} pageInfo {{ hasNextPage endCursor }} }}
      }}
    }}
  }}
}}
"""

BULK_LEDGERS: Final = f"""
{{
  orders(query: "__QUERY__", sortKey: UPDATED_AT) {{
    edges {{
      node {{
        {TOTALS_FIELDS}
        agreements {{
          edges {{
            node {{
              {AGREEMENT_FIELDS}
              sales {{ edges {{ node {{ {SALE_FIELDS} }} }} }}
            }}
          }}
        }}
      }}
    }}
  }}
}}
"""

BULK_STATES: Final = ("partially_refunded", "refunded", "voided", "expired")
"""Payment states whose orders always want their sales; Shopify's search knows them."""


def ledgers_of_orders(api: AdminApi, order_ids: Sequence[int]) -> list[OrderLedger]:
    """The sales of at most `LARGEST_BATCH` orders; those that Shopify does not show are left out."""
    ids = [to_gid("Order", order_id) for order_id in order_ids]
    answer = api.query(LEDGERS_OF_ORDERS, {"ids": ids}, operation="LedgersOfOrders")["nodes"]
    return [
        nodes.order_ledger(order, _all_agreements(api, order))
        for order in answer
        if order is not None
    ]


def _all_agreements(api: AdminApi, order: dict[str, Any]) -> list[dict[str, Any]]:
    page = order["agreements"]
    found: list[dict[str, Any]] = list(page["nodes"])
    while page["pageInfo"]["hasNextPage"]:
        variables = {"id": order["id"], "after": page["pageInfo"]["endCursor"]}
        page = api.query(AGREEMENTS_OF_ORDER, variables, operation="AgreementsOfOrder")["order"][
            "agreements"
        ]
        found += page["nodes"]
    for agreement in found:
        _complete(api, order["id"], agreement)
    return found


def _complete(api: AdminApi, order_gid: str, agreement: dict[str, Any]) -> None:
    """Read the rest of an agreement's sales."""
    page = agreement["sales"]["pageInfo"]
    while page["hasNextPage"]:
        variables = {
            "id": order_gid,
            "agreement": f"id:{from_gid(agreement['id'], 'SalesAgreement')}",
            "after": page["endCursor"],
        }
        answer = api.query(SALES_OF_AGREEMENT, variables, operation="SalesOfAgreement")
        more = answer["order"]["agreements"]["nodes"][0]["sales"]
        agreement["sales"]["nodes"] += more["nodes"]
        page = more["pageInfo"]


def bulk_ledgers_query(since: datetime | None) -> str:
    """The inner text of the bulk query for orders that money went back of, or those of them created since a moment."""
    states = " OR ".join(f"financial_status:{state}" for state in BULK_STATES)
    search = f"({states})"
    if since:
        search = f"{search} AND created_at:>='{since.isoformat()}'"
    return BULK_LEDGERS.replace("__QUERY__", search)


def ledgers_of_lines(lines: Iterable[dict[str, Any]]) -> Iterator[OrderLedger]:
    """The ledgers of a bulk file's objects: an order, its agreements, their sales, in whatever order the children stand.

    All of an order's objects are here; a child whose parent is not is a defect of the file.
    """
    orders: dict[str, dict[str, Any]] = {}
    agreements: dict[str, dict[str, Any]] = {}
    of_order: dict[str, list[dict[str, Any]]] = {}
    sales: list[dict[str, Any]] = []
    for line in lines:
        kind = kind_of(line["id"])
        if kind == "Order":
            orders[line["id"]] = line
        elif kind == "Sale":
            sales.append(line)
        else:
            agreements[line["id"]] = {**line, "sales": {"nodes": []}}
            of_order.setdefault(line["__parentId"], []).append(agreements[line["id"]])
    for sale in sales:
        agreements[sale["__parentId"]]["sales"]["nodes"].append(sale)
    for gid, order in orders.items():
        yield nodes.order_ledger(order, of_order.get(gid, []))
