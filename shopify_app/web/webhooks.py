"""Where Shopify's webhooks come in: prove, keep, answer. Shopify waits five seconds and tries eight times.

Nothing else happens here: no JSON is parsed, no shop looked up, no queue touched. Bodies hold no
person because shopify.app.toml asks for none; what a body holds all the same is not stripped here
(that would mean parsing before keeping), it is emptied when it is a week old (housekeeping).
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from flask import Blueprint, Response, make_response, request

from shopify_app.config import settings
from shopify_app.db.webhook_inbox import APART, NewDelivery
from shopify_app.errors import TransientError
from shopify_app.metrics import WEBHOOKS_RECEIVED
from shopify_app.shopify.signature import is_signed_webhook
from shopify_app.usecases.inbox import drain
from shopify_app.usecases.inbox.ingest import HANDLERS, TOGETHER
from shopify_app.web.auth import public

HEADERS: Final = (
    "X-Shopify-Topic",
    "X-Shopify-Shop-Domain",
    "X-Shopify-Hmac-Sha256",
    "X-Shopify-Webhook-Id",
    "X-Shopify-Event-Id",
    "X-Shopify-Triggered-At",
    "X-Shopify-API-Version",
)
"""What a delivery says of itself; Shopify's newer sendings name the same without the `X-`."""

LONGEST_HEADER: Final = 255
"""Characters of a header that are kept: Shopify's are well below a hundred."""
YEARS: Final = (2000, 2200)
"""Of a time that a delivery can be of."""
KNOWN_TOPICS: Final = frozenset({*HANDLERS, *TOGETHER, *APART})
"""Those that are counted by name: anybody may send a header, and a counter never forgets one."""

LARGEST_BODY_BYTES: Final = 10 * 1024 * 1024

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")

log = structlog.get_logger()


@blueprint.post("/app", strict_slashes=False)
@blueprint.post("/orders", strict_slashes=False)
@blueprint.post("/products", strict_slashes=False)
@blueprint.post("/inventory", strict_slashes=False)
@blueprint.post("/compliance", strict_slashes=False)
@public
def receive() -> Response:
    """Keep one delivery; 200 also for one we have. 401 if it is not Shopify's, 503 if it cannot be kept."""
    request.max_content_length = LARGEST_BODY_BYTES
    headers = _headers()
    topic = headers.get("X-Shopify-Topic", "none")
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        log.error("webhook_too_large", topic=topic, content_length=request.content_length)
        return _answer(topic, 413)
    try:
        raw = request.get_data(cache=False)
    except OSError:  # the server's word for a body whose framing is broken
        log.warning("webhook_broken_off", topic=topic)
        return _answer(topic, 400)
    if not is_signed_webhook(raw, headers.get("X-Shopify-Hmac-Sha256"), settings().api_secrets):
        log.warning("webhook_refused", topic=topic, body_bytes=len(raw))
        return _answer(topic, 401)
    try:
        is_new = drain.record_delivery(_delivery(headers, raw))
    except TransientError:
        log.warning("webhook_not_kept", topic=topic)
        return _answer(topic, 503)
    log.info("webhook_kept", topic=topic, is_new=is_new, body_bytes=len(raw))
    return _answer(topic, 200)


def _headers() -> dict[str, str]:
    """The delivery's own headers under one spelling, whatever the case and family they came in."""
    said = ((name, request.headers.get(name, request.headers.get(name[2:]))) for name in HEADERS)
    return {name: value for name, value in said if value is not None}


def _delivery(headers: Mapping[str, str], body: bytes) -> NewDelivery:
    """What is kept. The headers are not signed: what is too long is cut, and a time that cannot be is none.

    Where the delivery's id is missing its content stands in for it, where it is too long its digest.
    """
    topic = headers.get("X-Shopify-Topic", "")[:LONGEST_HEADER]
    webhook_id = headers.get("X-Shopify-Webhook-Id", "")
    if not webhook_id:
        webhook_id = hashlib.sha256(f"{topic}|".encode() + body).hexdigest()
    elif len(webhook_id) > LONGEST_HEADER:
        webhook_id = hashlib.sha256(webhook_id.encode()).hexdigest()
    return NewDelivery(
        webhook_id=webhook_id,
        event_id=_cut(headers.get("X-Shopify-Event-Id")),
        shop_domain=headers.get("X-Shopify-Shop-Domain", "")[:LONGEST_HEADER].lower(),
        topic=topic,
        api_version=_cut(headers.get("X-Shopify-API-Version")),
        triggered_at=_moment(headers.get("X-Shopify-Triggered-At", "")),
        body=body,
    )


def _cut(text: str | None) -> str | None:
    return text and text[:LONGEST_HEADER]


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_meant = moment.tzinfo is not None and YEARS[0] <= moment.year <= YEARS[1]
    return moment if is_meant else None


def _answer(topic: str, status: int) -> Response:
    WEBHOOKS_RECEIVED.labels(topic if topic in KNOWN_TOPICS else "other", str(status)).inc()
    return make_response("", status)
