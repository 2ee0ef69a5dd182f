"""The merchant's acts on places and shelves: a location closes and opens, a product is made, hidden, an order is deleted."""

import sqlite3
from datetime import datetime

from simulator.store import Store, iso
from simulator.webhooks import events
from simulator.world.merchant import one, set_available


def close_location(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    location_id: int,
    destination_id: int,
    *,
    at: datetime,
) -> None:
    """Deactivate a location; what lay there lies at another from then on, and its levels are gone."""
    for level in conn.execute(
        "SELECT * FROM inventory_levels WHERE shop = ? AND location_id = ? AND is_active = 1",
        (shop, location_id),
    ).fetchall():
        _move(conn, store, shop, level, destination_id, at=at)
    conn.execute(
        "UPDATE inventory_levels SET is_active = 0, available = 0 WHERE shop = ? AND location_id = ?",
        (shop, location_id),
    )
    _set_active(conn, shop, location_id, active=False, at=at)
    events.record(conn, store, shop, "locations/deactivate", location_id)


def _move(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    level: sqlite3.Row,
    destination_id: int,
    *,
    at: datetime,
) -> None:
    """What lay there lies at the destination, where the item is stocked from now on if it was not."""
    item_id = level["inventory_item_id"]
    there = conn.execute(
        "SELECT available FROM inventory_levels WHERE shop = ? AND inventory_item_id = ? AND location_id = ?",
        (shop, item_id, destination_id),
    ).fetchone()
    if there is None:
        conn.execute(
            "INSERT INTO inventory_levels (shop, id, inventory_item_id, location_id, available, updated_at) VALUES (?, ?, ?, ?, 0, ?)",
            (shop, store.draw_ids(conn, shop), item_id, destination_id, iso(at)),
        )
    units = (there["available"] if there else 0) + level["available"]
    set_available(conn, store, shop, item_id, destination_id, units, at=at)


def open_location(
    conn: sqlite3.Connection, store: Store, shop: str, location_id: int, *, at: datetime
) -> None:
    """Activate a location again; every item is stocked there, with nothing on the shelf yet."""
    _set_active(conn, shop, location_id, active=True, at=at)
    conn.execute(
        "UPDATE inventory_levels SET is_active = 1 WHERE shop = ? AND location_id = ?",
        (shop, location_id),
    )
    events.record(conn, store, shop, "locations/activate", location_id)


def _set_active(
    conn: sqlite3.Connection, shop: str, location_id: int, *, active: bool, at: datetime
) -> None:
    one(conn, "SELECT 1 FROM locations WHERE shop = ? AND id = ?", shop, location_id)
    conn.execute(
        "UPDATE locations SET is_active = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (int(active), iso(at), shop, location_id),
    )


def add_product(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    title: str,
    price: str,
    *,
    at: datetime,
) -> int:
    """Make a product of one variant, with nothing in stock; its id."""
    product_id, variant_id, item_id = (store.draw_ids(conn, shop) for _ in range(3))
    stamp = iso(at)
    conn.execute(
        "INSERT INTO products (shop, id, title, handle, created_at, updated_at, published_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (shop, product_id, title, f"product-{product_id}", stamp, stamp, stamp),
    )
    conn.execute(
        "INSERT INTO inventory_items (shop, id, created_at, updated_at) VALUES (?, ?, ?, ?)",
        (shop, item_id, stamp, stamp),
    )
    conn.execute(
        "INSERT INTO variants (shop, id, product_id, inventory_item_id, title, position, price, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, 'Default Title', 1, ?, ?, ?)",
        (shop, variant_id, product_id, item_id, price, stamp, stamp),
    )
    events.record(conn, store, shop, "products/create", product_id)
    return product_id


def set_status(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    product_id: int,
    status: str,
    *,
    at: datetime,
) -> None:
    """Show, hide, unlist or archive a product."""
    one(conn, "SELECT 1 FROM products WHERE shop = ? AND id = ?", shop, product_id)
    conn.execute(
        "UPDATE products SET status = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (status, iso(at), shop, product_id),
    )
    events.record(conn, store, shop, "products/update", product_id)


def delete_order(
    conn: sqlite3.Connection, store: Store, shop: str, order_id: int, *, at: datetime
) -> None:
    """Delete an order: it is in no report any more."""
    one(conn, "SELECT 1 FROM orders WHERE shop = ? AND id = ?", shop, order_id)
    conn.execute(
        "UPDATE orders SET deleted_at = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), iso(at), shop, order_id),
    )
    events.record(conn, store, shop, "orders/delete", order_id, payload={"id": order_id})
