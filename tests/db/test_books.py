"""The books, worked out by hand from Shopify's rules: money before tax, each thing on its own day; the rival's are closed.

What is derived of a plain order, what Shopify's own sale rows say of the others, and where one gives way to the other.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import psycopg2
import pytest

from shopify_app.db import books, orders, refunds, sales
from shopify_app.db.connection import transaction
from shopify_app.domain import currency
from shopify_app.domain.order import Refund
from shopify_app.domain.sale import Action, LineType, OrderLedger, Reason, Sale
from tests.factories import NOW, line_of, make_shop, order_of, refund_of, rows

DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
TWENTY_PERCENT = Decimal("0.2")


def put(shop, *made, given_back=()):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, list(made))
        refunds.upsert_many(conn, shop.shop_id, shop.zone, list(given_back))


def days(shop, since=None, until=None):
    with transaction(shop.shop_id) as conn:
        return books.by_day(conn, shop.shop_id, since=since, until=until)


def told(shop, *names):
    """Per day what was asked for, money as text without needless noughts."""
    return [
        (d.day, *[v if isinstance(v := getattr(d, n), (int, str)) else text(v) for n in names])
        for d in days(shop)
    ]


def text(amount):
    return f"{amount.normalize():f}"


def sale(number, action, line_type, total, **changed):
    made = Sale(
        id=number, agreement_id=1, happened_at=NOW, reason=Reason.ORDER, action=Action(action), line_type=LineType(line_type),
        quantity=None, total=Decimal(total), tax=Decimal(0), discount=Decimal(0), currency="GBP",
    )  # fmt: skip
    return replace(made, **changed)


def ledger(order_id, *sold, at=NOW, refund_ids=()):
    return OrderLedger(
        order_id, at, Decimal(0), Decimal(0), Decimal(0), tuple(refund_ids), list(sold)
    )


def read(shop, *ledgers):
    with transaction(shop.shop_id) as conn:
        return sales.replace(conn, shop.shop_id, shop.zone, list(ledgers))


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
        given_back=[refund_of(5, 1, 1, at=NOW + timedelta(days=1), subtotal="8.50")],
    )

    names = ("orders", "units", "gross", "discounts", "refunds", "returned_units", "total")
    assert told(acme, *names) == [
        (DAY, 1, 3, "25.5", "3", "0", 0, "22.5"),
        (NEXT, 0, 0, "0", "0", "8.5", 1, "-8.5"),
    ]
    assert [row.day for row in days(acme, since=NEXT)] == [NEXT]
    assert [row.day for row in days(acme, until=DAY)] == [DAY]


def test_prices_with_tax_are_told_before_it_and_so_is_their_discount(acme):
    """A dress of 100 with 10 % in it, a quarter off: 90.91, 22.73 off, 68.18, and 6.82 of tax; the parcel's 5.50 is 5."""
    dress = line_of(
        1, price="100.00", discount=Decimal(25), tax=Decimal("6.82"), tax_rate=Decimal("0.1")
    )
    made = order_of(
        1, dress, taxes_included=True, shipping=Decimal("5.50"), shipping_tax=Decimal("0.50")
    )
    put(acme, made)

    names = ("gross", "discounts", "taxes", "shipping", "total")
    assert told(acme, *names) == [(DAY, "90.91", "22.73", "7.32", "5", "80.5")]


@pytest.mark.parametrize(
    ("line", "gross", "discounts"),
    [
        ({"tax": Decimal(8), "units": 2, "price": "24.00"}, "40", "0"),
        ({"tax": Decimal(10), "price": "72.00", "discount": Decimal(12)}, "60", "10"),  # no rate told
        ({"price": "72.00", "discount": Decimal(12), "tax_rate": TWENTY_PERCENT}, "72", "12"),  # exempt
        ({"price": "72.00", "discount": Decimal(72), "tax_rate": TWENTY_PERCENT}, "60", "60"),
        ({"price": "72.00", "discount": Decimal(72)}, "72", "72"),
    ],
    ids=["plain", "rate by what was paid", "exempt", "given away", "given away without a rate"],
)  # fmt: skip
def test_what_is_taken_out_of_a_price_that_holds_its_tax(acme, line, gross, discounts):
    put(acme, order_of(1, line_of(1, **line), taxes_included=True))

    assert told(acme, "gross", "discounts") == [(DAY, gross, discounts)]


def test_tax_on_top_is_no_part_of_gross_and_part_of_the_total(acme):
    dress = line_of(1, price="100.00", discount=Decimal(25), tax=Decimal("7.50"))
    put(
        acme,
        order_of(1, dress, taxes_included=False, shipping=Decimal(5), shipping_tax=Decimal("0.50")),
    )

    names = ("gross", "discounts", "taxes", "shipping", "total")
    assert told(acme, *names) == [(DAY, "100", "25", "8", "5", "88")]


def test_the_shops_own_way_counts_where_an_order_does_not_say(database):
    shop = make_shop("vat.myshopify.com")
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET taxes_included = true WHERE shop_id = %s", (shop.shop_id,))
    put(shop, order_of(1, line_of(1, units=2, price="24.00", tax=Decimal(8))))

    assert told(shop, "gross", "total") == [(DAY, "40", "48")]


def test_gift_cards_and_tips_are_no_sales(acme):
    put(
        acme,
        order_of(
            1,
            line_of(1, price="24.00"),
            line_of(2, price="50.00", is_gift_card=True),
            line_of(3, price="4.50", is_tip=True),
            tip=Decimal("1.50"),
        ),
    )

    names = ("orders", "units", "gross", "total", "gift_cards", "tips")
    assert told(acme, *names) == [(DAY, 1, 1, "24", "24", "50", "6")]


def test_units_that_an_edit_took_off_before_we_heard_of_the_order_were_never_sold(acme):
    put(
        acme,
        order_of(
            1, line_of(1, units=2, price="48.00", current_quantity=1, discount=Decimal("19.20"))
        ),
    )

    assert told(acme, "units", "gross", "discounts", "total") == [(DAY, 1, "48", "9.6", "38.4")]


def test_money_beside_the_lines_is_a_refund_without_units(acme):
    """Goodwill of 10; then a refund of a line of 24 of which 4 were kept, and the parcel's 5 given back."""
    goodwill = Refund(5, 1, NOW + timedelta(days=1), [], adjustment=Decimal(-10))
    kept = replace(
        refund_of(6, 1, 1, at=NOW + timedelta(days=2), subtotal="24.00"),
        adjustment=Decimal(4),
        shipping=Decimal(5),
    )
    put(
        acme,
        order_of(1, line_of(1, units=2, price="24.00"), shipping=Decimal(5)),
        given_back=[goodwill, kept],
    )

    names = ("gross", "refunds", "returned_units", "shipping", "total")
    assert told(acme, *names) == [
        (DAY, "48", "0", 0, "5", "53"),
        (NEXT, "0", "10", 0, "0", "-10"),
        (NEXT + timedelta(days=1), "0", "20", 1, "-5", "-25"),
    ]


def test_a_refund_is_told_before_tax_as_its_order_is(acme):
    back = refund_of(5, 1, 1, at=NOW + timedelta(days=1), subtotal="24.00")
    taxed = replace(back, lines=[replace(back.lines[0], tax=Decimal(4))])
    put(
        acme,
        order_of(1, line_of(1, units=2, price="24.00", tax=Decimal(8)), taxes_included=True),
        given_back=[taxed],
    )

    assert told(acme, "refunds", "taxes", "total")[1] == (NEXT, "20", "-4", "-24")


def test_a_cancelled_order_is_taken_back_on_the_day_it_was_cancelled_once(acme):
    """Of 3 units at 7 one came back by a refund before; shipping of 2 goes back with the rest."""
    cancelled = order_of(
        1,
        line_of(1, units=3, price="7.00"),
        shipping=Decimal(2),
        cancelled_at=NOW + timedelta(days=1),
    )
    put(acme, cancelled, given_back=[refund_of(5, 1, 1, subtotal="7.00")])

    assert told(acme, "units", "gross", "refunds", "returned_units", "shipping", "total") == [
        (DAY, 3, "21", "7", 1, "2", "16"),
        (NEXT, 0, "0", "14", 2, "-2", "-16"),
    ]


def test_two_currencies_are_two_rows_of_a_day(acme):
    put(acme, order_of(1, line_of(1, price="24.00")))
    put(acme, order_of(2, line_of(2, price="4600"), currency="JPY"))

    assert [(d.currency, text(d.gross)) for d in days(acme)] == [("GBP", "24"), ("JPY", "4600")]


def test_shopifys_own_sales_take_the_place_of_what_was_derived(acme):
    """An item exchanged the next day for a dearer one, with a fee; an edit; a kind of line that nobody knew."""
    put(
        acme,
        order_of(1, line_of(1, 77, price="40.00"), line_of(2, 78, price="55.00")),
        given_back=[refund_of(5, 1, 1, subtotal="40.00")],
    )
    later = NOW + timedelta(days=1)
    exchange = {"reason": Reason.RETURN, "happened_at": later, "agreement_id": 2}
    edit = {"reason": Reason.ORDER_EDIT, "happened_at": later, "agreement_id": 3}
    booked = read(
        acme,
        ledger(
            1,
            sale(11, "ORDER", "PRODUCT", "40.00", quantity=1, line_item_id=1),
            sale(12, "RETURN", "PRODUCT", "-40.00", quantity=-1, line_item_id=1, refund_id=5, **exchange),
            sale(13, "ORDER", "PRODUCT", "55.00", quantity=1, line_item_id=2, **exchange),
            sale(14, "ORDER", "FEE", "4.00", **exchange),
            sale(15, "ORDER", "PRODUCT", "12.00", quantity=1, **edit),
            sale(16, "UPDATE", "PRODUCT", "-2.00", discount=Decimal(2), **edit),
            sale(17, "ORDER", "LEVITATION", "3.00", **edit),
        ),
    )  # fmt: skip

    assert (booked.taken, booked.changed, booked.days) == (1, [], {DAY, NEXT})
    names = (
        "orders",
        "units",
        "returned_units",
        "gross",
        "discounts",
        "refunds",
        "fees",
        "unknown",
        "total",
    )
    assert told(acme, *names) == [
        (DAY, 1, 1, 0, "40", "0", "0", "0", "0", "40"),
        (NEXT, 0, 0, 1, "67", "2", "40", "4", "3", "32"),
    ]  # fmt: skip
    with transaction(acme.shop_id) as conn:
        lines = books.by_variant(conn, acme.shop_id, since=NEXT, until=NEXT)
    assert [(one.variant_id, one.units, one.returned_units, text(one.gross)) for one in lines] == [
        (77, 0, 1, "0"),
        (78, 0, 0, "55"),
        (None, 0, 0, "12"),
    ]


def test_a_refund_that_came_since_counts_beside_the_sales_that_were_read(acme):
    put(
        acme,
        order_of(1, line_of(1, units=2, price="24.00")),
        given_back=[refund_of(5, 1, 1), refund_of(6, 1, 1, subtotal="24.00")],
    )
    read(acme, ledger(1, sale(11, "ORDER", "PRODUCT", "48.00", quantity=2), refund_ids=[5]))

    assert told(acme, "gross", "refunds") == [(DAY, "48", "24")]


def test_a_reading_without_the_orders_own_agreement_tells_nothing(acme):
    put(acme, order_of(1, line_of(1, price="24.00")))
    refund = sale(11, "RETURN", "PRODUCT", "-24.00", reason=Reason.REFUND)

    assert read(acme, ledger(1), ledger(9, sale(12, "ORDER", "PRODUCT", "1.00"))).taken == 0
    assert read(acme, ledger(1, refund)).taken == 0
    assert told(acme, "gross", "refunds") == [(DAY, "24", "0")]


def test_a_sale_that_comes_back_otherwise_is_named_and_replaced_and_one_read_before_does_not_win(
    acme,
):
    put(acme, order_of(1, line_of(1, price="24.00")))
    read(
        acme,
        ledger(1, sale(11, "ORDER", "PRODUCT", "24.00"), sale(12, "ORDER", "SHIPPING", "2.00")),
    )

    later = NOW + timedelta(hours=1)
    other = ledger(1, sale(11, "ORDER", "PRODUCT", "23.00"), at=later)
    assert read(acme, other).changed == [11, 12]
    assert read(acme, ledger(1, sale(11, "ORDER", "PRODUCT", "24.00"))).taken == 0
    assert read(acme, other).changed == []
    assert told(acme, "gross", "shipping") == [(DAY, "23", "0")]


def test_a_deleted_order_is_in_no_book_nor_are_its_sales_and_refunds(acme):
    put(acme, order_of(1, line_of(1)), given_back=[refund_of(5, 1, 1)])
    read(acme, ledger(1, sale(11, "ORDER", "PRODUCT", "10.00")))
    with transaction(acme.shop_id) as conn:
        orders.bury(conn, acme.shop_id, 1, at=NOW)

    assert days(acme) == []


def test_the_database_rounds_each_currency_as_we_do(database):
    codes = [*currency.EXPONENTS, "JEP", "USDC"]
    with psycopg2.connect(database) as conn, conn.cursor() as cur:
        cur.execute("SELECT code, currency_digits(code) FROM unnest(%s) code", (codes,))
        assert dict(cur.fetchall()) == {code: currency.written_digits(code) for code in codes}


def test_the_rivals_books_are_closed(acme, rival):
    put(rival, order_of(1, line_of(1)), given_back=[refund_of(5, 1, 1)])
    read(rival, ledger(1, sale(11, "ORDER", "PRODUCT", "10.00")))
    with transaction(acme.shop_id) as conn:
        for shop_id in (acme.shop_id, rival.shop_id):
            assert books.by_day(conn, shop_id, since=None, until=None) == []
            assert books.by_variant(conn, shop_id, since=None, until=None) == []
            assert sales.note_wanted(conn, shop_id, None) == []
            assert sales.wanted(conn, shop_id, limit=9) == []
            assert sales.replace(conn, shop_id, acme.zone, [ledger(1)]).taken == 0
    assert rows(acme, "SELECT count(*) FROM sales") == [(0,)]
