"""The privacy ledger: ids alone, our own deadline, closed to every shop."""

from datetime import timedelta

import psycopg2
import pytest

from shopify_app.db import redactions
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from tests.factories import NOW


def record(topic="shop/redact", at=NOW):
    with sweep_transaction() as conn:
        return redactions.record(
            conn,
            shop_domain="gone.myshopify.com",
            topic=topic,
            request={"orders": [1]},
            received_at=at,
        )


def every():
    with sweep_transaction() as conn:
        return redactions.every(conn)


def test_a_request_is_due_in_three_days_and_done_with_its_proof(database):
    first, second = record(), record("customers/redact")
    with sweep_transaction() as conn:
        redactions.finish(conn, first, proof={"deleted_shop_id": 7})

    newest, oldest = every()
    assert (newest.id, oldest.id) == (second, first)
    assert newest.due_at - newest.received_at == timedelta(hours=72)
    assert (oldest.proof, newest.done_at) == ({"deleted_shop_id": 7}, None)


def test_late_is_what_is_not_done_after_half_the_time(database):
    late, done = record(at=NOW - timedelta(days=9)), record(at=NOW - timedelta(days=9))
    with sweep_transaction() as conn, conn.cursor() as cur:
        redactions.finish(conn, done, proof={})
        cur.execute(
            "INSERT INTO redactions (shop_domain, topic, request, due_at) VALUES ('a', 'shop/redact', '{}', now() + interval '72 hours')"
        )
        assert redactions.late(conn) == 1
    assert late


def test_no_shop_and_no_door_reads_the_ledger(acme):
    for begin in (lambda: transaction(acme.shop_id), ingest_transaction):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), begin() as conn:
            redactions.every(conn)


def test_only_the_three_topics_are_kept(database):
    with pytest.raises(psycopg2.errors.CheckViolation):
        record("orders/create")
