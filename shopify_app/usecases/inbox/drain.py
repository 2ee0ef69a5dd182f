r"""The inbox: a proved webhook is kept, then worked through once.

    received --apply--> done (applied | stale | ignored | refetch)
        \--fails 3 times--> dead --replay--> received

The effect of a delivery and its done-mark are one transaction. A failure that is not the
delivery's (the database is away, a lock is held) costs it no try. Deliveries of one kind are applied
together; if one of them cannot be, each is tried alone. Privacy requests follow their shop's batch
(`redact`), uninstalls are Shopify's to confirm (`uninstalls`): neither is in a batch.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg2
import structlog

from shopify_app.db import shops, webhook_inbox
from shopify_app.db.connection import (
    DRAIN,
    INGEST_LOCK,
    Connection,
    ingest_transaction,
    savepoint,
    sweep_transaction,
    transaction,
    try_shop_lock,
)
from shopify_app.db.webhook_inbox import Delivery, NewDelivery
from shopify_app.domain.shop import Shop, ShopState
from shopify_app.errors import DatabaseBusyError
from shopify_app.metrics import INBOX_DEAD, INBOX_OLDEST_SECONDS, WEBHOOKS_APPLIED
from shopify_app.usecases.history import local_days
from shopify_app.usecases.inbox import ingest, redact
from shopify_app.usecases.inbox.spoiling_errors import SPOILING
from shopify_app.usecases.rounds import each

TRIES: Final = 3
WAIT_SECONDS: Final = 5
"""Before the second try; four times as long before the third."""

BATCH: Final = 250
"""Deliveries of one shop before the next shop has its turn: well under a second of work."""

BATCH_BYTES: Final = 8 * 1024 * 1024
"""Bodies of one batch in memory (the first may be larger alone)."""

BUDGET_SECONDS: Final = 20.0
"""How long one doorbell works before it lets others."""

log = structlog.get_logger()


def record_delivery(delivery: NewDelivery) -> bool:
    """Keep a delivery whose signature was proved; False if we have it already.

    Only the body is signed: what stands beside it is kept, and nothing is done on its word alone.
    """
    with ingest_transaction() as conn:
        return webhook_inbox.record(conn, delivery)


def drain_inbox() -> int:
    """Work through what is due, shop by shop, until nothing is or the time is up; how many were done.

    A shop whose rows another transaction holds, or whose round fails, is left for the next doorbell; the others go on.
    """
    deadline = time.monotonic() + BUDGET_SECONDS
    done = 0
    while time.monotonic() < deadline:
        with sweep_transaction() as conn:
            domains = webhook_inbox.due_domains(conn)
        in_time = (domain for domain in domains if time.monotonic() < deadline)
        worked = each(in_time, _try_domain, of="inbox")
        done += worked
        if not worked:
            break
    return done


def watch_inbox() -> dict[str, object]:
    """How the inbox stands, set as metrics; cheap, however much is done already."""
    with sweep_transaction() as conn:
        counts = webhook_inbox.counts(conn)
    INBOX_OLDEST_SECONDS.set(counts["oldest_seconds"])
    INBOX_DEAD.set(counts["dead"])
    return counts


def standing() -> dict[str, Any]:
    """The same for an operator, who also asks how much was done."""
    with sweep_transaction() as conn:
        return webhook_inbox.counts(conn) | {"done": webhook_inbox.count_done(conn)}


def _try_domain(domain: str) -> int:
    try:
        return _drain_domain(domain) + redact.answer_requests(domain, limit=BATCH)
    except DatabaseBusyError as error:
        log.warning("inbox_shop_is_busy", shop=domain, error=str(error))
        return 0


def _drain_domain(domain: str) -> int:
    with sweep_transaction(limits=DRAIN) as conn:
        shop = shops.by_domain(conn, domain)
        if shop is None or shop.state is ShopState.UNINSTALLED:
            return webhook_inbox.ignore_all(conn, domain)
    with transaction(shop.shop_id, limits=DRAIN) as conn:
        if not try_shop_lock(conn, shop.shop_id, INGEST_LOCK):
            return 0
        deliveries = webhook_inbox.due(conn, domain, limit=BATCH, limit_bytes=BATCH_BYTES)
        for group in _groups(deliveries):
            _apply_group(conn, shop, group)
        if any(one.topic == "shop/update" for one in deliveries):
            local_days.follow(conn, shop)
    return len(deliveries)


def _groups(deliveries: Iterable[Delivery]) -> list[list[Delivery]]:
    """What may be applied together, in the order in which each kind first came; the rest alone."""
    groups: dict[object, list[Delivery]] = {}
    for delivery in deliveries:
        groups.setdefault(ingest.TOGETHER.get(delivery.topic, delivery.id), []).append(delivery)
    return list(groups.values())


def _apply_group(conn: Connection, shop: Shop, group: Sequence[Delivery]) -> None:
    """Several at once, in one part of the transaction; alone if there is but one, or one spoils it."""
    if len(group) > 1:
        try:
            with savepoint(conn):
                outcomes = ingest.apply_together(conn, shop, group)
                webhook_inbox.mark_many_done(
                    conn, dict(zip([one.id for one in group], outcomes, strict=True))
                )
        except psycopg2.OperationalError:
            raise
        except SPOILING as error:
            log.warning("webhooks_taken_apart", count=len(group), error_type=type(error).__name__)
        else:
            for delivery, outcome in zip(group, outcomes, strict=True):
                WEBHOOKS_APPLIED.labels(delivery.topic, outcome).inc()
            return
    for delivery in group:
        _apply(conn, shop, delivery)


def _apply(conn: Connection, shop: Shop, delivery: Delivery) -> None:
    """One delivery to its end, or one try less; the neighbours are not touched."""
    try:
        with savepoint(conn):
            outcome = ingest.apply(conn, shop, delivery)
            webhook_inbox.mark_done(conn, delivery.id, outcome=outcome)
    except psycopg2.OperationalError:
        raise
    except SPOILING as error:
        parked = webhook_inbox.mark_failed(
            conn,
            delivery.id,
            error=f"{type(error).__name__}: {error}",
            tries=TRIES,
            wait_seconds=WAIT_SECONDS,
        )
        outcome = "parked" if parked else "failed"
        log.warning(
            "webhook_failed",
            delivery_id=delivery.id,
            topic=delivery.topic,
            shop_id=shop.shop_id,
            parked=parked,
            error_type=type(error).__name__,
        )
    WEBHOOKS_APPLIED.labels(delivery.topic, outcome).inc()
