"""A table that was never analysed is read by its key once the planner is told how large it is."""

import psycopg2
import pytest

from shopify_app.db import sizes
from shopify_app.db.connection import transaction

REFERENCE = (
    # as Postgres itself asks for each line of an order that is written
    "EXPLAIN SELECT 1 FROM ONLY orders x WHERE shop_id = 1 AND id = 7 FOR KEY SHARE OF x"
)


@pytest.fixture
def new_database(database_of_module):
    """A cursor of the owner's, in a database whose tables nobody ever looked at; autovacuum leaves orders alone."""
    conn = psycopg2.connect(database_of_module)
    conn.autocommit = True
    with conn.cursor() as cur:
        cur.execute("ALTER TABLE orders SET (autovacuum_enabled = false)")
        cur.execute("INSERT INTO shops (domain) VALUES ('acme.myshopify.com')")
        yield cur
    conn.close()


def plan(cur):
    cur.execute(REFERENCE)
    return "\n".join(line for (line,) in cur.fetchall())


def bring_in(cur, first, last):
    cur.execute(
        "INSERT INTO orders (shop_id, id, currency, processed_at, processed_on, updated_at)"
        " SELECT 1, number, 'GBP', now(), now(), now() FROM generate_series(%s, %s) AS number",
        (first, last),
    )


def know_sizes(cur):
    cur.execute("SET ROLE keel_sweeper; SELECT know_sizes(); RESET ROLE")
    cur.execute("SELECT reltuples FROM pg_class WHERE relname = 'orders'")
    return cur.fetchone()[0]


def test_a_line_finds_its_order_by_its_key_from_the_second_batch_on_and_a_large_table_is_left_to_autovacuum(
    new_database,
):
    bring_in(new_database, 1, 1_000)
    assert "orders_pkey" not in plan(new_database)  # all orders of the shop, for each line

    assert know_sizes(new_database) == 1_000
    assert "orders_pkey" in plan(new_database)

    bring_in(new_database, 1_001, 12_000)
    assert know_sizes(new_database) == 12_000
    bring_in(new_database, 12_001, 13_000)
    assert know_sizes(new_database) == 12_000


def test_a_shops_own_role_cannot_ask_for_it(acme):
    with (
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
        transaction(acme.shop_id) as conn,
    ):
        sizes.know_sizes(conn)
