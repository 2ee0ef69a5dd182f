"""Whose rows a transaction sees, whatever happened on the connection before."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from tests.factories import make_variant


def test_a_transaction_sees_its_own_shop_and_nothing_of_the_rival(acme, rival):
    make_variant(acme)
    make_variant(rival)

    assert _shops_seen(acme.shop_id) == {acme.shop_id}
    assert _shops_seen(rival.shop_id) == {rival.shop_id}


def test_a_row_for_another_shop_cannot_be_written(acme, rival):
    with (
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
        transaction(acme.shop_id) as conn,
        conn.cursor() as cur,
    ):
        cur.execute(
            "INSERT INTO sync_cursors VALUES (%(shop_id)s, 'orders', now())",
            {"shop_id": rival.shop_id},
        )


def test_no_row_leaks_through_the_pool_when_transactions_fail_half_way(acme, rival):
    make_variant(acme)
    make_variant(rival)
    shops = [acme.shop_id, rival.shop_id] * 500

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(_shops_seen_after_a_mishap, shops, range(len(shops))))

    assert all(got <= {wanted} for wanted, got in zip(shops, seen, strict=True))
    assert sum(bool(got) for got in seen) > 600


def test_ingest_may_only_put_webhooks_in_and_the_sweeper_reads_no_facts(acme):
    make_variant(acme)
    for refused in (
        "SELECT body FROM webhook_inbox",
        "SELECT 1 FROM shops",
        "SELECT 1 FROM orders",
    ):
        with (
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
            ingest_transaction() as conn,
            conn.cursor() as cur,
        ):
            cur.execute(refused)
    for refused in (
        "SELECT 1 FROM orders",
        "SELECT access_token FROM offline_tokens",
        "SELECT new_price FROM price_changes",
    ):
        with (
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
            sweep_transaction() as conn,
            conn.cursor() as cur,
        ):
            cur.execute(refused)


def _shops_seen(shop_id):
    with transaction(shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT shop_id FROM variants UNION SELECT shop_id FROM shops UNION SELECT shop_id FROM inventory_levels"
        )
        return {row[0] for row in cur.fetchall()}


def _shops_seen_after_a_mishap(shop_id, turn):
    try:
        with transaction(shop_id) as conn, conn.cursor() as cur:
            if turn % 5 == 0:
                cur.execute("SELECT 1 / 0")
            if turn % 7 == 0:
                raise KeyboardInterrupt
            cur.execute("SELECT shop_id FROM variants")
            return {row[0] for row in cur.fetchall()}
    except (psycopg2.errors.DivisionByZero, KeyboardInterrupt):
        return set()


def test_a_connection_is_used_again_and_not_made_anew_for_every_transaction(database):
    assert len({_backend() for _ in range(5)}) == 1


def _backend():
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT pg_backend_pid()")
        return cur.fetchone()[0]
