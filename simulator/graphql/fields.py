"""What each field of the schema is here: one table for single queries and for bulk.

RESOLVERS[type][field] takes (context, node, arguments) and gives a scalar, a node, a list of nodes or a `Connection`. A field that is
in no table is refused by name, never answered with a silent null.
"""

from typing import Any, Final

from simulator.graphql import ledger_fields, order_fields
from simulator.graphql.nodes import (
    Arguments,
    Connection,
    Context,
    Node,
    Resolver,
    amount,
    col,
    const,
    flag,
    gid,
    pointer,
    row_of,
    rows_of,
    tags,
)
from simulator.graphql.search import where


def _unit_cost(c: Context, n: Node, _: Arguments) -> Node | None:
    return (
        None
        if n["unit_cost"] is None
        else {"__typename": "MoneyV2", "amount": amount(n["unit_cost"]), "currencyCode": c.currency}
    )


def _quantities(_: Context, n: Node, arguments: Arguments) -> list[Node]:
    known = {
        "available": n["available"],
        "committed": n["committed"],
        "incoming": n["incoming"],
        "on_hand": n["available"] + n["committed"],
        "reserved": 0,
        "damaged": 0,
        "safety_stock": 0,
        "quality_control": 0,
    }
    return [
        {
            "__typename": "InventoryQuantity",
            "name": name,
            "quantity": known[name],
            "updatedAt": n["updated_at"],
        }
        for name in arguments["names"]
    ]


def _units_of_variant(c: Context, n: Node, _: Arguments) -> int:
    return int(
        c.conn.execute(
            "SELECT coalesce(sum(available), 0) FROM inventory_levels WHERE shop = ? AND inventory_item_id = ?",
            (c.shop, n["inventory_item_id"]),
        ).fetchone()[0]
    )


def _levels(
    c: Context, n: Node, arguments: Arguments, column: str, key: tuple[str, ...]
) -> Connection:
    """The levels of an item or a place; those that are not active any more on request alone."""
    clause, params = where(arguments.get("query"))
    active = "" if arguments.get("includeInactive") else " AND is_active = 1"
    sql = f"SELECT * FROM inventory_levels WHERE shop = ? AND {column} = ?{active}{clause}"
    return Connection("InventoryLevel", sql, (c.shop, n["id"], *params), key)


RESOLVERS: Final[dict[str, dict[str, Resolver]]] = {
    "Shop": {
        "id": gid("Shop"),
        "name": col("name"),
        "myshopifyDomain": col("domain"),
        "email": col("email"),
        "contactEmail": col("email"),
        "currencyCode": col("currency"),
        "ianaTimezone": col("timezone"),
        "taxesIncluded": flag("taxes_included"),
        "createdAt": col("created_at"),
        "updatedAt": col("updated_at"),
        "plan": lambda _, n, __: {
            "__typename": "ShopPlan",
            "publicDisplayName": n["plan"],
            "shopifyPlus": False,
            "partnerDevelopment": False,
        },
        "shopAddress": lambda _, n, __: {
            "__typename": "ShopAddress",
            "countryCodeV2": n["country"],
            "provinceCode": None,
        },
        "primaryDomain": lambda _, n, __: {"__typename": "Domain", "url": f"https://{n['domain']}"},
    },
    **order_fields.TABLES,
    **ledger_fields.TABLES,
    "Product": {
        "id": gid("Product"),
        "title": col("title"),
        "handle": col("handle"),
        "status": col("status"),
        "vendor": lambda _, n, __: n["vendor"] or "",
        "productType": lambda _, n, __: n["product_type"] or "",
        "tags": tags,
        "isGiftCard": flag("is_gift_card"),
        "createdAt": col("created_at"),
        "updatedAt": col("updated_at"),
        "publishedAt": col("published_at"),
        "category": const(None),
        "variants": rows_of(
            "ProductVariant",
            "variants",
            " AND deleted_at IS NULL",
            "product_id",
            ("position", "id"),
        ),
    },
    "ProductVariant": {
        "id": gid("ProductVariant"),
        "title": col("title"),
        "sku": col("sku"),
        "position": col("position"),
        "price": lambda _, n, __: n["price"] if "." in n["price"] else f"{n['price']}.00",
        "compareAtPrice": col("compare_at_price"),
        "taxable": flag("taxable"),
        "inventoryPolicy": col("inventory_policy"),
        "inventoryQuantity": _units_of_variant,
        "createdAt": col("created_at"),
        "updatedAt": col("updated_at"),
        "inventoryItem": row_of("InventoryItem", "inventory_items", "inventory_item_id"),
        "product": row_of("Product", "products", "product_id"),
    },
    "InventoryItem": {
        "id": gid("InventoryItem"),
        "sku": col("sku"),
        "tracked": flag("tracked"),
        "requiresShipping": flag("requires_shipping"),
        "unitCost": _unit_cost,
        "createdAt": col("created_at"),
        "updatedAt": col("updated_at"),
        "inventoryLevels": lambda c, n, arguments: _levels(
            c, n, arguments, "inventory_item_id", ("location_id",)
        ),
        "variants": rows_of(
            "ProductVariant", "variants", " AND deleted_at IS NULL", "inventory_item_id"
        ),
    },
    "InventoryLevel": {
        "id": lambda _, n, __: (
            f"gid://shopify/InventoryLevel/{n['id']}?inventory_item_id={n['inventory_item_id']}"
        ),
        "isActive": flag("is_active"),
        "updatedAt": col("updated_at"),
        "quantities": _quantities,
        "item": row_of("InventoryItem", "inventory_items", "inventory_item_id"),
        "location": pointer("Location", "location_id"),
    },
    "Location": {
        "id": gid("Location"),
        "name": col("name"),
        "isActive": flag("is_active"),
        "fulfillsOnlineOrders": flag("fulfills_online_orders"),
        "shipsInventory": const(True),
        "isFulfillmentService": const(False),
        "createdAt": col("created_at"),
        "updatedAt": col("updated_at"),
        "inventoryLevels": lambda c, n, arguments: _levels(
            c, n, arguments, "location_id", ("updated_at", "inventory_item_id")
        ),
        "address": lambda _, n, __: {
            "__typename": "LocationAddress",
            "countryCode": n["country"],
            "provinceCode": None,
        },
    },
    "BulkOperation": {
        "id": gid("BulkOperation"),
        "type": col("type"),
        "status": col("status"),
        "errorCode": col("error_code"),
        "createdAt": col("created_at"),
        "completedAt": col("completed_at"),
        "objectCount": lambda _, n, __: str(n["object_count"]),
        "rootObjectCount": lambda _, n, __: str(n["root_object_count"]),
        "fileSize": lambda _, n, __: None if n["file_size"] is None else str(n["file_size"]),
        "url": col("url"),
        "partialDataUrl": col("partial_url"),
    },
    "WebhookSubscription": {
        "id": gid("WebhookSubscription"),
        "topic": lambda _, n, __: n["topic"].upper().replace("/", "_"),
        "uri": col("uri"),
        "includeFields": const([]),
        "createdAt": col("created_at"),
        "updatedAt": col("created_at"),
        "format": const("JSON"),
        "filter": const(None),
        "name": const(None),
    },
}
TABLES: Final = {
    "Order": "orders",
    "Product": "products",
    "ProductVariant": "variants",
    "InventoryItem": "inventory_items",
    "Location": "locations",
    "Refund": "refunds",
    "LineItem": "order_lines",
}
"""Where the row of a pointer is."""


class NotServedError(LookupError):
    """A field of the real schema that this simulator does not serve; the message names it."""


def resolve(context: Context, source: Node, typename: str, field: str, arguments: Arguments) -> Any:
    """A field of a node."""
    table = RESOLVERS.get(typename)
    if table is None or field not in table:
        if field in source:
            return source[field]
        raise NotServedError(f"the simulator does not serve {typename}.{field}")
    if (
        len(source) == 2 and field != "id" and typename in TABLES
    ):  # a pointer: fetch the rest of it now
        row = context.conn.execute(
            f"SELECT * FROM {TABLES[typename]} WHERE shop = ? AND id = ?",
            (context.shop, source["id"]),
        ).fetchone()
        source.update(dict(row) if row else {})
    return table[field](context, source, arguments)
