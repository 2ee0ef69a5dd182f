"""Days that go by one after the other, the app at work between them.

    a day is lived --> its webhooks are delivered and worked on --> the app is told the new day --> what is due by it is done

An app that follows no simulated days (or is away) is told nothing and waited for no longer than its webhooks take.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import httpx

from simulator.config import SimConfig
from simulator.store import Store, iso
from simulator.webhooks.emitter import Emitter
from simulator.world import days

LONGEST_DAYS: Final = 366
LOOK_EVERY_SECONDS: Final = 0.1
DELIVERY_SECONDS: Final = 60.0
NEWS_SECONDS: Final = 120.0
WORK_SECONDS: Final = 120.0
LAST_SECONDS: Final = 900.0
"""How long a day's deliveries, what follows from them, what is due, and on the last day new advice are waited for."""

BETWEEN_DAYS: Final = ("prices", "tests", "verdicts")
"""What must be done before the next day; new advice takes its time, as it does where days are real."""


@dataclass(slots=True)
class Walk:
    """How far it has come."""

    days: int = 0
    passed: int = 0
    today: str = ""
    waits_for: str = ""
    """What is waited for: `deliveries`, or what the app says is under way."""
    is_over: bool = True


class Walks:
    """One walk a shop at a time, each on a thread of its own."""

    def __init__(self, store: Store, config: SimConfig, emitter: Emitter) -> None:
        self._store, self._config, self._emitter = store, config, emitter
        self._lock = threading.Lock()
        self._walks: dict[str, Walk] = {}
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    def begin(self, shop: str, count: int) -> dict[str, Any] | None:
        """Let days begin to go by; None while others do.

        Raises
        ------
        ValueError
            If so many days are not let go by at once.
        """
        if not 1 <= count <= LONGEST_DAYS:
            raise ValueError(f"days must be 1 to {LONGEST_DAYS}")
        with self._lock:
            if not self._walks.get(shop, Walk()).is_over:
                return None
            walk = self._walks[shop] = Walk(days=count, today=self._today(shop), is_over=False)
            thread = threading.Thread(target=self._run, args=(shop, walk), daemon=True)
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]
            thread.start()
        return asdict(walk)

    def progress(self, shop: str) -> dict[str, Any]:
        """How far a shop's newest walk has come; of a shop without one that it is over."""
        return asdict(self._walks.get(shop) or Walk(today=self._today(shop)))

    def stop(self) -> None:
        """End after the day that is lived now."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def _today(self, shop: str) -> str:
        return iso(self._store.now(shop))[:10]

    def _run(self, shop: str, walk: Walk) -> None:
        try:
            with httpx.Client(timeout=30, trust_env=False) as http:
                while walk.passed < walk.days and not self._stop.is_set():
                    self._pass_a_day(http, shop, walk)
        finally:
            walk.is_over, walk.waits_for = True, ""

    def _pass_a_day(self, http: httpx.Client, shop: str, walk: Walk) -> None:
        is_last = walk.passed + 1 == walk.days
        days.advance(self._store, shop, 1)
        self._wait_for_news(http, shop, walk)
        self._tell(http, shop, iso(self._store.now(shop)))
        self._wait(walk, BETWEEN_DAYS, lambda: self._tell(http, shop), WORK_SECONDS)
        if is_last:
            self._wait_for_news(http, shop, walk)  # the app's own writes are news too
            everything = ("news", *BETWEEN_DAYS, "suggestions")
            self._wait(walk, everything, lambda: self._tell(http, shop), LAST_SECONDS)
        walk.passed, walk.today = walk.passed + 1, self._today(shop)

    def _wait_for_news(self, http: httpx.Client, shop: str, walk: Walk) -> None:
        walk.waits_for = "deliveries"
        self._emitter.flush(DELIVERY_SECONDS)
        self._wait(walk, ("news",), lambda: self._tell(http, shop), NEWS_SECONDS)

    def _wait(
        self, walk: Walk, names: tuple[str, ...], look: Callable[[], dict[str, int]], seconds: float
    ) -> None:
        deadline = time.monotonic() + seconds
        while not self._stop.is_set() and time.monotonic() < deadline:
            found = look()
            walk.waits_for = next((name for name in names if found.get(name)), "")
            if not walk.waits_for:
                return
            self._stop.wait(LOOK_EVERY_SECONDS)

    def _tell(self, http: httpx.Client, shop: str, now: str | None = None) -> dict[str, int]:
        """What the app says that it has to do, told the moment if there is one; nothing if it follows no days."""
        body = json.dumps({"shop": shop} | ({"now": now} if now else {})).encode()
        digest = hmac.new(self._config.client_secret.encode(), body, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        }
        try:
            answer = http.post(
                f"{self._config.app_url}/development/clock", content=body, headers=headers
            )
            return dict(answer.json()) if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError):
            return {}
