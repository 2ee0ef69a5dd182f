"""Lines of the draft order: put on once, taken off until they were sent, counted as on their way."""

from datetime import timedelta
from decimal import Decimal

import psycopg2
import pytest

from shopify_app.db import purchase_orders
from shopify_app.db.connection import transaction
from tests.factories import NOW, make_suggestion, make_variant, rows

LONG_AGO = NOW.date() - timedelta(days=9_999)


def add(shop, variant_id=None, units=6):
    variant_id = variant_id or make_variant(shop)
    number = make_suggestion(
        shop, variant_id, kind="restock", state="accepted", value_unit="margin_a_week"
    )
    with transaction(shop.shop_id) as conn:
        purchase_orders.add_line(
            conn, shop.shop_id, number, variant_id, vendor="Northmill", units=units, unit_cost=Decimal("9.00"), currency="GBP",
            order_by=NOW.date(), added_by="42",
        )  # fmt: skip
    return number, variant_id


def ordered(shop, shop_id=None):
    with transaction(shop.shop_id) as conn:
        return purchase_orders.ordered_units(conn, shop_id or shop.shop_id, LONG_AGO)


def withdraw(shop, number, shop_id=None):
    with transaction(shop.shop_id) as conn:
        return purchase_orders.withdraw(conn, shop_id or shop.shop_id, number)


def test_lines_of_a_variant_add_up_and_a_withdrawn_one_does_not_count(acme):
    variant_id = make_variant(acme)
    first, _ = add(acme, variant_id, 6)
    add(acme, variant_id, 4)
    assert ordered(acme) == {variant_id: 10}

    assert withdraw(acme, first)
    assert not withdraw(acme, first)
    assert ordered(acme) == {variant_id: 4}


def test_a_line_that_was_sent_stays(acme):
    number, variant_id = add(acme)
    rows(acme, "UPDATE purchase_order_lines SET exported_at = now() RETURNING 1")

    assert not withdraw(acme, number)
    assert ordered(acme) == {variant_id: 6}


def test_a_suggestion_stands_on_the_order_once(acme):
    number, variant_id = add(acme)
    with pytest.raises(psycopg2.errors.UniqueViolation), transaction(acme.shop_id) as conn:
        purchase_orders.add_line(
            conn,
            acme.shop_id,
            number,
            variant_id,
            vendor=None,
            units=1,
            unit_cost=None,
            currency="GBP",
            order_by=NOW.date(),
            added_by="42",
        )


def test_the_rivals_lines_are_not_counted_and_not_taken_off(acme, rival):
    number, variant_id = add(rival)

    assert ordered(acme) == ordered(acme, rival.shop_id) == {}
    assert not withdraw(acme, number)
    assert not withdraw(acme, number, rival.shop_id)
    assert ordered(rival) == {variant_id: 6}
