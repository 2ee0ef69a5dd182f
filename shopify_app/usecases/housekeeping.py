"""Periodic work that no merchant waits for. What is due is taken from Postgres by one pump."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from shopify_app.db import (
    look_backs,
    redactions,
    refresh_requests,
    schedules,
    shops,
    suggestion_runs,
    webhook_inbox,
    webhook_silence,
)
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.metrics import REDACTIONS_LATE, SHOPS_WITHOUT_WEBHOOKS
from shopify_app.usecases.history import reconcile
from shopify_app.usecases.shops import access

DONE_BODY_DAYS: Final = 7
DEAD_BODY_DAYS: Final = 30

EVERY_SECONDS: Final = {
    "reconcile": 900,
    "retention": 3_600,
    "idle_tokens": 86_400,
    "daily_suggestions": 86_400,
    "reconcile_wide": 86_400,
    "frozen_shops": 3_600,
    "webhook_silence": 3_600,
    "late_redactions": 3_600,
}

WIDE_LOOK: Final = timedelta(hours=48)
"""The nightly comparison looks this far back, whatever the cursors say."""

SILENCE: Final = timedelta(hours=1)
"""An order that changed this long after the newest order webhook should have brought one."""

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
            look_backs.make_sure_of(conn, shop.shop_id, "replay")


def reconcile_wide() -> int:
    """Compare two whole days of every installed shop whose history is in; rows mended in all."""
    return reconcile.reconcile_shops(since=datetime.now(UTC) - WIDE_LOOK)


def watch_silence() -> list[int]:
    """Shops whose orders change while no webhook says so: their subscriptions need a look."""
    with sweep_transaction() as conn:
        told = webhook_silence.last_order_news(conn)
        installed = shops.every(conn, states=["installed"])
    silent: list[int] = []
    for shop in installed:
        with transaction(shop.shop_id) as conn:
            changed = webhook_silence.newest_order_change(conn, shop.shop_id)
        heard = max(told.get(shop.domain, shop.installed_at), shop.installed_at)
        if changed is not None and changed > heard + SILENCE:
            silent.append(shop.shop_id)
            log.error("webhooks_are_silent", shop_id=shop.shop_id)
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


JOBS: Final[dict[str, Callable[[], object]]] = {
    "reconcile": reconcile.reconcile_shops,
    "retention": retain,
    "idle_tokens": access.refresh_idle_tokens,
    "daily_suggestions": ask_for_daily_suggestions,
    "reconcile_wide": reconcile_wide,
    "frozen_shops": access.thaw_frozen_shops,
    "webhook_silence": watch_silence,
    "late_redactions": watch_redactions,
}
