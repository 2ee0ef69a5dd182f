"""Who did what to a suggestion, in order (table `decision_log`): only ever added to."""

from typing import Any

from psycopg2.extras import Json

from shopify_app.db.connection import Connection


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
