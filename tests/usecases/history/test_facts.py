"""The books as a person reads them: each currency to its own last digit, days that add up, no other shop's."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import orders, refunds
from shopify_app.db.connection import transaction
from shopify_app.errors import NotFoundError
from shopify_app.usecases.history import facts
from tests.factories import NOW, line_of, make_shop, make_variant, order_of, refund_of

DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)


def put(shop, *made, given_back=()):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, list(made))
        refunds.upsert_many(conn, shop.shop_id, shop.zone, list(given_back))


@pytest.mark.parametrize(
    ("currency", "price", "shown"),
    [
        ("GBP", "10.05", "20.10"),
        ("JPY", "1080", "2160"),
        ("KWD", "1.125", "2.250"),
        ("XOF", "4999.95", "10000"),
        ("UGX", "7400", "14800"),
        ("LYD", "4.125", "8.250"),
        ("HUF", "1990.5", "3981.00"),
    ],
)
def test_money_has_the_digits_of_its_currency(database, currency, price, shown):
    shop = make_shop("books.myshopify.com", currency=currency)
    put(shop, order_of(1, line_of(1, units=2, price=price), currency=currency))

    (day,) = facts.facts(shop.shop_id)["days"]

    assert (day["gross"], day["net"]) == (shown, shown)
    assert day["refunds"] == str(Decimal(shown) * 0)


def test_net_is_what_is_left_and_a_day_of_refunds_alone_is_below_nothing(acme):
    put(
        acme,
        order_of(1, line_of(1, units=3, price="10.00", discount=Decimal("4.00"))),
        given_back=[refund_of(5, 1, 1, at=NOW + timedelta(days=1), subtotal="8.67")],
    )

    found = facts.facts(acme.shop_id)["days"]

    assert [(day["day"], day["orders"], day["net"]) for day in found] == [
        ("2026-11-20", 1, "26.00"),
        ("2026-11-21", 0, "-8.67"),
    ]


def test_both_ends_of_a_window_are_in_it(acme):
    put(acme, *[order_of(n, line_of(n), at=NOW + timedelta(days=n)) for n in range(4)])

    found = facts.facts(acme.shop_id, since=NEXT, until=NEXT + timedelta(days=1))["days"]

    assert [day["day"] for day in found] == ["2026-11-21", "2026-11-22"]


def test_the_catalogue_and_the_shelves_stand_beside_the_days(acme):
    make_variant(acme, available=40)
    make_variant(acme, available=-2, cost=None)

    found = facts.facts(acme.shop_id)

    assert found["days"] == []
    assert found["catalogue"] == {"products": 2, "variants": 2, "variants_with_cost": 1}
    assert found["stock"] == {"levels": 2, "available_units": 38}
    assert (found["shop"], found["currency"], found["timezone"]) == (
        "acme.myshopify.com",
        "GBP",
        "Europe/London",
    )


def test_the_rivals_books_hold_nothing_of_ours_and_a_shop_that_is_not_there_is_said(acme, rival):
    put(acme, order_of(1, line_of(1)))
    make_variant(acme)

    assert facts.facts(rival.shop_id)["days"] == []
    assert facts.facts(rival.shop_id)["catalogue"]["products"] == 0
    with pytest.raises(NotFoundError, match="shop 999"):
        facts.facts(999)
