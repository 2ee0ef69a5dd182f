"""What people do in a shop: prices, orders, refunds, stock. Every change of the store goes through here.

Each function works in the caller's transaction and tells the app through `events.record`.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from simulator.minor_units import smallest
from simulator.store import Store, iso
from simulator.webhooks import events


class NotThereError(LookupError):
    """The shop has no such thing."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line to be ordered."""

    variant_id: int
    quantity: int
    discount: Decimal = Decimal(0)


def set_price(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    variant_id: int,
    price: str,
    compare_at: str | None,
    *,
    actor: str,
    request_id: str | None = None,
) -> bool:
    """Change a variant's price; False if nothing changed. Logged with who did it, whoever it was."""
    row = one(
        conn,
        "SELECT * FROM variants WHERE shop = ? AND id = ? AND deleted_at IS NULL",
        shop,
        variant_id,
    )
    if (row["price"], row["compare_at_price"]) == (price, compare_at):
        return False
    now = iso(store.tick(conn, shop))
    conn.execute(
        "INSERT INTO price_writes (shop, at, variant_id, actor, before_price, before_compare_at, after_price,"
        " after_compare_at, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            shop,
            now,
            variant_id,
            actor,
            row["price"],
            row["compare_at_price"],
            price,
            compare_at,
            request_id,
        ),
    )
    conn.execute(
        "UPDATE variants SET price = ?, compare_at_price = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (price, compare_at, now, shop, variant_id),
    )
    conn.execute(
        "UPDATE products SET updated_at = ? WHERE shop = ? AND id = ?",
        (now, shop, row["product_id"]),
    )
    events.record(conn, store, shop, "products/update", row["product_id"])
    return True


def set_available(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    item_id: int,
    location_id: int,
    available: int,
    *,
    at: datetime,
) -> None:
    """Set what can be bought at a location."""
    conn.execute(
        "UPDATE inventory_levels SET available = ?, updated_at = ? WHERE shop = ? AND inventory_item_id = ? AND location_id = ?",
        (available, iso(at), shop, item_id, location_id),
    )
    events.record(conn, store, shop, "inventory_levels/update", (item_id, location_id))


def move_stock(
    conn: sqlite3.Connection, store: Store, shop: str, variant_id: int, units: int, *, at: datetime
) -> None:
    """Add units (or take them) where there is most room: taken from the fullest location first."""
    levels = conn.execute(
        "SELECT l.* FROM inventory_levels l JOIN variants v ON v.shop = l.shop AND v.inventory_item_id = l.inventory_item_id"
        " WHERE v.shop = ? AND v.id = ? AND l.is_active = 1 ORDER BY l.available DESC, l.location_id",
        (shop, variant_id),
    ).fetchall()
    for number, level in enumerate(levels):
        is_last = number == len(levels) - 1
        step = units if units > 0 or is_last else -min(max(level["available"], 0), -units)
        if step:
            set_available(
                conn,
                store,
                shop,
                level["inventory_item_id"],
                level["location_id"],
                level["available"] + step,
                at=at,
            )
        units -= step
        if units == 0:
            return


def place_order(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    items: Sequence[Item],
    *,
    at: datetime,
    customer_id: int | None = None,
    test: bool = False,
) -> int:
    """Sell items now; the order's id. Stock goes down, also below zero (the caller asks what is there)."""
    settings = one(
        conn, "SELECT currency, taxes_included, country FROM shops WHERE domain = ?", shop
    )
    unit = smallest(settings["currency"])
    order_id = store.draw_ids(conn, shop, 1 + len(items))
    number = (
        conn.execute("SELECT count(*) FROM orders WHERE shop = ?", (shop,)).fetchone()[0] + 1001
    )
    conn.execute(
        "INSERT INTO orders (shop, id, name, created_at, processed_at, updated_at, test, currency, financial_status,"
        " customer_id, customer_email) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'paid', ?, ?)",
        (
            shop,
            order_id,
            f"#{number}",
            iso(at),
            iso(at),
            iso(at),
            int(test),
            settings["currency"],
            customer_id,
            f"shopper{customer_id or order_id}@example.com",
        ),
    )
    for number, item in enumerate(items, start=1):
        variant = one(
            conn,
            "SELECT v.*, p.title AS product_title, p.vendor, p.is_gift_card FROM variants v"
            " JOIN products p ON p.shop = v.shop AND p.id = v.product_id WHERE v.shop = ? AND v.id = ?",
            shop,
            item.variant_id,
        )
        total = Decimal(variant["price"]) * item.quantity - item.discount
        tax = (
            (total / 6).quantize(unit, ROUND_HALF_UP) if settings["taxes_included"] else Decimal(0)
        )
        conn.execute(
            "INSERT INTO order_lines (shop, order_id, id, product_id, variant_id, sku, title, variant_title, vendor, quantity,"
            " current_quantity, price, discount, tax, gift_card) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                shop,
                order_id,
                order_id + number,
                variant["product_id"],
                item.variant_id,
                variant["sku"],
                variant["product_title"],
                variant["title"],
                variant["vendor"],
                item.quantity,
                item.quantity,
                variant["price"],
                str(item.discount.quantize(unit)),
                str(tax),
                variant["is_gift_card"],
            ),
        )
    events.record(conn, store, shop, "orders/create", order_id)
    for item in items:
        move_stock(conn, store, shop, item.variant_id, -item.quantity, at=at)
    return order_id


def refund_order(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    lines: Sequence[tuple[int, int]],
    *,
    restock_type: str = "return",
    at: datetime,
) -> int:
    """Give back (line id, quantity); the refund's id."""
    order = one(
        conn,
        "SELECT * FROM orders WHERE shop = ? AND id = ? AND deleted_at IS NULL",
        shop,
        order_id,
    )
    unit = smallest(order["currency"])
    refund_id = store.draw_ids(conn, shop, 1 + len(lines))
    conn.execute(
        "INSERT INTO refunds VALUES (?, ?, ?, ?, ?)", (shop, refund_id, order_id, iso(at), iso(at))
    )
    restocked: list[tuple[int, int]] = []
    for number, (line_id, wanted) in enumerate(lines, start=1):
        line = one(
            conn,
            "SELECT * FROM order_lines WHERE shop = ? AND order_id = ? AND id = ?",
            shop,
            order_id,
            line_id,
        )
        quantity = min(wanted, line["current_quantity"])
        paid = Decimal(line["price"]) * line["quantity"] - Decimal(line["discount"])
        subtotal = (
            (paid * quantity / line["quantity"]).quantize(unit, ROUND_HALF_UP)
            if line["quantity"]
            else Decimal(0)
        )
        tax = (
            (Decimal(line["tax"]) * quantity / line["quantity"]).quantize(unit, ROUND_HALF_UP)
            if line["quantity"]
            else Decimal(0)
        )
        conn.execute(
            "INSERT INTO refund_lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                shop,
                refund_id,
                refund_id + number,
                line_id,
                None,
                quantity,
                restock_type,
                str(subtotal),
                str(tax),
            ),
        )
        conn.execute(
            "UPDATE order_lines SET current_quantity = current_quantity - ? WHERE shop = ? AND order_id = ? AND id = ?",
            (quantity, shop, order_id, line_id),
        )
        if restock_type in ("return", "cancel") and line["variant_id"]:
            restocked.append((line["variant_id"], quantity))
    left = conn.execute(
        "SELECT sum(current_quantity) FROM order_lines WHERE shop = ? AND order_id = ?",
        (shop, order_id),
    ).fetchone()[0]
    conn.execute(
        "UPDATE orders SET updated_at = ?, financial_status = ? WHERE shop = ? AND id = ?",
        (iso(at), "partially_refunded" if left else "refunded", shop, order_id),
    )
    events.record(conn, store, shop, "refunds/create", refund_id)
    events.record(conn, store, shop, "orders/updated", order["id"])
    for variant_id, quantity in restocked:
        move_stock(conn, store, shop, variant_id, quantity, at=at)
    return refund_id


def cancel_order(
    conn: sqlite3.Connection, store: Store, shop: str, order_id: int, *, at: datetime
) -> None:
    """Cancel an order: everything is given back and restocked."""
    lines = conn.execute(
        "SELECT id, current_quantity FROM order_lines WHERE shop = ? AND order_id = ? AND current_quantity > 0",
        (shop, order_id),
    ).fetchall()
    conn.execute(
        "UPDATE orders SET cancelled_at = ?, cancel_reason = 'customer', updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), iso(at), shop, order_id),
    )
    refund_order(
        conn,
        store,
        shop,
        order_id,
        [(row["id"], row["current_quantity"]) for row in lines],
        restock_type="cancel",
        at=at,
    )
    events.record(conn, store, shop, "orders/cancelled", order_id)


def edit_order(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    line_id: int,
    delta: int,
    *,
    at: datetime,
) -> None:
    """Take units off a line without a refund (an order edit). The ordered quantity stays, as in Shopify."""
    line = one(
        conn,
        "SELECT * FROM order_lines WHERE shop = ? AND order_id = ? AND id = ?",
        shop,
        order_id,
        line_id,
    )
    conn.execute(
        "UPDATE order_lines SET current_quantity = ? WHERE shop = ? AND order_id = ? AND id = ?",
        (max(0, line["current_quantity"] + delta), shop, order_id, line_id),
    )
    conn.execute(
        "UPDATE orders SET edited = 1, updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), shop, order_id),
    )
    change = {"id": line_id, "delta": abs(delta)}
    edit: dict[str, Any] = {
        "id": store.draw_ids(conn, shop),
        "created_at": iso(at),
        "order_id": order_id,
        "line_items": {"additions": [], "removals": [change]},
    }
    events.record(conn, store, shop, "orders/edited", order_id, payload={"order_edit": edit})
    if line["variant_id"]:
        move_stock(conn, store, shop, line["variant_id"], -delta, at=at)


def delete_product(
    conn: sqlite3.Connection, store: Store, shop: str, product_id: int, *, at: datetime
) -> None:
    """Delete a product with its variants."""
    conn.execute(
        "UPDATE products SET deleted_at = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), iso(at), shop, product_id),
    )
    conn.execute(
        "UPDATE variants SET deleted_at = ? WHERE shop = ? AND product_id = ?",
        (iso(at), shop, product_id),
    )
    events.record(conn, store, shop, "products/delete", product_id, payload={"id": product_id})


def set_cost(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    variant_id: int,
    cost: str | None,
    *,
    at: datetime,
) -> None:
    """Set what a variant costs the shop."""
    item_id = one(
        conn, "SELECT inventory_item_id FROM variants WHERE shop = ? AND id = ?", shop, variant_id
    )["inventory_item_id"]
    conn.execute(
        "UPDATE inventory_items SET unit_cost = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (cost, iso(at), shop, item_id),
    )
    events.record(conn, store, shop, "inventory_items/update", item_id)


def one(conn: sqlite3.Connection, query: str, *params: object) -> sqlite3.Row:
    """The row; NotThereError if there is none."""
    row = conn.execute(query, params).fetchone()
    if row is None:
        raise NotThereError("the shop has no such thing")
    return row
