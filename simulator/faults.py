"""Misbehaviour on request: named switches, kept in the store, drawn from a seeded generator.

webhook_duplicate, webhook_drop, webhook_reorder, webhook_only_id   shares of deliveries
webhook_delay_seconds, webhook_pause, webhook_secret ("current" | "old"), webhook_retry_scale
graphql_throttle, graphql_internal_error, graphql_lose_reply         shares of calls
graphql_http_status with graphql_http_share, graphql_latency_seconds
oauth_lose_reply, oauth_429 (with oauth_retry_after), oauth_503      shares of calls
idempotency_concurrent                                               share of keyed mutations
token_clock_offset_seconds, pcd_denied, bulk_fail, bulk_delay_seconds, bulk_agreements_refused
"""

import json
import threading
from typing import Any, Final

import numpy as np

from simulator.store import Store

NAMES: Final = frozenset(
    {
        "webhook_duplicate",
        "webhook_drop",
        "webhook_reorder",
        "webhook_reorder_seconds",
        "webhook_only_id",
        "webhook_delay_seconds",
        "webhook_pause",
        "webhook_secret",
        "webhook_retry_scale",
        "graphql_throttle",
        "graphql_internal_error",
        "graphql_lose_reply",
        "graphql_http_status",
        "graphql_http_share",
        "graphql_latency_seconds",
        "oauth_lose_reply",
        "oauth_429",
        "oauth_503",
        "oauth_retry_after",
        "idempotency_concurrent",
        "token_clock_offset_seconds",
        "pcd_denied",
        "bulk_fail",
        "bulk_delay_seconds",
        "bulk_agreements_refused",
    }
)


class Faults:
    """The switches that are set."""

    def __init__(self, store: Store, seed: int = 0) -> None:
        self._store = store
        self._rng = np.random.default_rng([seed, 99])
        self._lock = threading.Lock()
        self._cached: dict[str, Any] | None = None

    def all(self) -> dict[str, Any]:
        """Every switch that is set."""
        if self._cached is None:
            rows = self._store.connection().execute("SELECT name, value FROM faults").fetchall()
            self._cached = {row["name"]: json.loads(row["value"]) for row in rows}
        return self._cached

    def set(self, values: dict[str, Any]) -> None:
        """Set switches; others stay. ValueError names a switch that does not exist."""
        if unknown := sorted(values.keys() - NAMES):
            raise ValueError(f"no such switch: {', '.join(unknown)}")
        with self._store.transaction() as conn:
            for name, value in values.items():
                conn.execute(
                    "INSERT OR REPLACE INTO faults VALUES (?, ?)", (name, json.dumps(value))
                )
        self._cached = None

    def clear(self) -> None:
        """Behave again."""
        with self._store.transaction() as conn:
            conn.execute("DELETE FROM faults")
        self._cached = None

    def get(self, name: str, default: Any = None) -> Any:
        """A switch's value."""
        return self.all().get(name, default)

    def hit(self, name: str) -> bool:
        """Whether a share-switch strikes this time."""
        share = float(self.get(name, 0.0))
        if share <= 0:
            return False
        with self._lock:
            return bool(self._rng.random() < share)

    def draw(self) -> float:
        """A number in [0, 1) of the same generator."""
        with self._lock:
            return float(self._rng.random())
