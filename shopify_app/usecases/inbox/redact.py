"""The three privacy topics.

We hold no person: what is asked is answered from order facts, and kept in a ledger that outlives the shop.

    customers/data_request   which of the asked orders' facts we hold, for the merchant to hand on
    customers/redact         nothing of ours is keyed by a person; the asked orders lose their names
    shop/redact              every row of the shop goes, unless it is installed again: opened since two days before
                             the request, or its token still taken by Shopify (news of an uninstall can be lost)

A request is written into the ledger, carried out, and closed, each in a transaction of its own: the
ledger is no shop's. What dies in between is carried out again and does no harm. It waits for all news
that came before it: an order that is not a row yet could not lose its name, and a shop is not gone
before its uninstall is confirmed.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import structlog

from shopify_app.db import order_facts, redactions, shops, webhook_inbox
from shopify_app.db.connection import (
    DRAIN,
    WORK,
    Connection,
    sweep_transaction,
    token_lock,
    transaction,
)
from shopify_app.db.webhook_inbox import Delivery
from shopify_app.domain.shop import Shop, ShopState
from shopify_app.errors import PoisonError
from shopify_app.metrics import WEBHOOKS_APPLIED
from shopify_app.shopify import payloads
from shopify_app.shopify.hostile_json import parse_object
from shopify_app.usecases.inbox.spoiling_errors import SPOILING, told
from shopify_app.usecases.shops import access

ORDER_LISTS: Final = {
    "customers/data_request": "orders_requested",
    "customers/redact": "orders_to_redact",
}

TRIES: Final = 3
WAIT_SECONDS: Final = 5
"""Before a request is looked at again, and before its second try; four times as long before the third."""

AGAIN_SECONDS: Final = 60
"""Before Shopify is asked again whether a shop is gone, when it gave no answer that says."""

ASKED_AFTER: Final = timedelta(hours=48)
"""How long after an uninstall Shopify sends shop/redact."""

DELETE: Final = replace(DRAIN, statement_seconds=WORK.statement_seconds)
"""A shop is deleted by one statement, however much it holds."""

log = structlog.get_logger()


def answer_requests(domain: str, *, limit: int) -> int:
    """Answer a shop's due privacy requests, also where it is gone or was never ours; how many were worked on."""
    with sweep_transaction(limits=DRAIN) as conn:
        due = webhook_inbox.due_requests(conn, domain, limit=limit)
    for delivery in due:
        try:
            outcome = _answer(domain, delivery)
        except SPOILING as error:
            outcome = _fail(delivery, error)
        WEBHOOKS_APPLIED.labels(delivery.topic, outcome).inc()
    return len(due)


def _answer(domain: str, delivery: Delivery) -> str:
    """One request to its end, or put off; what came of it."""
    body = parse_object(delivery.body)
    payloads.check_shop(body, domain, must_name=True)
    order_ids = _order_ids(delivery.topic, body)
    with sweep_transaction(limits=DRAIN) as conn:
        redaction_id = redactions.record(
            conn,
            shop_domain=domain,
            topic=delivery.topic,
            request={"orders": order_ids},
            received_at=delivery.received_at,
            delivery_id=delivery.id,
        )
        shop = shops.by_domain(conn, domain)
        if webhook_inbox.has_earlier(conn, domain, delivery.id):
            webhook_inbox.put_off(conn, delivery.id, seconds=WAIT_SECONDS)
            return "waits"
    if delivery.topic == "shop/redact":
        is_gone = shop is None or _is_gone(shop, delivery)
        return _redact_shop(domain, delivery, redaction_id, seen=shop, is_gone=is_gone)
    proof = {"held": False} if shop is None else _orders_proof(shop, delivery.topic, order_ids)
    with sweep_transaction(limits=DRAIN) as conn:
        _close(conn, delivery, redaction_id, proof)
    return "applied"


def _orders_proof(shop: Shop, topic: str, order_ids: list[int]) -> dict[str, Any]:
    with transaction(shop.shop_id, limits=DRAIN) as conn:
        if topic == "customers/redact":
            return {"orders_severed": order_facts.sever(conn, shop.shop_id, order_ids)}
        return {"orders_held": order_facts.held(conn, shop.shop_id, order_ids)}


def _is_gone(shop: Shop, delivery: Delivery) -> bool | None:
    """Whether a shop left before Shopify asked us to forget it; None where Shopify does not say now.

    The request comes two days after an uninstall, of whose news we may never have heard. A dead token alone says
    nothing (docs/adr/0011): it counts where nobody proved the install since.
    """
    if shop.state is ShopState.UNINSTALLED:
        return True
    if shop.was_installed_after((delivery.triggered_at or delivery.received_at) - ASKED_AFTER):
        return False
    return access.is_token_dead(shop)


def _redact_shop(
    domain: str, delivery: Delivery, redaction_id: int, *, seen: Shop | None, is_gone: bool | None
) -> str:
    """Delete a shop that is gone; what came of it. Behind its token lock: it must not be installed again meanwhile."""
    with sweep_transaction(limits=DELETE) as conn:
        token_lock(conn, domain)
        shop = shops.by_domain(conn, domain)
        if is_gone is None or (shop is not None and not _is_as_seen(shop, seen)):
            webhook_inbox.put_off(conn, delivery.id, seconds=AGAIN_SECONDS)
            return "waits"
        proof: dict[str, Any] = {"held": False}
        if shop is not None and not is_gone:
            proof = {"kept": "the shop is installed again"}
        elif shop is not None:
            shops.delete(conn, shop.shop_id)
            proof = {
                "deleted_shop_id": shop.shop_id,
                "deleted_deliveries": webhook_inbox.forget_shop_but(conn, domain, delivery.id),
            }
        _close(conn, delivery, redaction_id, proof)
        return "applied"


def _is_as_seen(shop: Shop, seen: Shop | None) -> bool:
    """Whether nobody proved an install since it was looked at."""
    return seen is not None and (
        (shop.shop_id, shop.install_epoch, shop.last_proved_at)
        == (seen.shop_id, seen.install_epoch, seen.last_proved_at)
    )


def _close(conn: Connection, delivery: Delivery, redaction_id: int, proof: dict[str, Any]) -> None:
    redactions.finish(conn, redaction_id, proof=proof)
    webhook_inbox.mark_done(conn, delivery.id, outcome="applied")


def _fail(delivery: Delivery, error: Exception) -> str:
    with sweep_transaction(limits=DRAIN) as conn:
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


def _order_ids(topic: str, body: dict[str, Any]) -> list[int]:
    """The ids asked about, none where the list is absent or null: nothing else of the body (a name, an address) is kept."""
    listed = body.get(ORDER_LISTS.get(topic, ""))
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise PoisonError("the order ids are no list")
    return [payloads.number({"order id": one}, "order id") for one in listed]
