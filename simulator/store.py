"""The simulated shops' state: one SQLite file, one connection a thread, a clock a shop."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulator.minor_units import DIGITS

SCHEMA = Path(__file__).with_name("schema.sql")
VIEWS = Path(__file__).with_name("views.sql")
LATER_COLUMNS = (
    ("bulk_operations", "grouped", "INTEGER NOT NULL DEFAULT 1"),
    ("orders", "has_sales", "INTEGER NOT NULL DEFAULT 0"),
    ("orders", "taxes_included", "INTEGER"),  # null: as the shop
    (
        "orders",
        "paid",
        "INTEGER",
    ),  # smallest units, less what was given back; null: what it is worth
    ("orders", "company_id", "INTEGER"),
    ("order_lines", "tip", "INTEGER NOT NULL DEFAULT 0"),
    ("order_lines", "tax_lines", "TEXT"),  # null: what its tax says, as VAT of 20 %
    ("refunds", "amount", "INTEGER"),  # smallest units; null: its lines' worth
    ("refunds", "return_id", "INTEGER"),
    ("locations", "deleted_at", "TEXT"),
)
"""Columns that a file made by an earlier simulator lacks."""


def iso(moment: datetime) -> str:
    """A moment as the store keeps it: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> datetime:
    """The aware moment of a stored text."""
    return datetime.fromisoformat(text)


class Store:
    """A SQLite file shared by the simulator's threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._write_lock = threading.RLock()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.connection().executescript(SCHEMA.read_text())
        for table, column, kind in LATER_COLUMNS:
            known = {
                row["name"] for row in self.connection().execute(f"PRAGMA table_info({table})")
            }
            if column not in known:
                self.connection().execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        self.connection().executescript(VIEWS.read_text())
        self.connection().executemany(
            "INSERT OR REPLACE INTO currencies VALUES (?, ?)",
            [(code, 10.0**digits) for code, digits in DIGITS.items()],
        )

    @property
    def folder(self) -> Path:
        """Where the file lives; bulk results are written beside it."""
        return self.path.parent

    def connection(self) -> sqlite3.Connection:
        """The connection of this thread; rows answer by name."""
        conn = getattr(self._local, "conn", None)
        if conn is None:
            conn = sqlite3.connect(self.path, timeout=60, isolation_level=None)
            conn.row_factory = sqlite3.Row
            conn.execute("PRAGMA journal_mode=WAL")
            conn.execute("PRAGMA synchronous=NORMAL")
            self._local.conn = conn
        return conn

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time; nested calls on one thread join the outer transaction."""
        conn = self.connection()
        with self._write_lock:
            if conn.in_transaction:
                yield conn
                return
            conn.execute("BEGIN IMMEDIATE")
            try:
                yield conn
            except BaseException:
                conn.execute("ROLLBACK")
                raise
            conn.execute("COMMIT")

    def now(self, shop: str) -> datetime:
        """What a shop's clock says."""
        row = (
            self.connection()
            .execute("SELECT now_at FROM shops WHERE domain = ?", (shop,))
            .fetchone()
        )
        return from_iso(row["now_at"])

    def tick(self, conn: sqlite3.Connection, shop: str, seconds: int = 1) -> datetime:
        """Move a shop's clock on and say the new time: no two changes share a stamp."""
        now = self.now(shop) + timedelta(seconds=seconds)
        conn.execute("UPDATE shops SET now_at = ? WHERE domain = ?", (iso(now), shop))
        return now

    def draw_ids(self, conn: sqlite3.Connection, shop: str, count: int = 1) -> int:
        """The first of `count` fresh ids of a shop (above 2**31, as Shopify's are)."""
        row = conn.execute(
            "UPDATE shops SET next_id = next_id + ? WHERE domain = ? RETURNING next_id",
            (count, shop),
        ).fetchone()
        return int(row["next_id"]) - count
