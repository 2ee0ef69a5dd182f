"""A few processes started together, watched, and stopped together."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
GRACE_SECONDS: Final = 40.0
"""A worker finishes what it has begun; what it has not is still in Postgres."""

PR_SET_PDEATHSIG: Final = 1
"""Linux' prctl: a signal when the parent is gone."""


@dataclass(slots=True)
class Child:
    """One process and where its words go."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@dataclass(slots=True)
class Children:
    """Processes that live and end together."""

    logs: Path
    environment: dict[str, str]
    running: list[Child] = field(default_factory=list)

    def start(self, name: str, *command: str) -> Child:
        """Start one; its output goes to a log of its own. Ctrl-C reaches only us: we stop it in order."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=ends_with_us(signal.SIGTERM),  # noqa: PLW1509 -- one system call, no lock
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    def fallen(self) -> Child | None:
        """One that has ended by itself, if any."""
        return next((child for child in self.running if child.process.poll() is not None), None)

    def raise_if_fallen(self) -> None:
        """Raise RuntimeError with the last words of a process that ended by itself."""
        if fallen := self.fallen():
            raise RuntimeError(f"{fallen.name} ended:\n{last_words(fallen)}")

    def stop(self) -> None:
        """Ask all to end, wait, and end those that do not, with what they started."""
        left = [child for child in self.running if child.process.poll() is not None]
        asked = [child for child in reversed(self.running) if child not in left]
        for child in asked:
            child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in asked:
            try:
                child.process.wait(timeout=max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                left.append(child)
        for child in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
        self.running.clear()


def ends_with_us(number: signal.Signals) -> Callable[[], None] | None:
    """For Popen's `preexec_fn`: send the child a signal if we are killed outright (Linux; nothing elsewhere)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork, where it is safe

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))

    return ask


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C, a supervisor's stop and a closed terminal set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module with this very Python."""
    return (sys.executable, "-m", module, *arguments)


def last_words(child: Child, lines: int = 15) -> str:
    """The end of a process's log."""
    return "\n".join(child.log.read_text(errors="replace").splitlines()[-lines:])
