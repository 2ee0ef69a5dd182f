"""REST-shaped webhook bodies from the store: whole, with the persons a real body has, then cut to include_fields."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, Final

from simulator.webhooks import order_payloads
from simulator.webhooks.shop_words import ShopWords

Row = sqlite3.Row


def build(conn: sqlite3.Connection, domain: str, topic: str, resource_id: Any) -> dict[str, Any]:
    """The whole body of a topic about a resource."""
    shop = ShopWords(conn, domain)
    family = topic.split("/", maxsplit=1)[0]
    return BUILDERS[family](conn, shop, resource_id)


def _product(conn: sqlite3.Connection, shop: ShopWords, product_id: int) -> dict[str, Any]:
    row = conn.execute(
        "SELECT * FROM products WHERE shop = ? AND id = ?", (shop.domain, product_id)
    ).fetchone()
    variants = conn.execute(
        "SELECT v.*, i.tracked, (SELECT coalesce(sum(available), 0) FROM inventory_levels l WHERE l.shop = v.shop AND"
        " l.inventory_item_id = v.inventory_item_id) AS units FROM variants v JOIN inventory_items i ON i.shop = v.shop AND"
        " i.id = v.inventory_item_id WHERE v.shop = ? AND v.product_id = ? AND v.deleted_at IS NULL ORDER BY position",
        (shop.domain, product_id),
    ).fetchall()
    return {
        "id": product_id,
        "admin_graphql_api_id": f"gid://shopify/Product/{product_id}",
        "title": row["title"],
        "body_html": "",
        "vendor": row["vendor"],
        "product_type": row["product_type"],
        "handle": row["handle"],
        "status": row["status"].lower(),
        "tags": row["tags"],
        "created_at": shop.local(row["created_at"]),
        "updated_at": shop.local(row["updated_at"]),
        "published_at": shop.local(row["published_at"]),
        "image": None,
        "variants": [_variant(shop, variant) for variant in variants[:100]],
        "variant_gids": [
            {
                "admin_graphql_api_id": f"gid://shopify/ProductVariant/{v['id']}",
                "updated_at": v["updated_at"],
            }
            for v in variants
        ],
    }


def _variant(shop: ShopWords, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "product_id": row["product_id"],
        "title": row["title"],
        "price": row["price"],
        "compare_at_price": row["compare_at_price"],
        "sku": row["sku"],
        "position": row["position"],
        "inventory_policy": row["inventory_policy"].lower(),
        "inventory_management": "shopify" if row["tracked"] else None,
        "created_at": shop.local(row["created_at"]),
        "updated_at": shop.local(row["updated_at"]),
        "taxable": bool(row["taxable"]),
        "inventory_item_id": row["inventory_item_id"],
        "inventory_quantity": row["units"],
        "old_inventory_quantity": row["units"],
        "admin_graphql_api_id": f"gid://shopify/ProductVariant/{row['id']}",
    }


def _level(conn: sqlite3.Connection, shop: ShopWords, key: tuple[int, int]) -> dict[str, Any]:
    row = conn.execute(
        "SELECT * FROM inventory_levels WHERE shop = ? AND inventory_item_id = ? AND location_id = ?",
        (shop.domain, *key),
    ).fetchone()
    return {
        "inventory_item_id": key[0],
        "location_id": key[1],
        "available": row["available"],
        "updated_at": shop.local(row["updated_at"]),
        "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{row['id']}?inventory_item_id={key[0]}",
    }


def _item(conn: sqlite3.Connection, shop: ShopWords, item_id: int) -> dict[str, Any]:
    row = conn.execute(
        "SELECT * FROM inventory_items WHERE shop = ? AND id = ?", (shop.domain, item_id)
    ).fetchone()
    return {
        "id": item_id,
        "sku": row["sku"],
        "created_at": shop.local(row["created_at"]),
        "updated_at": shop.local(row["updated_at"]),
        "requires_shipping": True,
        "cost": row["unit_cost"],
        "tracked": bool(row["tracked"]),
        "admin_graphql_api_id": f"gid://shopify/InventoryItem/{item_id}",
    }


def _location(conn: sqlite3.Connection, shop: ShopWords, location_id: int) -> dict[str, Any]:
    row = conn.execute(
        "SELECT * FROM locations WHERE shop = ? AND id = ?", (shop.domain, location_id)
    ).fetchone()
    return {
        "id": location_id,
        "name": row["name"],
        "address1": "1 High Street",
        "city": "Sheffield",
        "zip": "AB1 2CD",
        "phone": "+447700900123",
        "country_code": row["country"],
        "created_at": shop.local(row["created_at"]),
        "updated_at": shop.local(row["updated_at"]),
        "legacy": False,
        "active": bool(row["is_active"]),
        "admin_graphql_api_id": f"gid://shopify/Location/{location_id}",
    }


def _shop(_: sqlite3.Connection, shop: ShopWords, __: Any) -> dict[str, Any]:
    row = shop.row
    return {
        "id": row["id"],
        "name": row["name"],
        "email": row["email"],
        "customer_email": row["email"],
        "shop_owner": "Olive Owner",
        "phone": "+447700900123",
        "address1": "1 High Street",
        "zip": "AB1 2CD",
        "domain": shop.domain,
        "myshopify_domain": shop.domain,
        "currency": row["currency"],
        "iana_timezone": row["timezone"],
        "country_code": row["country"],
        "plan_display_name": row["plan"],
        "taxes_included": bool(row["taxes_included"]),
        "updated_at": shop.local(row["updated_at"]),
    }


BUILDERS: Final[dict[str, Callable[[sqlite3.Connection, ShopWords, Any], dict[str, Any]]]] = {
    "orders": order_payloads.order,
    "refunds": order_payloads.refund,
    "products": _product,
    "inventory_levels": _level,
    "inventory_items": _item,
    "locations": _location,
    "shop": _shop,
    "app": _shop,
}


def only(body: dict[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """A body cut to include_fields; `line_items.sku` reaches into objects and lists of objects."""
    wanted: dict[str, list[str]] = {}
    for field in fields:
        head, _, rest = field.partition(".")
        wanted.setdefault(head, [])
        if rest:
            wanted[head].append(rest)
    kept: dict[str, Any] = {}
    for name, below in wanted.items():
        if name not in body:
            continue
        value = body[name]
        if below and isinstance(value, list):
            kept[name] = [only(one, below) for one in value]
        elif below and isinstance(value, dict):
            kept[name] = only(value, below)
        else:
            kept[name] = value
    return kept
