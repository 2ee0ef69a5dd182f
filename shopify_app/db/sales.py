"""Shopify's own sale rows (table `sales`), and which orders they are still to be asked for. Every query names its shop.

They are kept for orders that lines alone do not tell: edited, refunded, returned, cancelled, tipped,
with duties or fees. A row is written once; one that comes back otherwise is counted and replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import orjson

from shopify_app.db.connection import Connection, no_nested_loops, one_value
from shopify_app.domain.sale import OrderLedger, Reason, Sale


@dataclass(frozen=True, slots=True)
class Booked:
    """What a reading brought: ledgers taken, sale rows that we held otherwise, and the shop's days they touch."""

    taken: int
    changed: list[int]
    days: set[date]


def replace(
    conn: Connection, shop_id: int, zone: ZoneInfo, ledgers: Sequence[OrderLedger]
) -> Booked:
    """Keep the sales of orders that we hold, unless a later reading is there. One without its order's own agreement tells nothing."""
    read = _read(conn, shop_id, [one.order_id for one in ledgers])
    taken = [
        one
        for one in ledgers
        if one.order_id in read
        and any(sale.reason is Reason.ORDER for sale in one.sales)
        and ((as_of := read[one.order_id]) is None or as_of <= one.updated_at)
    ]
    ids = [one.order_id for one in taken]
    before = _rows(conn, shop_id, ids)
    after = {sale.id: _told(sale) for one in taken for sale in one.sales}
    changed = sorted(number for number, told in before.items() if after.get(number) != told)
    days = _days(conn, shop_id, ids)
    _write(conn, shop_id, zone, taken)
    _note_read(conn, shop_id, taken)
    return Booked(len(taken), changed, days | _days(conn, shop_id, ids))


def lines_behind(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> list[int]:
    """Of these orders those whose newest sales hold other units of a line than we do: news of them was lost.

    Several bodies of one second have one stamp; where the last of them is lost, no stamp tells.
    """
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT o.id
              FROM orders o
              JOIN (SELECT s.order_id, s.line_item_id, sum(s.quantity) AS units
                      FROM sales s
                     WHERE s.shop_id = %(shop_id)s AND s.order_id = ANY (%(ids)s)
                       AND s.line_type = 'PRODUCT' AND s.line_item_id IS NOT NULL
                     GROUP BY s.order_id, s.line_item_id) s ON s.order_id = o.id
              LEFT JOIN order_lines l ON l.shop_id = %(shop_id)s AND l.order_id = ANY (%(ids)s)
                                     AND l.order_id = s.order_id AND l.id = s.line_item_id
             WHERE o.shop_id = %(shop_id)s AND o.id = ANY (%(ids)s) AND o.deleted_at IS NULL
               AND o.ledger_as_of >= o.updated_at AND coalesce(l.current_quantity, 0) <> s.units
             ORDER BY 1
            """,
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
        return [int(row[0]) for row in cur.fetchall()]


def _read(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> dict[int, datetime | None]:
    """Of these orders the ones we hold, locked: id -> the stamp with which its sales were read."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, ledger_as_of FROM orders
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) ORDER BY id FOR UPDATE
            """,
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
        return dict(cur.fetchall())


def _rows(
    conn: Connection, shop_id: int, order_ids: Sequence[int]
) -> dict[int, tuple[object, ...]]:
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, order_id, agreement_id, refund_id, happened_at, reason, action, line_type, line_item_id, quantity,
                   total, tax, discount, currency
              FROM sales WHERE shop_id = %(shop_id)s AND order_id = ANY (%(ids)s)
            """,
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
        return {row[0]: row[2:] for row in cur.fetchall()}


def _told(sale: Sale) -> tuple[object, ...]:
    return (
        sale.agreement_id,
        sale.refund_id,
        sale.happened_at,
        sale.reason.value,
        sale.action.value,
        sale.line_type.value,
        sale.line_item_id,
        sale.quantity,
        sale.total,
        sale.tax,
        sale.discount,
        sale.currency,
    )


def _days(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> set[date]:
    """The days on which these orders were placed, or anything of theirs was sold."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT processed_on FROM orders WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s)
            UNION
            SELECT happened_on FROM sales WHERE shop_id = %(shop_id)s AND order_id = ANY (%(ids)s)
            """,
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
        return {row[0] for row in cur.fetchall()}


def _write(conn: Connection, shop_id: int, zone: ZoneInfo, ledgers: Sequence[OrderLedger]) -> None:
    """Sales with the variant and product that their line has now, or had when they were first written."""
    records = [
        {
            "id": sale.id,
            "order_id": one.order_id,
            "agreement_id": sale.agreement_id,
            "refund_id": sale.refund_id,
            "happened_at": sale.happened_at,
            "happened_on": sale.happened_at.astimezone(zone).date(),
            "reason": sale.reason,
            "action": sale.action,
            "line_type": sale.line_type,
            "line_item_id": sale.line_item_id,
            "quantity": sale.quantity,
            "total": sale.total,
            "tax": sale.tax,
            "discount": sale.discount,
            "currency": sale.currency,
        }
        for one in ledgers
        for sale in one.sales
    ]
    ids = {"shop_id": shop_id, "orders": [one.order_id for one in ledgers]}
    with conn.cursor() as cur:
        cur.execute(
            """
            DELETE FROM sales WHERE shop_id = %(shop_id)s AND order_id = ANY (%(orders)s) AND NOT id = ANY (%(sales)s)
            """,
            {**ids, "sales": [sale.id for one in ledgers for sale in one.sales]},
        )
        cur.execute(
            """
            INSERT INTO sales AS s (shop_id, id, order_id, agreement_id, refund_id, happened_at, happened_on, reason, action,
                                    line_type, line_item_id, variant_id, product_id, quantity, total, tax, discount, currency)
            SELECT %(shop_id)s, n.id, n.order_id, n.agreement_id, n.refund_id, n.happened_at, n.happened_on, n.reason, n.action,
                   n.line_type, n.line_item_id, l.variant_id, l.product_id, n.quantity, n.total, n.tax, n.discount, n.currency
              FROM jsonb_to_recordset(%(records)s::jsonb)
                AS n(id bigint, order_id bigint, agreement_id bigint, refund_id bigint, happened_at timestamptz, happened_on date,
                     reason text, action text, line_type text, line_item_id bigint, quantity integer, total numeric, tax numeric,
                     discount numeric, currency text)
              LEFT JOIN order_lines l ON l.shop_id = %(shop_id)s AND l.order_id = n.order_id AND l.id = n.line_item_id
                ON CONFLICT (shop_id, id) DO UPDATE
               SET order_id = excluded.order_id, agreement_id = excluded.agreement_id, refund_id = excluded.refund_id,
                   happened_at = excluded.happened_at, happened_on = excluded.happened_on, reason = excluded.reason,
                   action = excluded.action, line_type = excluded.line_type, line_item_id = excluded.line_item_id,
                   variant_id = coalesce(s.variant_id, excluded.variant_id),
                   product_id = coalesce(s.product_id, excluded.product_id), quantity = excluded.quantity, total = excluded.total,
                   tax = excluded.tax, discount = excluded.discount, currency = excluded.currency
            """,
            {**ids, "records": orjson.dumps(records, default=str).decode()},
        )


def _note_read(conn: Connection, shop_id: int, ledgers: Sequence[OrderLedger]) -> None:
    """The totals these sales are proved against; news that came meanwhile wants a further reading."""
    records = [
        {
            "id": one.order_id,
            "as_of": one.updated_at,
            "refunds": sorted({*one.refund_ids, *(s.refund_id for s in one.sales if s.refund_id)}),
            "original": one.original_total,
            "current": one.current_total,
            "discrepancy": one.refund_discrepancy,
        }
        for one in ledgers
    ]
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE orders o
               SET ledger_as_of = n.as_of, ledger_wanted = o.updated_at > n.as_of, original_total = n.original,
                   ledger_refunds = ARRAY(SELECT jsonb_array_elements_text(n.refunds)::bigint),
                   refund_discrepancy = n.discrepancy,
                   current_total = CASE WHEN o.updated_at > n.as_of THEN o.current_total ELSE n.current END
              FROM jsonb_to_recordset(%(records)s::jsonb)
                AS n(id bigint, as_of timestamptz, refunds jsonb, original numeric, current numeric, discrepancy numeric)
             WHERE o.shop_id = %(shop_id)s AND o.id = n.id
            """,
            {"shop_id": shop_id, "records": orjson.dumps(records, default=str).decode()},
        )


def want(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> None:
    """Have Shopify asked for the sales of these orders, whatever their lines say."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE orders SET ledger_wanted = true
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND NOT ledger_wanted
            """,
            {"shop_id": shop_id, "ids": list(order_ids)},
        )


def note_wanted(conn: Connection, shop_id: int, order_ids: Sequence[int] | None) -> list[int]:
    """Of these orders (None: of all) those whose sales Shopify must be asked for, noted; the ids.

    Where nothing was read yet: what lines alone do not tell (of what was given away with its tax in the price, how much
    of that was tax), or totals that differ from what the order says.
    Where sales were read: whatever came since, and totals that differ from what the order says now.
    """
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            WITH booked AS (
                SELECT b.order_id, sum(b.total) FILTER (WHERE b.reason = 'ORDER' AND b.action = 'ORDER') AS ordered,
                       sum(b.total) FILTER (WHERE b.line_type <> 'ADJUSTMENT') AS standing,
                       bool_or(b.reason = 'REFUND' AND NOT b.is_exact) AS has_refund, bool_or(b.line_type = 'TIP') AS has_tip
                  FROM book_sales(%(shop_id)s, %(ids)s::bigint[]) b
                 GROUP BY b.order_id
            ), line AS (
                SELECT l.order_id, bool_or(l.current_quantity <> l.quantity) AS is_cut,
                       bool_or(l.discount > 0 AND l.discount = l.unit_price * l.quantity AND l.tax_rate IS NULL) AS is_free
                  FROM order_lines l
                 WHERE l.shop_id = %(shop_id)s AND (%(ids)s::bigint[] IS NULL OR l.order_id = ANY (%(ids)s::bigint[]))
                 GROUP BY l.order_id
            ), refunded AS (
                SELECT r.order_id, array_agg(r.id) AS refunds FROM refunds r
                 WHERE r.shop_id = %(shop_id)s AND (%(ids)s::bigint[] IS NULL OR r.order_id = ANY (%(ids)s::bigint[]))
                 GROUP BY r.order_id
            )
            UPDATE orders o SET ledger_wanted = true
              FROM orders h
              JOIN shops s ON s.shop_id = h.shop_id
              LEFT JOIN booked b ON b.order_id = h.id
              LEFT JOIN line l ON l.order_id = h.id
              LEFT JOIN refunded r ON r.order_id = h.id
             WHERE h.shop_id = %(shop_id)s AND (%(ids)s::bigint[] IS NULL OR h.id = ANY (%(ids)s::bigint[]))
               AND o.shop_id = %(shop_id)s AND (%(ids)s::bigint[] IS NULL OR o.id = ANY (%(ids)s::bigint[])) AND o.id = h.id
               AND h.deleted_at IS NULL AND NOT h.is_test
               AND CASE WHEN h.ledger_as_of IS NULL THEN
                        h.is_edited OR h.cancelled_at IS NOT NULL OR r.refunds IS NOT NULL OR coalesce(l.is_cut, false)
                        OR (coalesce(l.is_free, false) AND coalesce(h.taxes_included, s.taxes_included))
                        OR h.financial_status IN ('partially_refunded', 'refunded', 'voided', 'expired')
                        OR coalesce(b.has_tip, false) OR coalesce(b.ordered, 0) <> coalesce(h.total_price, b.ordered, 0)
                        OR coalesce(h.total_price <> h.current_total, false)
                   ELSE h.ledger_as_of < h.updated_at OR NOT coalesce(r.refunds <@ h.ledger_refunds, true)
                        OR coalesce(b.standing, 0) <> coalesce(h.current_total, b.standing, 0) END
            RETURNING o.id
            """,
            {"shop_id": shop_id, "ids": None if order_ids is None else list(order_ids)},
        )
        return sorted(int(row[0]) for row in cur.fetchall())


def wanted(conn: Connection, shop_id: int, *, limit: int) -> list[int]:
    """The next orders whose sales are still to be read, the newest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id FROM orders WHERE shop_id = %(shop_id)s AND ledger_wanted ORDER BY id DESC LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "limit": limit},
        )
        return [int(row[0]) for row in cur.fetchall()]


def wanted_of(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> set[int]:
    """Of these orders those whose sales are still to be read."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT id FROM orders WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND ledger_wanted",
            {"shop_id": shop_id, "ids": list(order_ids)},
        )
        return {int(row[0]) for row in cur.fetchall()}


def count_wanted(conn: Connection, shop_id: int) -> int:
    """Orders whose sales are still to be read."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT count(*) FROM orders WHERE shop_id = %(shop_id)s AND ledger_wanted",
            {"shop_id": shop_id},
        )
        return int(one_value(cur))


def leave(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> None:
    """Shopify does not show these: what is derived of them stays."""
    with conn.cursor() as cur:
        cur.execute(
            "UPDATE orders SET ledger_wanted = false WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND ledger_wanted",
            {"shop_id": shop_id, "ids": list(order_ids)},
        )


def note_changed(conn: Connection, shop_id: int, changed: int) -> None:
    """Count sale rows that came back otherwise: Shopify writes them once."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO proofs AS p (shop_id, sales_changed) VALUES (%(shop_id)s, %(changed)s)
                ON CONFLICT (shop_id) DO UPDATE SET sales_changed = p.sales_changed + excluded.sales_changed
            """,
            {"shop_id": shop_id, "changed": changed},
        )
