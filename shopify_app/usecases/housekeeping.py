"""Periodic work that no merchant waits for: what is due by Postgres is claimed, done, and due again after its time.

The jobs and their rhythm stand in the registry, `doorbells.PERIODIC_JOBS`.
"""

from datetime import timedelta
from typing import Final

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from shopify_app import clock
from shopify_app.db import (
    due_work,
    reconciliations,
    redactions,
    shops,
    suggestion_runs,
    webhook_inbox,
    webhook_silence,
)
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.shop import Shop
from shopify_app.metrics import REDACTIONS_LATE, SHOPS_WITHOUT_WEBHOOKS
from shopify_app.usecases.doorbells import (
    PERIODIC_JOBS,
    PeriodicJob,
    due_periodic_jobs,
    function_of,
)
from shopify_app.usecases.history import reconcile
from shopify_app.usecases.rounds import each

DONE_BODY_DAYS: Final = 7
DEAD_BODY_DAYS: Final = 30
COMPARISON_DAYS: Final = 90

LEASE_SECONDS: Final = 900
"""As long as the task may take: a job whose worker was killed is done anew then."""

WIDE_LOOK: Final = timedelta(hours=48)
"""The nightly comparison looks this far back, whatever the cursors say."""

SILENCE: Final = timedelta(hours=1)
"""An order that changed this long after the newest order webhook should have brought one."""

log = structlog.get_logger()


def make_sure_of_jobs() -> None:
    """Have every periodic job in the table."""
    with sweep_transaction() as conn:
        due_work.make_sure_of(conn, None, [job.what for job in PERIODIC_JOBS])


def keep_house() -> list[str]:
    """Do the periodic jobs that are due; the names of those that went well.

    Each is claimed when its turn comes and gets its next time when it is done: one that fails, or is killed,
    is done anew, and takes none of the others with it.
    """
    with sweep_transaction() as conn:
        due = due_periodic_jobs(conn)
    return [job.what for job in due if _do_claimed(job)]


def _do_claimed(job: PeriodicJob) -> bool:
    longest = min(job.every_seconds, due_work.LONGEST_WAIT_SECONDS)
    with sweep_transaction() as conn:
        if not due_work.claim(
            conn, None, job.what, lease_seconds=LEASE_SECONDS, longest_wait_seconds=longest
        ):
            return False
    try:
        function_of(job.do)()
    except Exception as error:
        error_type = type(error).__name__
        with sweep_transaction() as conn:
            attempts = due_work.fail(
                conn, None, job.what, error_type=error_type, longest_wait_seconds=longest
            )
        log.exception("periodic_job_failed", job=job.what, error_type=error_type, attempts=attempts)
        if isinstance(error, SoftTimeLimitExceeded):
            raise  # the time of the whole task is up: the rest is for the next one
        return False
    with sweep_transaction() as conn:
        due_work.again(conn, None, job.what, in_seconds=job.every_seconds)
    log.info("kept_house", job=job.what)
    return True


def retain() -> None:
    """Let go of what we need no more: webhook bodies, old comparisons, and the inputs of superseded runs."""
    with sweep_transaction() as conn:
        webhook_inbox.let_bodies_go(conn, done_days=DONE_BODY_DAYS, dead_days=DEAD_BODY_DAYS)
        every_shop = shops.every(conn)
    each(every_shop, _forget_unused_inputs, of="retention")


def _forget_unused_inputs(shop: Shop) -> int:
    with transaction(shop.shop_id) as conn:
        reconciliations.forget(conn, shop.shop_id, days=COMPARISON_DAYS)
        return suggestion_runs.forget_unused_inputs(conn, shop.shop_id)


def ask_for_daily_suggestions() -> None:
    """A quiet shop has decisions too: its stock runs down whether or not a webhook comes."""
    with sweep_transaction() as conn:
        installed = shops.every(conn, states=["installed"])
    each(installed, _ask_for_suggestions, of="daily_suggestions")


def _ask_for_suggestions(shop: Shop) -> int:
    with transaction(shop.shop_id) as conn:
        due_work.ask(conn, shop.shop_id, "suggestions")
        due_work.make_sure_of(conn, shop.shop_id, ["replay", "full_count"])
    return 1


def reconcile_wide() -> int:
    """Compare two whole days of every installed shop whose history is in; rows mended in all."""
    return reconcile.reconcile_shops(since=clock.machine_now() - WIDE_LOOK)


def watch_silence() -> list[int]:
    """Shops whose orders change while no webhook says so: their subscriptions need a look."""
    with sweep_transaction() as conn:
        told = webhook_silence.last_order_news(conn)
        installed = shops.every(conn, states=["installed"])
    silent: list[int] = []

    def listen(shop: Shop) -> int:
        with transaction(shop.shop_id) as conn:
            changed = webhook_silence.newest_order_change(conn, shop.shop_id)
        heard = max(told.get(shop.domain, shop.installed_at), shop.installed_at)
        if changed is not None and changed > heard + SILENCE:
            silent.append(shop.shop_id)
            log.error("webhooks_are_silent", shop_id=shop.shop_id)
        return 1

    each(installed, listen, of="webhook_silence")
    SHOPS_WITHOUT_WEBHOOKS.set(len(silent))
    return silent


def watch_redactions() -> int:
    """Privacy requests that are late by our own deadline."""
    with sweep_transaction() as conn:
        late = redactions.late(conn)
    REDACTIONS_LATE.set(late)
    if late:
        log.error("redactions_are_late", count=late)
    return late
