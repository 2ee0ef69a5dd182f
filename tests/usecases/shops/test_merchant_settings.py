"""A form is saved whole or not at all; what is emptied goes back to the default."""

from decimal import Decimal

import pytest

from shopify_app.db import due_work, shop_settings
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases.shops.merchant_settings import save_settings

FORM = {
    "language": "auto", "timezone": "", "lead_time_days": "14", "review_period_days": "28", "cycle_service_level": "95",
    "holding_cost_per_year": "30", "margin_floor": "20", "max_price_step": "10", "price_ending": "keep",
    "prices_frozen_first": "", "prices_frozen_last": "",
}  # fmt: skip
NORTHMILL = {
    "vendor-0": "Northmill",
    "vendor-0-lead_time_days": "21",
    "vendor-0-pack_units": "12",
    "vendor-0-minimum_units": "48",
}


def vendors(shop):
    with transaction(shop.shop_id) as conn:
        return [
            (v.vendor, v.lead_time_days, v.pack_units, v.minimum_units)
            for v in shop_settings.vendor_lead_times(conn, shop.shop_id)
        ]


def test_a_vendor_is_kept_changed_and_forgotten_when_its_lead_time_is_emptied(acme):
    assert save_settings(acme.shop_id, FORM | NORTHMILL).is_saved
    assert vendors(acme) == [("Northmill", 21, 12, 48)]

    save_settings(
        acme.shop_id, FORM | NORTHMILL | {"vendor-0-lead_time_days": "9", "vendor-0-pack_units": ""}
    )
    assert vendors(acme) == [("Northmill", 9, 1, 48)]

    save_settings(acme.shop_id, FORM | NORTHMILL | {"vendor-0-lead_time_days": "  "})
    assert vendors(acme) == []


def test_a_vendor_that_the_form_does_not_name_stays(acme):
    save_settings(acme.shop_id, FORM | NORTHMILL)
    save_settings(acme.shop_id, FORM | {"vendor-0": "Southmill", "vendor-0-lead_time_days": ""})
    save_settings(acme.shop_id, FORM)

    assert vendors(acme) == [("Northmill", 21, 12, 48)]


def test_emptying_ours_leaves_the_rivals_vendor_of_the_same_name(acme, rival):
    save_settings(acme.shop_id, FORM | NORTHMILL)
    save_settings(rival.shop_id, FORM | NORTHMILL)

    save_settings(acme.shop_id, FORM | NORTHMILL | {"vendor-0-lead_time_days": ""})

    assert (vendors(acme), vendors(rival)) == ([], [("Northmill", 21, 12, 48)])


def test_one_wrong_field_saves_nothing_and_asks_for_no_refresh(acme):
    answer = save_settings(
        acme.shop_id, FORM | NORTHMILL | {"margin_floor": "35", "vendor-0-pack_units": "0"}
    )

    assert answer.errors == {"vendor-0-pack_units": ("range", 1, 100_000)}
    assert vendors(acme) == []
    with transaction(acme.shop_id) as conn:
        assert shop_settings.of_shop(conn, acme.shop_id).margin_floor == Decimal("0.200")
    with sweep_transaction() as conn:
        assert (
            due_work.due_shops(conn, "suggestions", states=["installed"], needs_history=True) == []
        )


def test_what_is_saved_asks_for_fresh_suggestions(acme):
    save_settings(acme.shop_id, FORM)

    with sweep_transaction() as conn:
        assert due_work.due_shops(
            conn, "suggestions", states=["installed"], needs_history=True
        ) == [acme.shop_id]


@pytest.mark.parametrize("text", ["1e3", "１４", "14 ", " 14"])
def test_numbers_are_read_as_a_person_means_them_or_refused(acme, text):
    answer = save_settings(acme.shop_id, FORM | {"lead_time_days": text})

    with transaction(acme.shop_id) as conn:
        kept = shop_settings.of_shop(conn, acme.shop_id).lead_time_days
    assert kept == 14 or not answer.is_saved


@pytest.mark.parametrize("text", ["Infinity", "-Infinity", "sNaN", "NaN", "1e400", "0x10", "٣", ""])
def test_what_is_no_number_is_refused_beside_its_field(acme, text):
    answer = save_settings(acme.shop_id, FORM | {"max_price_step": text})

    assert answer.is_saved is (text == "٣")  # Python reads every script's digits
    assert answer.is_saved or set(answer.errors) == {"max_price_step"}


def test_a_least_order_is_kept_in_its_measure_and_goes_when_emptied(acme):
    least = {"vendor-0-order_minimum": "250", "vendor-0-order_minimum_in": "units"}

    def kept():
        with transaction(acme.shop_id) as conn:
            [one] = shop_settings.vendor_lead_times(conn, acme.shop_id)
        return one.order_minimum, one.order_minimum_in

    assert save_settings(acme.shop_id, FORM | NORTHMILL | least).is_saved
    assert kept() == (250, "units")
    assert save_settings(acme.shop_id, FORM | NORTHMILL | {"vendor-0-order_minimum": ""}).is_saved
    assert kept() == (None, "money")


@pytest.mark.parametrize(
    "typed",
    [
        {"vendor-0-order_minimum": "-1"},
        {"vendor-0-order_minimum": "many"},
        {"vendor-0-order_minimum": "Infinity"},
        {"vendor-0-order_minimum": "5", "vendor-0-order_minimum_in": "pallets"},
        {"vendor-0-order_minimum": "5", "vendor-0-lead_time_days": ""},
    ],
)
def test_a_least_order_that_cannot_be_is_refused(acme, typed):
    assert not save_settings(acme.shop_id, FORM | NORTHMILL | typed).is_saved
