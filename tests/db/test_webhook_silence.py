"""The two sides of a silence: the newest order webhook that came, the newest change of an order."""

from datetime import timedelta

from shopify_app.db import orders, webhook_inbox, webhook_silence
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import NewDelivery
from tests.factories import NOW, order_of


def record(shop, topic, at):
    with ingest_transaction() as conn:
        webhook_inbox.record(
            conn,
            NewDelivery(f"{shop.domain}{topic}{at}", None, shop.domain, topic, None, at, b"{}"),
        )


def test_the_newest_order_webhook_of_each_shop_is_told(acme, rival):
    record(acme, "orders/updated", NOW)
    record(acme, "orders/create", NOW - timedelta(days=1))
    record(acme, "products/update", NOW + timedelta(days=1))

    with sweep_transaction() as conn:
        assert webhook_silence.last_order_news(conn) == {acme.domain: NOW}


def test_the_newest_change_is_the_shops_own(acme, rival):
    with transaction(rival.shop_id) as conn:
        orders.upsert_many(conn, rival.shop_id, rival.zone, [order_of(1)])
        assert webhook_silence.newest_order_change(conn, rival.shop_id) == NOW
    with transaction(acme.shop_id) as conn:
        assert webhook_silence.newest_order_change(conn, acme.shop_id) is None
        assert webhook_silence.newest_order_change(conn, rival.shop_id) is None
