"""A case's delivery is queued as it is told: its topic, its body uncut, its id and time, as often as it says."""

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from simulator.cases.case import Webhook
from simulator.store import Store, iso
from simulator.webhooks import events, payloads
from simulator.world import names
from simulator.world.rows import NotThereError

ABOUT: Final = ("product", "order", "item", "location", "shop")
"""Things whose own body may be taken."""


def queue(conn: sqlite3.Connection, store: Store, shop: str, told: Webhook) -> int:
    """Queue it for every subscription of its topic in shopify.app.toml; how many deliveries.

    Raises
    ------
    NotThereError
        If the app is not subscribed to the topic, or a name in it is of nothing.
    """
    uris = [one.uri for one in events.TOML if one.topic == told.topic]
    if not uris:
        raise NotThereError(f"the app is not subscribed to {told.topic}")
    moment = iso(store.tick(conn, shop))
    body = names.resolved(conn, shop, told.body)
    if told.about is not None:
        body = _laid_over(_own_body(conn, shop, told), body)
    raw = json.dumps(body, ensure_ascii=False).encode()
    event_id, webhook_id = str(uuid.uuid4()), told.id and f"{shop}:{told.id}"
    for uri in uris:
        delivery_id = webhook_id or str(uuid.uuid4())
        for _ in range(told.times):
            conn.execute(
                "INSERT INTO deliveries (shop, topic, uri, webhook_id, event_id, triggered_at, body, due_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    shop,
                    told.topic,
                    uri,
                    delivery_id,
                    event_id,
                    names.resolved(conn, shop, told.at) if told.at else moment,
                    raw,
                    time.time(),
                ),
            )
    return len(uris) * told.times


def _own_body(conn: sqlite3.Connection, shop: str, told: Webhook) -> dict[str, Any]:
    """The shop's own body of the thing that a delivery is about."""
    what = str(told.about).removeprefix("$").partition(":")[0]
    if what not in ABOUT:
        raise NotThereError(f"“{told.about}”: about needs one of ${', $'.join(ABOUT)}")
    number = names.resolved(conn, shop, told.about)
    return payloads.build(conn, shop, told.topic, number)


def _laid_over(under: Any, over: Any) -> Any:
    """The first with what the second says; lists of objects are laid over each other by place."""
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        return {
            **under,
            **{name: _laid_over(under.get(name), value) for name, value in over.items()},
        }
    if isinstance(under, list) and isinstance(over, list) and all(map(_is_object, over)):
        both = [_laid_over(*pair) for pair in zip(under, over, strict=False)]
        return both + under[len(both) :] + over[len(both) :]
    return over


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)
