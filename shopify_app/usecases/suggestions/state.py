"""How far a shop's advice can be believed now: one answer for every page, the JSON, and the operator.

    history is read (importing) --> no run since (working) --> runs go well: ready, or no sale ever: no_sales
                                          └── the newest run failed (failed), the last good run's suggestions standing

While the books are not whole (`history.books`) no run is made: held, with the reason, whatever stood before.
Until a run over the whole history has ended, and where nothing was ever sold, nothing may be called in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shopify_app.db import backfills, daily_sales, due_work, pages, shops
from shopify_app.db.backfills import BackfillStep
from shopify_app.db.connection import Connection, sweep_transaction
from shopify_app.db.due_work import FailedRuns
from shopify_app.db.pages import LatestRun
from shopify_app.errors import NotFoundError
from shopify_app.metrics import SHOPS_WITHOUT_NEW_SUGGESTIONS
from shopify_app.usecases.history import books
from shopify_app.usecases.history.books import Books

LAST_READ: Final = "sales"
"""The step after which the history is whole; what follows it is the first run."""

FIRST_RUN: Final = "decisions"
"""The step that asks for the first run: done when that run has ended."""

WEIGHTS: Final = {
    "shop": 1,
    "products": 6,
    "inventory": 5,
    "orders": 50,
    "refunds": 6,
    "ledger": 6,
    "sales": 7,
    FIRST_RUN: 25,
}
"""Of the whole wait, about what each step takes in a shop of 25,000 orders."""


class Stage(StrEnum):
    """What a page may say."""

    IMPORTING = "importing"
    HELD = "held"
    WORKING = "working"
    FAILED = "failed"
    NO_SALES = "no_sales"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class StepShare:
    """A step of the import, and how much of it is done, 0..1."""

    step: BackfillStep
    share: float

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left of it."""
        return self.share >= 1


@dataclass(frozen=True, slots=True)
class AdviceState:
    """How a shop's advice stands.

    Attributes
    ----------
    steps : of the import; the last is the first run
    run : the newest good one over the whole history, None before it
    failed : runs since then that failed
    books : what they rest on
    """

    stage: Stage
    steps: Sequence[StepShare]
    run: LatestRun | None
    failed: FailedRuns | None
    books: Books

    @property
    def share(self) -> float:
        """How much of the import and the first run is done, 0..1, by the time that steps take."""
        whole = sum(WEIGHTS[one.step.step] for one in self.steps)
        done = sum(WEIGHTS[one.step.step] * one.share for one in self.steps)
        return done / whole if whole else 0.0

    @property
    def stuck(self) -> BackfillStep | None:
        """The step that could not be read."""
        return next((one.step for one in self.steps if one.step.state == "failed"), None)

    @property
    def may_judge(self) -> bool:
        """Whether a run over the whole history, and sales, stand behind what a page says."""
        return self.stage is Stage.READY or (self.stage is Stage.FAILED and self.run is not None)


def advice_state(conn: Connection, shop_id: int) -> AdviceState:
    """How a shop's advice stands now."""
    steps = backfills.progress(conn, shop_id)
    read = {step.step: step.finished_at for step in steps if step.state == "done"}
    run, read_at = pages.latest_run(conn, shop_id), read.get(LAST_READ)
    if steps and (read_at is None or (run and run.finished_at < read_at)):
        run = None
    failed = due_work.failed_runs(conn, shop_id, "suggestions")
    found = books_of(conn, shop_id)
    if any(step.state != "done" for step in steps):
        stage = Stage.IMPORTING
    elif found.held_by is not None:
        stage = Stage.HELD
    elif failed is not None:
        stage = Stage.FAILED
    elif run is None:
        stage = Stage.WORKING
    else:
        stage = Stage.READY if daily_sales.has_any(conn, shop_id) else Stage.NO_SALES
    shares = [StepShare(step, _share(step, run)) for step in steps]
    return AdviceState(stage, shares, run, failed, found)


def books_of(conn: Connection, shop_id: int) -> Books:
    """How a shop's books stand.

    Raises
    ------
    NotFoundError
    """
    shop = shops.by_id(conn, shop_id)
    if shop is None:
        raise NotFoundError(f"shop {shop_id}")
    return books.books(conn, shop)


def _share(step: BackfillStep, run: LatestRun | None) -> float:
    """By bytes of the file, else by rows, else all or nothing; of the first run nothing until it has ended."""
    if step.step == FIRST_RUN:
        return 1.0 if step.state == "done" and run is not None else 0.0
    if step.state == "done":
        return 1.0
    for loaded, whole in (
        (step.loaded_bytes, step.file_bytes),
        (step.rows_loaded, step.rows_expected),
    ):
        if whole:
            return min(0.99, loaded / whole)
    return 0.0


def failing_shops() -> dict[int, FailedRuns]:
    """Every shop whose newest run failed, for the operator."""
    with sweep_transaction() as conn:
        return {one.shop_id: one for one in due_work.every_failed(conn, "suggestions")}


def watch_runs() -> int:
    """How many shops' newest run failed, set as a metric."""
    count = len(failing_shops())
    SHOPS_WITHOUT_NEW_SUGGESTIONS.set(count)
    return count
