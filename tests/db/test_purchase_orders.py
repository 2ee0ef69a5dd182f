"""Lines of the draft order: put on once, taken off until they were sent, counted as on their way."""

from datetime import timedelta
from decimal import Decimal

import psycopg2
import pytest

from shopify_app.db import inventory, purchase_orders, shop_settings
from shopify_app.db.connection import transaction
from shopify_app.domain.product import InventoryLevel
from shopify_app.domain.shop import VendorLeadTime
from tests.factories import NOW, make_suggestion, make_variant, rows

SHELF, OTHER_SHELF = 7_000_000_001, 7_000_000_002


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


def ordered(shop, shop_id=None, days=0):
    """As of so many days from now, by the database's clock."""
    today = rows(shop, "SELECT current_date")[0][0] + timedelta(days=days)
    with transaction(shop.shop_id) as conn:
        return purchase_orders.ordered_units(conn, shop_id or shop.shop_id, today, default_days=14)


def send(shop, at=NOW):
    rows(
        shop,
        "UPDATE purchase_order_lines SET exported_at = %(at)s WHERE exported_at IS NULL RETURNING 1",
        at=at,
    )


def shelf(shop, variant_id, *steps):
    """(available units, days after NOW, location) of one variant, as webhooks told."""
    item = rows(shop, "SELECT inventory_item_id FROM variants WHERE id = %(id)s", id=variant_id)[0][
        0
    ]
    with transaction(shop.shop_id) as conn:
        for units, days, *place in steps:
            at = NOW + timedelta(days=days)
            level = InventoryLevel(item, (place or [SHELF])[0], units, 0, True, at)
            inventory.upsert_levels(conn, shop.shop_id, [level])


def noticed(shop, shop_id=None):
    with transaction(shop.shop_id) as conn:
        return purchase_orders.notice_arrivals(conn, shop_id or shop.shop_id, shop.timezone)


def receipts(shop, shop_id=None):
    with transaction(shop.shop_id) as conn:
        found = purchase_orders.receipts(conn, shop_id or shop.shop_id, NOW - timedelta(days=1))
    return [(one.vendor, one.arrived_at and (one.arrived_at - one.sent_at).days) for one in found]


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


def test_what_is_much_later_than_its_vendor_takes_is_no_longer_counted_on(acme):
    _, variant_id = add(acme)
    assert ordered(acme, days=20) == {variant_id: 6}
    assert ordered(acme, days=22) == {}

    with transaction(acme.shop_id) as conn:
        shop_settings.save_vendor_lead_times(
            conn, acme.shop_id, [VendorLeadTime("Northmill", 60, 1, 0)]
        )
    assert ordered(acme, days=89) == {variant_id: 6}


def test_a_shelf_that_rises_by_what_was_ordered_is_a_delivery(acme):
    _, variant_id = add(acme, units=40)
    send(acme)
    shelf(acme, variant_id, (10, 0), (6, 3), (44, 17.2), (43, 17.4), (42, 20))

    assert noticed(acme) == 1
    assert noticed(acme) == 0
    assert receipts(acme) == [("Northmill", 17)]
    assert ordered(acme) == {}


@pytest.mark.parametrize(
    "steps",
    [
        [(10, 0), (12, 5)],  # a customer's return
        [(10, 0), (29, 6)],  # a correction of less than half the line
        [(10, 0), (60, 0.1)],  # before a lorry could come
        [(10, 0), (90, 0, OTHER_SHELF), (50, 6.1, OTHER_SHELF), (50, 6.2)],  # carried over
    ],
)
def test_a_correction_a_return_or_a_move_is_no_delivery(acme, steps):
    _, variant_id = add(acme, units=40)
    send(acme)
    shelf(acme, variant_id, *steps)

    assert noticed(acme) == 0
    assert receipts(acme) == [("Northmill", None)]


def test_one_rise_is_one_delivery_though_two_are_on_their_way(acme):
    variant_id = make_variant(acme)
    add(acme, variant_id, 40)
    send(acme)
    add(acme, variant_id, 40)
    send(acme, NOW + timedelta(days=2))
    shelf(acme, variant_id, (10, 0), (50, 9))

    assert noticed(acme) == 1
    assert noticed(acme) == 0
    assert receipts(acme) == [("Northmill", 9), ("Northmill", None)]
    shelf(acme, variant_id, (90, 15))
    assert noticed(acme) == 1
    assert receipts(acme) == [("Northmill", 9), ("Northmill", 13)]


def test_an_order_is_there_when_half_of_its_units_are(acme):
    small, large = make_variant(acme), make_variant(acme)
    add(acme, small, 10)
    add(acme, large, 30)
    send(acme)
    shelf(acme, small, (0, 0), (10, 5))
    noticed(acme)
    assert receipts(acme) == [("Northmill", None)]

    shelf(acme, large, (0, 0), (30, 8))
    noticed(acme)
    assert receipts(acme) == [("Northmill", 8)]


def test_the_rivals_orders_do_not_arrive_by_us(acme, rival):
    _, variant_id = add(rival, units=40)
    send(rival)
    shelf(rival, variant_id, (0, 0), (40, 9))

    assert noticed(acme) == noticed(acme, rival.shop_id) == 0
    assert receipts(acme) == receipts(acme, rival.shop_id) == []
    with transaction(acme.shop_id) as conn:
        assert not purchase_orders.mark_arrived(conn, rival.shop_id, "Northmill", NOW, at=NOW)
    assert receipts(rival) == [("Northmill", None)]
