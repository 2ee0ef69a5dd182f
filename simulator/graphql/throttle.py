"""The leaky bucket of query cost: one per shop, in real time."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

MAXIMUM = 2_000.0
RESTORE_PER_SECOND = 100.0


@dataclass(slots=True)
class _Bucket:
    level: float = MAXIMUM
    at: float = field(default_factory=time.monotonic)


class Throttle:
    """Takes requested cost, gives back what was not used."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, shop: str, cost: float) -> bool:
        """Whether there was enough; then it is taken."""
        with self._lock:
            bucket = self._now(shop)
            if bucket.level < cost:
                return False
            bucket.level -= cost
            return True

    def empty(self, shop: str) -> None:
        """Leave nothing."""
        with self._lock:
            self._now(shop).level = 0.0

    def status(self, shop: str) -> dict[str, Any]:
        """As `extensions.cost.throttleStatus` says it."""
        with self._lock:
            bucket = self._now(shop)
            return {
                "maximumAvailable": MAXIMUM,
                "currentlyAvailable": int(bucket.level),
                "restoreRate": RESTORE_PER_SECOND,
            }

    def _now(self, shop: str) -> _Bucket:
        bucket = self._buckets.setdefault(shop, _Bucket())
        now = time.monotonic()
        bucket.level = min(MAXIMUM, bucket.level + (now - bucket.at) * RESTORE_PER_SECOND)
        bucket.at = now
        return bucket
