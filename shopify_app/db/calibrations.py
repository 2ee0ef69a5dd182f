"""How often a shop's ranges held, as last worked out (table `calibrations`). Every query names its shop."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg2.extras import Json

from shopify_app.db.connection import Connection, row_as


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """What became of a shop's ranges.

    Attributes
    ----------
    record : `levels` (level, count, weeks, held, held_low, held_high, below, above, is_known), `parts` by kind
        and class of demand, `left_out`
    corrections : level said -> the level to ask the model for
    """

    as_of: date
    record: dict[str, Any]
    corrections: dict[str, float]


def keep(conn: Connection, shop_id: int, found: CalibrationRow) -> None:
    """Keep what was worked out in place of what was before."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO calibrations (shop_id, as_of, record, corrections)
            VALUES (%(shop_id)s, %(as_of)s, %(record)s, %(corrections)s)
                ON CONFLICT (shop_id) DO UPDATE
               SET as_of = excluded.as_of, record = excluded.record, corrections = excluded.corrections,
                   worked_out_at = shop_now()
            """,
            {
                "shop_id": shop_id,
                "as_of": found.as_of,
                "record": Json(found.record),
                "corrections": Json(found.corrections),
            },
        )


def of_shop(conn: Connection, shop_id: int) -> CalibrationRow | None:
    """What was worked out last; None before any range came due."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT as_of, record, corrections FROM calibrations WHERE shop_id = %(shop_id)s",
            {"shop_id": shop_id},
        )
        return row_as(CalibrationRow, cur)
