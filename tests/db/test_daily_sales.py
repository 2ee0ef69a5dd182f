"""Demand per day, counted from the rows again and again: never incremented, returns apart, the rival's apart."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import daily_sales, orders, refunds
from shopify_app.db.connection import sweep_transaction, transaction
from tests.factories import NOW, line_of, order_of, refund_of, rows

DAY = date(2026, 11, 20)


def count(shop, *made, given_back=()):
    with transaction(shop.shop_id) as conn:
        applied = orders.upsert_many(conn, shop.shop_id, shop.zone, list(made))
        days, _ = refunds.upsert_many(conn, shop.shop_id, shop.zone, list(given_back))
        daily_sales.touch(conn, shop.shop_id, applied.days | days)
        daily_sales.recount(conn, shop.shop_id, limit_days=1_000)


def sales(shop):
    return rows(
        shop,
        "SELECT variant_id, sold_on, ordered_units, returned_units, orders, largest_line_units, revenue::text, list_revenue::text FROM daily_sales ORDER BY 1, 2",
    )


def test_counting_twice_is_counting_once(acme):
    order = order_of(1, line_of(1, 77, units=3))
    count(acme, order)
    count(acme, order)

    assert sales(acme) == [(77, DAY, 3, 0, 1, 3, "30.0000", "30.0000")]


def test_what_came_back_is_booked_on_the_day_of_the_sale_and_was_wanted_all_the_same(acme):
    order = order_of(
        1, line_of(1, 77, units=3, current_quantity=1), updated_at=NOW + timedelta(days=2)
    )
    count(acme, order, given_back=[refund_of(5, 1, 1, units=2, at=NOW + timedelta(days=2))])

    assert [row[2:4] for row in sales(acme)] == [(3, 2)]


def test_what_an_edit_took_off_was_not_demand(acme):
    count(acme, order_of(1, line_of(1, 77, units=5, current_quantity=2)))

    assert [row[2:4] for row in sales(acme)] == [(2, 0)]


@pytest.mark.parametrize(
    "order",
    [
        order_of(1, line_of(1, 77), is_test=True),
        order_of(1, line_of(1, 77), cancelled_at=NOW),
        order_of(1, line_of(1, None)),
        order_of(1, line_of(1, 77, is_gift_card=True)),
        order_of(1, line_of(1, 77, units=0)),
        order_of(1),
        order_of(1, line_of(1, 77, is_tip=True)),
        order_of(1, line_of(1, 77), financial_status="voided"),
        order_of(1, line_of(1, 77), financial_status="expired"),
        order_of(1, line_of(1, 77), currency="EUR"),
    ],
    ids=[
        "test",
        "cancelled",
        "no variant",
        "gift card",
        "no unit",
        "no line",
        "tip",
        "voided",
        "expired",
        "other currency",
    ],
)
def test_what_is_no_demand_is_not_counted(acme, order):
    count(acme, order)

    assert sales(acme) == []


def test_discounts_are_shared_over_the_units_that_were_wanted(acme):
    count(acme, order_of(1, line_of(1, 77, units=4, current_quantity=2, discount=Decimal("8.00"))))

    assert [row[6:] for row in sales(acme)] == [("16.0000", "20.0000")]


def test_an_order_that_moves_to_another_day_leaves_the_first(acme):
    count(acme, order_of(1, line_of(1, 77)))
    count(
        acme,
        order_of(
            1, line_of(1, 77), at=NOW - timedelta(days=4), updated_at=NOW + timedelta(hours=1)
        ),
    )

    assert [row[1] for row in sales(acme)] == [date(2026, 11, 16)]


def test_the_newest_days_are_counted_first_and_the_rest_stays_noted(acme):
    with transaction(acme.shop_id) as conn:
        daily_sales.touch(conn, acme.shop_id, [DAY - timedelta(days=n) for n in range(5)])
        assert daily_sales.recount(conn, acme.shop_id, limit_days=2) == 2

    assert rows(acme, "SELECT max(sold_on), count(*) FROM touched_days") == [
        (DAY - timedelta(days=2), 3)
    ]


def test_the_rivals_days_are_its_own(acme, rival):
    count(rival, order_of(1, line_of(1, 77, units=9), currency=rival.currency))
    with transaction(rival.shop_id) as conn:
        daily_sales.touch_all(conn, rival.shop_id)
    count(acme, order_of(1, line_of(1, 77)))
    with transaction(acme.shop_id) as conn:
        daily_sales.touch_all(conn, rival.shop_id)
        daily_sales.recount(conn, rival.shop_id, limit_days=9)

    assert [row[2] for row in sales(rival)] == [9]
    assert [row[2] for row in sales(acme)] == [1]
    with sweep_transaction() as conn:
        assert daily_sales.touched_shops(conn) == [rival.shop_id]
