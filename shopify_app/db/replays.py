"""A shop's past replayed under the advice, as last worked out (table `replays`), and the shelves that it needs.

Every query names its shop.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pandas as pd
from psycopg2.extras import Json

from shopify_app.db.connection import Connection, row_as
from shopify_app.db.frames import read_frame

STOCK_ENDS: Final = {"variant_id": "int64", "weeks_ago": "int64", "on_hand": "float64"}
"""Units over all locations when a week ended; weeks before the first level seen have no row."""


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """What a replay found.

    Attributes
    ----------
    record : the fields of `analytics.replay.Replay`, money as numbers of the currency, and `days` replayed as
        `first`, `last`; `cost_known_share` of what was sold
    """

    as_of: date
    currency: str
    record: dict[str, Any]


def keep(conn: Connection, shop_id: int, found: ReplayRow) -> None:
    """Keep what was found in place of what was before."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO replays (shop_id, as_of, currency, record)
            VALUES (%(shop_id)s, %(as_of)s, %(currency)s, %(record)s)
                ON CONFLICT (shop_id) DO UPDATE
               SET as_of = excluded.as_of, currency = excluded.currency, record = excluded.record,
                   worked_out_at = now()
            """,
            {
                "shop_id": shop_id,
                "as_of": found.as_of,
                "currency": found.currency,
                "record": Json(found.record),
            },
        )


def newest(conn: Connection, shop_id: int) -> ReplayRow | None:
    """What was found last; None before any replay."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT as_of, currency, record FROM replays WHERE shop_id = %(shop_id)s",
            {"shop_id": shop_id},
        )
        return row_as(ReplayRow, cur)


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
