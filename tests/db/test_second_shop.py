"""A shop that the statistics do not know: its orders are many, and the planner takes them for one."""

from datetime import timedelta

import psycopg2
import pytest

from shopify_app.db import books, daily_sales, differences, frames, proofs, sales
from shopify_app.db.connection import transaction
from tests.factories import NOW, line_of, order_of, rows

ORDERS = 20_000
LINES_AN_ORDER = 2
DAYS = 50
TABLES = ("orders", "order_lines", "refunds", "refund_lines", "daily_sales")

LONGEST_MS = 15_000
"""A join by key takes well under a second here; lines x orders, 800 million pairs, takes minutes."""


@pytest.fixture
def owner(database):
    """The owner's connection; the tables' statistics change only when it says so."""
    conn = psycopg2.connect(database)
    conn.autocommit = True
    with conn.cursor() as cur:
        for table in TABLES:
            cur.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        yield cur
        for table in TABLES:
            cur.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")
    conn.close()


@pytest.fixture
def unknown(owner, acme, rival):
    """The rival's history, brought in after the statistics were taken of ours."""
    bring_in(owner, acme, told="ANALYZE orders")
    owner.execute(f"ANALYZE {', '.join(TABLES)}")
    bring_in(owner, rival)
    return rival


def bring_in(owner, shop, *, told=""):
    """Two lines an order, spread over the days; one order in ten gave a unit of its first line back.

    `told`: what is said of the orders before lines point to them, as statistics of another test would have each
    looked for in the whole table.
    """
    facts = {
        "shop": shop.shop_id,
        "currency": shop.currency,
        "orders": ORDERS,
        "days": DAYS,
        "now": NOW,
        "per": LINES_AN_ORDER,
    }
    owner.execute(
        """
        INSERT INTO orders (shop_id, id, currency, processed_at, processed_on, created_at, updated_at)
        SELECT %(shop)s, n, %(currency)s, %(now)s, %(now)s::date - n %% %(days)s, %(now)s, %(now)s
          FROM generate_series(1, %(orders)s) n
        """,
        facts,
    )
    if told:
        owner.execute(told)
    owner.execute(
        """
        INSERT INTO order_lines (shop_id, order_id, id, variant_id, quantity, current_quantity, unit_price)
        SELECT %(shop)s, n, n * 10 + k, 100 + n %% 300 + k, 2, CASE WHEN n %% 10 = 0 AND k = 1 THEN 1 ELSE 2 END, 5
          FROM generate_series(1, %(orders)s) n, generate_series(1, %(per)s) k
        """,
        facts,
    )
    owner.execute(
        """
        INSERT INTO refunds (shop_id, id, order_id, processed_at, processed_on)
        SELECT %(shop)s, n, n, %(now)s, %(now)s::date FROM generate_series(10, %(orders)s, 10) n
        """,
        facts,
    )
    owner.execute(
        """
        INSERT INTO refund_lines (shop_id, refund_id, id, order_line_id, quantity, restock_type, subtotal)
        SELECT %(shop)s, n, n, n * 10 + 1, 1, 'RETURN', 5 FROM generate_series(10, %(orders)s, 10) n
        """,
        facts,
    )


def in_time(conn):
    with conn.cursor() as cur:
        cur.execute(f"SET LOCAL statement_timeout = {LONGEST_MS}")
    return conn


def test_its_days_are_counted_in_the_time_that_its_orders_take(unknown, acme):
    with transaction(unknown.shop_id) as conn:
        daily_sales.touch_all(in_time(conn), unknown.shop_id)
        counted = daily_sales.recount(conn, unknown.shop_id, limit_days=DAYS)

    assert counted == DAYS
    ordered, returned = "sum(ordered_units)::int", "sum(returned_units)::int"
    assert rows(unknown, f"SELECT {ordered}, {returned} FROM daily_sales") == [(80_000, 2_000)]
    assert rows(acme, "SELECT count(*) FROM daily_sales") == [(0,)]


def test_what_it_sold_a_week_and_a_day_is_read_in_that_time_too(unknown):
    today = NOW.date()
    with transaction(unknown.shop_id) as conn:
        weeks = frames.weekly_prices(
            in_time(conn), unknown.shop_id, today - timedelta(days=DAYS), today
        )
        days = books.by_day(conn, unknown.shop_id, since=None, until=None)

        lines = books.by_variant(conn, unknown.shop_id, since=None, until=None)

    assert sum(line.units for line in lines) == sum(day.units for day in days) == 80_000
    assert weeks["lines"].sum() == ORDERS * LINES_AN_ORDER
    assert (len(days), sum(day.orders for day in days)) == (DAYS, ORDERS)


def test_its_books_are_proved_and_what_is_to_be_read_is_found_in_that_time(unknown):
    with transaction(unknown.shop_id) as conn:
        wanted = sales.note_wanted(in_time(conn), unknown.shop_id, None)
        few = sales.note_wanted(conn, unknown.shop_id, [10, 11])
        unlike = proofs.orders_unlike(conn, unknown.shop_id)
        odd = proofs.days_unlike(conn, unknown.shop_id)

    assert wanted == list(range(10, ORDERS + 1, 10))
    assert (few, unlike, odd) == ([10], [], [])


def test_comparing_many_of_its_orders_with_shopifys_takes_no_longer(unknown):
    theirs = [order_of(n, line_of(n * 10 + 1, units=2, price="5.00")) for n in range(1, 2_001)]
    with transaction(unknown.shop_id) as conn:
        unlike = differences.orders_unlike(in_time(conn), unknown.shop_id, theirs)

    assert len(unlike) == 2_000  # ours have a second line


def test_a_history_is_counted_by_the_planner_however_many_shops_there_are(owner):
    owner.execute(
        "SELECT relname, reloptions FROM pg_class WHERE relname = ANY (%s)", (list(TABLES),)
    )

    for _, options in owner.fetchall():
        assert "autovacuum_analyze_scale_factor=0" in options
        assert "autovacuum_analyze_threshold=5000" in options  # a shop of some 2,000 orders
