"""Free ports on loopback, and waiting until someone answers on one."""

import secrets
import socket
import time
from collections.abc import Callable
from typing import Final

FIRST: Final = 20_000
PORTS: Final = 12_000
"""Ports below those that Linux (32768) and macOS (49152) give to outgoing connections: none is lost before it is used."""


def free_port() -> int:
    """A TCP port nobody listens on now, where no outgoing connection takes its port from."""
    while True:
        port = FIRST + secrets.randbelow(PORTS)
        if is_free(port):
            return port


def free_pair() -> int:
    """A port that is free together with the one after it."""
    while True:
        port = free_port()
        if is_free(port + 1):
            return port


def is_free(port: int) -> bool:
    """Whether we could listen on a port: nobody answers there, and nobody's connection holds it."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for(ready: Callable[[], bool], *, what: str, seconds: float = 30) -> None:
    """Poll until `ready()`; TimeoutError names what did not come up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up within {seconds:.0f} s")
        time.sleep(0.05)
