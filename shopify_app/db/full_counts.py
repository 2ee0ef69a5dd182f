"""The full count under way (table `full_counts`, a row a shop), and what we hold that its list does not name. Every query names its shop."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shopify_app.db.connection import Connection, row_as
from shopify_app.db.inventory import disconnect

STEPS: Final = ("products", "inventory", "orders")


@dataclass(frozen=True, slots=True)
class FullCount:
    """A row."""

    install_epoch: int
    step: str
    bulk_operation_id: int | None
    checked_rows: int
    healed_rows: int
    buried_rows: int
    left_rows: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What a step of a count found: rows looked at, mended, buried, and differences that stay."""

    checked: int = 0
    healed: int = 0
    buried: int = 0
    left: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.checked + other.checked,
            self.healed + other.healed,
            self.buried + other.buried,
            self.left + other.left,
        )


def under_way(conn: Connection, shop_id: int) -> FullCount | None:
    """The shop's count; None if none is under way."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT install_epoch, step, bulk_operation_id, checked_rows, healed_rows, buried_rows, left_rows
              FROM full_counts WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id},
        )
        return row_as(FullCount, cur)


def begin(conn: Connection, shop_id: int, *, install_epoch: int) -> None:
    """Count anew, from the first step on."""
    end(conn, shop_id)
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO full_counts (shop_id, install_epoch, step) VALUES (%(shop_id)s, %(epoch)s, %(step)s)
            """,
            {"shop_id": shop_id, "epoch": install_epoch, "step": STEPS[0]},
        )


def note_operation(conn: Connection, shop_id: int, operation_id: int | None) -> None:
    """Which bulk operation the step waits for; None: a fresh one is to be started."""
    with conn.cursor() as cur:
        cur.execute(
            "UPDATE full_counts SET bulk_operation_id = %(id)s WHERE shop_id = %(shop_id)s",
            {"shop_id": shop_id, "id": operation_id},
        )


def go_on(conn: Connection, shop_id: int, step: str, found: Tally) -> None:
    """A step is counted; the next one is `step`."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE full_counts
               SET step = %(step)s, bulk_operation_id = NULL, checked_rows = checked_rows + %(checked)s,
                   healed_rows = healed_rows + %(healed)s, buried_rows = buried_rows + %(buried)s,
                   left_rows = left_rows + %(left)s
             WHERE shop_id = %(shop_id)s
            """,
            {
                "shop_id": shop_id,
                "step": step,
                "checked": found.checked,
                "healed": found.healed,
                "buried": found.buried,
                "left": found.left,
            },
        )


def end(conn: Connection, shop_id: int) -> None:
    """The count is over."""
    with conn.cursor() as cur:
        cur.execute("DELETE FROM full_counts WHERE shop_id = %(shop_id)s", {"shop_id": shop_id})


def unlisted_products(
    conn: Connection, shop_id: int, listed: Collection[int], *, before: datetime
) -> list[int]:
    """Products not named, of which we know nothing from that moment on."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id FROM products
             WHERE shop_id = %(shop_id)s AND deleted_at IS NULL AND updated_at < %(before)s AND NOT id = ANY (%(listed)s)
             ORDER BY id
            """,
            {"shop_id": shop_id, "listed": list(listed), "before": before},
        )
        return [int(row[0]) for row in cur.fetchall()]


def unlisted_variants(
    conn: Connection, shop_id: int, listed: Collection[int], *, before: datetime
) -> list[int]:
    """The same of variants; those of a product that changed since then are left alone."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT v.id FROM variants v JOIN products p ON p.shop_id = v.shop_id AND p.id = v.product_id
             WHERE v.shop_id = %(shop_id)s AND v.deleted_at IS NULL AND p.deleted_at IS NULL
               AND greatest(v.updated_at, p.updated_at) < %(before)s AND NOT v.id = ANY (%(listed)s)
             ORDER BY v.id
            """,
            {"shop_id": shop_id, "listed": list(listed), "before": before},
        )
        return [int(row[0]) for row in cur.fetchall()]


def unlisted_items(
    conn: Connection, shop_id: int, listed: Collection[int], *, before: datetime
) -> list[int]:
    """The same of inventory items."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id FROM inventory_items
             WHERE shop_id = %(shop_id)s AND deleted_at IS NULL AND updated_at < %(before)s AND NOT id = ANY (%(listed)s)
             ORDER BY id
            """,
            {"shop_id": shop_id, "listed": list(listed), "before": before},
        )
        return [int(row[0]) for row in cur.fetchall()]


def unlisted_locations(
    conn: Connection, shop_id: int, listed: Collection[int], *, before: datetime
) -> list[int]:
    """The same of locations."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id FROM locations
             WHERE shop_id = %(shop_id)s AND deleted_at IS NULL AND updated_at < %(before)s AND NOT id = ANY (%(listed)s)
             ORDER BY id
            """,
            {"shop_id": shop_id, "listed": list(listed), "before": before},
        )
        return [int(row[0]) for row in cur.fetchall()]


def unlisted_orders(
    conn: Connection, shop_id: int, listed: Collection[int], *, before: datetime
) -> list[int]:
    """The same of orders."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id FROM orders
             WHERE shop_id = %(shop_id)s AND deleted_at IS NULL AND updated_at < %(before)s AND NOT id = ANY (%(listed)s)
             ORDER BY id
            """,
            {"shop_id": shop_id, "listed": list(listed), "before": before},
        )
        return [int(row[0]) for row in cur.fetchall()]


def oldest_order(conn: Connection, shop_id: int) -> datetime | None:
    """When the oldest order that we hold was placed."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT min(coalesce(created_at, processed_at)) FROM orders
             WHERE shop_id = %(shop_id)s AND deleted_at IS NULL
            """,
            {"shop_id": shop_id},
        )
        row = cur.fetchone()
    return row[0] if row else None


def take_off_unlisted_levels(
    conn: Connection,
    shop_id: int,
    items: Sequence[int],
    listed: Collection[tuple[int, int]],
    *,
    before: datetime,
) -> int:
    """Of these items, each named with all of its levels, the levels that are not named are none; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT inventory_item_id, location_id FROM inventory_levels
             WHERE shop_id = %(shop_id)s AND inventory_item_id = ANY (%(items)s) AND is_active AND updated_at < %(before)s
            """,
            {"shop_id": shop_id, "items": list(items), "before": before},
        )
        unlisted = [key for key in cur.fetchall() if key not in listed]
    for item_id, location_id in unlisted:
        disconnect(conn, shop_id, item_id, location_id, at=before)
    return len(unlisted)


def lift(
    conn: Connection,
    shop_id: int,
    product_ids: Sequence[int],
    variant_ids: Sequence[int],
    *,
    before: datetime,
) -> None:
    """Products and variants that Shopify names now were not deleted before that moment, whatever we were told."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE products SET deleted_at = NULL
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND deleted_at < %(before)s
            """,
            {"shop_id": shop_id, "ids": list(product_ids), "before": before},
        )
        cur.execute(
            """
            UPDATE variants SET deleted_at = NULL
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND deleted_at < %(before)s
            """,
            {"shop_id": shop_id, "ids": list(variant_ids), "before": before},
        )


def lift_items(
    conn: Connection, shop_id: int, item_ids: Sequence[int], *, before: datetime
) -> None:
    """The same of inventory items."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE inventory_items SET deleted_at = NULL
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND deleted_at < %(before)s
            """,
            {"shop_id": shop_id, "ids": list(item_ids), "before": before},
        )
