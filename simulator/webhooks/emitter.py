"""Sends deliveries as Shopify does: headers, signature, five seconds, retries; and misbehaves on request."""

import base64
import hashlib
import hmac
import http.client
import json
import select
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

from simulator.config import SimConfig
from simulator.faults import Faults
from simulator.store import Store, iso

CONNECTIONS: Final = 8
RETRIES: Final = 8
BATCH: Final = 200
CONNECT_SECONDS: Final = 1.0
TOTAL_SECONDS: Final = 5.0
"""What Shopify waits for the whole answer; a socket alone would allow this for every read."""


class Emitter:
    """A thread that sends what is due; state is in the store, so a restart goes on."""

    def __init__(self, store: Store, config: SimConfig, faults: Faults, api_version: str) -> None:
        self._store, self._config, self._faults, self._version = store, config, faults, api_version
        self._stop = threading.Event()
        self._lines = _Lines()
        self._held: set[int] = set()
        self._pool = ThreadPoolExecutor(CONNECTIONS, "deliver")
        self._thread = threading.Thread(target=self._run, name="emitter", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after what is under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._pool.shutdown(wait=True)
        self._lines.close()

    def pending(self) -> int:
        """Deliveries not yet at their end."""
        return int(
            self._store.connection()
            .execute("SELECT count(*) FROM deliveries WHERE state = 'pending'")
            .fetchone()[0]
        )

    def flush(self, timeout_seconds: float) -> int:
        """Wait until nothing is pending; what is left."""
        deadline = time.monotonic() + timeout_seconds
        while (left := self.pending()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                is_idle = bool(self._faults.get("webhook_pause")) or not self._send_due()
            except sqlite3.OperationalError:  # a long transaction holds the file: what is due stays
                is_idle = True
            if is_idle:
                self._stop.wait(0.05)

    def _send_due(self) -> bool:
        rows = (
            self._store.connection()
            .execute(
                "SELECT * FROM deliveries WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
                (time.time(), BATCH),
            )
            .fetchall()
        )
        if not rows:
            return False
        fates = [(row, self._seconds_held(row)) for row in rows]
        now = [row for row, seconds in fates if seconds == 0]
        sent = [one for one in self._pool.map(self._deliver, now) if one is not None]
        with (
            self._store.transaction() as conn
        ):  # booked together: a commit a delivery would be the slowest part
            for row, seconds in fates:
                if seconds != 0:
                    self._set_aside(conn, row, seconds)
            for row, status in sent:
                self._book(conn, row, status)
        return True

    def _deliver(self, row: sqlite3.Row) -> tuple[sqlite3.Row, int] | None:
        """Send one; (the row, how it was answered), or None when the emitter is stopping."""
        if self._stop.is_set():
            return None
        status = self._post(row, self._body(row))
        if self._faults.hit("webhook_duplicate"):
            self._post(row, self._body(row))
        return row, status

    def _seconds_held(self, row: sqlite3.Row) -> float | None:
        """How long a first attempt is held back (0: it goes out now); None if it is never sent."""
        if row["attempts"] > 0:
            return 0.0
        if row["seq"] in self._held:
            self._held.discard(row["seq"])
            return 0.0
        if self._faults.hit("webhook_drop"):
            return None
        late = float(self._faults.get("webhook_delay_seconds", 0.0))
        if self._faults.hit("webhook_reorder"):
            late += self._faults.draw() * float(self._faults.get("webhook_reorder_seconds", 2.0))
        return max(0.0, late)

    def _set_aside(self, conn: sqlite3.Connection, row: sqlite3.Row, seconds: float | None) -> None:
        """Drop, or hold back once: being held is no attempt, so all eight retries are left."""
        if seconds is None:
            conn.execute("UPDATE deliveries SET state = 'dropped' WHERE seq = ?", (row["seq"],))
            return
        self._held.add(row["seq"])
        conn.execute(
            "UPDATE deliveries SET due_at = ? WHERE seq = ?", (time.time() + seconds, row["seq"])
        )

    def _body(self, row: sqlite3.Row) -> bytes:
        if self._faults.hit("webhook_only_id") and (number := json.loads(row["body"]).get("id")):
            return json.dumps({"id": number}).encode()
        return bytes(row["body"])

    def _post(self, row: sqlite3.Row, body: bytes) -> int:
        secret = (
            self._config.old_client_secret
            if self._faults.get("webhook_secret") == "old"
            else self._config.client_secret
        )
        signature = base64.b64encode(
            hmac.new(secret.encode(), body, hashlib.sha256).digest()
        ).decode()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": row["topic"],
            "X-Shopify-Shop-Domain": row["shop"],
            "X-Shopify-Hmac-Sha256": signature,
            "X-Shopify-Webhook-Id": row["webhook_id"],
            "X-Shopify-Event-Id": row["event_id"],
            "X-Shopify-Triggered-At": row["triggered_at"],
            "X-Shopify-API-Version": self._version,
        }
        url = row["uri"] if row["uri"].startswith("http") else self._config.app_url + row["uri"]
        started = time.monotonic()
        try:
            status = self._lines.post(url, body, headers)
        except (OSError, http.client.HTTPException, ValueError):
            return 0
        return status if time.monotonic() - started <= TOTAL_SECONDS else 0

    def _book(self, conn: sqlite3.Connection, row: sqlite3.Row, status: int) -> None:
        attempts = row["attempts"] + 1
        if 200 <= status < 300:
            conn.execute(
                "UPDATE deliveries SET state = 'delivered', attempts = ?, last_status = ?, delivered_at = ? WHERE seq = ?",
                (attempts, status, time.time(), row["seq"]),
            )
            return
        over = attempts > RETRIES
        wait = float(self._faults.get("webhook_retry_scale", 0.2)) * 2**attempts
        conn.execute(
            "UPDATE deliveries SET state = ?, attempts = ?, last_status = ?, due_at = ? WHERE seq = ?",
            ("failed" if over else "pending", attempts, status, time.time() + wait, row["seq"]),
        )
        if over and row["subscription_id"] is not None:
            self._end_subscription(conn, row["shop"], row["subscription_id"])

    def _end_subscription(self, conn: sqlite3.Connection, shop: str, subscription_id: int) -> None:
        """Shopify takes a subscription that the app made through the API away, and sends no more."""
        conn.execute(
            "UPDATE webhook_subscriptions SET deleted_at = ? WHERE shop = ? AND id = ?",
            (iso(self._store.now(shop)), shop, subscription_id),
        )
        conn.execute(
            "UPDATE deliveries SET state = 'failed' WHERE state = 'pending' AND shop = ? AND subscription_id = ?",
            (shop, subscription_id),
        )


class _Lines:
    """Kept-alive connections, one a thread and address. No proxy, no redirect is followed."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: list[http.client.HTTPConnection] = []

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer.

        Raises
        ------
        OSError, http.client.HTTPException, ValueError
            If there is none, or `url` is no address.
        """
        parts = urlsplit(url)
        conn = self._line(parts.scheme, parts.hostname or "", parts.port)
        try:
            conn.request(
                "POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, headers
            )
            answer = conn.getresponse()
            answer.read()
        except BaseException:
            conn.close()
            raise
        return answer.status

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            for conn in self._all:
                conn.close()
            self._all.clear()

    def _line(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        """The connection of a thread to an address, connected; one that the other end closed is made anew."""
        lines: dict[tuple[str, str, int | None], http.client.HTTPConnection]
        lines = self._local.__dict__.setdefault("lines", {})
        conn = lines.get((scheme, host, port))
        if conn is None:
            kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
            conn = lines[scheme, host, port] = kind(host, port)
            with self._lock:
                self._all.append(conn)
        if conn.sock is not None and select.select([conn.sock], [], [], 0)[0]:
            conn.close()  # readable though nothing was asked: the other end has hung up
        if conn.sock is None:
            conn.timeout = CONNECT_SECONDS
            self._dial(conn)
        return conn

    @staticmethod
    def _dial(conn: http.client.HTTPConnection) -> None:
        conn.connect()
        if conn.sock is not None:
            conn.sock.settimeout(TOTAL_SECONDS)
