"""What stands on the shelves, and the places they are in."""

import sqlite3
from datetime import datetime

from simulator.store import Store, iso
from simulator.webhooks import events
from simulator.world.rows import one


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


def deactivate_location(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    location_id: int,
    destination_id: int,
    *,
    at: datetime,
) -> None:
    """Close a place; its stock goes to another. Of the levels left behind nothing is told: they are not active any more."""
    if destination_id == location_id:
        raise ValueError("stock cannot move to the place that is closed")
    for place in (location_id, destination_id):
        one(
            conn,
            "SELECT 1 FROM locations WHERE shop = ? AND id = ? AND is_active = 1 AND deleted_at IS NULL",
            shop,
            place,
        )
    levels = conn.execute(
        "SELECT * FROM inventory_levels WHERE shop = ? AND location_id = ? AND is_active = 1 ORDER BY inventory_item_id",
        (shop, location_id),
    ).fetchall()
    for level in levels:
        _move_level(conn, store, shop, level, destination_id, at=at)
    conn.execute(
        "UPDATE locations SET is_active = 0, updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), shop, location_id),
    )
    events.record(conn, store, shop, "locations/deactivate", location_id)


def _move_level(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    level: sqlite3.Row,
    destination_id: int,
    *,
    at: datetime,
) -> None:
    """Everything of an item goes from one place to another, which stocks it from now on."""
    key = (level["inventory_item_id"], destination_id)
    there = conn.execute(
        "SELECT * FROM inventory_levels WHERE shop = ? AND inventory_item_id = ? AND location_id = ?",
        (shop, *key),
    ).fetchone()
    if there is None:
        conn.execute(
            "INSERT INTO inventory_levels (shop, id, inventory_item_id, location_id, available, committed, is_active, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 1, ?)",
            (
                *(shop, store.draw_ids(conn, shop), *key),
                *(level["available"], level["committed"], iso(at)),
            ),
        )
        events.record(conn, store, shop, "inventory_levels/connect", key)
    else:
        conn.execute(
            "UPDATE inventory_levels SET available = available * is_active + ?, committed = committed * is_active + ?, is_active = 1,"
            " updated_at = ? WHERE shop = ? AND inventory_item_id = ? AND location_id = ?",
            (level["available"], level["committed"], iso(at), shop, *key),
        )
    conn.execute(
        "UPDATE inventory_levels SET available = 0, committed = 0, is_active = 0, updated_at = ?"
        " WHERE shop = ? AND inventory_item_id = ? AND location_id = ?",
        (iso(at), shop, level["inventory_item_id"], level["location_id"]),
    )
    events.record(conn, store, shop, "inventory_levels/update", key)


def delete_location(
    conn: sqlite3.Connection, store: Store, shop: str, location_id: int, *, at: datetime
) -> None:
    """Delete a place that was closed before."""
    row = one(
        conn,
        "SELECT is_active FROM locations WHERE shop = ? AND id = ? AND deleted_at IS NULL",
        shop,
        location_id,
    )
    if row["is_active"]:
        raise ValueError("only a closed place is deleted: deactivate it first")
    conn.execute(
        "UPDATE locations SET deleted_at = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), iso(at), shop, location_id),
    )
    events.record(conn, store, shop, "locations/delete", location_id, payload={"id": location_id})
