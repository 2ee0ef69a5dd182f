"""Stock (tables `inventory_items`, `locations`, `inventory_levels`, `inventory_history`).

Every query names its shop; late news loses, and a tombstone gives way only to news from after the deletion.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, Cursor
from shopify_app.domain.product import InventoryItem, InventoryLevel, Location


def held_item(
    conn: Connection, shop_id: int, item_id: int
) -> tuple[InventoryItem, datetime | None] | None:
    """The item as we hold it, locked, and when it was deleted; None if we do not hold it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, is_tracked, unit_cost, updated_at, requires_shipping, deleted_at FROM inventory_items
             WHERE shop_id = %(shop_id)s AND id = %(id)s FOR UPDATE
            """,
            {"shop_id": shop_id, "id": item_id},
        )
        row = cur.fetchone()
        return row and (InventoryItem(*row[:5]), row[5])


def upsert_items(conn: Connection, shop_id: int, items: Sequence[InventoryItem]) -> int:
    """Apply items; how many were taken."""
    if not items:
        return 0
    with conn.cursor() as cur:
        taken = execute_values(
            cur,
            """
            INSERT INTO inventory_items AS i (shop_id, id, is_tracked, unit_cost, updated_at, requires_shipping) VALUES %s
                ON CONFLICT (shop_id, id) DO UPDATE
               SET is_tracked = excluded.is_tracked, unit_cost = excluded.unit_cost, updated_at = excluded.updated_at,
                   requires_shipping = coalesce(excluded.requires_shipping, i.requires_shipping), deleted_at = NULL
             WHERE i.updated_at <= excluded.updated_at AND (i.deleted_at IS NULL OR i.deleted_at < excluded.updated_at)
            RETURNING id
            """,
            [
                (shop_id, i.id, i.is_tracked, i.unit_cost, i.updated_at, i.requires_shipping)
                for i in items
            ],
            page_size=1_000,
            fetch=True,
        )
    return len(taken)


def add_unknown_items(conn: Connection, shop_id: int, tracked: Mapping[int, bool]) -> None:
    """Make room for items that only a product's body told of: any real news of them is later."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO inventory_items (shop_id, id, is_tracked, updated_at) VALUES %s ON CONFLICT DO NOTHING
            """,
            [(shop_id, item_id, is_tracked) for item_id, is_tracked in tracked.items()],
            template="(%s, %s, %s, 'epoch')",
        )


def bury_item(conn: Connection, shop_id: int, item_id: int, *, at: datetime) -> bool:
    """Leave a tombstone for a deleted item; False if it was seen later."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO inventory_items (shop_id, id, updated_at, deleted_at) VALUES (%(shop_id)s, %(id)s, %(at)s, %(at)s)
                ON CONFLICT (shop_id, id) DO UPDATE SET deleted_at = excluded.deleted_at
             WHERE greatest(inventory_items.updated_at, inventory_items.deleted_at) <= excluded.deleted_at
            """,
            {"shop_id": shop_id, "id": item_id, "at": at},
        )
        return cur.rowcount == 1


def held_location(
    conn: Connection, shop_id: int, location_id: int
) -> tuple[Location, datetime | None] | None:
    """The location as we hold it, locked, and when it was deleted; None if we do not hold it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, name, is_active, updated_at, deleted_at FROM locations
             WHERE shop_id = %(shop_id)s AND id = %(id)s FOR UPDATE
            """,
            {"shop_id": shop_id, "id": location_id},
        )
        row = cur.fetchone()
        return row and (Location(*row[:4]), row[4])


def upsert_locations(conn: Connection, shop_id: int, locations: Sequence[Location]) -> int:
    """Apply locations; how many were taken. One that is closed holds no stock from then on."""
    if not locations:
        return 0
    with conn.cursor() as cur:
        taken = execute_values(
            cur,
            """
            INSERT INTO locations AS l (shop_id, id, name, is_active, updated_at) VALUES %s
                ON CONFLICT (shop_id, id) DO UPDATE
               SET name = excluded.name, is_active = excluded.is_active, updated_at = excluded.updated_at, deleted_at = NULL
             WHERE l.updated_at <= excluded.updated_at AND (l.deleted_at IS NULL OR l.deleted_at < excluded.updated_at)
            RETURNING id
            """,
            [
                (shop_id, place.id, place.name, place.is_active, place.updated_at)
                for place in locations
            ],
            fetch=True,
        )
        ids = [int(row[0]) for row in taken]
        _empty_closed(cur, shop_id, [place for place in locations if place.id in ids])
    return len(taken)


def _empty_closed(cur: Cursor, shop_id: int, locations: Sequence[Location]) -> None:
    """Levels of closed locations are no stock; their stamps stay, so that the levels of one that opens again are taken."""
    for place in locations:
        if not place.is_active:
            cur.execute(
                """
                WITH emptied AS (
                    UPDATE inventory_levels SET is_active = false
                     WHERE shop_id = %(shop_id)s AND location_id = %(id)s AND is_active
                    RETURNING inventory_item_id, updated_at)
                INSERT INTO inventory_history (shop_id, inventory_item_id, location_id, changed_at, available_units)
                SELECT %(shop_id)s, inventory_item_id, %(id)s, greatest(updated_at, %(at)s), 0 FROM emptied
                    ON CONFLICT (shop_id, inventory_item_id, location_id, changed_at) DO UPDATE SET available_units = 0
                """,
                {"shop_id": shop_id, "id": place.id, "at": place.updated_at},
            )


def restock_location(
    conn: Connection, shop_id: int, place: Location, levels: Sequence[InventoryLevel]
) -> int:
    """Apply every level of a location that is open; how many differed. What the whole list does not name is not stocked there.

    Its stock counts again from when it opened, which may be later than its levels last changed.
    """
    listed = [level.inventory_item_id for level in levels]
    with conn.cursor() as cur:
        cur.execute(
            """
            WITH gone AS (
                UPDATE inventory_levels SET is_active = false
                 WHERE shop_id = %(shop_id)s AND location_id = %(id)s AND is_active AND updated_at < %(at)s
                   AND NOT inventory_item_id = ANY (%(listed)s)
                RETURNING inventory_item_id)
            INSERT INTO inventory_history (shop_id, inventory_item_id, location_id, changed_at, available_units)
            SELECT %(shop_id)s, inventory_item_id, %(id)s, %(at)s, 0 FROM gone
                ON CONFLICT (shop_id, inventory_item_id, location_id, changed_at) DO UPDATE SET available_units = 0
            """,
            {"shop_id": shop_id, "id": place.id, "at": place.updated_at, "listed": listed},
        )
        gone = cur.rowcount
        changed = upsert_levels(conn, shop_id, levels)
        execute_values(
            cur,
            """
            INSERT INTO inventory_history (shop_id, inventory_item_id, location_id, changed_at, available_units) VALUES %s
                ON CONFLICT DO NOTHING
            """,
            [
                (shop_id, one.inventory_item_id, place.id, place.updated_at, one.available_units)
                for one in levels
                if one.is_active and one.updated_at < place.updated_at
            ],
        )
    return gone + changed


def bury_location(conn: Connection, shop_id: int, location_id: int, *, at: datetime) -> bool:
    """Leave a tombstone for a deleted location; its stock counts no more. False if it was seen later.

    What is said later of its stock as of before counts no more either: its levels bear the deletion's moment.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO locations (shop_id, id, name, is_active, updated_at, deleted_at)
            VALUES (%(shop_id)s, %(id)s, '', false, %(at)s, %(at)s)
                ON CONFLICT (shop_id, id) DO UPDATE SET deleted_at = excluded.deleted_at, is_active = false
             WHERE greatest(locations.updated_at, locations.deleted_at) <= excluded.deleted_at
            """,
            {"shop_id": shop_id, "id": location_id, "at": at},
        )
        if cur.rowcount == 0:
            return False
        _empty_closed(cur, shop_id, [Location(location_id, "", is_active=False, updated_at=at)])
        cur.execute(
            """
            UPDATE inventory_levels SET updated_at = %(at)s
             WHERE shop_id = %(shop_id)s AND location_id = %(id)s AND updated_at <= %(at)s
            """,
            {"shop_id": shop_id, "id": location_id, "at": at},
        )
    return True


def closed(conn: Connection, shop_id: int, location_ids: Collection[int]) -> set[int]:
    """Which of these locations are closed or deleted."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id FROM locations
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND (NOT is_active OR deleted_at IS NOT NULL)
            """,
            {"shop_id": shop_id, "ids": list(location_ids)},
        )
        return {int(row[0]) for row in cur.fetchall()}


def upsert_levels(conn: Connection, shop_id: int, levels: Sequence[InventoryLevel]) -> int:
    """Apply levels and keep their history; how many changed what we knew.

    A level may stand several times in a batch: the newest is what is there, all are history. None is stock while its location is closed.
    """
    if not levels:
        return 0
    shut = closed(conn, shop_id, {level.location_id for level in levels})
    open_ones = [
        replace(level, is_active=level.is_active and level.location_id not in shut)
        for level in levels
    ]
    in_time = sorted(open_ones, key=lambda level: level.updated_at)
    newest = {level.key: level for level in in_time}
    moments = {(level.key, level.updated_at): level for level in in_time}
    with conn.cursor() as cur:
        # -1 stands for "this road does not say what is incoming" until the row is settled
        taken = execute_values(
            cur,
            """
            INSERT INTO inventory_levels AS l (shop_id, inventory_item_id, location_id, available_units, incoming_units,
                                               is_active, updated_at) VALUES %s
                ON CONFLICT (shop_id, inventory_item_id, location_id) DO UPDATE
               SET available_units = excluded.available_units,
                   incoming_units = CASE WHEN excluded.incoming_units < 0 THEN l.incoming_units ELSE excluded.incoming_units END,
                   is_active = excluded.is_active, updated_at = excluded.updated_at
             WHERE l.updated_at <= excluded.updated_at
            RETURNING inventory_item_id, location_id
            """,
            [
                (
                    shop_id,
                    level.inventory_item_id,
                    level.location_id,
                    level.available_units,
                    -1 if level.incoming_units is None else level.incoming_units,
                    level.is_active,
                    level.updated_at,
                )
                for level in newest.values()
            ],
            page_size=1_000,
            fetch=True,
        )
        cur.execute(
            """
            UPDATE inventory_levels SET incoming_units = 0
             WHERE shop_id = %(shop_id)s AND inventory_item_id = ANY (%(items)s) AND incoming_units < 0
            """,
            {"shop_id": shop_id, "items": [level.inventory_item_id for level in newest.values()]},
        )
        execute_values(
            cur,
            """
            INSERT INTO inventory_history (shop_id, inventory_item_id, location_id, changed_at, available_units) VALUES %s
                ON CONFLICT (shop_id, inventory_item_id, location_id, changed_at) DO UPDATE
               SET available_units = excluded.available_units
            """,
            [
                (
                    shop_id,
                    level.inventory_item_id,
                    level.location_id,
                    level.updated_at,
                    level.available_units if level.is_active else 0,
                )
                for level in moments.values()
            ],
            page_size=1_000,
        )
    return len(taken)


def disconnect(
    conn: Connection, shop_id: int, item_id: int, location_id: int, *, at: datetime
) -> None:
    """An item is no longer stocked at a location."""
    level = InventoryLevel(item_id, location_id, 0, 0, is_active=False, updated_at=at)
    upsert_levels(conn, shop_id, [level])
