"""Refunds: kept until their order is here, replaced as a set, booked on their own day and touching the sale's."""

from datetime import date, timedelta

from shopify_app.db import books, orders, refunds, shops
from shopify_app.db.connection import sweep_transaction, transaction
from tests.factories import NOW, line_of, order_of, refund_of, rows

ORDER = order_of(1, line_of(11, units=3), at=NOW - timedelta(days=3))


def put(shop, *made):
    with transaction(shop.shop_id) as conn:
        return refunds.upsert_many(conn, shop.shop_id, shop.zone, list(made))


def place(shop, *made):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, list(made))


def lines(shop):
    return rows(
        shop,
        "SELECT refund_id, order_line_id, quantity, subtotal::text FROM refund_lines ORDER BY 1, 2",
    )


def test_a_refund_is_booked_once_however_often_it_comes(acme):
    place(acme, ORDER)
    answers = [put(acme, refund_of(5, 1, 11, units=2)) for _ in range(3)]

    assert answers == [({date(2026, 11, 17)}, set())] * 3
    assert lines(acme) == [(5, 11, 2, "10.0000")]
    assert rows(acme, "SELECT processed_on FROM refunds") == [(date(2026, 11, 20),)]


def test_a_refund_of_an_order_that_we_do_not_hold_names_it_and_counts_at_once(
    acme,
):
    def refunds_of_days():
        with transaction(acme.shop_id) as conn:
            found = books.by_day(conn, acme.shop_id, since=None, until=None)
        return [(row.day.day, str(row.refunds)) for row in found if row.refunds]

    assert put(acme, refund_of(5, 1, 11)) == (set(), {1})
    assert refunds_of_days() == [(20, "10.0000")]

    place(acme, ORDER)
    assert refunds_of_days() == [(20, "10.0000")]


def test_a_refund_without_an_order_goes_with_its_shop(acme, rival):
    for shop in (acme, rival):
        put(shop, refund_of(5, 404, 11))
    with sweep_transaction() as conn:
        shops.delete(conn, acme.shop_id)

    assert (lines(acme), len(lines(rival))) == ([], 1)


def test_later_lines_take_the_place_of_the_earlier_ones(acme):
    place(acme, ORDER)
    put(acme, refund_of(5, 1, 11, units=1))
    put(acme, refund_of(5, 1, 11, units=3, subtotal="30.00"))

    assert lines(acme) == [(5, 11, 3, "30.0000")]


def test_the_rivals_refund_of_the_same_id_stays_and_its_order_does_not_serve_ours(acme, rival):
    place(rival, ORDER)
    put(rival, refund_of(5, 1, 11, units=1))

    assert put(acme, refund_of(5, 1, 11, units=3)) == (set(), {1})
    assert (lines(acme), lines(rival)) == ([(5, 11, 3, "10.0000")], [(5, 11, 1, "10.0000")])
