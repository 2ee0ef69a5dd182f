"""REST-shaped webhook bodies from the store: whole, with the persons a real body has, then cut to include_fields."""

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

Row = sqlite3.Row


class _Shop:
    """What bodies need of a shop."""

    def __init__(self, conn: sqlite3.Connection, domain: str) -> None:
        self.row = conn.execute("SELECT * FROM shops WHERE domain = ?", (domain,)).fetchone()
        self.domain = domain
        self.zone = ZoneInfo(self.row["timezone"])
        self.currency = self.row["currency"]

    def local(self, stamp: str | None) -> str | None:
        """A stamp with the shop's offset, as webhooks write it."""
        if stamp is None:
            return None
        return datetime.fromisoformat(stamp).astimezone(self.zone).isoformat()

    def money_set(self, amount: str) -> dict[str, Any]:
        """Shop and presentment money (one currency)."""
        money = {"amount": amount, "currency_code": self.currency}
        return {"shop_money": money, "presentment_money": money}


def build(conn: sqlite3.Connection, domain: str, topic: str, resource_id: Any) -> dict[str, Any]:
    """The whole body of a topic about a resource."""
    shop = _Shop(conn, domain)
    family = topic.split("/", maxsplit=1)[0]
    return BUILDERS[family](conn, shop, resource_id)


def _order(conn: sqlite3.Connection, shop: _Shop, order_id: int) -> dict[str, Any]:
    row = conn.execute(
        "SELECT * FROM orders WHERE shop = ? AND id = ?", (shop.domain, order_id)
    ).fetchone()
    lines = conn.execute(
        "SELECT * FROM order_lines WHERE shop = ? AND order_id = ? ORDER BY id",
        (shop.domain, order_id),
    ).fetchall()
    refunds = conn.execute(
        "SELECT id FROM refunds INDEXED BY refunds_order WHERE shop = ? AND order_id = ? ORDER BY id",
        (shop.domain, order_id),
    ).fetchall()
    discounts = sum((Decimal(line["discount"]) for line in lines), Decimal(0))
    subtotal = (
        sum((Decimal(line["price"]) * line["current_quantity"] for line in lines), Decimal(0))
        - discounts
    )
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "name": row["name"],
        "created_at": shop.local(row["created_at"]),
        "processed_at": shop.local(row["processed_at"]),
        "updated_at": shop.local(row["updated_at"]),
        "cancelled_at": shop.local(row["cancelled_at"]),
        "cancel_reason": row["cancel_reason"],
        "closed_at": shop.local(row["closed_at"]),
        "test": bool(row["test"]),
        "confirmed": True,
        "currency": row["currency"],
        "presentment_currency": row["currency"],
        "taxes_included": bool(shop.row["taxes_included"]),
        "financial_status": row["financial_status"],
        "fulfillment_status": row["fulfillment_status"],
        "source_name": row["source_name"],
        "location_id": None,
        "tags": row["tags"],
        "total_discounts": str(discounts),
        "current_subtotal_price": str(subtotal),
        "current_total_price": str(subtotal),
        "discount_applications": [
            {"target_type": "line_item", "type": "manual", "value_type": "fixed_amount"}
        ]
        if discounts
        else [],
        "email": row["customer_email"],
        "contact_email": row["customer_email"],
        "phone": "+447700900123",
        "note": "please ring the bell",
        "browser_ip": "203.0.113.7",
        "customer": {
            "id": row["customer_id"],
            "email": row["customer_email"],
            "first_name": "Sam",
            "last_name": "Shopper",
        },
        "shipping_address": {
            "first_name": "Sam",
            "last_name": "Shopper",
            "address1": "1 High Street",
            "zip": "AB1 2CD",
        },
        "line_items": [_line(shop, line) for line in lines],
        "refunds": [_refund(conn, shop, refund["id"]) for refund in refunds],
    }


def _line(shop: _Shop, line: Row) -> dict[str, Any]:
    allocations = [
        {
            "amount": line["discount"],
            "amount_set": shop.money_set(line["discount"]),
            "discount_application_index": 0,
        }
    ]
    taxes = [
        {
            "price": line["tax"],
            "price_set": shop.money_set(line["tax"]),
            "rate": 0.2,
            "title": "VAT",
            "channel_liable": False,
        }
    ]
    return {
        "id": line["id"],
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line['id']}",
        "product_id": line["product_id"],
        "variant_id": line["variant_id"],
        "title": line["title"],
        "variant_title": line["variant_title"],
        "sku": line["sku"],
        "vendor": line["vendor"],
        "quantity": line["quantity"],
        "current_quantity": line["current_quantity"],
        "price": line["price"],
        "price_set": shop.money_set(line["price"]),
        "gift_card": bool(line["gift_card"]),
        "taxable": bool(line["taxable"]),
        "requires_shipping": bool(line["requires_shipping"]),
        "total_discount": "0.00",
        "tax_lines": taxes if Decimal(line["tax"]) else [],
        "discount_allocations": allocations if Decimal(line["discount"]) else [],
        "properties": [{"name": "Engraving", "value": "For Sam"}],
    }


def _refund(conn: sqlite3.Connection, shop: _Shop, refund_id: int) -> dict[str, Any]:
    row = conn.execute(
        "SELECT * FROM refunds WHERE shop = ? AND id = ?", (shop.domain, refund_id)
    ).fetchone()
    lines = conn.execute(
        "SELECT * FROM refund_lines WHERE shop = ? AND refund_id = ? ORDER BY id",
        (shop.domain, refund_id),
    ).fetchall()
    return {
        "id": refund_id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
        "order_id": row["order_id"],
        "created_at": shop.local(row["created_at"]),
        "processed_at": shop.local(row["processed_at"]),
        "note": "Sam says it is too small",
        "restock": any(line["restock_type"] != "no_restock" for line in lines),
        "transactions": [],
        "refund_line_items": [
            {
                "id": line["id"],
                "line_item_id": line["line_item_id"],
                "quantity": line["quantity"],
                "location_id": line["location_id"],
                "restock_type": line["restock_type"],
                "subtotal": float(line["subtotal"]),
                "total_tax": float(line["tax"]),
                "subtotal_set": shop.money_set(line["subtotal"]),
                "total_tax_set": shop.money_set(line["tax"]),
            }
            for line in lines
        ],
    }


def _product(conn: sqlite3.Connection, shop: _Shop, product_id: int) -> dict[str, Any]:
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


def _variant(shop: _Shop, row: Row) -> dict[str, Any]:
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


def _level(conn: sqlite3.Connection, shop: _Shop, key: tuple[int, int]) -> dict[str, Any]:
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


def _item(conn: sqlite3.Connection, shop: _Shop, item_id: int) -> dict[str, Any]:
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


def _location(conn: sqlite3.Connection, shop: _Shop, location_id: int) -> dict[str, Any]:
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


def _shop(_: sqlite3.Connection, shop: _Shop, __: Any) -> dict[str, Any]:
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


BUILDERS: Final[dict[str, Callable[[sqlite3.Connection, _Shop, Any], dict[str, Any]]]] = {
    "orders": _order,
    "refunds": _refund,
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
