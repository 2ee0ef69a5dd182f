"""Order facts for privacy requests, and the shelves; the rival's are closed."""

from shopify_app.db import order_facts, orders
from shopify_app.db.connection import transaction
from tests.factories import line_of, make_variant, order_of, rows


def put(shop, *made):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, list(made))


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


def test_a_severed_order_has_no_name(acme):
    put(acme, order_of(1, line_of(1)))
    with transaction(acme.shop_id) as conn:
        assert order_facts.held(conn, acme.shop_id, [3, 1]) == [1]
        assert order_facts.sever(conn, acme.shop_id, [1, 3]) == 1

    assert rows(acme, "SELECT name FROM orders") == [(None,)]


def test_the_rivals_facts_are_closed(acme, rival):
    put(rival, order_of(1, line_of(1)))
    make_variant(rival)
    with transaction(acme.shop_id) as conn:
        for shop_id in (acme.shop_id, rival.shop_id):
            assert order_facts.shelf_counts(conn, shop_id).variants == 0
            assert order_facts.held(conn, shop_id, [1]) == []
            assert order_facts.sever(conn, shop_id, [1]) == 0
    assert rows(rival, "SELECT name FROM orders") == [("#1",)]
