"""Lines of purchase orders: put on the draft, sent, arrived (table `purchase_order_lines`). Every query names its shop."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from shopify_app.db.connection import Connection, rows_as
from shopify_app.domain.purchase_order import LEAST_RISE

LATE: Final = 1.5
"""Lead times after which an order that nobody saw come is no longer counted on."""

ARRIVED_SHARE: Final = 0.5


def add_line(
    conn: Connection,
    shop_id: int,
    suggestion_id: int,
    variant_id: int,
    *,
    vendor: str | None,
    units: int,
    unit_cost: Decimal | None,
    currency: str,
    order_by: date,
    added_by: str,
) -> None:
    """Put an accepted restock on the draft order."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO purchase_order_lines (shop_id, suggestion_id, variant_id, vendor, units, unit_cost, currency, order_by, added_by)
            VALUES (%(shop_id)s, %(suggestion_id)s, %(variant_id)s, %(vendor)s, %(units)s, %(unit_cost)s, %(currency)s, %(order_by)s, %(added_by)s)
            """,
            {
                "shop_id": shop_id,
                "suggestion_id": suggestion_id,
                "variant_id": variant_id,
                "vendor": vendor,
                "units": units,
                "unit_cost": unit_cost,
                "currency": currency,
                "order_by": order_by,
                "added_by": added_by,
            },
        )


def withdraw(conn: Connection, shop_id: int, suggestion_id: int) -> bool:
    """Take a line off again; False if it was exported (it may be with the vendor) or is not there."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE purchase_order_lines SET withdrawn_at = shop_now()
             WHERE shop_id = %(shop_id)s AND suggestion_id = %(suggestion_id)s
               AND withdrawn_at IS NULL AND exported_at IS NULL
            """,
            {"shop_id": shop_id, "suggestion_id": suggestion_id},
        )
        return cur.rowcount == 1


def ordered_units(
    conn: Connection, shop_id: int, today: date, *, default_days: int
) -> dict[int, int]:
    """Units per variant that are on order and have not arrived: they may not show in Shopify.

    What is later than `LATE` times its vendor's lead time is taken to have come without anyone telling us.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT l.variant_id, sum(l.units)
              FROM purchase_order_lines l
              LEFT JOIN vendor_lead_times v ON v.shop_id = l.shop_id AND v.vendor = coalesce(l.vendor, '')
             WHERE l.shop_id = %(shop_id)s AND l.withdrawn_at IS NULL AND l.arrived_at IS NULL
               AND coalesce(l.exported_at, l.added_at)
                   >= %(today)s::date - interval '1 day' * ceil(%(late)s * coalesce(v.lead_time_days, %(default)s))
             GROUP BY l.variant_id
            """,
            {"shop_id": shop_id, "today": today, "late": LATE, "default": default_days},
        )
        return {int(row[0]): int(row[1]) for row in cur.fetchall()}


def mark_exported(conn: Connection, shop_id: int, vendor: str) -> int:
    """Close a vendor's draft order; how many lines it had."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE purchase_order_lines SET exported_at = shop_now()
             WHERE shop_id = %(shop_id)s AND coalesce(vendor, '') = %(vendor)s
               AND exported_at IS NULL AND withdrawn_at IS NULL
            """,
            {"shop_id": shop_id, "vendor": vendor},
        )
        return cur.rowcount


@dataclass(frozen=True, slots=True)
class Receipt:
    """A vendor's order: sent, and arrived once half of its units are there (None: on its way)."""

    vendor: str
    sent_at: datetime
    arrived_at: datetime | None


def receipts(conn: Connection, shop_id: int, since: datetime) -> list[Receipt]:
    """Orders sent since a moment, oldest first; an order is what was sent to a vendor at once."""
    with conn.cursor() as cur:
        cur.execute(
            """
            WITH lines AS (
                SELECT coalesce(vendor, '') AS vendor, exported_at, arrived_at,
                       sum(units) OVER sent_at_once AS all_units,
                       sum(units) OVER (sent_at_once ORDER BY arrived_at NULLS LAST, id) AS units_by_then
                  FROM purchase_order_lines
                 WHERE shop_id = %(shop_id)s AND withdrawn_at IS NULL AND exported_at >= %(since)s
                WINDOW sent_at_once AS (PARTITION BY coalesce(vendor, ''), exported_at)
            )
            SELECT vendor, exported_at AS sent_at, min(arrived_at) FILTER (WHERE 2 * units_by_then >= all_units) AS arrived_at
              FROM lines
             GROUP BY vendor, exported_at
             ORDER BY exported_at, vendor
            """,
            {"shop_id": shop_id, "since": since},
        )
        return rows_as(Receipt, cur)


def mark_arrived(
    conn: Connection, shop_id: int, vendor: str, sent_at: datetime, *, at: datetime
) -> int:
    """The merchant says that an order is there; how many lines were still open."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE purchase_order_lines SET arrived_at = greatest(%(at)s, exported_at), arrival_seen_by = 'merchant'
             WHERE shop_id = %(shop_id)s AND coalesce(vendor, '') = %(vendor)s AND exported_at = %(sent_at)s
               AND withdrawn_at IS NULL AND arrived_at IS NULL
            """,
            {"shop_id": shop_id, "vendor": vendor, "sent_at": sent_at, "at": at},
        )
        return cur.rowcount


def notice_arrivals(conn: Connection, shop_id: int, timezone: str) -> int:
    """Lines whose shelf rose by what was ordered have arrived; how many.

    On a day after the order was sent the variant's stock, over all locations and with that day's sales
    put back, rose by at least `ARRIVED_SHARE` of the line (and `LEAST_RISE` units). Of several open lines of a variant
    the oldest is looked at; a rise counts for one line.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            WITH waiting AS (
                SELECT DISTINCT ON (l.variant_id) l.id, l.variant_id, l.units, v.inventory_item_id,
                       (greatest(l.exported_at, (SELECT max(o.arrived_at) FROM purchase_order_lines o
                                                  WHERE o.shop_id = l.shop_id AND o.variant_id = l.variant_id))
                            AT TIME ZONE %(timezone)s)::date + 1 AS first_day
                  FROM purchase_order_lines l
                  JOIN variants v ON v.shop_id = l.shop_id AND v.id = l.variant_id
                 WHERE l.shop_id = %(shop_id)s AND l.withdrawn_at IS NULL
                   AND l.exported_at IS NOT NULL AND l.arrived_at IS NULL
                 ORDER BY l.variant_id, l.exported_at, l.id
            ), steps AS (
                SELECT w.id, w.variant_id, w.units, w.first_day, h.changed_at, h.available_units - lag(h.available_units) OVER (
                           PARTITION BY w.id, h.location_id ORDER BY h.changed_at) AS step
                  FROM waiting w
                  JOIN inventory_history h ON h.shop_id = %(shop_id)s AND h.inventory_item_id = w.inventory_item_id
            ), days AS (
                SELECT id, variant_id, units, (changed_at AT TIME ZONE %(timezone)s)::date AS day, sum(step) AS rose,
                       max(changed_at) FILTER (WHERE step > 0) AS last_rise
                  FROM steps
                 WHERE (changed_at AT TIME ZONE %(timezone)s)::date >= first_day
                 GROUP BY 1, 2, 3, 4
            ), rises AS (
                SELECT DISTINCT ON (d.id) d.id, d.last_rise
                  FROM days d
                  LEFT JOIN daily_sales s ON s.shop_id = %(shop_id)s AND s.variant_id = d.variant_id AND s.sold_on = d.day
                 WHERE d.last_rise IS NOT NULL
                   AND d.rose + coalesce(s.ordered_units, 0) >= greatest(%(share)s * d.units, %(least)s)
                 ORDER BY d.id, d.day
            )
            UPDATE purchase_order_lines l SET arrived_at = r.last_rise, arrival_seen_by = 'stock'
              FROM rises r
             WHERE l.shop_id = %(shop_id)s AND l.id = r.id
            """,
            {
                "shop_id": shop_id,
                "timezone": timezone,
                "share": ARRIVED_SHARE,
                "least": LEAST_RISE,
            },
        )
        return cur.rowcount


def on_draft(conn: Connection, shop_id: int) -> dict[str, tuple[int, Decimal]]:
    """Units and money by vendor on drafts not yet sent; a line without a cost counts no money."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(vendor, ''), sum(units), coalesce(sum(units * unit_cost), 0)
              FROM purchase_order_lines
             WHERE shop_id = %(shop_id)s AND withdrawn_at IS NULL AND exported_at IS NULL
             GROUP BY 1
            """,
            {"shop_id": shop_id},
        )
        return {str(row[0]): (int(row[1]), row[2]) for row in cur.fetchall()}
