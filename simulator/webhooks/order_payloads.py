"""The bodies of orders and refunds: lines, shipping, taxes at their true rates, adjustments, and totals read from the sales ledger."""

import json
import sqlite3
from decimal import Decimal
from typing import Any, Final

from simulator import sales
from simulator.webhooks.shop_words import Row, ShopWords, price, text

DISCOUNT: Final = {"target_type": "line_item", "type": "manual", "value_type": "fixed_amount"}
REASONS: Final = {
    "PENDING_REFUND_DISCREPANCY": "Pending refund discrepancy",
    "REFUND_DISCREPANCY": "Refund discrepancy",
}


def order(conn: sqlite3.Connection, shop: ShopWords, order_id: int) -> dict[str, Any]:
    """An order's whole body."""
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
    state = sales.totals(conn, shop.domain, row)
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "name": row["name"],
        **{
            name: shop.local(row[name])
            for name in ("created_at", "processed_at", "updated_at", "cancelled_at", "closed_at")
        },
        "cancel_reason": row["cancel_reason"],
        "test": bool(row["test"]),
        "confirmed": True,
        "currency": row["currency"],
        "presentment_currency": row["currency"],
        "taxes_included": sales.are_taxes_included(conn, shop.domain, row),
        "duties_included": False,
        "financial_status": row["financial_status"],
        "fulfillment_status": row["fulfillment_status"],
        "source_name": row["source_name"],
        "company": None if row["company_id"] is None else {"id": row["company_id"]},
        "location_id": None,
        "tags": row["tags"],
        **_totals(shop, state, row["currency"]),
        **_charges(conn, shop, row),
        "tax_lines": _order_taxes(conn, shop, row),
        "discount_applications": [DISCOUNT] if state.discounts else [],
        **_person(row),
        "line_items": [_line(shop, line, row["currency"]) for line in lines],
        "refunds": [refund(conn, shop, one["id"]) for one in refunds],
    }


def _totals(shop: ShopWords, state: sales.Totals, currency: str) -> dict[str, Any]:
    """An order's totals, each as a text and as a set."""
    found: dict[str, Any] = {}
    for name, units in (
        ("total_price", state.total),
        ("current_total_price", state.current),
        ("current_subtotal_price", state.current_subtotal),
        ("total_tax", state.total_tax),
        ("current_total_tax", state.current_tax),
        ("total_discounts", state.discounts),
        ("current_total_discounts", state.current_discounts),
        ("total_outstanding", state.outstanding),
    ):
        found[name] = text(units, currency)
        found[f"{name}_set"] = shop.money_set(found[name], currency)
    found["total_tip_received"] = text(state.tips, currency)
    for name, units in (
        ("current_shipping_price_set", state.shipping),
        ("current_total_duties_set", state.duties),
        ("current_total_additional_fees_set", state.additional_fees),
    ):
        is_told = units or name == "current_shipping_price_set"
        found[name] = shop.money_set(text(units, currency), currency) if is_told else None
    return found


def _charges(conn: sqlite3.Connection, shop: ShopWords, order: Row) -> dict[str, Any]:
    """Shipping lines, and what shipping costs before its discounts."""
    currency = order["currency"]
    rows = conn.execute(
        "SELECT * FROM order_charges WHERE shop = ? AND order_id = ? AND kind = 'SHIPPING' ORDER BY id",
        (shop.domain, order["id"]),
    ).fetchall()
    asked = sum((Decimal(row["price"]) for row in rows), Decimal(0))
    return {
        "total_shipping_price_set": shop.money_set(price(str(asked), currency), currency),
        "shipping_lines": [_shipping(shop, row, currency) for row in rows],
    }


def _shipping(shop: ShopWords, row: Row, currency: str) -> dict[str, Any]:
    discounted = price(str(Decimal(row["price"]) - Decimal(row["discount"])), currency)
    return {
        "id": row["id"],
        "title": row["title"],
        "code": row["title"],
        "source": "shopify",
        "is_removed": False,
        "price": price(row["price"], currency),
        "price_set": shop.money_set(price(row["price"], currency), currency),
        "discounted_price": discounted,
        "discounted_price_set": shop.money_set(discounted, currency),
        "tax_lines": _taxes(shop, json.loads(row["tax_lines"]), currency),
        "discount_allocations": _allocations(shop, row, currency),
    }


def _order_taxes(conn: sqlite3.Connection, shop: ShopWords, order: Row) -> list[dict[str, Any]]:
    """What was taxed at each rate, over lines and shipping, before returns."""
    found: dict[tuple[str, str], int] = {}
    for sale in sales.of_order(conn, shop.domain, order["id"]):
        if sale["action"] != "RETURN":
            for tax in sales.taxes_of(sale):
                key = (tax["title"], tax["rate"])
                found[key] = found.get(key, 0) + tax["amount"]
    lines = [
        {"title": title, "rate": rate, "price": text(units, order["currency"])}
        for (title, rate), units in found.items()
    ]
    return _taxes(shop, lines, order["currency"])


def _taxes(shop: ShopWords, lines: list[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    return [
        {
            "price": price(line["price"], currency),
            "price_set": shop.money_set(price(line["price"], currency), currency),
            "rate": float(line["rate"]),
            "title": line["title"],
            "channel_liable": False,
        }
        for line in lines
    ]


def _allocations(shop: ShopWords, row: Row, currency: str) -> list[dict[str, Any]]:
    if not Decimal(row["discount"]):
        return []
    amount = price(row["discount"], currency)
    return [
        {
            "amount": amount,
            "amount_set": shop.money_set(amount, currency),
            "discount_application_index": 0,
        }
    ]


def _person(row: Row) -> dict[str, Any]:
    """Who bought, and where they live: what an app must never keep."""
    return {
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
    }


def _line(shop: ShopWords, line: Row, currency: str) -> dict[str, Any]:
    body = {
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
        "price_set": shop.money_set(line["price"], currency),
        "gift_card": bool(line["gift_card"]),
        "taxable": bool(line["taxable"]),
        "requires_shipping": bool(line["requires_shipping"]),
        "total_discount": "0.00",
        "tax_lines": _taxes(
            shop, [one for one in sales.tax_lines(line) if Decimal(one["price"])], currency
        ),
        "discount_allocations": _allocations(shop, line, currency),
        "properties": [{"name": "Engraving", "value": "For Sam"}],
    }
    if line["tip"]:
        body |= {"tip_payment_gateway": "shopify_payments", "tip_payment_method": "visa"}
    return body


def refund(conn: sqlite3.Connection, shop: ShopWords, refund_id: int) -> dict[str, Any]:
    """A refund's whole body."""
    row = conn.execute(
        "SELECT r.*, o.currency FROM refunds r JOIN orders o ON o.shop = r.shop AND o.id = r.order_id"
        " WHERE r.shop = ? AND r.id = ?",
        (shop.domain, refund_id),
    ).fetchone()
    lines = conn.execute(
        "SELECT * FROM refund_lines WHERE shop = ? AND refund_id = ? ORDER BY id",
        (shop.domain, refund_id),
    ).fetchall()
    written = conn.execute(
        "SELECT s.* FROM sale s JOIN agreement a ON a.shop = s.shop AND a.order_id = s.order_id AND a.id = s.agreement_id"
        " WHERE s.shop = ? AND s.order_id = ? AND a.refund_id = ? AND s.action = 'RETURN' ORDER BY s.id",
        (shop.domain, row["order_id"], refund_id),
    ).fetchall()
    returned = row["return_id"]
    return {
        "id": refund_id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
        "order_id": row["order_id"],
        "created_at": shop.local(row["created_at"]),
        "processed_at": shop.local(row["processed_at"]),
        "note": "Sam says it is too small",
        "restock": any(line["restock_type"] != "no_restock" for line in lines),
        "return": None
        if returned is None
        else {"id": returned, "admin_graphql_api_id": f"gid://shopify/Return/{returned}"},
        "transactions": _transactions(conn, shop, row),
        "order_adjustments": [
            _adjustment(shop, row, sale) for sale in written if sale["line_type"] == "ADJUSTMENT"
        ],
        "refund_shipping_lines": _returned_shipping(conn, shop, row, written),
        "duties": [
            {"duty_id": sale["charge_id"], "amount_set": _set(shop, -sale["total"], row)}
            for sale in written
            if sale["line_type"] == "DUTY"
        ],
        "refund_line_items": [_refund_line(shop, line, row["currency"]) for line in lines],
    }


def _set(shop: ShopWords, units: int, row: Row) -> dict[str, Any]:
    return shop.money_set(text(units, row["currency"]), row["currency"])


def _adjustment(shop: ShopWords, refund: Row, sale: Row) -> dict[str, Any]:
    """What went back beside the lines' worth: below zero where it is more (goodwill), above where it is less or still to come."""
    without = sale["total"] - sale["tax"]
    return {
        "id": sale["id"],
        "order_id": refund["order_id"],
        "refund_id": refund["id"],
        "kind": "refund_discrepancy",
        "reason": REASONS[sale["note"]],
        "amount": text(without, refund["currency"]),
        "tax_amount": text(sale["tax"], refund["currency"]),
        "amount_set": _set(shop, without, refund),
        "tax_amount_set": _set(shop, sale["tax"], refund),
    }


def _returned_shipping(
    conn: sqlite3.Connection, shop: ShopWords, refund: Row, written: list[Row]
) -> list[dict[str, Any]]:
    order = conn.execute(
        "SELECT * FROM orders WHERE shop = ? AND id = ?", (shop.domain, refund["order_id"])
    ).fetchone()
    included = sales.are_taxes_included(conn, shop.domain, order)
    return [
        {
            "id": sale["id"],
            "shipping_line": {"id": sale["charge_id"]},
            "subtotal_amount_set": _set(
                shop, -sale["total"] + (0 if included else sale["tax"]), refund
            ),
            "tax_amount_set": _set(shop, -sale["tax"], refund),
        }
        for sale in written
        if sale["line_type"] == "SHIPPING"
    ]


def _transactions(conn: sqlite3.Connection, shop: ShopWords, row: Row) -> list[dict[str, Any]]:
    """The money that went back; none where it is still to come."""
    units = sales.refund_amount(conn, shop.domain, row)
    if not units:
        return []
    return [
        {
            "id": row["id"],
            "order_id": row["order_id"],
            "kind": "refund",
            "status": "success",
            "gateway": "shopify_payments",
            "amount": text(units, row["currency"]),
            "currency": row["currency"],
            "processed_at": shop.local(row["processed_at"]),
        }
    ]


def _refund_line(shop: ShopWords, line: Row, currency: str) -> dict[str, Any]:
    return {
        "id": line["id"],
        "line_item_id": line["line_item_id"],
        "quantity": line["quantity"],
        "location_id": line["location_id"],
        "restock_type": line["restock_type"],
        "subtotal": float(line["subtotal"]),
        "total_tax": float(line["tax"]),
        "subtotal_set": shop.money_set(line["subtotal"], currency),
        "total_tax_set": shop.money_set(line["tax"], currency),
    }
