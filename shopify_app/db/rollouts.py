"""Prices that go out together (table `rollouts`). Every query names its shop."""

from dataclasses import asdict
from datetime import datetime

from psycopg2.extras import Json

from shopify_app.db.connection import Connection, one_value, rows_as
from shopify_app.domain.rollout import Exposure, Plan, Rollout


def add(conn: Connection, shop_id: int, plan: Plan, exposure: Exposure, *, created_by: str) -> int:
    """Keep a plan and what the merchant was shown before confirming it; its id."""
    shown = {
        name: [asdict(limit) for limit in value] if name == "limits" else str(value)
        for name, value in ((name, getattr(exposure, name)) for name in exposure.__slots__)
    }
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO rollouts (shop_id, created_by, first_at, stages, every_days, exposure)
            VALUES (%(shop_id)s, %(by)s, %(first_at)s, %(stages)s, %(every_days)s, %(exposure)s)
            RETURNING id
            """,
            {
                "shop_id": shop_id,
                "by": created_by,
                "first_at": plan.first_at,
                "stages": plan.stages,
                "every_days": plan.every_days,
                "exposure": Json(shown),
            },
        )
        return int(one_value(cur))


def newest(
    conn: Connection, shop_id: int, *, rollout_id: int | None = None, limit: int = 10
) -> list[Rollout]:
    """Plans with how far they have come, the newest first; one of them if its id is given."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT r.id, r.created_by, r.created_at, r.first_at, r.stages, r.every_days, r.exposure, r.stopped_at,
                   r.stopped_because, count(c.id) AS prices,
                   count(c.id) FILTER (WHERE c.state IN ('approved', 'sending')) AS waiting,
                   count(c.id) FILTER (WHERE c.state = 'applied') AS applied,
                   count(c.id) FILTER (WHERE c.state = 'undone') AS undone,
                   count(c.id) FILTER (WHERE c.state IN ('conflict', 'failed', 'unknown')) AS not_written,
                   min(c.due_at) FILTER (WHERE c.state = 'approved') AS next_at
              FROM rollouts r
              LEFT JOIN price_changes c ON (c.shop_id, c.rollout_id) = (r.shop_id, r.id)
             WHERE r.shop_id = %(shop_id)s AND (%(id)s::bigint IS NULL OR r.id = %(id)s)
             GROUP BY r.shop_id, r.id
             ORDER BY r.id DESC
             LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "id": rollout_id, "limit": limit},
        )
        return rows_as(Rollout, cur)


def suggestion_ids(
    conn: Connection, shop_id: int, rollout_id: int, *, waiting_only: bool
) -> list[int]:
    """The suggestions of a plan, by stage; only those whose price has not left, if asked for."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT suggestion_id FROM price_changes
             WHERE shop_id = %(shop_id)s AND rollout_id = %(id)s
               AND (NOT %(waiting_only)s OR state = 'approved' AND sent_at IS NULL)
             ORDER BY stage, id
            """,
            {"shop_id": shop_id, "id": rollout_id, "waiting_only": waiting_only},
        )
        return [int(row[0]) for row in cur.fetchall()]


def stages_of(conn: Connection, shop_id: int, rollout_id: int) -> list[tuple[int, datetime, int]]:
    """(stage, when it is due, how many prices), the earliest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT stage, min(planned_for), count(*) FROM price_changes
             WHERE shop_id = %(shop_id)s AND rollout_id = %(id)s
             GROUP BY stage ORDER BY stage
            """,
            {"shop_id": shop_id, "id": rollout_id},
        )
        return [(int(stage), due, int(prices)) for stage, due, prices in cur.fetchall()]


def mark_stopped(conn: Connection, shop_id: int, rollout_id: int, *, because: str) -> bool:
    """Note that no further stage goes out; False if it was stopped before."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE rollouts SET stopped_at = shop_now(), stopped_because = %(because)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND stopped_at IS NULL
            """,
            {"shop_id": shop_id, "id": rollout_id, "because": because},
        )
        return cur.rowcount == 1


def mark_braked(conn: Connection, shop_id: int) -> int:
    """Note every plan of which the brake withdrew prices; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE rollouts r SET stopped_at = shop_now(), stopped_because = 'brake'
             WHERE r.shop_id = %(shop_id)s AND r.stopped_at IS NULL
               AND EXISTS (SELECT FROM price_changes c WHERE c.shop_id = r.shop_id AND c.rollout_id = r.id AND c.error_code = 'brake')
            """,
            {"shop_id": shop_id},
        )
        return cur.rowcount
