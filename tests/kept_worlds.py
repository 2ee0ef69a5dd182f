"""Shops with their history read, kept as they were: read once in a while, and given to every test that begins with one.

Only what is at rest is kept: the simulator's file, and the rows of the app's tables. Nothing in them knows a port.
"""

import io
import sqlite3
import time
from dataclasses import dataclass
from typing import Final

from psycopg2 import sql

from shopify_app.db.connection import Connection
from shopify_app.domain.shop import Shop
from tests.simulated import World, install, owner

KEPT_SECONDS: Final = 120
"""After that a shop is read anew: what a fresh one has not to do yet would be due."""

TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'"


@dataclass(frozen=True, slots=True)
class Kept:
    """A shop with its history read."""

    made_at: float
    simulator: sqlite3.Connection
    tables: dict[str, bytes]
    sequences: list[tuple[str, int]]


_kept: Final[dict[str, Kept]] = {}


def installed(world: World) -> Shop:
    """The world's shop as `install` leaves it; only for a world to which nothing has been done, with no other shop beside it."""
    with owner() as conn, conn.cursor() as cur:
        cur.execute("SELECT count(*) FROM shops")
        assert cur.fetchone() == (0,), "ask for the shop before its rival"
    kept = _kept.get(world.domain)
    if kept and time.monotonic() - kept.made_at < KEPT_SECONDS:
        _give_back(world, kept)
        return world.shop()
    shop = install(world)
    with owner() as conn:
        _kept[world.domain] = Kept(
            time.monotonic(),
            _copied(world.sim.store.connection(), sqlite3.connect(":memory:")),
            _rows(conn),
            _sequences(conn),
        )
    return shop


def _give_back(world: World, kept: Kept) -> None:
    _copied(kept.simulator, world.sim.store.connection())
    with owner() as conn, conn.cursor() as cur:
        cur.execute("SET LOCAL session_replication_role = replica")  # any order will do
        for table, rows in kept.tables.items():
            cur.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            cur.copy_expert(
                sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table)), io.BytesIO(rows)
            )
        for name, value in kept.sequences:
            cur.execute("SELECT setval(%s, %s)", (name, value))


def _copied(source: sqlite3.Connection, target: sqlite3.Connection) -> sqlite3.Connection:
    source.backup(target)
    return target


def _rows(conn: Connection) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with conn.cursor() as cur:
        cur.execute(TABLES)
        for (table,) in cur.fetchall():
            out = io.BytesIO()
            cur.copy_expert(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table)), out)
            found[table] = out.getvalue()
    return found


def _sequences(conn: Connection) -> list[tuple[str, int]]:
    with conn.cursor() as cur:
        cur.execute(
            "SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences WHERE last_value IS NOT NULL"
        )
        return [(str(name), int(value)) for name, value in cur.fetchall()]
