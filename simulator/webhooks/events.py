"""What happened in a shop becomes deliveries to the app, in the transaction in which it happened."""

import json
import sqlite3
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.app_toml import Subscription
from simulator.store import Store, iso
from simulator.webhooks import payloads

COMPLIANCE = frozenset({"customers/data_request", "customers/redact", "shop/redact"})
PROTECTED = ("orders/", "refunds/")
"""Topics that need the approval for protected customer data, as their objects do."""

HELD_BACK_FOR = timedelta(minutes=15)
"""An equal body of one subscription is told once in this time; an app's own life is always told."""
TOML: list[Subscription] = []
"""The app's subscriptions (set when the simulator starts)."""


def record(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    topic: str,
    resource_id: Any,
    *,
    payload: dict[str, Any] | None = None,
    event_id: str | None = None,
    even_if_gone: bool = False,
) -> int:
    """Queue one event for every subscription of its topic; how many deliveries."""
    row = conn.execute("SELECT installed_at FROM shops WHERE domain = ?", (shop,)).fetchone()
    if row["installed_at"] is None and not even_if_gone and topic not in COMPLIANCE:
        return 0
    if topic.startswith(PROTECTED) and _is_denied_protected_data(conn):
        return 0
    targets = [(sub.uri, sub.include_fields, None) for sub in TOML if sub.topic == topic]
    for own in conn.execute(
        "SELECT * FROM webhook_subscriptions WHERE shop = ? AND topic = ? AND deleted_at IS NULL",
        (shop, topic),
    ):
        fields = json.loads(own["include_fields"]) if own["include_fields"] else None
        targets.append((own["uri"], fields, own["id"]))
    if not targets:
        return 0
    body = payload if payload is not None else payloads.build(conn, shop, topic, resource_id)
    event_id = event_id or str(uuid.uuid4())
    # Installing happens in real time, whatever day it is in the shop: so does its end.
    triggered_at = (
        max(store.now(shop), datetime.now(UTC) + timedelta(seconds=1))
        if topic.startswith("app/")
        else store.now(shop)
    )
    told = 0
    for uri, fields, subscription_id in targets:
        text = json.dumps(payloads.only(body, fields) if fields else body, ensure_ascii=False)
        delivery = (shop, topic, uri, subscription_id, text.encode())
        if _was_told_just_now(conn, delivery, triggered_at):
            continue
        told += 1
        conn.execute(
            "INSERT INTO deliveries (shop, topic, uri, webhook_id, event_id, triggered_at, body, subscription_id, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                shop,
                topic,
                uri,
                str(uuid.uuid4()),
                event_id,
                iso(triggered_at),
                text.encode(),
                subscription_id,
                time.time(),
            ),
        )
    return told


def _was_told_just_now(
    conn: sqlite3.Connection, delivery: tuple[Any, ...], triggered_at: datetime
) -> bool:
    """Whether the same subscription was told the very same within a quarter of an hour."""
    if delivery[1] in COMPLIANCE or delivery[1].startswith("app/"):
        return False
    since = iso(triggered_at - HELD_BACK_FOR)
    found = conn.execute(
        "SELECT 1 FROM deliveries WHERE shop = ? AND topic = ? AND uri = ? AND subscription_id IS ? AND body = ?"
        " AND triggered_at > ? LIMIT 1",
        (*delivery, since),
    ).fetchone()
    return found is not None


def _is_denied_protected_data(conn: sqlite3.Connection) -> bool:
    row = conn.execute("SELECT value FROM faults WHERE name = 'pcd_denied'").fetchone()
    return row is not None and bool(json.loads(row["value"]))
