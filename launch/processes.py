"""A few processes started together, watched, and stopped together."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
GRACE_SECONDS: Final = 40.0
"""A worker finishes what it has begun; what it has not is still in Postgres."""


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
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    def fallen(self) -> Child | None:
        """One that has ended by itself, if any."""
        return next((child for child in self.running if child.process.poll() is not None), None)

    def stop(self) -> None:
        """Ask all to end, wait, and end those that do not."""
        for child in reversed(self.running):
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in reversed(self.running):
            try:
                child.process.wait(timeout=max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
        self.running.clear()


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module with this very Python."""
    return (sys.executable, "-m", module, *arguments)


def last_words(child: Child, lines: int = 15) -> str:
    """The end of a process's log."""
    return "\n".join(child.log.read_text(errors="replace").splitlines()[-lines:])
