"""Who did what to a suggestion, in order (table `decision_log`): only ever added to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extras import Json

from shopify_app.db.connection import Connection, rows_as


@dataclass(frozen=True, slots=True)
class LoggedAct:
    """What someone did to a suggestion, or what became of it."""

    happened_at: datetime
    actor: str
    action: str
    suggestion_id: int
    kind: str
    product: str
    variant: str
    detail: dict[str, Any]


def add(
    conn: Connection,
    shop_id: int,
    suggestion_id: int,
    *,
    actor: str,
    action: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one act."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO decision_log (shop_id, suggestion_id, actor, action, detail)
            VALUES (%(shop_id)s, %(suggestion_id)s, %(actor)s, %(action)s, %(detail)s)
            """,
            {
                "shop_id": shop_id,
                "suggestion_id": suggestion_id,
                "actor": actor,
                "action": action,
                "detail": Json(detail or {}),
            },
        )


def of_shop(conn: Connection, shop_id: int, *, since: datetime | None = None) -> list[LoggedAct]:
    """Every act on a shop's suggestions (since a moment), the oldest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT l.happened_at, l.actor, l.action, l.suggestion_id, s.kind, p.title AS product,
                   v.title AS variant, l.detail
              FROM decision_log l
              JOIN suggestions s ON (s.shop_id, s.id) = (l.shop_id, l.suggestion_id)
              JOIN variants v ON (v.shop_id, v.id) = (s.shop_id, s.variant_id)
              JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
             WHERE l.shop_id = %(shop_id)s
               AND (%(since)s::timestamptz IS NULL OR l.happened_at >= %(since)s)
             ORDER BY l.id
            """,
            {"shop_id": shop_id, "since": since},
        )
        return rows_as(LoggedAct, cur)
