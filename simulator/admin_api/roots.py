"""The query roots."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from simulator.access import app_subscriptions
from simulator.admin_api import markets, shopifyql
from simulator.graphql import scopes
from simulator.graphql.gids import GID, number_of
from simulator.graphql.nodes import Connection, Context, Node, node
from simulator.graphql.search import where
from simulator.state import Simulator
from simulator.store import iso


def _shop(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node | None:
    return node(
        "Shop", c.conn.execute("SELECT * FROM shops WHERE domain = ?", (c.shop,)).fetchone()
    )


def _installation(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    handles = [{"handle": scope} for scope in granted.split(",") if scope]
    app = {"id": "gid://shopify/App/1", "handle": "keel", "apiKey": sim.config.client_id}
    return {
        "__typename": "AppInstallation",
        "id": "gid://shopify/AppInstallation/1",
        "accessScopes": handles,
        "app": app,
        "activeSubscriptions": app_subscriptions.active(c.conn, c.shop),
    }


def _window(sim: Simulator, c: Context, granted: str) -> tuple[str, tuple[str, ...]]:
    """Orders older than sixty days are not there without read_all_orders."""
    if scopes.grants(granted, "read_all_orders"):
        return "", ()
    return " AND created_at >= ?", (iso(sim.store.now(c.shop) - timedelta(days=60)),)


def _orders(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Connection:
    clause, params = where(arguments.get("query"))
    window, more = _window(sim, c, granted)
    key = {"UPDATED_AT": ("updated_at", "id"), "CREATED_AT": ("created_at", "id")}.get(
        arguments.get("sortKey", ""), ("processed_at", "id")
    )
    return Connection(
        "Order",
        f"SELECT * FROM orders WHERE shop = ? AND deleted_at IS NULL{clause}{window}",
        (c.shop, *params, *more),
        key,
    )


def _products(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Connection:
    clause, params = where(arguments.get("query"))
    key = ("updated_at", "id") if arguments.get("sortKey") == "UPDATED_AT" else ("id",)
    return Connection(
        "Product",
        f"SELECT * FROM products WHERE shop = ? AND deleted_at IS NULL{clause}",
        (c.shop, *params),
        key,
    )


def _items(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Connection:
    clause, params = where(arguments.get("query"))
    sql = (
        "SELECT * FROM inventory_items WHERE shop = ? AND EXISTS (SELECT 1 FROM variants v WHERE v.shop = inventory_items.shop"
        f" AND v.inventory_item_id = inventory_items.id AND v.deleted_at IS NULL){clause}"
    )
    return Connection("InventoryItem", sql, (c.shop, *params), ("id",))


def _variants(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Connection:
    clause, params = where(arguments.get("query"))
    return Connection(
        "ProductVariant",
        f"SELECT * FROM variants WHERE shop = ? AND deleted_at IS NULL{clause}",
        (c.shop, *params),
        ("id",),
    )


def _locations(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Connection:
    active = "" if arguments.get("includeInactive") else " AND is_active = 1"
    sql = f"SELECT * FROM locations WHERE shop = ? AND deleted_at IS NULL{active}"
    return Connection("Location", sql, (c.shop,), ("id",))


def _location(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node | None:
    return node(
        "Location",
        c.conn.execute(
            "SELECT * FROM locations WHERE shop = ? AND id = ? AND deleted_at IS NULL",
            (c.shop, number_of(arguments["id"])),
        ).fetchone(),
    )


def _by_id(typename: str, table: str, alive: str = "") -> Callable[..., Node | None]:
    sql = f"SELECT * FROM {table} WHERE shop = ? AND id = ?{alive}"

    def root(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node | None:
        window, more = _window(sim, c, granted) if typename == "Order" else ("", ())
        return node(
            typename,
            c.conn.execute(sql + window, (c.shop, number_of(arguments["id"]), *more)).fetchone(),
        )

    return root


def _nodes(
    sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]
) -> list[Node | None]:
    return [_node(sim, c, granted, gid) for gid in arguments["ids"]]


def _node(sim: Simulator, c: Context, granted: str, gid: str) -> Node | None:
    match = GID.match(gid)
    needed = scopes.NODE_SCOPES.get(match[1]) if match else None
    if match is None or needed is None or not scopes.grants(granted, needed):
        return None
    return BY_ID[match[1]](sim, c, granted, {"id": gid})


def _level(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node | None:
    row = c.conn.execute(
        "SELECT * FROM inventory_levels WHERE shop = ? AND id = ?",
        (c.shop, number_of(arguments["id"])),
    ).fetchone()
    return node("InventoryLevel", row)


def _bulk(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node | None:
    row = c.conn.execute(
        "SELECT * FROM bulk_operations WHERE shop = ? AND id = ?",
        (c.shop, number_of(arguments["id"])),
    ).fetchone()
    return _with_addresses(sim, node("BulkOperation", row), row)


def _with_addresses(sim: Simulator, found: Node | None, row: Any) -> Node | None:
    if found is not None:
        found |= {"url": sim.bulk.url_of(row), "partial_url": sim.bulk.partial_url_of(row)}
    return found


def _bulk_list(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Connection:
    """bulkOperations: an app finds what it lost sight of (addresses are asked for one by one)."""
    clause, params = where(arguments.get("query"))
    sql = "SELECT *, NULL AS url, NULL AS partial_url FROM bulk_operations WHERE shop = ?"
    return Connection("BulkOperation", sql + clause, (c.shop, *params), ("id",))


def _subscriptions(
    sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]
) -> Connection:
    return Connection(
        "WebhookSubscription",
        "SELECT * FROM webhook_subscriptions WHERE shop = ? AND deleted_at IS NULL",
        (c.shop,),
        ("id",),
    )


BY_ID: Final[dict[str, Callable[..., Node | None]]] = {
    "Order": _by_id("Order", "orders", " AND deleted_at IS NULL"),
    "Refund": _by_id("Refund", "refunds"),
    "Product": _by_id("Product", "products", " AND deleted_at IS NULL"),
    "ProductVariant": _by_id("ProductVariant", "variants", " AND deleted_at IS NULL"),
    "InventoryItem": _by_id(
        "InventoryItem",
        "inventory_items",
        " AND EXISTS (SELECT 1 FROM variants v WHERE v.shop = inventory_items.shop"
        " AND v.inventory_item_id = inventory_items.id AND v.deleted_at IS NULL)",
    ),
    "InventoryLevel": _level,
    "Location": _location,
}

ROOTS: Final[dict[str, Callable[..., Any]]] = {
    "catalogs": markets.catalogs,
    "priceList": markets.price_list,
    "shop": _shop,
    "shopifyqlQuery": shopifyql.query,
    "currentAppInstallation": _installation,
    "orders": _orders,
    "products": _products,
    "inventoryItems": _items,
    "productVariants": _variants,
    "locations": _locations,
    "nodes": _nodes,
    "bulkOperation": _bulk,
    "bulkOperations": _bulk_list,
    "webhookSubscriptions": _subscriptions,
    "order": BY_ID["Order"],
    "refund": BY_ID["Refund"],
    "product": BY_ID["Product"],
    "productVariant": BY_ID["ProductVariant"],
    "inventoryItem": BY_ID["InventoryItem"],
    "inventoryLevel": _level,
    "location": _location,
}
