"""Periodic work that no merchant waits for. What is due is taken from Postgres by one pump."""

from collections.abc import Callable
from typing import Final

import structlog

from shopify_app.db import refresh_requests, schedules, shops, suggestion_runs, webhook_inbox
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases import access, reconcile

DONE_BODY_DAYS: Final = 7
DEAD_BODY_DAYS: Final = 30

EVERY_SECONDS: Final = {
    "reconcile": 900,
    "retention": 3_600,
    "idle_tokens": 86_400,
    "daily_suggestions": 86_400,
}

log = structlog.get_logger()


def make_sure_of_schedules() -> None:
    """Have every periodic job in the table."""
    with sweep_transaction() as conn:
        schedules.make_sure_of(conn, EVERY_SECONDS)


def keep_house() -> list[str]:
    """Do the periodic jobs that are due; their names."""
    with sweep_transaction() as conn:
        due = schedules.take_due(conn)
    for name in due:
        JOBS[name]()
        log.info("kept_house", job=name)
    return due


def retain() -> None:
    """Let go of what we need no more: webhook bodies, and the inputs of superseded runs."""
    with sweep_transaction() as conn:
        webhook_inbox.let_bodies_go(conn, done_days=DONE_BODY_DAYS, dead_days=DEAD_BODY_DAYS)
        every_shop = shops.every(conn)
    for shop in every_shop:
        with transaction(shop.shop_id) as conn:
            suggestion_runs.forget_unused_inputs(conn, shop.shop_id)


def ask_for_daily_suggestions() -> None:
    """A quiet shop has decisions too: its stock runs down whether or not a webhook comes."""
    with sweep_transaction() as conn:
        installed = shops.every(conn, states=["installed"])
    for shop in installed:
        with transaction(shop.shop_id) as conn:
            refresh_requests.ask(conn, shop.shop_id)


JOBS: Final[dict[str, Callable[[], object]]] = {
    "reconcile": reconcile.reconcile_shops,
    "retention": retain,
    "idle_tokens": access.refresh_idle_tokens,
    "daily_suggestions": ask_for_daily_suggestions,
}
