"""Webhooks as Shopify sends them, and as the inbox keeps them."""

import base64
import hashlib
import hmac
import json

from shopify_app.db import webhook_inbox
from shopify_app.db.connection import ingest_transaction
from shopify_app.db.webhook_inbox import NewDelivery
from tests.conftest import CLIENT_SECRET
from tests.factories import NOW

ORDER = {
    "id": 5001,
    "name": "#1",
    "created_at": "2026-11-20T10:00:00+00:00",
    "processed_at": "2026-11-20T10:00:00+00:00",
    "updated_at": "2026-11-20T10:00:00+00:00",
    "currency": "GBP",
    "financial_status": "paid",
    "source_name": "web",
    "line_items": [
        {"id": 1, "quantity": 2, "current_quantity": 2, "price": "5.00", "title": "Mug", "sku": "M"}
    ],
}


def send(
    client,
    shop,
    body,
    *,
    topic="orders/updated",
    webhook_id=None,
    path="/webhooks/orders",
    **headers,
):
    """The status of the answer to one signed delivery."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = base64.b64encode(
        hmac.new(CLIENT_SECRET.encode(), raw, hashlib.sha256).digest()
    ).decode()
    sent = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": shop.domain,
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Triggered-At": "2026-11-20T10:00:01Z",
        **headers,
    }
    return client.post(
        path, data=raw, headers={name: value for name, value in sent.items() if value is not None}
    ).status_code


def record(shop, webhook_id="w1", body=b"{}", topic="orders/updated"):
    """Keep one delivery, as the receiver does."""
    with ingest_transaction() as conn:
        return webhook_inbox.record(
            conn, NewDelivery(webhook_id, None, shop.domain, topic, None, NOW, body)
        )
