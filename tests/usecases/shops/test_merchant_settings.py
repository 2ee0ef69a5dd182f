"""A form is saved whole or not at all; what is emptied goes back to the default."""

from decimal import Decimal

import pytest

from shopify_app.db import due_work, measuring_settings, shop_settings
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases.shops.merchant_settings import MOST_STRANGERS, save_settings
from tests.factories import make_variant

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


MEASURING = {"holdback_share": "15", "loss_cap": "", "exposure_limit": "40"}


def measuring(shop):
    with transaction(shop.shop_id) as conn:
        return measuring_settings.of_shop(conn, shop.shop_id)


@pytest.mark.parametrize(("typed", "wrong"), [
    ({"holdback_share": "50"}, {"holdback_share"}), ({"loss_cap": "-1"}, {"loss_cap"}), ({"loss_cap": "NaN"}, {"loss_cap"}),
    ({"exposure_limit": "0"}, {"exposure_limit"}), ({"exposure_limit": ""}, {"exposure_limit"}), ({}, set()),
])  # fmt: skip
def test_settings_of_measuring_are_proved(acme, typed, wrong):
    assert set(save_settings(acme.shop_id, FORM | MEASURING | typed).errors) == wrong


def test_wrong_fields_of_every_group_are_named_in_one_answer_and_no_group_is_saved(acme):
    typed = {
        "language": "fr", "timezone": "Mars/Base", "lead_time_days": "x", "review_period_days": "", "cycle_service_level": "100",
        "holding_cost_per_year": "25,5", "margin_floor": "96", "max_price_step": "NaN", "price_ending": ".50",
        "prices_frozen_first": "soon", "holdback_share": "11", "loss_cap": "0", "exposure_limit": "4",
        "vendor-0-pack_units": "1.5",
    }  # fmt: skip

    answer = save_settings(acme.shop_id, FORM | MEASURING | NORTHMILL | typed)

    assert set(answer.errors) == set(typed)
    assert (vendors(acme), measuring(acme)) == ([], measuring_settings.DEFAULTS)


def test_all_groups_are_saved_together_and_one_that_a_form_leaves_out_stays(acme, rival):
    save_settings(acme.shop_id, FORM | MEASURING | {"loss_cap": "500"})
    save_settings(acme.shop_id, FORM | {"margin_floor": "35"})

    kept = measuring(acme)
    assert (kept.holdback_share, kept.loss_cap, kept.exposure_limit) == (
        Decimal("0.15"),
        Decimal(500),
        Decimal("0.40"),
    )
    with transaction(acme.shop_id) as conn:
        assert shop_settings.of_shop(conn, acme.shop_id).margin_floor == Decimal("0.35")
    assert measuring(rival) == measuring_settings.DEFAULTS


@pytest.mark.parametrize(("first", "last", "wrong"), [
    ("2026-12-01", "", {"prices_frozen_last": "both_dates"}), ("", "2026-12-01", {"prices_frozen_first": "both_dates"}),
    ("2026-12-02", "2026-12-01", {"prices_frozen_last": "end_before_start"}), ("soon", "", {"prices_frozen_first": "date"}),
    ("soon", "then", {"prices_frozen_first": "date", "prices_frozen_last": "date"}),
    ("2026-12-01", "then", {"prices_frozen_last": "date"}), ("2026-12-01", "2026-12-01", {}),
    ("2026-12-01", "9999-12-31", {"prices_frozen_last": "date"}), ("0001-01-01", "2026-12-01", {"prices_frozen_first": "date"}),
])  # fmt: skip
def test_a_freeze_has_two_dates_in_their_order(acme, first, last, wrong):
    typed = {"prices_frozen_first": first, "prices_frozen_last": last}

    answer = save_settings(acme.shop_id, FORM | typed)

    assert {name: code for name, (code, *_) in answer.errors.items()} == wrong


def rows(names):
    form = {}
    for number, name in enumerate(names):
        form |= {f"vendor-{number}": name, f"vendor-{number}-lead_time_days": "7"}
    return form


def test_a_shop_keeps_rows_of_all_its_vendors_but_not_of_three_thousand_others(acme):
    own = [f"Mill {number}" for number in range(MOST_STRANGERS + 20)]
    for name in own:
        make_variant(acme, vendor=name)
    save_settings(acme.shop_id, FORM | rows(own))
    assert len(vendors(acme)) == len(own)

    answer = save_settings(acme.shop_id, FORM | rows([f"Nobody {n}" for n in range(3_000)]))

    assert len(answer.errors) == 3_000
    assert len(vendors(acme)) == len(own)


def test_strangers_are_counted_with_those_kept_before(acme):
    save_settings(acme.shop_id, FORM | rows([f"Old {n}" for n in range(MOST_STRANGERS)]))

    answer = save_settings(acme.shop_id, FORM | rows(["One more"]))

    assert answer.errors == {"vendor-0": ("vendor", 0, 0)}
    assert len(vendors(acme)) == MOST_STRANGERS


@pytest.mark.parametrize("names", [["v" * 6_000], ["Twice", "Twice"]])
def test_a_vendor_nobody_can_have_or_named_twice_is_refused(acme, names):
    assert not save_settings(acme.shop_id, FORM | rows(names)).is_saved
    assert vendors(acme) == []


@pytest.mark.parametrize("typed", ["1e-999999", "50." + "0" * 20_000 + "1"])
@pytest.mark.parametrize(
    "name", ["margin_floor", "cycle_service_level", "loss_cap", "exposure_limit"]
)
def test_more_decimals_than_can_be_kept_are_refused_beside_their_field(acme, name, typed):
    form = {"exposure_limit": "30", "holdback_share": "0", "loss_cap": "", **FORM, name: typed}

    assert set(save_settings(acme.shop_id, form).errors) == {name}


@pytest.mark.parametrize(
    ("typed", "kept"), [("0.001", None), ("1e-90", None), ("0.01", Decimal("0.01"))]
)
def test_a_least_order_that_would_be_kept_as_nothing_is_none(acme, rival, typed, kept):
    assert save_settings(
        acme.shop_id, FORM | NORTHMILL | {"vendor-0-order_minimum": typed}
    ).is_saved

    with transaction(acme.shop_id) as conn:
        (row,) = shop_settings.vendor_lead_times(conn, acme.shop_id)
    assert row.order_minimum == kept
    assert vendors(rival) == []
