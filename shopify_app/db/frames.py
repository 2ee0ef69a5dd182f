"""Queries whose answer is a DataFrame with declared columns (the only pandas in db/).

Tables: variants, products, inventory_items, inventory_levels, locations, daily_sales, inventory_history, orders,
order_lines, shops.
Every query names its shop.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from typing import Any, Final

import pandas as pd

from shopify_app.db.connection import Connection, no_nested_loops
from shopify_app.domain.frames import (
    DAILY_SALES,
    NEGOTIATED_ORDERS,
    STOCK_DAYS,
    STOCK_ENDS,
    STOCK_PLACES,
    TAX_RATES,
    VARIANTS,
    WEEKLY_PRICES,
)
from shopify_app.domain.product import ON_SALE

NEGOTIATED_SOURCES: Final = ("shopify_draft_order", "subscription_contract")
"""Sources of orders (`orders.source_name`) whose price was agreed with the buyer before: nobody saw the one in the shop."""


def read_frame(
    conn: Connection,
    query: str,
    params: Mapping[str, object],
    columns: Mapping[str, str],
    *,
    of_whole_shop: bool = False,
) -> pd.DataFrame:
    """Rows of a query under exactly these columns, in this order, with these dtypes.

    `of_whole_shop`: joins tables that grow with the shop; each is then read once (`no_nested_loops`).
    """
    with no_nested_loops(conn) if of_whole_shop else nullcontext(), conn.cursor() as cur:
        cur.execute(query, params)
        rows = cur.fetchall()
    frame: Any = pd.DataFrame.from_records(rows, columns=list(columns))
    return frame.astype(dict(columns))


def variants_on_sale(conn: Connection, shop_id: int) -> pd.DataFrame:
    """VARIANTS of products that can be bought, without gift cards and deleted ones, by variant id."""
    return read_frame(
        conn,
        """
        SELECT v.id, v.product_id, coalesce(v.inventory_item_id, 0), p.title, v.title,
               coalesce(p.vendor, ''), coalesce(p.product_type, ''),
               v.price::float8, v.compare_at_price::float8, nullif(i.unit_cost, 0)::float8,
               coalesce(i.is_tracked, false), v.inventory_policy = 'CONTINUE', coalesce(l.available, 0), coalesce(l.incoming, 0),
               least(v.created_at::date, s.first_sold_on)
          FROM variants v
          JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
          LEFT JOIN inventory_items i ON (i.shop_id, i.id) = (v.shop_id, v.inventory_item_id)
          LEFT JOIN (SELECT inventory_item_id, sum(available_units) AS available, sum(incoming_units) AS incoming
                       FROM inventory_levels h
                      WHERE shop_id = %(shop_id)s AND is_active
                        AND NOT EXISTS (SELECT FROM locations c WHERE c.shop_id = h.shop_id AND c.id = h.location_id
                                                                  AND (NOT c.is_active OR c.deleted_at IS NOT NULL))
                      GROUP BY inventory_item_id) l ON l.inventory_item_id = v.inventory_item_id
          LEFT JOIN (SELECT variant_id, min(sold_on) AS first_sold_on
                       FROM daily_sales
                      WHERE shop_id = %(shop_id)s
                      GROUP BY variant_id) s ON s.variant_id = v.id
         WHERE v.shop_id = %(shop_id)s
           AND v.deleted_at IS NULL AND p.deleted_at IS NULL
           AND p.status = ANY (%(on_sale)s) AND NOT p.is_gift_card
         ORDER BY v.id
        """,
        {"shop_id": shop_id, "on_sale": ON_SALE},
        VARIANTS,
        of_whole_shop=True,
    )


def daily_sales_between(conn: Connection, shop_id: int, first: date, last: date) -> pd.DataFrame:
    """DAILY_SALES from `first` to `last`, both included, by variant and day."""
    return read_frame(
        conn,
        """
        SELECT variant_id, sold_on, ordered_units, returned_units, orders, largest_line_units,
               revenue::float8, list_revenue::float8
          FROM daily_sales
         WHERE shop_id = %(shop_id)s
           AND sold_on BETWEEN %(first)s AND %(last)s
         ORDER BY variant_id, sold_on
        """,
        {"shop_id": shop_id, "first": first, "last": last},
        DAILY_SALES,
    )


def stock_days_between(
    conn: Connection, shop_id: int, first: date, last: date, timezone: str
) -> pd.DataFrame:
    """STOCK_DAYS of every tracked variant that sells only while stock lasts, and whose stock's changes we have seen.

    A day before the first change seen is unknown and has no row. The share of a day in stock is
    the time during which the levels' sum was above zero. Tracking and policy are those of now: what they
    were before, nobody tells.
    """
    return read_frame(
        conn,
        """
        WITH changes AS (
            SELECT inventory_item_id, location_id, changed_at, available_units,
                   available_units - lag(available_units, 1, 0) OVER (
                       PARTITION BY inventory_item_id, location_id ORDER BY changed_at) AS step
              FROM inventory_history
             WHERE shop_id = %(shop_id)s
        ), totals AS (
            SELECT inventory_item_id, changed_at AS since,
                   sum(step) OVER item AS units,
                   lead(changed_at, 1, 'infinity') OVER item AS until
              FROM changes
            WINDOW item AS (PARTITION BY inventory_item_id ORDER BY changed_at, location_id)
        )
        SELECT v.id, d.day,
               coalesce(sum(extract(epoch FROM least(t.until, d.until) - greatest(t.since, d.since)))
                            FILTER (WHERE t.units > 0), 0)
               / sum(extract(epoch FROM least(t.until, d.until) - greatest(t.since, d.since)))
          FROM totals t
         CROSS JOIN LATERAL generate_series(
                   greatest((t.since AT TIME ZONE %(timezone)s)::date, %(first)s::date),
                   least((t.until AT TIME ZONE %(timezone)s)::date, %(last)s::date), interval '1 day') AS dated (day)
         CROSS JOIN LATERAL (
                   SELECT dated.day::date AS day,
                          dated.day::timestamp AT TIME ZONE %(timezone)s AS since,
                          (dated.day + interval '1 day')::timestamp AT TIME ZONE %(timezone)s AS until) d
          JOIN variants v ON v.shop_id = %(shop_id)s AND v.inventory_item_id = t.inventory_item_id
           AND v.inventory_policy <> 'CONTINUE'
          JOIN inventory_items i ON i.shop_id = v.shop_id AND i.id = v.inventory_item_id AND i.is_tracked
         WHERE t.since < d.until AND t.until > d.since
         GROUP BY v.id, d.day
        HAVING sum(extract(epoch FROM least(t.until, d.until) - greatest(t.since, d.since))) > 0
         ORDER BY v.id, d.day
        """,
        {"shop_id": shop_id, "first": first, "last": last, "timezone": timezone},
        STOCK_DAYS,
    )


def stock_at_week_ends(
    conn: Connection, shop_id: int, last: date, weeks: int, timezone: str
) -> pd.DataFrame:
    """STOCK_ENDS of the weeks that end with `last` and every seven days before it."""
    return read_frame(
        conn,
        """
        WITH totals AS (
            SELECT inventory_item_id, since, until, sum(step) OVER item AS units
              FROM (SELECT inventory_item_id, location_id, changed_at AS since,
                           lead(changed_at, 1, 'infinity') OVER (
                               PARTITION BY inventory_item_id ORDER BY changed_at, location_id) AS until,
                           available_units - lag(available_units, 1, 0) OVER (
                               PARTITION BY inventory_item_id, location_id ORDER BY changed_at) AS step
                      FROM inventory_history
                     WHERE shop_id = %(shop_id)s) changes
            WINDOW item AS (PARTITION BY inventory_item_id ORDER BY since, location_id)
        ), ends AS (
            SELECT weeks_ago, (%(last)s::date + 1 - 7 * weeks_ago)::timestamp AT TIME ZONE %(timezone)s AS ended
              FROM generate_series(0, %(weeks)s - 1) AS counted (weeks_ago)
        )
        SELECT v.id, e.weeks_ago, greatest(t.units, 0)::float8
          FROM totals t
          JOIN ends e ON t.since < e.ended AND t.until >= e.ended
          JOIN variants v ON v.shop_id = %(shop_id)s AND v.inventory_item_id = t.inventory_item_id
         ORDER BY v.id, e.weeks_ago DESC
        """,
        {"shop_id": shop_id, "last": last, "weeks": weeks, "timezone": timezone},
        STOCK_ENDS,
    )


def weekly_prices(conn: Connection, shop_id: int, first: date, last: date) -> pd.DataFrame:
    """WEEKLY_PRICES of weeks that end on `last` and every seven days before it: a row a price that lines sold at in the shop."""
    return read_frame(
        conn,
        """
        SELECT l.variant_id, (%(last)s::date - o.processed_on) / 7 AS weeks_ago, l.unit_price::float8 AS price,
               count(*) AS lines
          FROM orders o JOIN order_lines l ON l.shop_id = o.shop_id AND l.order_id = o.id
          JOIN shops s ON s.shop_id = o.shop_id AND s.currency = o.currency
         WHERE o.shop_id = %(shop_id)s AND o.processed_on BETWEEN %(first)s AND %(last)s
           AND NOT o.is_test AND o.deleted_at IS NULL AND o.cancelled_at IS NULL
           AND coalesce(o.financial_status, '') NOT IN ('voided', 'expired')
           AND l.variant_id IS NOT NULL AND l.unit_price > 0
           AND coalesce(o.source_name, '') <> ALL (%(negotiated)s)
         GROUP BY 1, 2, l.unit_price
         ORDER BY 1, 2, 3
        """,
        {
            "shop_id": shop_id,
            "first": first,
            "last": last,
            "negotiated": list(NEGOTIATED_SOURCES),
        },
        WEEKLY_PRICES,
        of_whole_shop=True,
    )


def tax_rates(conn: Connection, shop_id: int, first: date, last: date) -> pd.DataFrame:
    """TAX_RATES of lines from `first` to `last`, both included; nothing where nothing sold."""
    return read_frame(
        conn,
        """
        WITH lines AS (
            SELECT l.variant_id, l.unit_price * l.quantity - l.discount AS paid,
                   CASE WHEN coalesce(o.taxes_included, s.taxes_included) THEN l.tax ELSE 0 END AS tax
              FROM orders o JOIN order_lines l ON l.shop_id = o.shop_id AND l.order_id = o.id
              JOIN shops s ON s.shop_id = o.shop_id
             WHERE o.shop_id = %(shop_id)s AND o.processed_on BETWEEN %(first)s AND %(last)s
               AND NOT o.is_test AND o.deleted_at IS NULL AND o.cancelled_at IS NULL
               AND coalesce(o.financial_status, '') NOT IN ('voided', 'expired')
               AND l.variant_id IS NOT NULL AND NOT l.is_gift_card
        )
        SELECT coalesce(variant_id, 0),
               percentile_disc(0.5) WITHIN GROUP (ORDER BY tax / (paid - tax))::float8,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY paid - tax)::float8
          FROM lines
         WHERE paid > tax AND tax >= 0
         GROUP BY GROUPING SETS ((variant_id), ())
        HAVING count(*) > 0
         ORDER BY 1
        """,
        {"shop_id": shop_id, "first": first, "last": last},
        TAX_RATES,
        of_whole_shop=True,
    )


def negotiated_orders_between(
    conn: Connection, shop_id: int, first: date, last: date
) -> pd.DataFrame:
    """NEGOTIATED_ORDERS from `first` to `last`, both included, by variant and day."""
    return read_frame(
        conn,
        """
        SELECT l.variant_id, o.processed_on, count(DISTINCT o.id)
          FROM orders o JOIN order_lines l ON l.shop_id = o.shop_id AND l.order_id = o.id
          JOIN shops s ON s.shop_id = o.shop_id AND s.currency = o.currency
         WHERE o.shop_id = %(shop_id)s AND o.processed_on BETWEEN %(first)s AND %(last)s
           AND o.source_name = ANY (%(negotiated)s)
           AND NOT o.is_test AND o.deleted_at IS NULL AND o.cancelled_at IS NULL
           AND coalesce(o.financial_status, '') NOT IN ('voided', 'expired')
           AND l.variant_id IS NOT NULL AND NOT l.is_gift_card
         GROUP BY l.variant_id, o.processed_on
         ORDER BY l.variant_id, o.processed_on
        """,
        {
            "shop_id": shop_id,
            "first": first,
            "last": last,
            "negotiated": list(NEGOTIATED_SOURCES),
        },
        NEGOTIATED_ORDERS,
        of_whole_shop=True,
    )


def stock_places(
    conn: Connection, shop_id: int, first: date, last: date, timezone: str
) -> pd.DataFrame:
    """STOCK_PLACES of every tracked variant stocked at two active locations or more, by variant and location.

    What was sold from where is told by which location's stock fell: a day's ordered units are shared
    out by the falls of that day. Only falls count while each of the variant's locations had some:
    what is sold from elsewhere for want of stock is no demand there. A fall on a day without an
    order (a correction, a move) counts nowhere.
    """
    return read_frame(
        conn,
        """
        WITH stocked AS (
            SELECT l.inventory_item_id, l.location_id, p.name, l.available_units, l.incoming_units,
                   count(*) OVER (PARTITION BY l.inventory_item_id) AS places
              FROM inventory_levels l
              JOIN inventory_items i ON i.shop_id = l.shop_id AND i.id = l.inventory_item_id
              JOIN locations p ON p.shop_id = l.shop_id AND p.id = l.location_id
             WHERE l.shop_id = %(shop_id)s AND l.is_active AND p.is_active AND p.deleted_at IS NULL AND i.is_tracked
        ), changes AS (
            SELECT h.inventory_item_id, h.location_id, h.changed_at, s.places,
                   h.available_units - lag(h.available_units) OVER place AS step,
                   (h.available_units > 0)::int - (lag(h.available_units, 1, 0) OVER place > 0)::int AS filled
              FROM inventory_history h
              JOIN stocked s ON s.inventory_item_id = h.inventory_item_id AND s.location_id = h.location_id
             WHERE h.shop_id = %(shop_id)s AND s.places > 1
            WINDOW place AS (PARTITION BY h.inventory_item_id, h.location_id ORDER BY h.changed_at)
        ), falls AS (
            SELECT inventory_item_id, location_id, (changed_at AT TIME ZONE %(timezone)s)::date AS day, -step AS units,
                   sum(filled) OVER (PARTITION BY inventory_item_id ORDER BY changed_at, location_id) - filled = places
                       AS all_had_some
              FROM changes
        ), days AS (
            SELECT inventory_item_id, location_id, day, sum(units) AS fell,
                   sum(sum(units)) OVER (PARTITION BY inventory_item_id, day) AS fell_in_all
              FROM falls
             WHERE units > 0 AND all_had_some AND day BETWEEN %(first)s AND %(last)s
             GROUP BY inventory_item_id, location_id, day
        ), sold AS (
            SELECT v.id AS variant_id, d.location_id, sum(least(s.ordered_units, d.fell_in_all) * d.fell / d.fell_in_all) AS units
              FROM days d
              JOIN variants v ON v.shop_id = %(shop_id)s AND v.inventory_item_id = d.inventory_item_id
              JOIN daily_sales s ON s.shop_id = %(shop_id)s AND s.variant_id = v.id AND s.sold_on = d.day
             GROUP BY v.id, d.location_id
        )
        SELECT v.id, l.location_id, l.name, l.available_units, greatest(l.incoming_units, 0),
               coalesce(sold.units, 0)::float8
          FROM stocked l
          JOIN variants v ON v.shop_id = %(shop_id)s AND v.inventory_item_id = l.inventory_item_id AND v.deleted_at IS NULL
          LEFT JOIN sold ON sold.variant_id = v.id AND sold.location_id = l.location_id
         WHERE l.places > 1
         ORDER BY v.id, l.location_id
        """,
        {"shop_id": shop_id, "first": first, "last": last, "timezone": timezone},
        STOCK_PLACES,
    )
