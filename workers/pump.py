"""The pump: looks in Postgres for due work and rings the workers' doorbells.

Run it with `python -m workers.pump`.

It holds no work itself: killed or started twice, nothing is lost or done twice. With `--inline`
it does the work instead of ringing: the road when Redis is gone for good.
"""

import argparse
import signal
import threading
import time
from typing import Final

import structlog

from shopify_app import queue
from shopify_app.config import settings
from shopify_app.errors import TransientError
from shopify_app.logs import set_up_logs
from shopify_app.metrics import serve_metrics
from shopify_app.usecases import doorbells, housekeeping
from shopify_app.usecases.inbox import drain
from shopify_app.usecases.suggestions import state as advice_state

EVERY_SECONDS: Final = 0.5
WATCH_EVERY: Final = 20
"""Turns between two looks at how the inbox and the runs of the suggestions stand."""

log = structlog.get_logger()


def pump_once(*, inline: bool, rung: dict[str, float] | None = None) -> list[str]:
    """Ring for, or do, what is due; the names of the tasks. `rung` remembers when each was rung for.

    Raises
    ------
    ExceptionGroup
        What went wrong inline, once everything else that was due is done.
    """
    due = doorbells.due_doorbells()
    rung, failed = {} if rung is None else rung, list[Exception]()
    for bell in due:
        now = time.monotonic()
        if inline:
            try:
                bell.work()
            except Exception as error:  # noqa: BLE001 -- told below; the others' work goes on
                failed.append(error)
        elif bell.name not in rung or now - rung[bell.name] >= bell.ring_every_seconds:
            queue.ring(bell.name, bell.queue)
            rung[bell.name] = now
    if failed:
        raise ExceptionGroup("work failed", failed)
    return [bell.name for bell in due]


def run(stop: threading.Event, *, inline: bool = False) -> None:
    """Pump until told to stop; a database that is away is waited for."""
    turn, rung = 0, dict[str, float]()
    while not stop.is_set():
        try:
            if turn == 0:
                housekeeping.make_sure_of_jobs()
            pump_once(inline=inline, rung=rung)
            if turn % WATCH_EVERY == 0:
                drain.watch_inbox()
                advice_state.watch_runs()
            turn += 1
        except TransientError as error:
            log.warning("pump_waits", error=str(error))
        except ExceptionGroup:
            log.exception("work_failed")
        stop.wait(EVERY_SECONDS)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--inline", action="store_true", help="do the work here instead of ringing the workers"
    )
    inline = bool(arguments.parse_args().inline)
    set_up_logs(settings().log_level)
    serve_metrics(settings().metrics_port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("pump_started", inline=inline)
    run(stop, inline=inline)


if __name__ == "__main__":
    main()
