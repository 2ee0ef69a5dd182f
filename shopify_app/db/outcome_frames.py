"""Weekly orders and shelves as the judge reads them (tables `daily_sales`, `inventory_history`). Every query names its shop.

Weeks begin on Mondays of the shop's calendar. Orders, not units: one wholesale order of a hundred
says nothing of a price.
"""

from datetime import date
from typing import Final

import pandas as pd

from shopify_app.db.connection import Connection
from shopify_app.db.frames import read_frame

WEEKLY_ORDERS: Final = {
    "series_id": "str",
    "period": "datetime64[s]",
    "units": "float64",
    "pieces": "float64",
}
"""series_id: variant id as text; period: Monday; units: orders of the week; pieces: units they held."""

SHORT_WEEKS: Final = {"series_id": "str", "period": "datetime64[s]", "in_stock": "float64"}
"""in_stock: share of the week in which the variant could be bought, below 1."""

GROUPS: Final = {"series_id": "str", "group": "str"}


def weekly_orders(conn: Connection, shop_id: int, first: date, until: date) -> pd.DataFrame:
    """WEEKLY_ORDERS of weeks in [first, until), both Mondays."""
    return read_frame(
        conn,
        """
        SELECT variant_id::text, date_trunc('week', sold_on)::date, sum(orders)::float8, sum(ordered_units)::float8
          FROM daily_sales
         WHERE shop_id = %(shop_id)s AND sold_on >= %(first)s AND sold_on < %(until)s
         GROUP BY 1, 2
         ORDER BY 1, 2
        """,
        {"shop_id": shop_id, "first": first, "until": until},
        WEEKLY_ORDERS,
    )


def groups(conn: Connection, shop_id: int) -> pd.DataFrame:
    """GROUPS: the product type of each variant, '' where there is none."""
    return read_frame(
        conn,
        """
        SELECT v.id::text, coalesce(p.product_type, '')
          FROM variants v JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
         WHERE v.shop_id = %(shop_id)s
         ORDER BY v.id
        """,
        {"shop_id": shop_id},
        GROUPS,
    )


def short_weeks(
    conn: Connection, shop_id: int, first: date, until: date, timezone: str
) -> pd.DataFrame:
    """SHORT_WEEKS in [first, until) of variants that were out of stock for a part of a week, and sell only while it lasts."""
    return read_frame(
        conn,
        """
        WITH changes AS (
            SELECT inventory_item_id, location_id, changed_at,
                   available_units - lag(available_units, 1, 0) OVER (
                       PARTITION BY inventory_item_id, location_id ORDER BY changed_at) AS step
              FROM inventory_history h
             WHERE shop_id = %(shop_id)s
               AND EXISTS (SELECT FROM inventory_history e
                            WHERE e.shop_id = h.shop_id AND e.inventory_item_id = h.inventory_item_id AND e.available_units <= 0)
        ), totals AS (
            SELECT inventory_item_id, changed_at AS since,
                   sum(step) OVER item AS units, lead(changed_at, 1, 'infinity') OVER item AS until
              FROM changes
            WINDOW item AS (PARTITION BY inventory_item_id ORDER BY changed_at, location_id)
        ), parts AS (
            SELECT v.id AS variant_id, week::date AS week, t.units,
                   extract(epoch FROM least(t.until, (week + interval '7 days') AT TIME ZONE %(timezone)s)
                                      - greatest(t.since, week AT TIME ZONE %(timezone)s)) AS seconds
              FROM totals t
              JOIN variants v ON v.shop_id = %(shop_id)s AND v.inventory_item_id = t.inventory_item_id
               AND v.inventory_policy <> 'CONTINUE'
              JOIN inventory_items i ON i.shop_id = v.shop_id AND i.id = v.inventory_item_id AND i.is_tracked
             CROSS JOIN LATERAL generate_series(
                   date_trunc('week', greatest(t.since AT TIME ZONE %(timezone)s, %(first)s::timestamp)),
                   least(t.until AT TIME ZONE %(timezone)s, %(until)s::timestamp - interval '1 day'),
                   interval '7 days') AS week
        ), shares AS (
            SELECT variant_id::text AS series_id, week,
                   coalesce(sum(seconds) FILTER (WHERE units > 0), 0) / sum(seconds) AS in_stock
              FROM parts
             WHERE seconds > 0
             GROUP BY variant_id, week)
        SELECT series_id, week, in_stock::float8 FROM shares WHERE in_stock < 1 ORDER BY 1, 2
        """,
        {"shop_id": shop_id, "first": first, "until": until, "timezone": timezone},
        SHORT_WEEKS,
    )
