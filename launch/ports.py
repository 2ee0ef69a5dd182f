"""Free ports on loopback, and waiting until someone answers on one."""

import socket
import time
from collections.abc import Callable


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_pair() -> int:
    """A port that is free together with the one after it."""
    while True:
        port = free_port()
        if port < 65_535 and is_free(port + 1):
            return port


def is_free(port: int) -> bool:
    """Whether we could listen on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_for(ready: Callable[[], bool], *, what: str, seconds: float = 30) -> None:
    """Poll until `ready()`; TimeoutError names what did not come up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up within {seconds:.0f} s")
        time.sleep(0.05)
