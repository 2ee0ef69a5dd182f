"""A simulated shop that a benchmark lives with: started with Keel beside it, its history read, stopped in every case."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from launch.ports import free_pair
from launch.processes import stop_on_signals
from launch.simulated import Simulated, StoppedError, simulated_shop

STOPPED: Final = 130
"""The status of what was interrupted, as a shell has it."""

LOOK_EVERY_SECONDS: Final = 0.5


def unless_stopped(work: Callable[[threading.Event], int]) -> int:
    """Do work that ends early when it is interrupted; its status."""
    try:
        return work(stop_on_signals())
    except StoppedError:
        return STOPPED


@contextmanager
def folder_of_its_own(name: str) -> Iterator[Path]:
    """A folder that is gone afterwards, and that Postgres can get into: as root it runs as nobody."""
    with tempfile.TemporaryDirectory(prefix=f"keel-{name}-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def started(
    name: str, shop: str, stop: threading.Event, *, port: int | None, folder: Path | None = None
) -> Iterator[Simulated]:
    """The shop and Keel on real processes, in `folder` (kept) or one of their own; nothing is installed yet."""
    with ExitStack() as held:
        where = folder.resolve() if folder else held.enter_context(folder_of_its_own(name))
        yield held.enter_context(
            simulated_shop(where, port=port or free_pair(), shop=shop, stop=stop, say=print)
        )


def read_history(running: Simulated, stop: threading.Event, seconds: float) -> None:
    """Install, and wait until the history and the first suggestions are there."""
    running.install()
    until(running, stop, lambda: history_is_in(running), seconds)


def until(
    running: Simulated, stop: threading.Event, ready: Callable[[], bool], seconds: float
) -> None:
    """Wait for something, no longer than so many seconds, while every process stands."""
    deadline = time.monotonic() + seconds
    while not ready():
        running.children.raise_if_fallen()
        if time.monotonic() > deadline:
            raise TimeoutError(f"not there after {seconds:.0f} s")
        if stop.wait(LOOK_EVERY_SECONDS):
            raise StoppedError


def history_is_in(running: Simulated) -> bool:
    """Whether every step is done and a first run has worked out suggestions; RuntimeError if a step failed."""
    steps = running.rows(
        "SELECT b.state, b.step, b.error FROM backfills b JOIN shops s USING (shop_id) WHERE s.domain = %s",
        running.domain,
    )
    if failed := [step for step in steps if step[0] == "failed"]:
        raise RuntimeError(f"the history failed: {failed}")
    runs = running.rows(
        "SELECT 1 FROM suggestion_runs JOIN shops s USING (shop_id) WHERE s.domain = %s LIMIT 1",
        running.domain,
    )
    return bool(steps) and all(step[0] == "done" for step in steps) and bool(runs)


def is_quiet(running: Simulated) -> bool:
    """Nothing under way in the simulator, in the inbox, to be asked for, or to be counted."""
    if running.sim.get(f"_sim/{running.domain}/state").json()["pending"]:
        return False
    waiting = running.rows(
        "SELECT (SELECT count(*) FROM webhook_inbox WHERE done_at IS NULL AND dead_at IS NULL)"
        " + (SELECT count(*) FROM refetches) + (SELECT count(*) FROM touched_days)"
    )
    return int(waiting[0][0]) == 0
