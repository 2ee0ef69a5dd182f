"""What bodies of orders and refunds come to in the books: real things that integrations of others got wrong.

Expected figures are worked out by hand from Shopify's definitions: gross is before taxes, gift cards and tips are no sales, a refund
without lines is one, an edit's removal is no sale, a day has as many rows as currencies.
"""

import json
from datetime import timedelta

import pytest

from shopify_app.db import daily_sales, sales, webhook_inbox
from shopify_app.db.connection import ingest_transaction, transaction
from shopify_app.db.webhook_inbox import NewDelivery
from shopify_app.usecases.history import facts, local_days
from shopify_app.usecases.inbox import drain
from tests.factories import NOW, make_shop, rows


@pytest.fixture
def vat(database):
    """A shop whose prices hold their tax."""
    shop = make_shop("vat.myshopify.com")
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET taxes_included = true WHERE shop_id = %s", (shop.shop_id,))
    return shop


def hear(shop, *news):
    """Deliveries, kept and worked through together."""
    for number, (topic, body) in enumerate(news):
        made = NewDelivery(
            webhook_id=f"{shop.domain} {number} {json.dumps(body, sort_keys=True)[:400]}", event_id=None, shop_domain=shop.domain,
            topic=topic, api_version="2026-10", triggered_at=NOW, body=json.dumps(body).encode(),
        )  # fmt: skip
        with ingest_transaction() as conn:
            webhook_inbox.record(conn, made)
    drain.drain_inbox()
    assert rows(shop, "SELECT error FROM webhook_inbox WHERE dead_at IS NOT NULL") == []


def order(number, *lines, at="2025-01-03T12:00:00Z", **changed):
    body = {
        "id": number, "name": "#T", "created_at": at, "processed_at": at, "updated_at": at, "cancelled_at": None, "test": False,
        "currency": "GBP", "financial_status": "paid", "source_name": "web", "line_items": list(lines),
    }  # fmt: skip
    return "orders/create", body | changed


def line(number, price, *, units=1, tax=None, off=None, **changed):
    body = {
        "id": number, "product_id": 2, "variant_id": 3, "title": "Item", "sku": None, "quantity": units,
        "current_quantity": units, "price": price, "gift_card": False,
        "tax_lines": [] if tax is None else [{"price": tax}],
        "discount_allocations": [] if off is None else [{"amount": off}],
    }  # fmt: skip
    return body | changed


def refund(number, order_id, *lines, at="2025-01-06T12:00:00Z", **changed):
    body = {
        "id": number,
        "order_id": order_id,
        "created_at": at,
        "processed_at": at,
        "refund_line_items": list(lines),
    }
    return "refunds/create", body | changed


def back(number, line_id, subtotal, *, units=1, tax=0.0):
    return {
        "id": number, "line_item_id": line_id, "quantity": units, "restock_type": "return", "subtotal": subtotal, "total_tax": tax,
    }  # fmt: skip


def told(shop, *names):
    return [tuple(day[name] for name in names) for day in facts.facts(shop.shop_id)["days"]]


@pytest.mark.parametrize(
    ("lines", "gross", "net", "units", "gift_cards"),
    [
        ([line(1, "24.00", tax="4.00"), line(2, "50.00", gift_card=True, variant_id=None, product_id=None)], "20.00", "20.00", 1, "50.00"),
        ([line(1, "50.00", gift_card=True)], "0.00", "0.00", 0, "50.00"),
        ([line(1, "24.00", tax="3.60", off="2.40"), line(2, "25.00", units=2, gift_card=True)], "20.00", "18.00", 1, "50.00"),
    ],
    ids=["beside goods", "alone, a product of its own", "two, beside a discount"],
)  # fmt: skip
def test_a_gift_card_is_a_debt_and_no_sale(vat, lines, gross, net, units, gift_cards):
    hear(vat, order(9002, *lines))

    names = ("gross", "net", "units", "gift_cards")
    assert told(vat, *names) == [(gross, net, units, gift_cards)]


@pytest.mark.parametrize(
    ("tip", "changed"),
    [
        (line(2, "5.00", title="Tip", product_id=None, variant_id=None), {}),
        (line(2, "5.00", title="Trinkgeld", product_id=None, variant_id=None, tip_payment_gateway="shopify_payments"), {}),
        (line(2, "5.00", title="Pourboire", product_id=None, variant_id=None), {"total_tip_received": "5.00"}),
        (None, {"total_tip_received": "5.00"}),
    ],
    ids=["by its title", "by its gateway", "by the order's tip", "of no line"],
)  # fmt: skip
def test_a_tip_is_no_sale_and_no_demand(acme, tip, changed):
    hear(acme, order(9003, line(1, "24.00"), *([tip] if tip else []), **changed))

    names = ("gross", "units", "tips", "total")
    assert told(acme, *names) == [("24.00", 1, "5.00", "24.00")]


def test_a_product_that_is_called_tip_is_sold(acme):
    hear(acme, order(9003, line(1, "24.00", title="Tip")))

    assert told(acme, "gross", "tips") == [("24.00", "0.00")]


@pytest.mark.parametrize(
    ("made", "figures"),
    [
        (order(9001, line(1, "24.00", units=2, tax="8.00")), ("40.00", "0.00", "40.00", "8.00", "48.00")),
        (
            order(9001, line(1, "24.00", units=2, tax="7.20", off="4.80")),
            ("40.00", "4.00", "36.00", "7.20", "43.20"),
        ),
        (
            order(9001, line(1, "24.00", tax="4.80"), taxes_included=False, shipping_lines=[
                {"price": "6.00", "discounted_price": "5.00", "tax_lines": [{"price": "1.00"}]}]),
            ("24.00", "0.00", "24.00", "5.80", "34.80"),
        ),
    ],
    ids=["by the shop", "with a discount", "an order of another market, with a parcel"],
)  # fmt: skip
def test_money_is_told_before_tax(vat, made, figures):
    hear(vat, made)

    assert told(vat, "gross", "discounts", "net", "taxes", "total") == [figures]


@pytest.mark.parametrize(
    ("given", "refunds", "net", "shipping", "returned"),
    [
        (refund(9104, 9004, order_adjustments=[{"amount": "-10.00", "tax_amount": "0.00", "kind": "refund_discrepancy"}]), "10.00", "-10.00", "0.00", 0),
        (refund(9104, 9004, back(1, 1006, 24.0), order_adjustments=[{"amount": "4.00", "tax_amount": "0.00"}]), "20.00", "-20.00", "0.00", 1),
        (refund(9104, 9004, order_adjustments=[{"amount": "-5.00", "tax_amount": "0.00", "kind": "shipping_refund"}]), "0.00", "0.00", "-5.00", 0),
        (
            refund(
                9104, 9004, order_adjustments=[{"amount": "-5.00", "tax_amount": "0.00", "kind": "shipping_refund"}],
                refund_shipping_lines=[{"id": 1, "subtotal_amount_set": {"shop_money": {"amount": "5.00"}}}],
            ),
            "0.00", "0.00", "-5.00", 0,
        ),
    ],
    ids=["goodwill", "less than the line", "shipping, as an adjustment", "shipping, listed twice"],
)  # fmt: skip
def test_money_given_back_beside_lines_stands_on_its_own_day(
    acme, given, refunds, net, shipping, returned
):
    hear(acme, order(9004, line(1006, "24.00", units=2)), given)

    names = ("day", "refunds", "net", "shipping", "returned_units")
    assert told(acme, *names)[1] == ("2025-01-06", refunds, net, shipping, returned)


def test_money_given_back_by_an_older_body_is_not_forgotten_when_it_comes_again_without(acme):
    goodwill = refund(9104, 9004, order_adjustments=[{"amount": "-10.00", "tax_amount": "0.00"}])
    hear(acme, order(9004, line(1006, "24.00", units=2)), goodwill)
    hear(acme, refund(9104, 9004))

    assert told(acme, "refunds")[1] == ("10.00",)


@pytest.mark.parametrize(
    ("lines", "figures"),
    [
        ([line(1007, "48.00", units=2, off="19.20", current_quantity=1)], ("48.00", "9.60", "38.40", 1)),
        ([line(1007, "12.00", off="1.00", current_quantity=0), line(1008, "12.00", units=3)], ("36.00", "0.00", "36.00", 3)),
        ([line(1007, "10.00", units=3, off="1.00", current_quantity=2)], ("20.00", "0.67", "19.33", 2)),
    ],
    ids=["a discounted unit", "a line, for another", "a cent that does not divide"],
)  # fmt: skip
def test_what_an_edit_took_off_is_no_sale_until_shopify_tells_when(acme, lines, figures):
    hear(acme, order(9005, *lines))

    assert told(acme, "gross", "discounts", "net", "units") == [figures]
    assert rows(acme, "SELECT kind, resource_id FROM refetches") == [("ledger", 9005)]


def test_two_lines_of_one_id_are_one(acme):
    twice = line(1001, "24.00")
    hear(
        acme,
        order(9001, twice, twice),
        refund(9101, 9001, back(1, 1001, 24.0), back(1, 1001, 24.0)),
    )

    assert told(acme, "gross", "refunds") == [("24.00", "0.00"), ("0.00", "24.00")]


def test_refunds_of_an_order_that_shopify_shows_no_more_count_whichever_came_first(acme):
    """The order of July and its refund, then a refund before its order: 24 each, taken back in December."""
    old = {"at": "2026-07-10T12:00:00Z", "updated_at": "2026-12-03T09:00:00Z"}
    day = {"at": "2026-12-03T09:00:00Z"}
    hear(acme, order(1, line(11, "24.00", units=2), **old), refund(5, 1, back(51, 11, 24.0), **day))
    hear(acme, refund(6, 2, back(61, 21, 24.0), **day))
    assert told(acme, "day", "refunds")[-1] == ("2026-12-03", "48.00")

    hear(acme, order(2, line(21, "24.00", units=2), **old))
    assert told(acme, "day", "gross", "refunds") == [
        ("2026-07-10", "96.00", "0.00"),
        ("2026-12-03", "0.00", "48.00"),
    ]


def shop_told(**changed):
    facts_of = {
        "id": 7, "name": "Acme", "myshopify_domain": "acme.myshopify.com", "currency": "GBP", "iana_timezone": "Europe/London",
        "updated_at": "2026-08-03T09:00:00Z",
    }  # fmt: skip
    return "shop/update", facts_of | changed


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("Asia/Tokyo", "2026-08-01T20:00:00Z", "2026-08-02"),
        ("America/New_York", "2026-08-02T03:00:00Z", "2026-08-01"),
        ("Pacific/Auckland", "2026-04-04T11:30:00Z", "2026-04-05"),
    ],
    ids=["east", "west", "where clocks go back that night"],
)
def test_old_days_are_counted_again_in_a_new_zone(acme, zone, moment, day):
    hear(acme, order(1, line(11, "24.00"), at=moment), refund(5, 1, back(51, 11, 4.0), at=moment))
    hear(acme, shop_told(iana_timezone=zone))
    hear(acme, order(2, line(21, "1.00"), at=moment))
    with transaction(acme.shop_id) as conn:
        daily_sales.recount(conn, acme.shop_id, limit_days=99)

    assert told(acme, "day", "orders", "net") == [(day, 2, "21.00")]
    assert rows(
        acme, "SELECT sold_on::text, sum(ordered_units)::int FROM daily_sales GROUP BY 1"
    ) == [(day, 2)]
    assert rows(acme, "SELECT what FROM due_work WHERE what = 'local_days'") == [("local_days",)]
    assert local_days.move_days(acme.shop_id) == 0


def test_a_shop_too_large_to_count_at_once_is_counted_by_a_job_of_its_own(acme, monkeypatch):
    monkeypatch.setattr(local_days, "MOST_AT_ONCE", 0)
    hear(acme, order(1, line(11, "24.00"), at="2026-08-01T20:00:00Z"))
    hear(acme, shop_told(iana_timezone="Asia/Tokyo"))

    assert told(acme, "day") == [("2026-08-01",)]
    assert local_days.move_days(acme.shop_id) == 1
    assert told(acme, "day") == [("2026-08-02",)]


def test_a_change_of_currency_never_makes_one_sum_of_two_and_demand_is_of_the_present_one(acme):
    hear(acme, order(1, line(11, "24.00"), at="2026-08-02T03:00:00Z"))
    hear(acme, shop_told(currency="JPY"))
    hear(acme, order(2, line(21, "4600"), at="2026-08-02T03:00:00Z", currency="JPY"))
    with transaction(acme.shop_id) as conn:
        daily_sales.recount(conn, acme.shop_id, limit_days=99)

    assert told(acme, "currency", "gross") == [("GBP", "24.00"), ("JPY", "4600")]
    assert rows(acme, "SELECT revenue::int FROM daily_sales") == [(4600,)]


def test_a_late_older_word_of_the_shop_is_not_heard(acme):
    hear(
        acme,
        shop_told(updated_at="2026-08-03T11:00:00Z", iana_timezone="Asia/Tokyo", currency="JPY"),
    )
    hear(acme, shop_told(updated_at="2026-08-03T09:00:00Z"))

    found = facts.facts(acme.shop_id)
    assert (found["timezone"], found["currency"]) == ("Asia/Tokyo", "JPY")


@pytest.mark.parametrize(
    "changed",
    [
        {"cancelled_at": "2025-01-04T12:00:00Z"}, {"financial_status": "voided"}, {"financial_status": "partially_refunded"},
        {"total_tip_received": "1.00"}, {"total_price": "27.00"}, {"total_price": "24.00", "current_total_price": "20.00"},
    ],
    ids=["cancelled", "voided", "refunded", "tipped", "duties or fees", "less than it was"],
)  # fmt: skip
def test_shopifys_own_sales_are_asked_for_where_lines_do_not_tell(acme, changed):
    hear(acme, order(1, line(11, "24.00"), total_price="24.00", current_total_price="24.00"))
    assert rows(acme, "SELECT 1 FROM refetches") == []

    hear(acme, order(1, line(11, "24.00"), **{"updated_at": "2025-01-04T12:00:00Z", **changed}))
    assert rows(acme, "SELECT kind, resource_id FROM refetches") == [("ledger", 1)]


@pytest.mark.parametrize(
    "lines",
    [[line(11, "24.00"), line(12, "5.00")], [line(11, "24.00", units=2)]],
    ids=["a line", "a unit"],
)
def test_so_they_are_where_an_order_grew_and_the_news_of_its_edit_was_lost(acme, lines):
    hear(acme, order(1, line(11, "24.00")))
    hear(acme, order(1, *lines, updated_at="2025-01-04T12:00:00Z"))

    assert rows(acme, "SELECT kind, resource_id FROM refetches") == [("ledger", 1)]


def test_what_is_asked_for_of_one_shop_is_not_of_another(acme, rival):
    hear(acme, order(1, line(11, "24.00"), financial_status="refunded"))

    assert rows(rival, "SELECT 1 FROM refetches") == []
    assert facts.facts(rival.shop_id)["days"] == []
    with transaction(rival.shop_id) as conn:
        assert sales.count_wanted(conn, rival.shop_id) == 0
        assert sales.count_wanted(conn, acme.shop_id) == 0


def test_a_month_of_refunds_comes_in_any_order(acme):
    """Two refunds of one line and the order after both, each body twice."""
    later = NOW + timedelta(days=1)
    news = [
        refund(6, 1, back(61, 11, 8.0), at=later.isoformat()),
        refund(5, 1, back(51, 11, 8.0), at=NOW.isoformat()),
        order(1, line(11, "8.00", units=3, current_quantity=1)),
    ]
    hear(acme, *news, *news[:2])

    assert told(acme, "units", "gross", "refunds") == [
        (3, "24.00", "0.00"),
        (0, "0.00", "8.00"),
        (0, "0.00", "8.00"),
    ]
