"""The three privacy topics: answered for a living shop, a gone one, and one that was never ours."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from shopify_app.db import orders, redactions, shops
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import NewDelivery, count_done, dead, record
from shopify_app.domain.order import Order
from shopify_app.usecases.inbox import drain, redact
from tests.factories import NOW, make_variant, rows

PERSON = {"id": 191, "email": "sam@example.com", "phone": "+447700900123"}


def arrive(domain, topic, number=0, **body):
    """A delivery that is kept and not yet worked on."""
    delivery = NewDelivery(
        webhook_id=f"{domain}{topic}{number}",
        event_id=None,
        shop_domain=domain,
        topic=topic,
        api_version="2026-10",
        triggered_at=datetime.now(UTC),
        body=json.dumps({"shop_id": 1, "shop_domain": domain, **body}).encode(),
    )
    with ingest_transaction() as conn:
        record(conn, delivery)


def deliver(domain, topic, number=0, **body):
    arrive(domain, topic, number, **body)
    drain.drain_inbox()


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


def opened(shop):
    """Its merchant opened the app just now, which proves an install."""
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET last_proved_at = now() WHERE shop_id = %s", (shop.shop_id,))


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
    opened(acme)

    deliver(acme.domain, "shop/redact")

    assert names(acme) == [(1, "#1")]
    assert ledger()[0].proof == {"kept": "the shop is installed again"}


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_a_shop_that_was_never_ours_is_answered_and_kept_in_the_ledger(database, topic):
    deliver("nobody.myshopify.com", topic)

    assert [(one.topic, one.proof) for one in ledger()] == [(topic, {"held": False})]


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("listed", ["all", [1, "x"], {"a": 1}, [None], [2**70], [0], [True]])
def test_order_ids_that_are_none_are_parked_and_not_guessed(acme, gone, listed):
    place(acme, 1)
    if gone:
        uninstall(acme)

    deliver(acme.domain, "customers/redact", orders_to_redact=listed)

    assert names(acme) == [(1, "#1")]
    with sweep_transaction() as conn:
        assert count_done(conn) == 0


@pytest.mark.parametrize("gone", [False, True])
def test_a_customer_without_orders_is_answered_also_where_the_list_is_null(acme, gone):
    place(acme, 1)
    if gone:
        uninstall(acme)

    deliver(acme.domain, "customers/redact", orders_to_redact=None)
    deliver(acme.domain, "customers/data_request", orders_requested=None)

    assert sorted(list(entry.proof.items()) for entry in ledger()) == [
        [("orders_held", [])],
        [("orders_severed", 0)],
    ]
    assert names(acme) == [(1, "#1")]


def test_a_request_that_comes_twice_is_done_twice_and_does_no_harm(acme):
    place(acme, 1)
    deliver(acme.domain, "customers/redact", 1, orders_to_redact=[1])
    deliver(acme.domain, "customers/redact", 2, orders_to_redact=[1])

    assert [one.done_at is not None for one in ledger()] == [True, True]


def news_of(order_id, *, hours=1, **more):
    """The body of an order of a shop that says so itself."""
    stamp = (NOW + timedelta(hours=hours)).isoformat()
    return {"id": order_id, "name": f"#{order_id}", "currency": "GBP", "created_at": stamp, "updated_at": stamp,
            "line_items": [], **more}  # fmt: skip


def drained(seconds=30):
    """Drain in a thread that a test can give up on; whether it came to its end."""
    work = threading.Thread(target=drain.drain_inbox, daemon=True)
    work.start()
    work.join(seconds)
    return not work.is_alive()


def test_a_redaction_in_one_batch_with_news_of_its_order_ends(acme, rival):
    place(acme, 1)
    place(rival, 1)
    arrive(acme.domain, "orders/updated", **news_of(1))
    arrive(acme.domain, "customers/redact", orders_to_redact=[1], customer=PERSON)

    assert drained()

    assert names(acme) == [(1, None)]
    assert names(rival) == [(1, "#1")]
    assert rows(acme, "SELECT outcome FROM webhook_inbox") == [("applied",)] * 2
    assert ledger()[0].proof == {"orders_severed": 1}


def test_a_redaction_in_one_batch_with_a_new_order_finds_it(acme, rival):
    arrive(acme.domain, "orders/create", **news_of(1))
    arrive(acme.domain, "customers/redact", orders_to_redact=[1], customer=PERSON)
    arrive(acme.domain, "customers/data_request", orders_requested=[1], customer=PERSON)
    arrive(rival.domain, "orders/create", **news_of(1))

    assert drained()

    assert names(acme) == [(1, None)]
    assert names(rival) == [(1, "#1")]
    held, severed = ledger()
    assert (severed.proof, held.proof) == ({"orders_severed": 1}, {"orders_held": [1]})


def test_a_redaction_waits_for_older_news_that_must_be_tried_again(acme, monkeypatch):
    arrive(acme.domain, "orders/create", **news_of(1))
    arrive(acme.domain, "customers/redact", orders_to_redact=[1], customer=PERSON)
    with monkeypatch.context() as patch:
        patch.setattr(drain.ingest, "apply", lambda *_: 1 / 0)
        drain.drain_inbox()
    assert ledger()[0].done_at is None  # it is in the ledger, so it can be late

    make_due()
    drain.drain_inbox()

    assert names(acme) == [(1, None)]
    assert ledger()[0].proof == {"orders_severed": 1}
    assert len(ledger()) == 1


def make_due():
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE webhook_inbox SET due_at = now() WHERE done_at IS NULL")


@pytest.mark.parametrize("topic", ["customers/redact", "customers/data_request", "shop/redact"])
@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("dies_after", ["record", "sever or held", "finish"])
def test_a_process_that_dies_between_the_parts_leaves_the_request_to_the_next(
    acme, monkeypatch, topic, gone, dies_after
):
    place(acme, 1)
    uninstall(acme) if gone else opened(acme)
    arrive(acme.domain, topic, orders_to_redact=[1], orders_requested=[1])
    part = {
        "record": (redact.webhook_inbox, "has_earlier"),
        "sever or held": (redact.redactions, "finish"),
        "finish": (redact.webhook_inbox, "mark_done"),
    }[dies_after]

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*part, die)
        with pytest.raises(KeyboardInterrupt):
            drain.drain_inbox()
    assert all(entry.done_at is None for entry in ledger())
    drain.drain_inbox()

    (entry,) = ledger()
    assert entry.done_at is not None
    assert (
        entry.proof
        == {
            ("customers/redact", False): {"orders_severed": 1},
            ("customers/redact", True): {"orders_severed": 1},
            ("customers/data_request", False): {"orders_held": [1]},
            ("customers/data_request", True): {"orders_held": [1]},
            ("shop/redact", False): {"kept": "the shop is installed again"},
            ("shop/redact", True): {"deleted_shop_id": acme.shop_id, "deleted_deliveries": 0},
        }[topic, gone]
    )


@pytest.mark.parametrize("gone", [False, True])
def test_a_request_with_an_impossible_id_is_parked_and_no_neighbour_waits_for_it(acme, rival, gone):
    place(acme, 1)
    place(rival, 1)
    if gone:
        uninstall(acme)
    arrive(acme.domain, "customers/redact", 1, orders_to_redact=[2**70])
    arrive(acme.domain, "customers/redact", 2, orders_to_redact=[1])
    arrive(rival.domain, "customers/redact", 3, orders_to_redact=[1])
    for _ in range(3):
        drain.drain_inbox()
        make_due()

    assert names(acme) == [(1, None)]
    assert names(rival) == [(1, None)]
    with sweep_transaction() as conn:
        (parked,) = dead(conn)
    assert parked.shop_domain == acme.domain


@pytest.mark.parametrize("busy", ["orders", "redaction"])
def test_a_shop_whose_rows_are_held_waits_and_the_others_go_on(acme, rival, busy):
    place(acme, 1)
    place(rival, 1)
    for shop in (acme, rival):
        if busy == "orders":
            arrive(shop.domain, "orders/updated", **news_of(1, name="new"))
        else:
            arrive(shop.domain, "customers/redact", orders_to_redact=[1])
    locked, let_go = threading.Event(), threading.Event()

    def hold():
        with transaction(acme.shop_id) as conn, conn.cursor() as cur:
            cur.execute("SELECT 1 FROM orders FOR UPDATE")
            locked.set()
            let_go.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    try:
        assert drained(40)
        assert names(rival) == [(1, "new" if busy == "orders" else None)]
        assert names(acme) == [(1, "#1")]
    finally:
        let_go.set()
        holder.join()
    drain.drain_inbox()

    assert names(acme) == names(rival)
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT attempts, outcome FROM webhook_inbox")
        assert cur.fetchall() == [(0, "applied")] * 2
