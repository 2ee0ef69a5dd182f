"""A table that was never analysed is read by its key once the planner is told how large it is."""

import psycopg2
import pytest

from shopify_app.db import sizes
from shopify_app.db.connection import sweep_transaction, transaction
from tests.factories import NOW

REFERENCES = (
    # as Postgres itself asks for each line of an order that is written
    "EXPLAIN SELECT 1 FROM ONLY orders x WHERE shop_id = %(shop_id)s AND id = 7 FOR KEY SHARE OF x"
)


@pytest.fixture
def owner(database):
    conn = psycopg2.connect(database)
    conn.autocommit = True
    with conn.cursor() as cur:
        cur.execute("ALTER TABLE orders SET (autovacuum_enabled = false)")
        yield cur
        cur.execute("ALTER TABLE orders RESET (autovacuum_enabled)")
    conn.close()


def plan(owner, shop):
    owner.execute(REFERENCES, {"shop_id": shop.shop_id})
    return "\n".join(line for (line,) in owner.fetchall())


def bring_in(owner, shop, count):
    owner.execute(
        "INSERT INTO orders (shop_id, id, currency, processed_at, processed_on, updated_at)"
        " SELECT %(shop_id)s, number, 'GBP', %(now)s, %(now)s, %(now)s FROM generate_series(1, %(count)s) AS number",
        {"shop_id": shop.shop_id, "now": NOW, "count": count},
    )


def test_a_line_finds_its_order_by_its_key_in_a_first_history(owner, acme):
    bring_in(owner, acme, 1_000)
    assert "orders_pkey" not in plan(owner, acme)  # all orders of the shop, for each line

    with sweep_transaction() as conn:
        sizes.know_sizes(conn)

    assert "orders_pkey" in plan(owner, acme)


def test_a_table_that_is_known_to_be_large_is_left_to_autovacuum(owner, acme):
    bring_in(owner, acme, 12_000)
    with sweep_transaction() as conn:
        sizes.know_sizes(conn)
    owner.execute("SELECT reltuples FROM pg_class WHERE relname = 'orders'")
    assert owner.fetchone() == (12_000,)
    owner.execute("DELETE FROM orders WHERE id > 100")

    with sweep_transaction() as conn:
        sizes.know_sizes(conn)

    owner.execute("SELECT reltuples FROM pg_class WHERE relname = 'orders'")
    assert owner.fetchone() == (12_000,)


def test_a_shops_own_role_cannot_ask_for_it(acme):
    with (
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
        transaction(acme.shop_id) as conn,
    ):
        sizes.know_sizes(conn)
