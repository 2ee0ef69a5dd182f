"""The inbox: bytes once, due to their own shop, parked after three tries, replayed, emptied, forgotten."""

from datetime import timedelta

import psycopg2
import pytest

from shopify_app.db import webhook_inbox
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import NewDelivery
from tests.factories import NOW, elsewhere
from tests.webhooks import record

HOSTILE = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b'{"a": NaN}',
    b"[" * 100_000,
    "\ufeff{}".encode(),
    b'"\\ud800"',
    "café".encode("latin-1"),
]


def due(shop, **named):
    with transaction(shop.shop_id) as conn:
        return webhook_inbox.due(conn, shop.domain, **({"limit": 9, "limit_bytes": 10**9} | named))


def sweep(what, *args, **named):
    with sweep_transaction() as conn:
        return what(conn, *args, **named)


def fail(shop, delivery_id, error="boom"):
    with transaction(shop.shop_id) as conn:
        return webhook_inbox.mark_failed(conn, delivery_id, error=error, tries=3, wait_seconds=0)


def test_a_delivery_is_kept_once_by_its_id(acme):
    assert [record(acme), record(acme), record(acme, "w2")] == [True, False, True]


@pytest.mark.parametrize("body", HOSTILE)
def test_every_body_is_kept_as_the_bytes_it_came_in(acme, body):
    record(acme, body=body)

    assert due(acme)[0].body == body


def test_deliveries_come_in_order_and_no_more_than_fit(acme):
    for number in range(5):
        record(acme, f"w{number}", b"x" * 100)

    assert [d.id for d in due(acme)] == sorted(d.id for d in due(acme))
    assert len(due(acme, limit=2)) == 2
    assert len(due(acme, limit_bytes=250)) == 2
    assert len(due(acme, limit_bytes=1)) == 1  # always one


def test_what_somebody_works_on_is_skipped(acme):
    record(acme)
    with transaction(acme.shop_id) as conn:
        assert len(webhook_inbox.due(conn, acme.domain, limit=9, limit_bytes=10**9)) == 1
        assert elsewhere(due, acme) == []


def test_three_failures_park_it_and_a_replay_brings_it_back(acme):
    record(acme)
    number = due(acme)[0].id
    assert [fail(acme, number) for _ in range(3)] == [False, False, True]
    assert due(acme) == []
    assert [(d.attempts, d.error) for d in sweep(webhook_inbox.dead)] == [(3, "boom")]

    assert sweep(webhook_inbox.replay, delivery_id=number) == 1
    assert [d.attempts for d in due(acme)] == [0]


def test_an_error_that_postgres_cannot_keep_is_kept_as_ascii(acme):
    record(acme)
    fail(acme, due(acme)[0].id, "a\0b\ud800" + "x" * 5_000)

    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT error FROM webhook_inbox")
        assert cur.fetchone()[0].startswith("a\\x00b\\ud800xxx")


def test_done_is_done_and_not_due(acme):
    record(acme)
    with transaction(acme.shop_id) as conn:
        webhook_inbox.mark_done(
            conn,
            webhook_inbox.due(conn, acme.domain, limit=1, limit_bytes=10**9)[0].id,
            outcome="applied",
        )

    assert due(acme) == []
    assert sweep(webhook_inbox.due_domains) == []


def test_what_is_ignored_for_a_gone_shop_leaves_its_privacy_requests(acme):
    record(acme, "w1")
    record(acme, "w2", topic="shop/redact")

    assert sweep(webhook_inbox.ignore_all, acme.domain) == 1
    assert sweep(webhook_inbox.due_domains) == [acme.domain]


def test_bodies_are_let_go_when_they_are_old_and_rows_when_they_are_very_old(acme):
    for number, days in enumerate((1, 8, 61)):
        record(acme, f"w{number}", b"xyz")
        with sweep_transaction() as conn, conn.cursor() as cur:
            cur.execute(
                "UPDATE webhook_inbox SET done_at = now() - make_interval(days => %s) WHERE webhook_id = %s",
                (days, f"w{number}"),
            )
    sweep(webhook_inbox.let_bodies_go, done_days=7, dead_days=30)

    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT webhook_id, length(body) FROM webhook_inbox ORDER BY 1")
        assert cur.fetchall() == [("w0", 3), ("w1", 0)]


def test_the_rivals_deliveries_are_not_ours_to_see_or_to_end(acme, rival):
    record(rival)

    assert due(acme) == []
    with transaction(acme.shop_id) as conn:
        assert webhook_inbox.due(conn, rival.domain, limit=9, limit_bytes=10**9) == []
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE webhook_inbox SET done_at = now()")
        assert cur.rowcount == 0
    assert len(due(rival)) == 1


def test_a_shop_can_put_nothing_into_the_inbox_and_the_door_can_read_nothing(acme):
    delivery = NewDelivery(
        "w9", None, acme.domain, "orders/updated", None, NOW - timedelta(days=1), b"{}"
    )
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), transaction(acme.shop_id) as conn:
        webhook_inbox.record(conn, delivery)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), ingest_transaction() as conn:
        webhook_inbox.due(conn, acme.domain, limit=1, limit_bytes=1)
