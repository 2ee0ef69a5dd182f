"""Connections, and the roles a transaction steps down to.

The login role owns the schema and is never used for work. Each transaction begins by becoming
`keel_app` for one shop, `keel_ingest` (may only insert into the inbox) or `keel_sweeper` (finds
due work across shops, reads no shop's facts). Both settings are transaction-local: nothing
leaks through the pool.

A thread has one transaction at a time. A second one would wait for what the first has locked, and
Postgres, which sees two sessions and not one thread, would let it wait for ever.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_type_hints

import psycopg2
import psycopg2.extensions
import psycopg2.pool

from shopify_app.config import settings
from shopify_app.db.json_documents import ReadColumn, reader_of
from shopify_app.errors import DatabaseBusyError, TransientError

Connection = psycopg2.extensions.connection
Cursor = psycopg2.extensions.cursor
T = TypeVar("T")

POOL_SIZE: Final = 16
"""Connections a process may hold; gunicorn runs 8 threads, a worker one."""

CONNECT_TIMEOUT_SECONDS: Final = 2
"""A webhook must hear 503 well inside Shopify's five seconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a transaction may wait or stand still; Postgres ends it then, and it is tried again."""

    lock_seconds: int
    """For another's lock."""
    statement_seconds: int
    """For one statement, waiting included."""
    idle_seconds: int
    """Between two statements: the process behind it hangs, and holds its locks."""


WORK: Final = Limits(lock_seconds=60, statement_seconds=900, idle_seconds=300)
"""Above everything that ends well, so that only what hangs meets it: a lock may be a token exchange's
of 40 s (`tokens`), a statement may delete a shop of millions of rows or copy a history's lines, and
a step of `usecases.suggestions` may compute for a minute between two statements."""

DOOR: Final = Limits(lock_seconds=2, statement_seconds=3, idle_seconds=10)
"""A webhook must hear 503 inside Shopify's five seconds."""

DRAIN: Final = Limits(lock_seconds=3, statement_seconds=60, idle_seconds=60)
"""Other shops wait behind a batch of one; it is tried again with the next doorbell."""


class NestedTransactionError(RuntimeError):
    """A thread opened a transaction while it had one open: a defect of ours, whatever the data."""


class _Thread(threading.local):
    """What a thread has open."""

    role: str | None = None


_thread = _Thread()


class _Pools:
    """One pool a process: a connection shared across a fork answers with another's rows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: psycopg2.pool.ThreadedConnectionPool | None = None
        self._pid = 0
        self._free = threading.BoundedSemaphore(POOL_SIZE)

    @property
    def free(self) -> threading.BoundedSemaphore:
        """Seats at the pool: waiting for one beats the pool's immediate refusal."""
        return self._free

    def get(self) -> psycopg2.pool.ThreadedConnectionPool:
        """The pool of this process, made on first use and again after a fork."""
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pool = psycopg2.pool.ThreadedConnectionPool(
                    0, POOL_SIZE, settings().database_url, connect_timeout=CONNECT_TIMEOUT_SECONDS
                )
                # psycopg2 opens `minconn` at once and closes what comes back beyond them: with 0
                # every transaction would connect anew, which costs more than the transaction.
                self._pool.minconn = POOL_SIZE
                self._pid = os.getpid()
                self._free = threading.BoundedSemaphore(POOL_SIZE)
            return self._pool

    def close(self) -> None:
        """Close every connection of this process."""
        with self._lock:
            if self._pool is not None and self._pid == os.getpid():
                self._pool.closeall()
            self._pool = None


_pools = _Pools()


def close_pool() -> None:
    """Forget this process's connections (before a fork, and between tests)."""
    _pools.close()


@contextmanager
def transaction(shop_id: int, *, limits: Limits = WORK) -> Iterator[Connection]:
    """A transaction that sees one shop and nothing else; commits at the dedent."""
    with _transaction("keel_app", shop_id, limits) as conn:
        yield conn


@contextmanager
def read_transaction(shop_id: int) -> Iterator[Connection]:
    """A transaction that sees one shop and cannot write: what pages are read in."""
    with _transaction("keel_app", shop_id, WORK, read_only=True) as conn:
        yield conn


@contextmanager
def ingest_transaction() -> Iterator[Connection]:
    """A transaction that may put webhooks into the inbox, and only that."""
    with _transaction("keel_ingest", None, DOOR) as conn:
        yield conn


@contextmanager
def sweep_transaction(*, limits: Limits = WORK) -> Iterator[Connection]:
    """A transaction that finds due work across shops and reads none of their facts."""
    with _transaction("keel_sweeper", None, limits) as conn:
        yield conn


@contextmanager
def _transaction(
    role: str, shop_id: int | None, limits: Limits, *, read_only: bool = False
) -> Iterator[Connection]:
    if _thread.role is not None:
        raise NestedTransactionError(f"{role} inside a transaction of {_thread.role}")
    pool = _pools.get()
    free = _pools.free
    if not free.acquire(timeout=CONNECT_TIMEOUT_SECONDS):
        raise TransientError("no database connection was free")
    _thread.role = role
    try:
        conn = _healthy_connection(pool, role, shop_id, limits)
        try:
            if read_only:
                _refuse_writes(conn)
            yield conn
            conn.commit()
        except BaseException:
            _roll_back(conn)
            raise
        finally:
            pool.putconn(conn, close=bool(conn.closed))
    except BUSY as error:
        raise DatabaseBusyError(f"database: {type(error).__name__}") from error
    except psycopg2.OperationalError as error:
        raise TransientError(f"database: {type(error).__name__}") from error
    finally:
        _thread.role = None
        free.release()


BUSY: Final = (
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.QueryCanceled,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.IdleInTransactionSessionTimeout,
)
"""What Postgres ends at a limit, or to let another go on."""


def _healthy_connection(
    pool: psycopg2.pool.ThreadedConnectionPool, role: str, shop_id: int | None, limits: Limits
) -> Connection:
    """A connection that has begun as `role`; one that died while idle is replaced."""
    for _ in range(POOL_SIZE):
        conn = pool.getconn()
        try:
            _begin(conn, role, shop_id, limits)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            pool.putconn(conn, close=True)
        else:
            return conn
    conn = pool.getconn()
    _begin(conn, role, shop_id, limits)
    return conn


def _begin(conn: Connection, role: str, shop_id: int | None, limits: Limits) -> None:
    """Step down and set the limits, in one round trip.

    Limits of a role (ALTER ROLE .. SET) would be read at login and not at this change of role; those
    of a connection string are lost behind a pooler.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT set_config('role', %(role)s, true), set_config('app.shop_id', %(shop_id)s, true),
                   set_config('lock_timeout', %(lock)s, true), set_config('statement_timeout', %(statement)s, true),
                   set_config('idle_in_transaction_session_timeout', %(idle)s, true)
            """,
            {
                "role": role,
                "shop_id": "" if shop_id is None else str(shop_id),
                "lock": f"{limits.lock_seconds}s",
                "statement": f"{limits.statement_seconds}s",
                "idle": f"{limits.idle_seconds}s",
            },
        )


def _refuse_writes(conn: Connection) -> None:
    """Let Postgres refuse whatever this transaction would write."""
    with conn.cursor() as cur:
        cur.execute("SET TRANSACTION READ ONLY")


def _roll_back(conn: Connection) -> None:
    if conn.closed:
        return
    try:
        conn.rollback()
    except psycopg2.Error:
        conn.close()


@contextmanager
def savepoint(conn: Connection) -> Iterator[None]:
    """A part of a transaction that may fail alone: what follows goes on."""
    with conn.cursor() as cur:
        cur.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if not conn.closed:
                cur.execute("ROLLBACK TO SAVEPOINT part")
            raise
        cur.execute("RELEASE SAVEPOINT part")


@contextmanager
def no_nested_loops(conn: Connection) -> Iterator[None]:
    """Statements whose joins read each side once, whatever the planner takes its size for.

    A shop that came in since the tables were last analysed is estimated at one row, and a loop over
    "one" order and "one" line runs over all pairs: minutes where a hash takes milliseconds.
    """
    with conn.cursor() as cur:
        cur.execute("SET LOCAL enable_nestloop = off")
        yield
        cur.execute("SET LOCAL enable_nestloop = on")


def rows_as(cls: type[T], cur: Cursor) -> list[T]:
    """A cursor's rows as dataclasses; the columns must be named as the fields are. JSON becomes what the field says."""
    makers = _field_makers(cls)
    columns = [column.name for column in cur.description or ()]
    if set(columns) != set(makers):
        raise TypeError(f"{cls.__name__} has fields {sorted(makers)}, the query {sorted(columns)}")
    read = [(name, maker) for name, maker in makers.items() if maker is not None]
    rows: list[T] = []
    for values in cur.fetchall():
        row = dict(zip(columns, values, strict=True))
        made = {name: maker(row[name], row) for name, maker in read if row[name] is not None}
        rows.append(cls(**row | made))
    return rows


@cache
def _field_makers(cls: type[Any]) -> dict[str, ReadColumn | None]:
    """Field name -> how its enum or document is made, or None where the database's value is the value."""
    makers: dict[str, ReadColumn | None] = {}
    for name, hint in get_type_hints(cls).items():
        if name not in {field.name for field in fields(cls)}:
            continue
        candidates = [hint, *get_args(hint)]
        enums = [c for c in candidates if isinstance(c, type) and issubclass(c, StrEnum)]
        makers[name] = _enum_reader(enums[0]) if enums else reader_of(hint)
    return makers


def _enum_reader(wanted: type[StrEnum]) -> ReadColumn:
    return lambda text, _: wanted(text)


def row_as(cls: type[T], cur: Cursor) -> T | None:
    """The only row, or None."""
    rows = rows_as(cls, cur)
    return rows[0] if rows else None


def one_value(cur: Cursor) -> Any:
    """The first column of the first row, or None where there is no row."""
    row: Sequence[Any] | None = cur.fetchone()
    return row[0] if row else None


def become_shop(conn: Connection, shop_id: int) -> None:
    """Go on in the same transaction as `keel_app` for one shop (a sweeper that has found or made it)."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT set_config('role', 'keel_app', true), set_config('app.shop_id', %(shop_id)s, true)",
            {"shop_id": str(shop_id)},
        )


def token_lock(conn: Connection, domain: str) -> None:
    """Wait for the right to exchange or refresh a shop's tokens, until the transaction ends.

    By domain, because a shop that opens for the first time has no id yet.
    """
    with conn.cursor() as cur:
        cur.execute(
            "SELECT pg_advisory_xact_lock(%(purpose)s, hashtext(%(domain)s))",
            {"purpose": TOKEN_LOCK, "domain": domain},
        )


def try_shop_lock(conn: Connection, shop_id: int, purpose: int) -> bool:
    """Take a shop's lock for one purpose until the transaction ends; False if someone has it."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT pg_try_advisory_xact_lock(%(purpose)s, hashint8(%(shop_id)s))",
            {"purpose": purpose, "shop_id": shop_id},
        )
        return bool(one_value(cur))


INGEST_LOCK: Final = 1
TOKEN_LOCK: Final = 2
RECONCILE_LOCK: Final = 6
"""Purposes of a shop's lock; one number each, so that a token refresh does not wait for ingest."""
