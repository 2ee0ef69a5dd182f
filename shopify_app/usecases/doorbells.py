"""The registry of work: a line says what it is called, who does it, when it is due, and how.

The pump asks `due_doorbells` and rings, in the order of the lines; a worker, or the pump itself with `--inline`,
does what was rung for; the Celery tasks, their queues and their time limits are made from the same lines.
One more job is one more line here and its function.

`do` is a function under `usecases`, as "module:name": it is imported when there is work, so that the pump,
which only rings, loads neither pandas nor an HTTP client for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from shopify_app.db import (
    backfills,
    daily_sales,
    due_work,
    price_changes,
    price_tests,
    refetches,
    webhook_inbox,
)
from shopify_app.db.connection import Connection, sweep_transaction
from shopify_app.usecases.rounds import NOT_GONE, ShopWork

ROOM: Final = "shopify_app.usecases"

SHORT: Final = (60, 90)
USUAL: Final = (120, 150)
LONG: Final = (850, 900)
HISTORY: Final = (1_500, 1_600)
"""Time limits of a task: what a merchant waits for, news, what computes or compares, a whole history."""


def function_of(do: str) -> Callable[..., object]:
    """The function that a line names."""
    module, _, name = do.partition(":")
    found: Callable[..., object] = getattr(import_module(f"{ROOM}.{module}"), name)
    return found


@dataclass(frozen=True, slots=True)
class Doorbell:
    """Work that a ring asks for: once for all that is due.

    Attributes
    ----------
    name : of its Celery task
    queue : a process of the Procfile takes from it
    due : what there is of it now (or whether); a `ShopWork`: whatever shops have rows of it that are due
    do : its function (see the module), which is called with nothing; of a `ShopWork`, with each due shop
    seconds : after which the task is asked to end, and after which it is ended
    ring_every_seconds : what a burst of news would have done anew twice a second is rung for less often
    """

    name: str
    queue: str
    due: Callable[[Connection], bool | Sequence[object]] | ShopWork
    do: str
    seconds: tuple[int, int] = USUAL
    ring_every_seconds: float = 0.0

    def is_due(self, conn: Connection) -> bool:
        """Whether there is work now (sweeper)."""
        due = self.due.due_shops if isinstance(self.due, ShopWork) else self.due
        return bool(due(conn))

    def work(self) -> None:
        """Do what is due."""
        do = function_of(self.do)
        if isinstance(self.due, ShopWork):
            self.due.work_through(do)
        else:
            do()


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """The service's own work, done again so long after it was done (see `housekeeping`)."""

    what: str
    every_seconds: int
    do: str


PERIODIC_JOBS: Final = (
    PeriodicJob("reconcile", 900, "history.reconcile:reconcile_shops"),
    PeriodicJob("retention", 3_600, "housekeeping:retain"),
    PeriodicJob("idle_tokens", 86_400, "shops.access:refresh_idle_tokens"),
    PeriodicJob("daily_suggestions", 86_400, "housekeeping:ask_for_daily_suggestions"),
    PeriodicJob("daily_proofs", 86_400, "history.proof:ask_for_proofs"),
    PeriodicJob("reconcile_wide", 86_400, "housekeeping:reconcile_wide"),
    PeriodicJob("shop_facts", 86_400, "history.reconcile:compare_shop_facts"),
    PeriodicJob("sales_reports", 86_400, "history.sales_report:compare_sales_reports"),
    PeriodicJob("frozen_shops", 3_600, "shops.access:thaw_frozen_shops"),
    PeriodicJob("webhook_silence", 3_600, "housekeeping:watch_silence"),
    PeriodicJob("books", 3_600, "history.books:watch_books"),
    PeriodicJob("late_redactions", 3_600, "housekeeping:watch_redactions"),
)
"""What no merchant waits for: the doorbell `keep_house` does those that are due."""


def due_periodic_jobs(conn: Connection) -> list[PeriodicJob]:
    """Those that are due and not under way, the longest waiting first (sweeper)."""
    jobs = {job.what: job for job in PERIODIC_JOBS}
    return [jobs[what] for what in due_work.due_of_service(conn, list(jobs))]


def _never(_: Connection) -> bool:
    return False


DOORBELLS: Final = (
    Doorbell(
        "workers.prices.send_price_changes",
        "prices",
        price_changes.due_shops,
        "decisions.price_outbox:send_price_changes",
        SHORT,
    ),
    Doorbell(
        "workers.prices.carry_on_price_tests",
        "prices",
        price_tests.due_shops,
        "price_tests.carry_on:carry_on_due",
        SHORT,
    ),
    Doorbell(
        "workers.webhooks.drain_inbox",
        "webhooks",
        webhook_inbox.due_domains,
        "inbox.drain:drain_inbox",
    ),
    Doorbell(
        "workers.history.step_backfills",
        "history",
        backfills.due_shops,
        "history.backfill:step_backfills",
        HISTORY,
    ),
    Doorbell(
        "workers.history.refetch_resources",
        "history",
        refetches.due_shops,
        "inbox.refetch:refetch_resources",
    ),
    Doorbell(
        "workers.history.confirm_uninstalls",
        "history",
        webhook_inbox.uninstall_is_due,
        "shops.uninstalls:confirm_uninstalls",
        LONG,
    ),
    Doorbell(
        "workers.history.reconcile_shops",
        "history",
        _never,
        "history.reconcile:reconcile_shops",
        LONG,
    ),
    Doorbell(
        "workers.history.count_shops",
        "history",
        ShopWork("full_count", lease_seconds=HISTORY[1] + 60),
        "history.full_count:count_shop",
        HISTORY,
    ),
    Doorbell(
        "workers.sales.move_days",
        "history",
        ShopWork("local_days", states=NOT_GONE),
        "history.local_days:move_days",
        LONG,
    ),
    Doorbell(
        "workers.sales.prove_books",
        "history",
        ShopWork("proof", states=NOT_GONE),
        "history.proof:prove_shop",
        LONG,
    ),
    Doorbell(
        "workers.sales.roll_up_sales",
        "webhooks",
        daily_sales.touched_shops,
        "history.sales:roll_up_sales",
        ring_every_seconds=3.0,
    ),
    Doorbell(
        "workers.decisions.refresh_suggestions",
        "analytics",
        ShopWork("suggestions", states=NOT_GONE),
        "suggestions.suggest:refresh_suggestions",
        LONG,
    ),
    Doorbell(
        "workers.decisions.judge_outcomes",
        "analytics",
        ShopWork("ledger", states=NOT_GONE, needs_history=False),
        "outcomes.judge:judge_shop",
        LONG,
    ),
    Doorbell(
        "workers.decisions.replay_years",
        "analytics",
        ShopWork("replay"),
        "suggestions.replay:replay_shop",
        LONG,
    ),
    Doorbell(
        "workers.housekeeping.keep_house",
        "history",
        due_periodic_jobs,
        "housekeeping:keep_house",
        LONG,
    ),
)
"""What a merchant waits for first. `reconcile_shops` is rung by hand only: by itself it is a periodic job."""


def due_doorbells() -> list[Doorbell]:
    """Those that have work now, in the order of the registry."""
    with sweep_transaction() as conn:
        return [bell for bell in DOORBELLS if bell.is_due(conn)]
