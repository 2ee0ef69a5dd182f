"""The merchant's acts on places and shelves: a location opens again, a product is made."""

import sqlite3
from datetime import datetime

from simulator.store import Store, iso
from simulator.webhooks import events
from simulator.world.merchant import one


def open_location(
    conn: sqlite3.Connection, store: Store, shop: str, location_id: int, *, at: datetime
) -> None:
    """Activate a location again; every item is stocked there, with nothing on the shelf yet."""
    one(conn, "SELECT 1 FROM locations WHERE shop = ? AND id = ?", shop, location_id)
    conn.execute(
        "UPDATE locations SET is_active = 1, updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), shop, location_id),
    )
    conn.execute(
        "UPDATE inventory_levels SET is_active = 1 WHERE shop = ? AND location_id = ?",
        (shop, location_id),
    )
    events.record(conn, store, shop, "locations/activate", location_id)


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
