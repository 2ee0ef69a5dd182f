"""Whose rows a transaction sees, whatever happened on the connection before."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from shopify_app.db.connection import (
    Limits,
    NestedTransactionError,
    ingest_transaction,
    read_transaction,
    sweep_transaction,
    transaction,
)
from shopify_app.errors import DatabaseBusyError, TransientError
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


def test_a_read_sees_its_own_shop_writes_nothing_and_leaves_the_connection_able_to(acme, rival):
    make_variant(acme), make_variant(rival)

    with read_transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("SELECT DISTINCT shop_id FROM variants")
        assert cur.fetchall() == [(acme.shop_id,)]
    with (
        pytest.raises(psycopg2.errors.ReadOnlySqlTransaction),
        read_transaction(acme.shop_id) as conn,
        conn.cursor() as cur,
    ):
        cur.execute("UPDATE variants SET price = 1")

    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE variants SET price = 1")
        assert cur.rowcount == 1


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


OPENERS = {
    "shop": lambda shop: transaction(shop.shop_id),
    "ingest": lambda _: ingest_transaction(),
    "sweep": lambda _: sweep_transaction(),
}


@pytest.mark.parametrize("outer", OPENERS)
@pytest.mark.parametrize("inner", OPENERS)
def test_a_second_transaction_in_a_thread_is_refused_and_the_first_goes_on(acme, outer, inner):
    """Two sessions of one thread can wait for each other for ever: Postgres sees no circle."""
    with OPENERS[outer](acme) as conn, conn.cursor() as cur:
        with pytest.raises(NestedTransactionError), OPENERS[inner](acme):
            pass
        cur.execute("SELECT 1")
        assert cur.fetchone() == (1,)
    assert _shops_seen(acme.shop_id) == {acme.shop_id}


def test_a_thread_may_begin_again_after_one_that_failed_and_beside_another_thread(acme, rival):
    with pytest.raises(psycopg2.errors.DivisionByZero), transaction(acme.shop_id) as conn:
        conn.cursor().execute("SELECT 1 / 0")
    with transaction(acme.shop_id), ThreadPoolExecutor(1) as thread:
        assert thread.submit(_shops_seen, rival.shop_id).result() == {rival.shop_id}


SHORT = Limits(lock_seconds=1, statement_seconds=2, idle_seconds=1)


@pytest.mark.parametrize("opener", OPENERS)
def test_every_road_to_the_database_has_limits_whatever_its_role(acme, opener):
    with OPENERS[opener](acme) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT name, setting::int FROM pg_settings WHERE name IN"
            " ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout')"
        )
        found = dict(cur.fetchall())
    assert len(found) == 3
    assert all(0 < milliseconds <= 900_000 for milliseconds in found.values())
    assert found["lock_timeout"] < found["statement_timeout"]


def _wait_for_a_lock(shop):
    with transaction(shop.shop_id) as holder, holder.cursor() as cur:
        cur.execute("SELECT 1 FROM shops WHERE shop_id = %s FOR UPDATE", (shop.shop_id,))
        with ThreadPoolExecutor(1) as thread:
            thread.submit(_lock_shop, shop).result()


def _lock_shop(shop):
    with transaction(shop.shop_id, limits=SHORT) as conn, conn.cursor() as cur:
        cur.execute("SELECT 1 FROM shops WHERE shop_id = %s FOR UPDATE", (shop.shop_id,))


def _ask_for_too_much(shop):
    with transaction(shop.shop_id, limits=SHORT) as conn, conn.cursor() as cur:
        cur.execute("SELECT pg_sleep(30)")


def _stand_still(shop):
    with transaction(shop.shop_id, limits=SHORT) as conn, conn.cursor() as cur:
        threading.Event().wait(2)
        cur.execute("SELECT 1")


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (_wait_for_a_lock, DatabaseBusyError),
        (_ask_for_too_much, DatabaseBusyError),
        (_stand_still, TransientError),  # the connection is gone with it
    ],
)
def test_what_waits_too_long_ends_as_something_to_be_tried_again(acme, act, error):
    started = time.monotonic()
    with pytest.raises(error):
        act(acme)
    assert time.monotonic() - started < 10
    assert _shops_seen(acme.shop_id) == {acme.shop_id}
