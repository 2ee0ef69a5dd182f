"""The three privacy topics: answered for a living shop, a gone one, and one that was never ours."""

import json
from datetime import UTC, datetime

import pytest

from shopify_app.db import orders, redactions, shops
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import NewDelivery, count_done, record
from shopify_app.domain.order import Order
from shopify_app.usecases import inbox
from tests.factories import NOW, make_variant

PERSON = {"id": 191, "email": "sam@example.com", "phone": "+447700900123"}


def deliver(domain, topic, number=0, **body):
    delivery = NewDelivery(
        webhook_id=f"{topic}{number}",
        event_id=None,
        shop_domain=domain,
        topic=topic,
        api_version="2026-10",
        triggered_at=datetime.now(UTC),
        body=json.dumps({"shop_id": 1, "shop_domain": domain, **body}).encode(),
    )
    with ingest_transaction() as conn:
        record(conn, delivery)
    inbox.drain_inbox()


def place(shop, *ids):
    made = [
        Order(id=one, name=f"#{one}", source_name="web", currency="GBP", financial_status="paid", is_test=False,
              processed_at=NOW, created_at=NOW, cancelled_at=None, updated_at=NOW)
        for one in ids
    ]  # fmt: skip
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, made)


def names(shop):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("SELECT id, name FROM orders ORDER BY id")
        return cur.fetchall()


def ledger():
    with sweep_transaction() as conn:
        return redactions.every(conn)


def uninstall(shop):
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE shops SET state = 'uninstalled', uninstalled_at = now() WHERE shop_id = %s",
            (shop.shop_id,),
        )


@pytest.mark.parametrize("gone", [False, True])
def test_a_data_request_names_the_orders_we_hold_and_no_person(acme, gone):
    place(acme, 1, 2)
    if gone:
        uninstall(acme)

    deliver(
        acme.domain,
        "customers/data_request",
        orders_requested=[1, 2, 3],
        customer=PERSON,
        data_request={"id": 9},
    )

    (entry,) = ledger()
    assert entry.proof == {"orders_held": [1, 2]}
    assert entry.done_at is not None
    assert (entry.due_at - entry.received_at).total_seconds() == 72 * 3600
    assert "sam" not in json.dumps([entry.request, entry.proof])


@pytest.mark.parametrize("gone", [False, True])
def test_a_redacted_customers_orders_lose_their_names_and_keep_their_sales(acme, rival, gone):
    place(acme, 1, 2)
    place(rival, 1)
    if gone:
        uninstall(acme)

    deliver(acme.domain, "customers/redact", orders_to_redact=[1], customer=PERSON)

    assert names(acme) == [(1, None), (2, "#2")]
    assert names(rival) == [(1, "#1")]
    assert ledger()[0].proof == {"orders_severed": 1}


def test_a_gone_shop_is_deleted_whole_and_the_ledger_outlives_it(acme, rival):
    place(acme, 1)
    make_variant(acme)
    make_variant(rival)
    uninstall(acme)

    deliver(acme.domain, "shop/redact")

    with sweep_transaction() as conn:
        assert [shop.domain for shop in shops.every(conn)] == [rival.domain]
        assert count_done(conn) == 1
    assert rows_left_of(acme) == {}
    assert ledger()[0].proof["deleted_shop_id"] == acme.shop_id


def rows_left_of(shop):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'shop_id'"
        )
        found = {}
        for (table,) in cur.fetchall():
            cur.execute(f"SELECT count(*) FROM {table}")
            found[table] = cur.fetchone()[0]
    return {table: count for table, count in found.items() if count}


def test_a_shop_that_is_installed_again_keeps_its_rows(acme):
    place(acme, 1)

    deliver(acme.domain, "shop/redact")

    assert names(acme) == [(1, "#1")]
    assert ledger()[0].proof == {"kept": "the shop is installed again"}


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_a_shop_that_was_never_ours_is_answered_and_kept_in_the_ledger(database, topic):
    deliver("nobody.myshopify.com", topic)

    assert [(one.topic, one.proof) for one in ledger()] == [(topic, {"held": False})]


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("listed", ["all", [1, "x"], {"a": 1}, [None]])
def test_order_ids_that_are_none_are_parked_and_not_guessed(acme, gone, listed):
    place(acme, 1)
    if gone:
        uninstall(acme)

    deliver(acme.domain, "customers/redact", orders_to_redact=listed)

    assert names(acme) == [(1, "#1")]
    with sweep_transaction() as conn:
        assert count_done(conn) == 0


def test_a_request_that_comes_twice_is_done_twice_and_does_no_harm(acme):
    place(acme, 1)
    deliver(acme.domain, "customers/redact", 1, orders_to_redact=[1])
    deliver(acme.domain, "customers/redact", 2, orders_to_redact=[1])

    assert [one.done_at is not None for one in ledger()] == [True, True]
