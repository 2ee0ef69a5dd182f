"""The shop's own books from our rows: per local day, gross, discounts, refunds on their own day; the rival's closed."""

from datetime import date, timedelta
from decimal import Decimal

from shopify_app.db import order_facts, orders, refunds
from shopify_app.db.connection import transaction
from tests.factories import NOW, line_of, make_variant, order_of, refund_of, rows

DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)


def put(shop, *made, given_back=()):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, list(made))
        refunds.upsert_many(conn, shop.shop_id, shop.zone, list(given_back))


def books(shop, since=None, until=None):
    with transaction(shop.shop_id) as conn:
        found = order_facts.by_day(conn, shop.shop_id, since=since, until=until)
    return [(d.day, d.orders, d.units, d.gross, d.discounts, d.refunds) for d in found]


def test_a_day_counts_orders_units_and_money_and_a_refund_stands_on_its_own_day(acme):
    put(
        acme,
        order_of(
            1,
            line_of(1, units=2, price="10.00", discount=Decimal("3.00")),
            line_of(2, price="5.50"),
        ),
        order_of(2),
        order_of(3, line_of(3, price="100.00"), is_test=True),
        order_of(4, line_of(4, price="7.00"), cancelled_at=NOW),
        given_back=[refund_of(5, 1, 1, at=NOW + timedelta(days=1), subtotal="8.50")],
    )

    assert books(acme) == [
        (DAY, 3, 4, Decimal("32.50"), Decimal("3.00"), Decimal(0)),
        (NEXT, 0, 0, Decimal(0), Decimal(0), Decimal("8.50")),
    ]
    assert [row[0] for row in books(acme, since=NEXT)] == [NEXT]
    assert [row[0] for row in books(acme, until=DAY)] == [DAY]


def test_a_deleted_order_is_in_no_book(acme):
    put(acme, order_of(1, line_of(1)))
    with transaction(acme.shop_id) as conn:
        orders.bury(conn, acme.shop_id, 1, at=NOW)

    assert books(acme) == []


def test_the_shelves_count_what_is_there(acme):
    make_variant(acme, available=40)
    make_variant(acme, available=-2, cost=None)
    with transaction(acme.shop_id) as conn:
        shelf = order_facts.shelf_counts(conn, acme.shop_id)

    assert (
        shelf.products,
        shelf.variants,
        shelf.variants_with_cost,
        shelf.levels,
        shelf.available_units,
    ) == (2, 2, 1, 2, 38)


def test_a_severed_order_has_no_name_and_keeps_its_sale(acme):
    put(acme, order_of(1, line_of(1)))
    with transaction(acme.shop_id) as conn:
        assert order_facts.held(conn, acme.shop_id, [3, 1]) == [1]
        assert order_facts.sever(conn, acme.shop_id, [1, 3]) == 1

    assert rows(acme, "SELECT name FROM orders") == [(None,)]
    assert len(books(acme)) == 1


def test_the_rivals_books_are_closed(acme, rival):
    put(rival, order_of(1, line_of(1)))
    make_variant(rival)
    with transaction(acme.shop_id) as conn:
        for shop_id in (acme.shop_id, rival.shop_id):
            assert order_facts.by_day(conn, shop_id, since=None, until=None) == []
            assert order_facts.shelf_counts(conn, shop_id).variants == 0
            assert order_facts.held(conn, shop_id, [1]) == []
            assert order_facts.sever(conn, shop_id, [1]) == 0
    assert rows(rival, "SELECT name FROM orders") == [("#1",)]
