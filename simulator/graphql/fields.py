"""What each field of the schema is here: one table for single queries and for bulk.

A node is a dict with `__typename` and the columns of its row. RESOLVERS[type][field] takes
(context, node, arguments) and gives a scalar, a node, a list of nodes or a `Connection`. A field that is
in no table is refused by name, never answered with a silent null.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from simulator.graphql.search import where
from simulator.minor_units import smallest

Node = dict[str, Any]
Arguments = Mapping[str, Any]


@dataclass(slots=True)
class Context:
    """Whose data, under which grant."""

    conn: sqlite3.Connection
    shop: str
    currency: str


Resolver = Callable[[Context, Node, Arguments], Any]


@dataclass(slots=True)
class Connection:
    """Rows of a connection: an SQL text with its parameters, the node's type, and how rows are ordered.

    `key` are the columns of the order, of which a cursor is made: together they must be unique.
    """

    typename: str
    sql: str
    params: tuple[Any, ...]
    key: tuple[str, ...]


def node(typename: str, row: sqlite3.Row | None) -> Node | None:
    """A row as a node."""
    return None if row is None else {"__typename": typename, **dict(row)}


def gid(kind: str, column: str = "id") -> Resolver:
    """A gid from a column."""
    return lambda _, n, __: f"gid://shopify/{kind}/{n[column]}"


def col(column: str) -> Resolver:
    """A column as it is."""
    return lambda _, n, __: n[column]


def flag(column: str) -> Resolver:
    """A column as a boolean."""
    return lambda _, n, __: bool(n[column])


def const(value: Any) -> Resolver:
    """The same for every node."""
    return lambda _, __, ___: value


@lru_cache(maxsize=65_536)
def amount(text: str | None) -> str:
    """A Decimal as MoneyV2 writes it: 10.0, 664.95."""
    value = f"{Decimal(text or '0'):f}"
    whole, _, cents = value.partition(".")
    return f"{whole}.{cents.rstrip('0') or '0'}"


def money_bag(text: str | None, currency: str) -> Node:
    """Shop and presentment money."""
    money = {"__typename": "MoneyV2", "amount": amount(text), "currencyCode": currency}
    return {"__typename": "MoneyBag", "shopMoney": money, "presentmentMoney": money}


def bag(column: str) -> Resolver:
    """A column as a MoneyBag."""
    return lambda c, n, _: money_bag(n[column], c.currency)


def row_of(typename: str, table: str, column: str) -> Resolver:
    """The node that a column points to, or null."""
    query = f"SELECT * FROM {table} WHERE shop = ? AND id = ?"

    def resolve(c: Context, n: Node, _: Arguments) -> Node | None:
        return (
            None
            if n[column] is None
            else node(typename, c.conn.execute(query, (c.shop, n[column])).fetchone())
        )

    return resolve


def pointer(typename: str, column: str) -> Resolver:
    """A node of which only the id is known yet; its other fields are looked up when asked."""
    return lambda _, n, __: None if n[column] is None else {"__typename": typename, "id": n[column]}


def _refunded(c: Context, n: Node, _: Arguments) -> Node:
    # CROSS: SQLite would begin with every refunded line of the shop, for each order anew.
    rows = c.conn.execute(
        "SELECT l.subtotal FROM refunds r CROSS JOIN refund_lines l ON l.shop = r.shop AND l.refund_id = r.id WHERE r.shop = ? AND r.order_id = ?",
        (c.shop, n["id"]),
    ).fetchall()
    return money_bag(str(sum((Decimal(row[0]) for row in rows), Decimal(0))), c.currency)


def _refund_total(c: Context, n: Node, _: Arguments) -> Node:
    rows = c.conn.execute(
        "SELECT subtotal FROM refund_lines WHERE shop = ? AND refund_id = ?", (c.shop, n["id"])
    ).fetchall()
    return money_bag(str(sum((Decimal(row[0]) for row in rows), Decimal(0))), c.currency)


def _subtotal(c: Context, n: Node, _: Arguments) -> Node:
    rows = c.conn.execute(
        "SELECT price, current_quantity, discount FROM order_lines WHERE shop = ? AND order_id = ?",
        (c.shop, n["id"]),
    ).fetchall()
    return money_bag(
        str(sum((Decimal(p) * q - Decimal(d) for p, q, d in rows), Decimal(0))), c.currency
    )


def _refunds(c: Context, n: Node, arguments: Arguments) -> list[Node | None]:
    rows = c.conn.execute(
        "SELECT * FROM refunds INDEXED BY refunds_order WHERE shop = ? AND order_id = ? ORDER BY id LIMIT ?",
        (c.shop, n["id"], arguments.get("first") or 250),
    )
    return [node("Refund", row) for row in rows]


def _allocations(_: Context, n: Node, __: Arguments) -> list[Node]:
    return (
        [{"__typename": "DiscountAllocation", "amount": n["discount"]}]
        if Decimal(n["discount"])
        else []
    )


def _tax_lines(_: Context, n: Node, __: Arguments) -> list[Node]:
    return [{"__typename": "TaxLine", "amount": n["tax"]}] if Decimal(n["tax"]) else []


def _unit_after_discounts(c: Context, n: Node, _: Arguments) -> Node:
    unit = Decimal(n["price"]) - (Decimal(n["discount"]) / n["quantity"] if n["quantity"] else 0)
    return money_bag(str(unit.quantize(smallest(c.currency))), c.currency)


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


def _rows(
    typename: str, table: str, where: str, column: str, key: tuple[str, ...] = ("id",)
) -> Resolver:
    """A connection of the rows whose column is this node's id."""
    sql = f"SELECT * FROM {table} WHERE shop = ? AND {column} = ?{where}"
    return lambda c, n, _: Connection(typename, sql, (c.shop, n["id"]), key)


def _tags(_: Context, n: Node, __: Arguments) -> list[str]:
    return [tag.strip() for tag in n["tags"].split(",") if tag.strip()]


def _upper(column: str) -> Resolver:
    return lambda _, n, __: n[column].upper() if n[column] else None


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
    "Order": {
        "id": gid("Order"),
        "legacyResourceId": lambda _, n, __: str(n["id"]),
        "name": col("name"),
        "createdAt": col("created_at"),
        "processedAt": col("processed_at"),
        "updatedAt": col("updated_at"),
        "cancelledAt": col("cancelled_at"),
        "cancelReason": _upper("cancel_reason"),
        "closedAt": col("closed_at"),
        "test": flag("test"),
        "edited": flag("edited"),
        "confirmed": const(True),
        "sourceName": col("source_name"),
        "currencyCode": col("currency"),
        "presentmentCurrencyCode": col("currency"),
        "taxesIncluded": const(True),
        "displayFinancialStatus": _upper("financial_status"),
        "displayFulfillmentStatus": lambda _, n, __: (
            n["fulfillment_status"] or "unfulfilled"
        ).upper(),
        "returnStatus": const("NO_RETURN"),
        "tags": _tags,
        "retailLocation": const(None),
        "currentSubtotalPriceSet": _subtotal,
        "currentTotalPriceSet": _subtotal,
        "currentTotalDiscountsSet": lambda c, n, _: money_bag("0", c.currency),
        "totalRefundedSet": _refunded,
        "refunds": _refunds,
        "lineItems": _rows("LineItem", "order_lines", "", "order_id"),
    },
    "LineItem": {
        "id": gid("LineItem"),
        "quantity": col("quantity"),
        "currentQuantity": col("current_quantity"),
        "refundableQuantity": col("current_quantity"),
        "isGiftCard": flag("gift_card"),
        "requiresShipping": flag("requires_shipping"),
        "taxable": flag("taxable"),
        "sku": col("sku"),
        "title": col("title"),
        "variantTitle": col("variant_title"),
        "vendor": col("vendor"),
        "product": pointer("Product", "product_id"),
        "variant": pointer("ProductVariant", "variant_id"),
        "originalUnitPriceSet": bag("price"),
        "discountedUnitPriceAfterAllDiscountsSet": _unit_after_discounts,
        "totalDiscountSet": lambda c, n, _: money_bag("0", c.currency),
        "discountAllocations": _allocations,
        "taxLines": _tax_lines,
    },
    "DiscountAllocation": {"allocatedAmountSet": bag("amount")},
    "TaxLine": {"priceSet": bag("amount")},
    "Refund": {
        "id": gid("Refund"),
        "legacyResourceId": lambda _, n, __: str(n["id"]),
        "createdAt": col("created_at"),
        "processedAt": col("processed_at"),
        "updatedAt": col("processed_at"),
        "totalRefundedSet": _refund_total,
        "order": row_of("Order", "orders", "order_id"),
        "refundLineItems": _rows("RefundLineItem", "refund_lines", "", "refund_id"),
        "orderAdjustments": lambda c, n, _: Connection(
            "OrderAdjustment", "SELECT 0 AS id WHERE 0", (), ("id",)
        ),
    },
    "RefundLineItem": {
        "id": gid("RefundLineItem"),
        "quantity": col("quantity"),
        "restockType": _upper("restock_type"),
        "restocked": lambda _, n, __: n["restock_type"] != "no_restock",
        "lineItem": pointer("LineItem", "line_item_id"),
        "location": pointer("Location", "location_id"),
        "subtotalSet": bag("subtotal"),
        "totalTaxSet": bag("tax"),
    },
    "Product": {
        "id": gid("Product"),
        "title": col("title"),
        "handle": col("handle"),
        "status": col("status"),
        "vendor": lambda _, n, __: n["vendor"] or "",
        "productType": lambda _, n, __: n["product_type"] or "",
        "tags": _tags,
        "isGiftCard": flag("is_gift_card"),
        "createdAt": col("created_at"),
        "updatedAt": col("updated_at"),
        "publishedAt": col("published_at"),
        "category": const(None),
        "variants": _rows(
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
        "inventoryLevels": _rows(
            "InventoryLevel", "inventory_levels", "", "inventory_item_id", ("location_id",)
        ),
        "variants": _rows(
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


def _levels_at(c: Context, n: Node, arguments: Arguments) -> Connection:
    clause, params = where(arguments.get("query"))
    return Connection(
        "InventoryLevel",
        f"SELECT * FROM inventory_levels WHERE shop = ? AND location_id = ?{clause}",
        (c.shop, n["id"], *params),
        ("updated_at", "inventory_item_id"),
    )


RESOLVERS["Location"]["inventoryLevels"] = _levels_at
