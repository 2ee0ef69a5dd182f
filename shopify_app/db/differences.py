"""What we hold compared with what Shopify says changed. Every query names its shop.

Shopify's stamps are whole seconds: the same stamp is no proof of the same content. A tombstone is
older than what Shopify shows with a later stamp.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from shopify_app.db.connection import Connection, no_nested_loops
from shopify_app.domain.order import Order
from shopify_app.domain.product import (
    InventoryItem,
    InventoryLevel,
    Location,
    Product,
    Variant,
)

Known = tuple[datetime, datetime | None]
"""(updated_at, deleted_at) of what we hold."""


def held_orders(conn: Connection, shop_id: int, ids: Sequence[int]) -> dict[int, Known]:
    """Of these orders the ones we hold, locked."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, updated_at, deleted_at FROM orders
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)
             ORDER BY id FOR UPDATE
            """,
            {"shop_id": shop_id, "ids": list(ids)},
        )
        return {row[0]: (row[1], row[2]) for row in cur.fetchall()}


def held_products(conn: Connection, shop_id: int, ids: Sequence[int]) -> dict[int, Known]:
    """Of these products the ones we hold, locked."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, updated_at, deleted_at FROM products
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)
             ORDER BY id FOR UPDATE
            """,
            {"shop_id": shop_id, "ids": list(ids)},
        )
        return {row[0]: (row[1], row[2]) for row in cur.fetchall()}


def products_unlike(
    conn: Connection, shop_id: int, news: Sequence[tuple[Product, Sequence[Variant], bool]]
) -> set[int]:
    """Which of these products we hold otherwise; news are (product, variants, whether they are all of them)."""
    if not news:
        return set()
    ids = {"shop_id": shop_id, "ids": [product.id for product, _, _ in news]}
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, title, status, coalesce(vendor, ''), coalesce(product_type, ''), tags FROM products
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)
            """,
            ids,
        )
        products = {row[0]: (*row[1:5], sorted(row[5])) for row in cur.fetchall()}
        cur.execute(
            """
            SELECT product_id, id, title, coalesce(sku, ''), position, price, compare_at_price, inventory_policy, inventory_item_id
              FROM variants
             WHERE shop_id = %(shop_id)s AND product_id = ANY (%(ids)s) AND deleted_at IS NULL
            """,
            ids,
        )
        variants: dict[int, dict[int, tuple[object, ...]]] = defaultdict(dict)
        for product_id, variant_id, *told in cur.fetchall():
            variants[product_id][variant_id] = tuple(told)
    return {
        product.id
        for product, listed, is_whole in news
        if products.get(product.id) != _of_product(product)
        or _variants_differ(variants[product.id], listed, is_whole=is_whole)
    }


def _of_product(product: Product) -> tuple[object, ...]:
    return (
        product.title,
        product.status,
        product.vendor or "",
        product.product_type or "",
        sorted(product.tags),
    )


def _variant_told(variant: Variant, held: tuple[object, ...] | None) -> tuple[object, ...]:
    """A variant as it is held; one whose item's id was left out keeps the item that is held."""
    item_id = variant.inventory_item_id
    return (
        variant.title,
        variant.sku or "",
        variant.position,
        variant.price,
        variant.compare_at_price,
        variant.inventory_policy,
        held[-1] if held is not None and not item_id else item_id,
    )


def _variants_differ(
    held: dict[int, tuple[object, ...]], listed: Sequence[Variant], *, is_whole: bool
) -> bool:
    """Whether a list tells another variant, or tells one otherwise; an item's id left out is not told otherwise."""
    told = {one.id: _variant_told(one, held.get(one.id)) for one in listed}
    compared = held if is_whole else {one: held[one] for one in held.keys() & told.keys()}
    return told != compared


def orders_unlike(conn: Connection, shop_id: int, orders: Sequence[Order]) -> set[int]:
    """Which of these orders we hold with other lines, or with anything else told otherwise; what is not told differs from nothing."""
    if not orders:
        return set()
    lines: dict[int, set[tuple[object, ...]]] = defaultdict(set)
    standing: dict[int, list[object]] = {}
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            SELECT o.id, l.id, l.quantity, l.current_quantity, l.unit_price, l.discount, l.tax,
                   o.financial_status, o.cancelled_at, o.is_test, o.processed_at, o.currency, o.taxes_included, o.shipping,
                   o.shipping_tax, o.tip, o.total_price, o.current_total
              FROM orders o
              LEFT JOIN order_lines l ON l.shop_id = o.shop_id AND l.order_id = o.id
                                     AND l.shop_id = %(shop_id)s AND l.order_id = ANY (%(ids)s)
             WHERE o.shop_id = %(shop_id)s AND o.id = ANY (%(ids)s)
            """,
            {"shop_id": shop_id, "ids": [order.id for order in orders]},
        )
        for order_id, *row in cur.fetchall():
            standing[order_id] = row[6:]
            if row[0] is not None:
                lines[order_id].add(tuple(row[:6]))
    return {
        order.id
        for order in orders
        if _is_told_otherwise(order, standing.get(order.id))
        or lines[order.id]
        != {
            (one.id, one.quantity, one.current_quantity, one.unit_price, one.discount, one.tax)
            for one in order.lines
        }
    }


def _is_told_otherwise(order: Order, held: Sequence[object] | None) -> bool:
    """Whether an order says of itself anything but what we hold."""
    if held is None:
        return True
    standing = (order.financial_status, order.cancelled_at, order.is_test, order.processed_at)
    if standing != tuple(held[:4]):
        return True
    told = (
        order.currency,
        order.taxes_included,
        order.shipping,
        order.shipping_tax,
        order.tip,
        order.total_price,
        order.current_total,
    )
    return any(
        said is not None and said != known for said, known in zip(told, held[4:], strict=True)
    )


def held_levels(
    conn: Connection, shop_id: int, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[datetime, int, bool]]:
    """Of these levels (item id, location id) the ones we hold, locked: key -> (updated_at, available, active)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT l.inventory_item_id, l.location_id, l.updated_at, l.available_units, l.is_active
              FROM inventory_levels l
              JOIN unnest(%(items)s::bigint[], %(places)s::bigint[]) AS k (item_id, location_id)
                ON k.item_id = l.inventory_item_id AND k.location_id = l.location_id
             WHERE l.shop_id = %(shop_id)s
             ORDER BY l.inventory_item_id, l.location_id
               FOR UPDATE OF l
            """,
            {
                "shop_id": shop_id,
                "items": [key[0] for key in keys],
                "places": [key[1] for key in keys],
            },
        )
        return {(row[0], row[1]): (row[2], row[3], row[4]) for row in cur.fetchall()}


def orders_behind(
    conn: Connection, shop_id: int, changed: Sequence[tuple[int, datetime]]
) -> list[int]:
    """Orders that we lack, or hold in an older version."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.id
              FROM unnest(%(ids)s::bigint[], %(stamps)s::timestamptz[]) AS c (id, updated_at)
              LEFT JOIN orders o ON o.shop_id = %(shop_id)s AND o.id = c.id
             WHERE o.id IS NULL OR greatest(o.updated_at, o.deleted_at) < c.updated_at
             ORDER BY c.id
            """,
            {
                "shop_id": shop_id,
                "ids": [one[0] for one in changed],
                "stamps": [one[1] for one in changed],
            },
        )
        return [int(row[0]) for row in cur.fetchall()]


def orders_lacking_refunds(
    conn: Connection, shop_id: int, refunds: Sequence[tuple[int, int]]
) -> list[int]:
    """Orders of which we lack a refund; `refunds` are (order id, refund id)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT c.order_id
              FROM unnest(%(orders)s::bigint[], %(refunds)s::bigint[]) AS c (order_id, refund_id)
              JOIN orders o ON o.shop_id = %(shop_id)s AND o.id = c.order_id AND o.deleted_at IS NULL
              LEFT JOIN refunds r ON r.shop_id = %(shop_id)s AND r.id = c.refund_id
             WHERE r.id IS NULL
            """,
            {
                "shop_id": shop_id,
                "orders": [one[0] for one in refunds],
                "refunds": [one[1] for one in refunds],
            },
        )
        return [int(row[0]) for row in cur.fetchall()]


def orders_not_known_as_edited(conn: Connection, shop_id: int, edited: Sequence[int]) -> list[int]:
    """Of these edited orders those that we hold as if they were as they were placed."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id FROM orders
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND NOT is_edited AND ledger_as_of IS NULL AND deleted_at IS NULL
            """,
            {"shop_id": shop_id, "ids": list(edited)},
        )
        return [int(row[0]) for row in cur.fetchall()]


def products_behind(
    conn: Connection, shop_id: int, changed: Sequence[tuple[int, datetime]]
) -> list[int]:
    """Products that we lack, or hold in an older version."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.id
              FROM unnest(%(ids)s::bigint[], %(stamps)s::timestamptz[]) AS c (id, updated_at)
              LEFT JOIN products p ON p.shop_id = %(shop_id)s AND p.id = c.id
             WHERE p.id IS NULL OR greatest(p.updated_at, p.deleted_at) < c.updated_at
             ORDER BY c.id
            """,
            {
                "shop_id": shop_id,
                "ids": [one[0] for one in changed],
                "stamps": [one[1] for one in changed],
            },
        )
        return [int(row[0]) for row in cur.fetchall()]


def levels_behind(
    conn: Connection, shop_id: int, levels: Sequence[InventoryLevel]
) -> list[InventoryLevel]:
    """Levels that we lack, hold in an older version, or hold otherwise under the same stamp."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.n
              FROM unnest(%(items)s::bigint[], %(places)s::bigint[], %(stamps)s::timestamptz[], %(units)s::int[], %(active)s::bool[])
                       WITH ORDINALITY AS c (item_id, location_id, updated_at, units, is_active, n)
              LEFT JOIN inventory_levels l
                     ON l.shop_id = %(shop_id)s AND l.inventory_item_id = c.item_id AND l.location_id = c.location_id
              LEFT JOIN locations p ON p.shop_id = %(shop_id)s AND p.id = c.location_id
             WHERE l.updated_at IS NULL OR l.updated_at < c.updated_at
                OR (l.updated_at = c.updated_at
                    AND (l.available_units, l.is_active) IS DISTINCT FROM
                        (c.units, c.is_active AND coalesce(p.is_active AND p.deleted_at IS NULL, true)))
             ORDER BY c.n
            """,
            {
                "shop_id": shop_id,
                "items": [one.inventory_item_id for one in levels],
                "places": [one.location_id for one in levels],
                "stamps": [one.updated_at for one in levels],
                "units": [one.available_units for one in levels],
                "active": [one.is_active for one in levels],
            },
        )
        return [levels[row[0] - 1] for row in cur.fetchall()]


def items_unlike(
    conn: Connection, shop_id: int, items: Sequence[InventoryItem]
) -> tuple[list[InventoryItem], list[int], list[int]]:
    """Items that we lack or hold in an older version; ids of those told otherwise under one stamp, and of those we take for deleted."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, is_tracked, unit_cost, updated_at, requires_shipping, deleted_at FROM inventory_items
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) ORDER BY id FOR UPDATE
            """,
            {"shop_id": shop_id, "ids": [one.id for one in items]},
        )
        held = {row[0]: (InventoryItem(*row[:5]), row[5]) for row in cur.fetchall()}
    behind: list[InventoryItem] = []
    unclear: list[int] = []
    buried: list[int] = []
    for one in items:
        known, deleted_at = held.get(one.id, (None, None))
        if deleted_at is not None and deleted_at >= one.updated_at:
            buried.append(one.id)
        elif known is None or known.updated_at < one.updated_at:
            behind.append(one)
        elif known.updated_at == one.updated_at and one.differs_from(known):
            unclear.append(one.id)
    return behind, unclear, buried


def locations_unlike(conn: Connection, shop_id: int, places: Sequence[Location]) -> list[Location]:
    """Locations that we lack, hold in an older version, or hold otherwise under the same stamp."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, name, is_active, updated_at, deleted_at FROM locations
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)
            """,
            {"shop_id": shop_id, "ids": [one.id for one in places]},
        )
        held = {row[0]: (Location(*row[:4]), row[4]) for row in cur.fetchall()}
    return [
        one
        for one in places
        if one.id not in held
        or held[one.id][0].updated_at < one.updated_at
        or (held[one.id][0].updated_at == one.updated_at and held[one.id][0] != one)
    ]
