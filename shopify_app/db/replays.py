"""A shop's past replayed under the advice, as last worked out (table `replays`). Every query names its shop."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg2.extras import Json

from shopify_app.db.connection import Connection, row_as


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
                   worked_out_at = shop_now()
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
