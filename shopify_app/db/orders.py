"""Orders and their lines (tables `orders`, `order_lines`). Every query names its shop.

News is applied whatever its order: a row is replaced only by one with the same or a later
`updated_at`, lines are replaced as a set, and a known product or variant is not forgotten
because a later body calls it null (it was deleted since), nor is what a body leaves out. A tombstone gives way only to news
from after the deletion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import orjson
from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, one_value
from shopify_app.domain.order import Order


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did: rows taken, how many of them were news, and the shop's days they touch."""

    taken: int
    newer: int
    days: set[date]


def upsert_many(conn: Connection, shop_id: int, zone: ZoneInfo, orders: Sequence[Order]) -> Applied:
    """Apply orders with their lines. An order stands at most once in a batch."""
    if not orders:
        return Applied(0, 0, set())
    known = _known(conn, shop_id, [order.id for order in orders])
    taken = [order for order in orders if _may_replace(known.get(order.id), order)]
    days = {order.id: order.processed_at.astimezone(zone).date() for order in taken}
    held = _held_lines(conn, shop_id, [order.id for order in taken if order.id in known])
    edited = {order.id for order in taken if _is_edited(order, held.get(order.id))}
    _write_orders(conn, shop_id, taken, days, edited)
    _replace_lines(conn, shop_id, taken, held)
    newer = sum(
        1 for order in taken if order.id not in known or known[order.id][0] < order.updated_at
    )
    other_days = {known[order.id][1] for order in taken if order.id in known} | {
        order.updated_at.astimezone(zone).date() for order in taken if order.id in edited
    }
    return Applied(len(taken), newer, set(days.values()) | other_days)


def _known(
    conn: Connection, shop_id: int, ids: Sequence[int]
) -> dict[int, tuple[datetime, date, datetime | None]]:
    """What we hold of these orders, locked: id -> (updated_at, processed_on, deleted_at)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, updated_at, processed_on, deleted_at
              FROM orders
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)
             ORDER BY id FOR UPDATE
            """,
            {"shop_id": shop_id, "ids": list(ids)},
        )
        return {row[0]: (row[1], row[2], row[3]) for row in cur.fetchall()}


def _may_replace(known: tuple[datetime, date, datetime | None] | None, order: Order) -> bool:
    if known is None:
        return True
    updated_at, _, deleted_at = known
    return updated_at <= order.updated_at and (deleted_at is None or deleted_at < order.updated_at)


_Line = tuple[int, Decimal, Decimal]
"""Units, unit price and discount of a line."""


def _held_lines(
    conn: Connection, shop_id: int, order_ids: Sequence[int]
) -> dict[int, dict[int, _Line]]:
    """The lines that we hold of orders, by their id: order id -> line id -> line. Of one only heard of there are none."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT order_id, id, quantity, unit_price, discount FROM order_lines
             WHERE shop_id = %(shop_id)s AND order_id = ANY (%(orders)s)
            """,
            {"shop_id": shop_id, "orders": list(order_ids)},
        )
        held: dict[int, dict[int, _Line]] = {}
        for order_id, line_id, *line in cur.fetchall():
            held.setdefault(order_id, {})[line_id] = (line[0], line[1], line[2])
    return held


def _is_edited(order: Order, held: Mapping[int, _Line] | None) -> bool:
    """Whether it has more of a line than we hold, a line that we do not hold, or one at another price: edited, or exchanged."""
    return held is not None and any(
        line.id not in held
        or line.quantity > held[line.id][0]
        or (line.unit_price, line.discount) != held[line.id][1:]
        for line in order.lines
    )


def _write_orders(
    conn: Connection,
    shop_id: int,
    orders: Sequence[Order],
    days: dict[int, date],
    edited: set[int],
) -> None:
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO orders AS o (shop_id, id, name, source_name, currency, financial_status, is_test, processed_at,
                                     processed_on, created_at, cancelled_at, updated_at, taxes_included, shipping,
                                     shipping_tax, tip, total_price, current_total, is_edited) VALUES %s
                ON CONFLICT (shop_id, id) DO UPDATE
               SET name = excluded.name, source_name = excluded.source_name, currency = excluded.currency,
                   financial_status = excluded.financial_status, is_test = excluded.is_test,
                   processed_at = excluded.processed_at, processed_on = excluded.processed_on,
                   created_at = excluded.created_at, cancelled_at = excluded.cancelled_at, updated_at = excluded.updated_at,
                   taxes_included = coalesce(excluded.taxes_included, o.taxes_included),
                   shipping = coalesce(excluded.shipping, o.shipping), shipping_tax = coalesce(excluded.shipping_tax, o.shipping_tax),
                   tip = coalesce(excluded.tip, o.tip), total_price = coalesce(excluded.total_price, o.total_price),
                   current_total = coalesce(excluded.current_total, o.current_total),
                   is_edited = o.is_edited OR excluded.is_edited, deleted_at = NULL
             WHERE o.updated_at <= excluded.updated_at AND (o.deleted_at IS NULL OR o.deleted_at < excluded.updated_at)
            """,
            [
                (
                    shop_id,
                    o.id,
                    o.name,
                    o.source_name,
                    o.currency,
                    o.financial_status,
                    o.is_test,
                    o.processed_at,
                    days[o.id],
                    o.created_at,
                    o.cancelled_at,
                    o.updated_at,
                    o.taxes_included,
                    o.shipping,
                    o.shipping_tax,
                    o.tip,
                    o.total_price,
                    o.current_total,
                    o.is_edited or o.id in edited,
                )
                for o in orders
            ],
            page_size=1_000,
        )


def _replace_lines(
    conn: Connection,
    shop_id: int,
    orders: Sequence[Order],
    held: Mapping[int, Mapping[int, _Line]],
) -> None:
    line_ids = [line.id for order in orders for line in order.lines]
    with conn.cursor() as cur:
        cur.execute(
            """
            DELETE FROM order_lines
             WHERE shop_id = %(shop_id)s AND order_id = ANY (%(orders)s) AND NOT id = ANY (%(lines)s)
            """,
            {"shop_id": shop_id, "orders": [order.id for order in orders], "lines": line_ids},
        )
        # As one document: Postgres reads it in two thirds of the time of as many rows of VALUES.
        cur.execute(
            """
            INSERT INTO order_lines AS l (shop_id, order_id, id, product_id, variant_id, sku, title, quantity,
                                          current_quantity, unit_price, discount, tax, is_gift_card, tax_rate, is_tip, added_at)
            SELECT %(shop_id)s, n.*
              FROM jsonb_to_recordset(%(lines)s::jsonb)
                AS n(order_id bigint, id bigint, product_id bigint, variant_id bigint, sku text, title text,
                     quantity integer, current_quantity integer, unit_price numeric, discount numeric,
                     tax numeric, is_gift_card boolean, tax_rate numeric, is_tip boolean, added_at timestamptz)
                ON CONFLICT (shop_id, order_id, id) DO UPDATE
               SET product_id = coalesce(excluded.product_id, l.product_id),
                   variant_id = coalesce(excluded.variant_id, l.variant_id),
                   sku = excluded.sku, title = excluded.title, quantity = excluded.quantity,
                   current_quantity = excluded.current_quantity, unit_price = excluded.unit_price,
                   discount = excluded.discount, tax = excluded.tax, is_gift_card = excluded.is_gift_card,
                   tax_rate = coalesce(excluded.tax_rate, l.tax_rate), is_tip = (l.is_tip OR excluded.is_tip) AND coalesce(excluded.product_id, l.product_id) IS NULL
            """,
            {
                "shop_id": shop_id,
                "lines": orjson.dumps(_records(orders, held), default=str).decode(),
            },
        )


def _records(
    orders: Sequence[Order], held: Mapping[int, Mapping[int, _Line]]
) -> list[dict[str, object]]:
    """Lines under the names of their columns; money as text, so that no cent is rounded. Of a line told twice the last.

    A line that an order has now, and had not when we last held it, was added by then.
    """
    records: dict[tuple[int, int], dict[str, object]] = {
        (order.id, line.id): {
            "order_id": order.id,
            "id": line.id,
            "product_id": line.product_id,
            "variant_id": line.variant_id,
            "sku": line.sku,
            "title": line.title,
            "quantity": line.quantity,
            "current_quantity": line.current_quantity,
            "unit_price": line.unit_price,
            "discount": line.discount,
            "tax": line.tax,
            "is_gift_card": line.is_gift_card,
            "tax_rate": line.tax_rate,
            "is_tip": line.is_tip,
            "added_at": order.updated_at
            if order.id in held and line.id not in held[order.id]
            else None,
        }
        for order in orders
        for line in order.lines
    }
    return list(records.values())


def bury(conn: Connection, shop_id: int, order_id: int, *, at: datetime) -> set[date]:
    """Leave a tombstone for a deleted order, known or not; the days it touches, none if it was seen later than that."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO orders (shop_id, id, currency, processed_at, processed_on, updated_at, deleted_at)
            SELECT %(shop_id)s, %(id)s, s.currency, %(at)s, (%(at)s AT TIME ZONE s.timezone)::date, %(at)s, %(at)s
              FROM shops s
             WHERE s.shop_id = %(shop_id)s
                ON CONFLICT (shop_id, id) DO UPDATE SET deleted_at = excluded.deleted_at
             WHERE greatest(orders.updated_at, orders.deleted_at) <= excluded.deleted_at
            RETURNING processed_on
            """,
            {"shop_id": shop_id, "id": order_id, "at": at},
        )
        return {row[0] for row in cur.fetchall()}


def created_at(conn: Connection, shop_id: int, order_id: int) -> datetime | None:
    """When an order that we hold was placed; None if we do not hold it, or only its tombstone."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(created_at, processed_at) FROM orders
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND deleted_at IS NULL
            """,
            {"shop_id": shop_id, "id": order_id},
        )
        return one_value(cur)
