"""Runs migrations/NNNN_*.sql forward, each once, under one lock.

A file is one transaction, unless its first line says `-- migrate: no-transaction` (for indexes
built CONCURRENTLY). What ran is kept with its checksum: a file changed afterwards is refused.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg2

from shopify_app.config import settings
from shopify_app.db.connection import CONNECT_TIMEOUT_SECONDS, one_value
from shopify_app.errors import AppError, TransientError

FOLDER: Final = Path(__file__).resolve().parents[2] / "migrations"
LOCK: Final = 7_305_011


class MigrationError(AppError):
    """The files and the database do not agree; the message says which."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of migrations/."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files in order.

    Raises
    ------
    MigrationError
        If a number is missing or stands twice.
    """
    found = [
        Migration(int(path.name[:4]), path.stem, path.read_text())
        for path in sorted(folder.glob("*.sql"))
        if re.match(r"\d{4}_", path.name)
    ]
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations are not numbered without gaps: {[m.name for m in found]}")
    return found


def pending_migrations() -> list[str]:
    """Migrations that this code needs and the database has not had.

    Raises
    ------
    TransientError
        If the database cannot be reached.
    """
    try:
        conn = psycopg2.connect(settings().database_url, connect_timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            with conn.cursor() as cur:
                cur.execute("SELECT to_regclass('schema_migrations') IS NOT NULL")
                if not one_value(cur):
                    return [m.name for m in migrations()]
                cur.execute("SELECT number, checksum FROM schema_migrations")
                done: dict[int, str] = dict(cur.fetchall())
        finally:
            conn.close()
    except psycopg2.OperationalError as error:
        raise TransientError("database unreachable") from error
    return [m.name for m in migrations() if done.get(m.number) != m.checksum]


def migrate(database_url: str, folder: Path = FOLDER) -> list[str]:
    """Apply what has not run yet; the names of what was applied."""
    conn = psycopg2.connect(database_url, connect_timeout=5)
    conn.autocommit = True
    try:
        with conn.cursor() as cur:
            cur.execute("SELECT pg_advisory_lock(%(lock)s)", {"lock": LOCK})
            cur.execute("SET lock_timeout = '2s'")
            cur.execute("SET statement_timeout = '30s'")
            cur.execute(
                """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
                    applied_at timestamptz NOT NULL DEFAULT now())
                """
            )
            cur.execute("SELECT number, checksum FROM schema_migrations")
            done: dict[int, str] = dict(cur.fetchall())
            return [m.name for m in migrations(folder) if _apply(cur, m, done.get(m.number))]
    finally:
        conn.close()


def _apply(cur: psycopg2.extensions.cursor, migration: Migration, checksum: str | None) -> bool:
    """Run one file unless it ran before."""
    if checksum == migration.checksum:
        return False
    if checksum is not None:
        raise MigrationError(f"{migration.name} was changed after it ran")
    in_transaction = not migration.sql.startswith("-- migrate: no-transaction")
    if in_transaction:
        cur.execute("BEGIN")
    try:
        cur.execute(migration.sql)
        cur.execute(
            "INSERT INTO schema_migrations (number, name, checksum) VALUES (%(n)s, %(name)s, %(sum)s)",
            {"n": migration.number, "name": migration.name, "sum": migration.checksum},
        )
    except psycopg2.Error:
        if in_transaction:
            cur.execute("ROLLBACK")
        raise
    if in_transaction:
        cur.execute("COMMIT")
    return True
