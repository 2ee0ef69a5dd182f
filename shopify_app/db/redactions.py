"""What the privacy topics asked and what was done (table `redactions`): it outlives the shop. Sweeper only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extras import Json

from shopify_app.db.connection import Connection, one_value, rows_as


@dataclass(frozen=True, slots=True)
class Redaction:
    """One request of a privacy topic."""

    id: int
    shop_domain: str
    topic: str
    request: dict[str, Any]
    received_at: datetime
    due_at: datetime
    done_at: datetime | None
    proof: dict[str, Any] | None
    delivery_id: int | None


def record(
    conn: Connection,
    *,
    shop_domain: str,
    topic: str,
    request: dict[str, Any],
    received_at: datetime,
    delivery_id: int | None = None,
) -> int:
    """Keep a request (ids only), once a delivery; our own deadline is 72 hours, the law's is 30 days."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO redactions AS r (shop_domain, topic, request, received_at, due_at, delivery_id)
            VALUES (%(domain)s, %(topic)s, %(request)s, %(received_at)s, %(received_at)s + interval '72 hours', %(delivery_id)s)
                ON CONFLICT (delivery_id) DO UPDATE SET received_at = r.received_at
            RETURNING id
            """,
            {
                "domain": shop_domain,
                "topic": topic,
                "request": Json(request),
                "received_at": received_at,
                "delivery_id": delivery_id,
            },
        )
        return int(one_value(cur))


def finish(conn: Connection, redaction_id: int, *, proof: dict[str, Any]) -> None:
    """Done, and what was removed or found."""
    with conn.cursor() as cur:
        cur.execute(
            "UPDATE redactions SET done_at = clock_timestamp(), proof = %(proof)s WHERE id = %(id)s",
            {"id": redaction_id, "proof": Json(proof)},
        )


def late(conn: Connection) -> int:
    """Requests not done though half of our own deadline is over."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT count(*) FROM redactions
             WHERE done_at IS NULL AND now() > received_at + (due_at - received_at) / 2
            """
        )
        return int(one_value(cur))


def every(conn: Connection, *, limit: int = 500) -> list[Redaction]:
    """Requests, the newest first."""
    with conn.cursor() as cur:
        cur.execute("SELECT * FROM redactions ORDER BY id DESC LIMIT %(limit)s", {"limit": limit})
        return rows_as(Redaction, cur)
