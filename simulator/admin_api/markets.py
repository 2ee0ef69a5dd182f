"""Markets' price lists with fixed prices, as the Admin API shows them: `catalogs` and `priceList` (one page each)."""

import sqlite3
from typing import Any

from simulator.graphql.gids import number_of
from simulator.graphql.nodes import Context, Node, amount
from simulator.state import Simulator


def catalogs(_sim: Simulator, c: Context, _granted: str, _arguments: dict[str, Any]) -> Node:
    """Every market's catalogue."""
    rows = c.conn.execute(
        "SELECT l.*, (SELECT count(*) FROM fixed_prices f WHERE f.shop = l.shop AND f.price_list_id = l.id) AS fixed"
        " FROM price_lists l WHERE l.shop = ? ORDER BY l.id",
        (c.shop,),
    ).fetchall()
    return _page("MarketCatalog", [_catalog(row) for row in rows])


def price_list(
    _sim: Simulator, c: Context, _granted: str, arguments: dict[str, Any]
) -> Node | None:
    """A price list with its fixed prices."""
    number = number_of(str(arguments["id"]))
    row = c.conn.execute(
        "SELECT * FROM price_lists WHERE shop = ? AND id = ?", (c.shop, number)
    ).fetchone()
    if row is None:
        return None
    rows = c.conn.execute(
        "SELECT * FROM fixed_prices WHERE shop = ? AND price_list_id = ? ORDER BY variant_id",
        (c.shop, number),
    ).fetchall()
    nodes = [_price(one, row["currency"]) for one in rows]
    return {**_list(row, len(rows)), "prices": _page("PriceListPrice", nodes)}


def _catalog(row: sqlite3.Row) -> Node:
    return {
        "__typename": "MarketCatalog",
        "id": f"gid://shopify/MarketCatalog/{row['id']}",
        "title": row["title"],
        "status": "ACTIVE",
        "priceList": _list(row, row["fixed"]),
    }


def _list(row: sqlite3.Row, fixed: int) -> Node:
    return {
        "__typename": "PriceList",
        "id": f"gid://shopify/PriceList/{row['id']}",
        "name": row["title"],
        "currency": row["currency"],
        "fixedPricesCount": fixed,
    }


def _price(row: sqlite3.Row, currency: str) -> Node:
    money = {"__typename": "MoneyV2", "amount": amount(row["price"]), "currencyCode": currency}
    return {
        "__typename": "PriceListPrice",
        "originType": "FIXED",
        "price": money,
        "compareAtPrice": None,
        "variant": {
            "__typename": "ProductVariant",
            "id": row["variant_id"],
        },
    }


def _page(typename: str, nodes: list[Node]) -> Node:
    info = {
        "__typename": "PageInfo",
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }
    return {"__typename": f"{typename}Connection", "nodes": nodes, "pageInfo": info}
