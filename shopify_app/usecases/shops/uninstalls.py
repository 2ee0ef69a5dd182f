r"""News of an uninstall is Shopify's to confirm before anything is deleted.

    received --older than the last proof of install--> stale
       |----Shopify still takes our token-----------> stale
       |----Shopify refuses it, or holds no such shop---> the shop is uninstalled
       \----no answer, or none that says------------> asked again later

The signature covers the body and neither the topic nor the shop's name above it: whoever captures one
delivery may send it as any. The body must name the shop, and the token, which dies with the install, must
be dead. Shopify is asked with no transaction open; the waiting delivery is the mark that it is to be.
"""

import time
from functools import partial
from typing import Final

import structlog

from shopify_app.db import offline_tokens, shops, webhook_inbox
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import Delivery
from shopify_app.domain.shop import Shop, ShopState
from shopify_app.metrics import WEBHOOKS_APPLIED
from shopify_app.shopify import payloads
from shopify_app.shopify.hostile_json import parse_object
from shopify_app.usecases.inbox.spoiling_errors import SPOILING, told
from shopify_app.usecases.rounds import each
from shopify_app.usecases.shops import access, install

TRIES: Final = 3
WAIT_SECONDS: Final = 5
"""Before a body that cannot be read is tried again."""

LEASE_SECONDS: Final = 300
"""Longer than Shopify can keep us waiting, refreshes of the token included."""

AGAIN_SECONDS: Final = 60
"""Before Shopify is asked again, when it gave no answer that says."""

BUDGET_SECONDS: Final = 20.0

log = structlog.get_logger()


def confirm_uninstalls() -> int:
    """Ask Shopify of every shop of which we hear that it left; how many were asked for."""
    deadline = time.monotonic() + BUDGET_SECONDS
    asked = 0
    while time.monotonic() < deadline:
        with sweep_transaction() as conn:
            claimed = webhook_inbox.claim_uninstall(conn, lease_seconds=LEASE_SECONDS)
        if claimed is None:
            break
        domain, delivery = claimed
        asked += each([domain], partial(_settle, delivery), of="uninstalls")
    return asked


def _settle(delivery: Delivery, domain: str) -> int:
    try:
        outcome = _confirm(domain, delivery)
    except SPOILING as error:
        outcome = _fail(delivery, error)
    WEBHOOKS_APPLIED.labels(delivery.topic, outcome).inc()
    return 1


def _confirm(domain: str, delivery: Delivery) -> str:
    """One piece of news to its end, or put off; what came of it."""
    payloads.check_shop(parse_object(delivery.body), domain, must_name=True)
    at = delivery.triggered_at or delivery.received_at
    with sweep_transaction() as conn:
        shop = shops.by_domain(conn, domain)
        if shop is None or shop.state is ShopState.UNINSTALLED:
            webhook_inbox.mark_done(conn, delivery.id, outcome="ignored")
            return "ignored"
        if shop.was_installed_after(at):
            webhook_inbox.mark_done(conn, delivery.id, outcome="stale")
            return "stale"
    with transaction(shop.shop_id) as conn:
        known = _generation(conn, shop)
    is_dead = access.is_token_dead(shop)
    with transaction(shop.shop_id) as conn:
        came_back = not shops.is_unchanged(conn, shop) or _generation(conn, shop) != known
        if is_dead is None or (is_dead and came_back):
            webhook_inbox.put_off(conn, delivery.id, seconds=AGAIN_SECONDS)
            return "waits"
        applied = is_dead and install.uninstall_shop(conn, shop.shop_id, triggered_at=at)
        outcome = "applied" if applied else "stale"
        webhook_inbox.mark_done(conn, delivery.id, outcome=outcome)
    if not is_dead:
        log.warning("uninstall_is_not_so", shop_id=shop.shop_id, delivery_id=delivery.id)
    return outcome


def _generation(conn: Connection, shop: Shop) -> int | None:
    """Which of its tokens a shop has: a proof of install is of a whole second, a token of one opening."""
    token = offline_tokens.of_shop(conn, shop.shop_id)
    return None if token is None else token.generation


def _fail(delivery: Delivery, error: Exception) -> str:
    with sweep_transaction() as conn:
        parked = webhook_inbox.mark_failed(
            conn, delivery.id, error=told(error), tries=TRIES, wait_seconds=WAIT_SECONDS
        )
    log.warning(
        "webhook_failed",
        delivery_id=delivery.id,
        topic=delivery.topic,
        parked=parked,
        error_type=type(error).__name__,
    )
    return "parked" if parked else "failed"
