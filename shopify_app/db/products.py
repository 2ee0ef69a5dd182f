"""Products, variants and what they have cost (tables `products`, `variants`, `price_history`).

Every query names its shop. Late news loses: a row gives way only to the same or a later
`updated_at`, a tombstone only to news from after the deletion.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, Cursor
from shopify_app.domain.product import Product, Variant


def upsert_many(conn: Connection, shop_id: int, products: Sequence[Product]) -> set[int]:
    """Apply products; the ids that were taken (not late, not deleted)."""
    if not products:
        return set()
    with conn.cursor() as cur:
        taken = execute_values(
            cur,
            """
            INSERT INTO products AS p (shop_id, id, title, handle, status, vendor, product_type, tags, is_gift_card,
                                       image_url, created_at, published_at, updated_at) VALUES %s
                ON CONFLICT (shop_id, id) DO UPDATE
               SET title = excluded.title, handle = excluded.handle, status = excluded.status, vendor = excluded.vendor,
                   product_type = excluded.product_type, tags = excluded.tags,
                   is_gift_card = excluded.is_gift_card OR p.is_gift_card,
                   image_url = coalesce(excluded.image_url, p.image_url), created_at = excluded.created_at,
                   published_at = excluded.published_at, updated_at = excluded.updated_at, deleted_at = NULL
             WHERE p.updated_at <= excluded.updated_at AND (p.deleted_at IS NULL OR p.deleted_at < excluded.updated_at)
            RETURNING id
            """,
            [
                (
                    shop_id,
                    p.id,
                    p.title,
                    p.handle,
                    p.status,
                    p.vendor,
                    p.product_type,
                    p.tags,
                    p.is_gift_card,
                    p.image_url,
                    p.created_at,
                    p.published_at,
                    p.updated_at,
                )
                for p in products
            ],
            page_size=1_000,
            fetch=True,
        )
    return {int(row[0]) for row in taken}


def upsert_variants(
    conn: Connection,
    shop_id: int,
    variants: Sequence[Variant],
    *,
    listed_at: Mapping[int, datetime] | None = None,
) -> list[Variant]:
    """Apply variants of known products; those whose price is new to us or changed.

    `listed_at` is the stamp of each product's list that names them: a list that is not older than
    a variant's tombstone lifts it, though the variant itself did not change since.
    """
    if not variants:
        return []
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, price, compare_at_price, deleted_at FROM variants
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) ORDER BY id FOR UPDATE
            """,
            {"shop_id": shop_id, "ids": [variant.id for variant in variants]},
        )
        held = cur.fetchall()
        before = {row[0]: (row[1], row[2]) for row in held}
        tombstones = {row[0]: row[3] for row in held if row[3] is not None}
        _lift(cur, shop_id, variants, tombstones, listed_at or {})
        taken = execute_values(
            cur,
            """
            INSERT INTO variants AS v (shop_id, id, product_id, inventory_item_id, title, sku, position, price,
                                       compare_at_price, inventory_policy, created_at, updated_at) VALUES %s
                ON CONFLICT (shop_id, id) DO UPDATE
               SET product_id = excluded.product_id,
                   inventory_item_id = coalesce(excluded.inventory_item_id, v.inventory_item_id),
                   title = excluded.title, sku = excluded.sku, position = excluded.position, price = excluded.price,
                   compare_at_price = excluded.compare_at_price, inventory_policy = excluded.inventory_policy,
                   created_at = excluded.created_at, updated_at = excluded.updated_at
             WHERE v.updated_at <= excluded.updated_at AND v.deleted_at IS NULL
            RETURNING id
            """,
            [
                (
                    shop_id,
                    v.id,
                    v.product_id,
                    v.inventory_item_id,
                    v.title,
                    v.sku,
                    v.position,
                    v.price,
                    v.compare_at_price,
                    v.inventory_policy,
                    v.created_at,
                    v.updated_at,
                )
                for v in variants
            ],
            page_size=1_000,
            fetch=True,
        )
    ids = {int(row[0]) for row in taken}
    return [
        v for v in variants if v.id in ids and before.get(v.id) != (v.price, v.compare_at_price)
    ]


def _lift(
    cur: Cursor,
    shop_id: int,
    variants: Sequence[Variant],
    tombstones: Mapping[int, datetime],
    listed_at: Mapping[int, datetime],
) -> None:
    """Lift the tombstones of variants that changed after them, or are named by a list no older than they."""
    alive = [
        v.id
        for v in variants
        if v.id in tombstones
        and (
            tombstones[v.id] < v.updated_at
            or (v.product_id in listed_at and tombstones[v.id] <= listed_at[v.product_id])
        )
    ]
    if alive:
        cur.execute(
            "UPDATE variants SET deleted_at = NULL WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)",
            {"shop_id": shop_id, "ids": alive},
        )


def retire_missing(
    conn: Connection, shop_id: int, product_id: int, keep: Sequence[int], *, at: datetime
) -> None:
    """Leave tombstones for the product's variants that a whole list does not name any more."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE variants SET deleted_at = %(at)s
             WHERE shop_id = %(shop_id)s AND product_id = %(product_id)s AND NOT id = ANY (%(keep)s)
               AND deleted_at IS NULL AND updated_at <= %(at)s
            """,
            {"shop_id": shop_id, "product_id": product_id, "keep": list(keep), "at": at},
        )


def bury_variants(
    conn: Connection, shop_id: int, variant_ids: Sequence[int], *, at: datetime
) -> int:
    """Leave tombstones for variants; how many, of those that were not seen later."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE variants SET deleted_at = %(at)s
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND deleted_at IS NULL AND updated_at <= %(at)s
            """,
            {"shop_id": shop_id, "ids": list(variant_ids), "at": at},
        )
        return cur.rowcount


def bury(conn: Connection, shop_id: int, product_id: int, *, at: datetime) -> bool:
    """Leave a tombstone for a deleted product, known or not, and for its variants; False if it was seen later."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO products (shop_id, id, title, status, updated_at, deleted_at)
            VALUES (%(shop_id)s, %(id)s, '', 'ARCHIVED', %(at)s, %(at)s)
                ON CONFLICT (shop_id, id) DO UPDATE SET deleted_at = excluded.deleted_at
             WHERE greatest(products.updated_at, products.deleted_at) <= excluded.deleted_at
            """,
            {"shop_id": shop_id, "id": product_id, "at": at},
        )
        if cur.rowcount == 0:
            return False
        cur.execute(
            """
            UPDATE variants SET deleted_at = %(at)s
             WHERE shop_id = %(shop_id)s AND product_id = %(id)s AND deleted_at IS NULL
            """,
            {"shop_id": shop_id, "id": product_id, "at": at},
        )
    return True


def add_price_history(
    conn: Connection, shop_id: int, changed: Sequence[Variant], *, source: str
) -> None:
    """Keep what variants cost from now on, and whether it was us: the echo of a write of ours is `app`.

    A price is our write's echo if a write that left us set exactly it, has had no echo yet, and no
    other price was seen with a later stamp of Shopify's than the variant bore before that write:
    however late or often Shopify tells it, it is not taken for the merchant's.
    """
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO price_history (shop_id, variant_id, price, compare_at_price, seen_at, source, change_id,
                                       recorded_at)
            SELECT n.shop_id, n.variant_id, n.price, n.compare_at_price, n.seen_at,
                   CASE WHEN e.id IS NULL THEN n.source ELSE 'app' END, e.id, (SELECT shop_now())
              FROM (VALUES %s) AS n (shop_id, variant_id, price, compare_at_price, seen_at, source)
              LEFT JOIN LATERAL (
                   SELECT c.id FROM price_changes c
                    WHERE n.source = 'merchant' AND c.shop_id = n.shop_id AND c.variant_id = n.variant_id
                      AND c.sent_at IS NOT NULL AND c.before_updated_at < n.seen_at
                      AND c.new_price = n.price AND c.new_compare_at_price IS NOT DISTINCT FROM n.compare_at_price
                      AND NOT EXISTS (SELECT FROM price_history h
                                       WHERE h.shop_id = n.shop_id AND h.variant_id = n.variant_id
                                         AND (h.change_id = c.id OR h.seen_at > c.before_updated_at))
                    ORDER BY c.id DESC LIMIT 1) e ON true
            """,
            [(shop_id, v.id, v.price, v.compare_at_price, v.updated_at, source) for v in changed],
            template="(%s::bigint, %s::bigint, %s::numeric, %s::numeric, %s::timestamptz, %s::text)",
            page_size=1_000,
        )


def siblings_of(conn: Connection, shop_id: int, variant_ids: Sequence[int]) -> dict[int, list[int]]:
    """The other variants of each one's product: what a customer would buy instead."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT v.id, array_agg(o.id ORDER BY o.id)
              FROM variants v
              JOIN variants o ON o.shop_id = v.shop_id AND o.product_id = v.product_id AND o.id <> v.id
             WHERE v.shop_id = %(shop_id)s AND v.id = ANY (%(ids)s)
             GROUP BY v.id
            """,
            {"shop_id": shop_id, "ids": list(variant_ids)},
        )
        return {int(variant_id): [int(o) for o in others] for variant_id, others in cur.fetchall()}
