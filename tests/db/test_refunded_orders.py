"""Orders whose refunds are still to be asked for: noted once, done once, the rival's apart."""

from shopify_app.db import refunded_orders
from shopify_app.db.connection import transaction


def act(shop, what, *args, **named):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, *args, **named)


def test_noted_twice_is_noted_once_and_done_is_gone(acme):
    act(acme, refunded_orders.add, [1, 2, 3])
    act(acme, refunded_orders.add, [3])
    act(acme, refunded_orders.add, [])

    assert act(acme, refunded_orders.waiting, limit=2) == [3, 2]
    act(acme, refunded_orders.done, [3, 2, 99])
    assert act(acme, refunded_orders.count) == 1


def test_the_rivals_are_its_own(acme, rival):
    act(rival, refunded_orders.add, [1])
    with transaction(acme.shop_id) as conn:
        assert refunded_orders.waiting(conn, rival.shop_id, limit=9) == []
        refunded_orders.done(conn, rival.shop_id, [1])

    assert (act(acme, refunded_orders.count), act(rival, refunded_orders.count)) == (0, 1)
