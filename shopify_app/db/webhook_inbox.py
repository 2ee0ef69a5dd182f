"""The inbox (table `webhook_inbox`): bytes in, claimed by shop, applied once, parked when poison."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shopify_app.db.connection import Connection, one_value, rows_as

PRIVACY: Final = ("customers/data_request", "customers/redact", "shop/redact")
UNINSTALLED: Final = "app/uninstalled"
APART: Final = (*PRIVACY, UNINSTALLED)
"""Topics with steps of their own: they are in no batch (the index `webhook_inbox_apart` lists the same)."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A proved delivery, before it is a row."""

    webhook_id: str
    event_id: str | None
    shop_domain: str
    topic: str
    api_version: str | None
    triggered_at: datetime | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row."""

    id: int
    topic: str
    triggered_at: datetime | None
    received_at: datetime
    body: bytes
    attempts: int


def record(conn: Connection, delivery: NewDelivery) -> bool:
    """Keep a delivery (ingest role); False if we have it already."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO webhook_inbox (webhook_id, event_id, shop_domain, topic, api_version, triggered_at, body)
            VALUES (%(webhook_id)s, %(event_id)s, %(shop_domain)s, %(topic)s, %(api_version)s, %(triggered_at)s, %(body)s)
                ON CONFLICT (webhook_id) DO NOTHING
            """,
            {
                "webhook_id": delivery.webhook_id,
                "event_id": delivery.event_id,
                "shop_domain": delivery.shop_domain,
                "topic": delivery.topic,
                "api_version": delivery.api_version,
                "triggered_at": delivery.triggered_at,
                "body": delivery.body,
            },
        )
        return cur.rowcount == 1


def due_domains(conn: Connection) -> list[str]:
    """Shops with due deliveries in random order (sweeper): a loud shop must not starve a quiet one.

    One step in the index a shop, however many of its deliveries wait. Uninstalls are `claim_uninstall`'s.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            WITH RECURSIVE waiting (shop_domain) AS (
                SELECT min(shop_domain) FROM webhook_inbox WHERE done_at IS NULL AND dead_at IS NULL
                 UNION ALL
                SELECT (SELECT min(i.shop_domain) FROM webhook_inbox i
                         WHERE i.done_at IS NULL AND i.dead_at IS NULL AND i.shop_domain > w.shop_domain)
                  FROM waiting w WHERE w.shop_domain IS NOT NULL
            )
            SELECT shop_domain FROM waiting w
             WHERE EXISTS (SELECT FROM webhook_inbox i
                            WHERE i.shop_domain = w.shop_domain AND i.done_at IS NULL AND i.dead_at IS NULL AND i.due_at <= now()
                              AND i.topic <> %(uninstalled)s)
             ORDER BY random()
            """,
            {"uninstalled": UNINSTALLED},
        )
        return [row[0] for row in cur.fetchall()]


def due(conn: Connection, shop_domain: str, *, limit: int, limit_bytes: int) -> list[Delivery]:
    """A shop's due deliveries but those APART in the order of arrival, locked until the transaction ends.

    At most `limit` of them, and no more bodies than `limit_bytes` hold, but always one.
    """
    with conn.cursor() as cur:
        # Two statements: of one, Postgres guesses wildly how many rows wait, and walks them all.
        cur.execute(
            """
            SELECT id, length(body) FROM webhook_inbox
             WHERE shop_domain = %(domain)s AND done_at IS NULL AND dead_at IS NULL AND due_at <= now()
               AND topic <> ALL (%(apart)s)
             ORDER BY due_at, id
             LIMIT %(limit)s
            """,
            {"domain": shop_domain, "limit": limit, "apart": list(APART)},
        )
        ids, sizes = [], 0
        for delivery_id, size in cur.fetchall():
            if ids and sizes + size > limit_bytes:
                break
            ids.append(delivery_id)
            sizes += size
        cur.execute(
            """
            SELECT id, topic, triggered_at, received_at, body, attempts FROM webhook_inbox
             WHERE id = ANY (%(ids)s) AND done_at IS NULL AND dead_at IS NULL
             ORDER BY due_at, id
               FOR UPDATE SKIP LOCKED
            """,
            {"ids": ids},
        )
        return [
            Delivery(d.id, d.topic, d.triggered_at, d.received_at, bytes(d.body), d.attempts)
            for d in rows_as(Delivery, cur)
        ]


def due_requests(conn: Connection, shop_domain: str, *, limit: int) -> list[Delivery]:
    """A shop's due privacy requests in the order of arrival, not locked (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, topic, triggered_at, received_at, body, attempts FROM webhook_inbox
             WHERE topic IN ('customers/data_request', 'customers/redact', 'shop/redact')
               AND shop_domain = %(domain)s AND done_at IS NULL AND dead_at IS NULL AND due_at <= now()
             ORDER BY id
             LIMIT %(limit)s
            """,
            {"domain": shop_domain, "limit": limit},
        )
        return [
            Delivery(d.id, d.topic, d.triggered_at, d.received_at, bytes(d.body), d.attempts)
            for d in rows_as(Delivery, cur)
        ]


def has_earlier(conn: Connection, shop_domain: str, delivery_id: int) -> bool:
    """Whether news that came before a privacy request still waits, to be applied or tried again (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT EXISTS (SELECT FROM webhook_inbox
                            WHERE shop_domain = %(domain)s AND done_at IS NULL AND dead_at IS NULL
                              AND id < %(id)s AND topic <> ALL (%(privacy)s))
            """,
            {"domain": shop_domain, "id": delivery_id, "privacy": list(PRIVACY)},
        )
        return bool(one_value(cur))


def uninstall_is_due(conn: Connection) -> bool:
    """Whether news of an uninstall waits to be confirmed (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT EXISTS (SELECT FROM webhook_inbox
                            WHERE topic = 'app/uninstalled' AND done_at IS NULL AND dead_at IS NULL AND due_at <= now())
            """
        )
        return bool(one_value(cur))


def claim_uninstall(conn: Connection, *, lease_seconds: int) -> tuple[str, Delivery] | None:
    """News of an uninstall with the shop it came under, another's only after the lease; None if none is due (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE webhook_inbox SET due_at = now() + make_interval(secs => %(lease)s)
             WHERE id = (SELECT id FROM webhook_inbox
                          WHERE topic = 'app/uninstalled' AND done_at IS NULL AND dead_at IS NULL AND due_at <= now()
                          ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING shop_domain, id, topic, triggered_at, received_at, body, attempts
            """,
            {"lease": lease_seconds},
        )
        row = cur.fetchone()
    if row is None:
        return None
    domain, delivery_id, topic, triggered_at, received_at, body, attempts = row
    return domain, Delivery(delivery_id, topic, triggered_at, received_at, bytes(body), attempts)


def put_off(conn: Connection, delivery_id: int, *, seconds: int) -> None:
    """Try a delivery again later; it costs it no try."""
    with conn.cursor() as cur:
        cur.execute(
            "UPDATE webhook_inbox SET due_at = now() + make_interval(secs => %(seconds)s) WHERE id = %(id)s",
            {"id": delivery_id, "seconds": seconds},
        )


def mark_done(conn: Connection, delivery_id: int, *, outcome: str) -> None:
    """Worked through: applied, stale, ignored or refetch."""
    with conn.cursor() as cur:
        cur.execute(
            "UPDATE webhook_inbox SET done_at = clock_timestamp(), outcome = %(outcome)s, error = NULL WHERE id = %(id)s",
            {"id": delivery_id, "outcome": outcome},
        )


def mark_many_done(conn: Connection, outcomes: Mapping[int, str]) -> None:
    """Worked through together: delivery id -> applied, stale, ignored or refetch."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE webhook_inbox i SET done_at = clock_timestamp(), outcome = o.outcome, error = NULL
              FROM unnest(%(ids)s::bigint[], %(outcomes)s::text[]) AS o (id, outcome)
             WHERE i.id = o.id
            """,
            {"ids": list(outcomes), "outcomes": list(outcomes.values())},
        )


def mark_failed(
    conn: Connection, delivery_id: int, *, error: str, tries: int, wait_seconds: int
) -> bool:
    """Count a try that failed; True if the delivery is parked now.

    The error is kept as ASCII: an error text may itself hold what Postgres refuses.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE webhook_inbox
               SET attempts = attempts + 1, error = %(error)s,
                   dead_at = CASE WHEN attempts + 1 >= %(tries)s THEN clock_timestamp() END,
                   due_at = now() + make_interval(secs => %(wait)s * power(4, attempts))
             WHERE id = %(id)s
            RETURNING dead_at IS NOT NULL
            """,
            {
                "id": delivery_id,
                "error": error[:2_000]
                .replace("\0", "\\x00")
                .encode("ascii", "backslashreplace")
                .decode(),
                "tries": tries,
                "wait": wait_seconds,
            },
        )
        return bool(one_value(cur))


def ignore_all(conn: Connection, shop_domain: str) -> int:
    """Close what arrived for a shop that we do not work for (sweeper); compliance topics stay."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE webhook_inbox SET done_at = now(), outcome = 'ignored'
             WHERE shop_domain = %(domain)s AND done_at IS NULL AND dead_at IS NULL
               AND topic NOT IN ('customers/data_request', 'customers/redact', 'shop/redact')
            """,
            {"domain": shop_domain},
        )
        return cur.rowcount


def counts(conn: Connection) -> dict[str, Any]:
    """What waits and what is parked, over all shops (sweeper); what is done is not looked at."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT count(*), coalesce(extract(epoch FROM now() - min(received_at)), 0),
                   (SELECT count(*) FROM webhook_inbox WHERE dead_at IS NOT NULL)
              FROM webhook_inbox
             WHERE done_at IS NULL AND dead_at IS NULL
            """
        )
        waiting, oldest, dead = cur.fetchall()[0]
        return {"waiting": waiting, "oldest_seconds": round(float(oldest), 1), "dead": dead}


def count_done(conn: Connection) -> int:
    """How many deliveries of the last 60 days are worked through, over all shops (sweeper)."""
    with conn.cursor() as cur:
        cur.execute("SELECT count(*) FROM webhook_inbox WHERE done_at IS NOT NULL")
        return int(one_value(cur))


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """A parked delivery as an operator sees it: no body."""

    id: int
    webhook_id: str
    shop_domain: str
    topic: str
    received_at: datetime
    dead_at: datetime
    attempts: int
    body_bytes: int
    error: str | None


def dead(
    conn: Connection, *, delivery_id: int | None = None, limit: int = 200
) -> list[DeadDelivery]:
    """Parked deliveries, the newest first, or one of them (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, webhook_id, shop_domain, topic, received_at, dead_at, attempts, length(body) AS body_bytes, error
              FROM webhook_inbox
             WHERE dead_at IS NOT NULL AND (%(id)s::bigint IS NULL OR id = %(id)s)
             ORDER BY dead_at DESC, id DESC
             LIMIT %(limit)s
            """,
            {"id": delivery_id, "limit": limit},
        )
        return rows_as(DeadDelivery, cur)


def replay(
    conn: Connection, *, delivery_id: int | None = None, since: datetime | None = None
) -> int:
    """Make parked deliveries due again, their tries forgotten; how many (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE webhook_inbox SET dead_at = NULL, attempts = 0, due_at = now(), error = NULL
             WHERE dead_at IS NOT NULL AND length(body) > 0
               AND (%(id)s::bigint IS NULL OR id = %(id)s)
               AND (%(since)s::timestamptz IS NULL OR dead_at >= %(since)s)
            """,
            {"id": delivery_id, "since": since},
        )
        return cur.rowcount


def let_bodies_go(conn: Connection, *, done_days: int, dead_days: int) -> int:
    """Empty bodies that are no longer needed, and forget old rows; how many were emptied (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE webhook_inbox SET body = ''
             WHERE length(body) > 0
               AND (done_at < now() - make_interval(days => %(done)s) OR dead_at < now() - make_interval(days => %(dead)s))
            """,
            {"done": done_days, "dead": dead_days},
        )
        emptied = cur.rowcount
        cur.execute("DELETE FROM webhook_inbox WHERE done_at < now() - interval '60 days'")
        return emptied


def forget_shop_but(conn: Connection, shop_domain: str, delivery_id: int) -> int:
    """Remove everything a shop ever sent, but for one delivery, which only loses its body (sweeper)."""
    with conn.cursor() as cur:
        cur.execute("UPDATE webhook_inbox SET body = '' WHERE id = %(id)s", {"id": delivery_id})
        cur.execute(
            "DELETE FROM webhook_inbox WHERE shop_domain = %(domain)s AND id <> %(id)s",
            {"domain": shop_domain, "id": delivery_id},
        )
        return cur.rowcount
