"""A merchant's settings: made when first asked for, replaced whole, held to their bounds by the table, the rival's apart."""

from dataclasses import replace
from decimal import Decimal

import psycopg2
import pytest

from shopify_app.db import shop_settings
from shopify_app.db.connection import transaction
from shopify_app.domain.shop import VendorLeadTime
from tests.factories import rows

NORTHMILL = VendorLeadTime("Northmill", 21, 12, 48)


def act(shop, what, *args):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, *args)


def test_who_has_no_settings_reads_what_a_new_row_would_hold_and_reading_makes_none(acme):
    of_the_table = act(acme, shop_settings.of_shop)
    rows(acme, "DELETE FROM shop_settings RETURNING 1")

    read = act(acme, shop_settings.of_shop)

    assert rows(acme, "SELECT count(*) FROM shop_settings") == [(0,)]
    assert (read.lead_time_days, str(read.margin_floor), read.price_ending) == (14, "0.200", "keep")
    assert repr(read) == repr(of_the_table)


def test_a_row_is_made_once_and_never_over_what_was_chosen(acme):
    rows(acme, "DELETE FROM shop_settings RETURNING 1")
    act(acme, shop_settings.make)
    chosen = replace(act(acme, shop_settings.of_shop), lead_time_days=9)
    act(acme, shop_settings.save, chosen)

    act(acme, shop_settings.make)

    assert act(acme, shop_settings.of_shop) == chosen


def test_what_is_saved_is_read_again_whole(acme):
    wanted = replace(
        act(acme, shop_settings.of_shop),
        language="zh",
        timezone="Asia/Shanghai",
        margin_floor=Decimal("0.355"),
    )
    act(acme, shop_settings.save, wanted)

    assert act(acme, shop_settings.of_shop) == wanted


@pytest.mark.parametrize(
    "changed", [{"lead_time_days": 366}, {"margin_floor": Decimal("0.96")}, {"price_ending": ".50"}, {"language": "fr"},
                {"cycle_service_level": Decimal("0.4")}, {"max_price_step": Decimal("0.6")}],
)  # fmt: skip
def test_the_table_itself_refuses_what_cannot_be(acme, changed):
    wanted = replace(act(acme, shop_settings.of_shop), **changed)
    with pytest.raises(psycopg2.errors.CheckViolation):
        act(acme, shop_settings.save, wanted)


def test_vendors_are_put_replaced_and_forgotten_by_name(acme):
    act(acme, shop_settings.save_vendor_lead_times, [NORTHMILL, VendorLeadTime("A", 1, 1, 0)])
    act(acme, shop_settings.save_vendor_lead_times, [replace(NORTHMILL, lead_time_days=9)])
    assert act(acme, shop_settings.vendor_lead_times) == [
        VendorLeadTime("A", 1, 1, 0),
        replace(NORTHMILL, lead_time_days=9),
    ]

    assert act(acme, shop_settings.forget_vendor_lead_times, ["Northmill", "Nobody"]) == 1
    assert act(acme, shop_settings.forget_vendor_lead_times, []) == 0
    assert act(acme, shop_settings.vendor_lead_times) == [VendorLeadTime("A", 1, 1, 0)]


def test_the_rivals_settings_and_vendors_stay(acme, rival):
    before = act(rival, shop_settings.of_shop)
    act(rival, shop_settings.save_vendor_lead_times, [NORTHMILL])
    with transaction(acme.shop_id) as conn:
        shop_settings.save(conn, rival.shop_id, replace(before, lead_time_days=99))
        assert shop_settings.forget_vendor_lead_times(conn, rival.shop_id, ["Northmill"]) == 0
        assert shop_settings.vendor_lead_times(conn, rival.shop_id) == []
    act(acme, shop_settings.save_vendor_lead_times, [replace(NORTHMILL, lead_time_days=1)])

    assert act(rival, shop_settings.of_shop) == before
    assert act(rival, shop_settings.vendor_lead_times) == [NORTHMILL]
