"""The pump: looks in Postgres for due work and rings the workers' doorbells.

Run it with `python -m workers.pump`.

It holds no work itself: killed or started twice, nothing is lost or done twice. With `--inline`
it does the work instead of ringing: the road when Redis is gone for good.
"""

import argparse
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from shopify_app import queue
from shopify_app.config import settings
from shopify_app.errors import TransientError
from shopify_app.logs import set_up_logs
from shopify_app.metrics import serve_metrics
from shopify_app.usecases import due_work, housekeeping
from shopify_app.usecases.decisions import price_outbox
from shopify_app.usecases.history import backfill, sales
from shopify_app.usecases.inbox import drain, refetch
from shopify_app.usecases.shops import uninstalls
from shopify_app.usecases.suggestions import state as advice_state

EVERY_SECONDS: Final = 0.5
WATCH_EVERY: Final = 20
"""Turns between two looks at how the inbox and the runs of the suggestions stand."""

RING_EVERY_SECONDS: Final = {"workers.sales.roll_up_sales": 3.0}
"""What a burst of webhooks would have done anew twice a second is rung for less often."""

log = structlog.get_logger()


def refresh_suggestions() -> int:
    """Work out suggestions here (pandas is loaded only if it comes to that)."""
    from shopify_app.usecases.suggestions import suggest  # noqa: PLC0415 -- a pump that only rings stays small

    return suggest.refresh_due_suggestions()


def judge_outcomes() -> int:
    """Judge decisions here (pandas, as above)."""
    from shopify_app.usecases.outcomes import judge as judging  # noqa: PLC0415 -- as above

    return judging.judge_due_shops()


def replay_years() -> int:
    """Replay shops' past here (pandas, as above)."""
    from shopify_app.usecases.suggestions import replay as replay_year  # noqa: PLC0415 -- as above

    return replay_year.replay_due_shops()


def carry_on_price_tests() -> int:
    """Carry price tests on here (pandas, as above)."""
    from shopify_app.usecases.price_tests import carry_on as carry_on_tests  # noqa: PLC0415 -- as above

    return carry_on_tests.carry_on_due()


INLINE: Final[dict[str, Callable[[], object]]] = {
    "workers.prices.send_price_changes": price_outbox.send_price_changes,
    "workers.prices.carry_on_price_tests": carry_on_price_tests,
    "workers.webhooks.drain_inbox": drain.drain_inbox,
    "workers.history.step_backfills": backfill.step_backfills,
    "workers.history.refetch_resources": refetch.refetch_resources,
    "workers.history.confirm_uninstalls": uninstalls.confirm_uninstalls,
    "workers.sales.roll_up_sales": sales.roll_up_sales,
    "workers.decisions.refresh_suggestions": refresh_suggestions,
    "workers.decisions.judge_outcomes": judge_outcomes,
    "workers.decisions.replay_years": replay_years,
    "workers.housekeeping.keep_house": housekeeping.keep_house,
}


def pump_once(*, inline: bool, rung: dict[str, float] | None = None) -> list[str]:
    """Ring for, or do, what is due; the names of the tasks. `rung` remembers when each was rung for."""
    due = due_work.due_tasks()
    rung = {} if rung is None else rung
    for task in due:
        now = time.monotonic()
        if inline:
            INLINE[task]()
        elif task not in rung or now - rung[task] >= RING_EVERY_SECONDS.get(task, 0.0):
            queue.ring(task)
            rung[task] = now
    return due


def run(stop: threading.Event, *, inline: bool = False) -> None:
    """Pump until told to stop; a database that is away is waited for."""
    turn, rung = 0, dict[str, float]()
    while not stop.is_set():
        try:
            if turn == 0:
                housekeeping.make_sure_of_schedules()
            pump_once(inline=inline, rung=rung)
            if turn % WATCH_EVERY == 0:
                drain.watch_inbox()
                advice_state.watch_runs()
            turn += 1
        except TransientError as error:
            log.warning("pump_waits", error=str(error))
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
