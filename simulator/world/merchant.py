"""What people do in a shop: prices, costs, products. Orders, refunds and stock have rooms of their own and are named here.

Each function works in the caller's transaction and tells the app through `events.record`.
"""

import sqlite3
from datetime import datetime

from simulator.store import Store, iso
from simulator.webhooks import events
from simulator.world.edits import add_line, change_line, edit_order
from simulator.world.orders import Charge, Item, Terms, delete_order, place_order, set_payment
from simulator.world.refunds import cancel_order, refund_order
from simulator.world.returns import (
    approve_return,
    decline_return,
    exchange,
    process_return,
    request_return,
)
from simulator.world.rows import NotThereError, one
from simulator.world.stock import deactivate_location, delete_location, move_stock, set_available

__all__ = [
    "Charge",
    "Item",
    "NotThereError",
    "Terms",
    "add_line",
    "approve_return",
    "cancel_order",
    "change_line",
    "deactivate_location",
    "decline_return",
    "delete_location",
    "delete_order",
    "delete_product",
    "edit_order",
    "exchange",
    "move_stock",
    "one",
    "place_order",
    "process_return",
    "refund_order",
    "request_return",
    "set_available",
    "set_cost",
    "set_payment",
    "set_price",
    "set_status",
]

PRODUCT_STATUSES = ("ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED")


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


def set_status(
    conn: sqlite3.Connection, store: Store, shop: str, product_id: int, status: str, *, at: datetime
) -> None:
    """Offer a product, hide it, or sell it to those alone who know its address (UNLISTED)."""
    if status.upper() not in PRODUCT_STATUSES:
        raise ValueError(f"no such status: {status}")
    one(
        conn,
        "SELECT 1 FROM products WHERE shop = ? AND id = ? AND deleted_at IS NULL",
        shop,
        product_id,
    )
    conn.execute(
        "UPDATE products SET status = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (status.upper(), iso(at), shop, product_id),
    )
    events.record(conn, store, shop, "products/update", product_id)
