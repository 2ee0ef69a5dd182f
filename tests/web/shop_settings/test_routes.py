"""Settings: errors stand beside their fields, and what was typed stays."""

import pytest

from shopify_app.web import create_app
from tests.factories import make_variant
from tests.web.page_rows import as_json, bearer


@pytest.fixture
def client(database):
    return create_app().test_client()


def change(client, shop, **fields):
    return client.post("/settings", json=fields, headers=as_json(shop))


def test_what_is_saved_is_read_again(client, acme):
    make_variant(acme, vendor="Northmill")
    change(
        client,
        acme,
        margin_floor=35.5,
        cycle_service_level=95,
        **{
            "vendor-0-lead_time_days": 21,
            "vendor-0-pack_units": 12,
            "vendor-0-order_minimum": "500.50",
            "vendor-0-lead_time_is_fixed": "1",
        },
    )

    saved = client.get("/settings", headers=as_json(acme)).json

    assert saved["settings"]["margin_floor"] == "0.355"
    assert saved["settings"]["cycle_service_level"] == "0.950"
    assert saved["vendors"] == [
        {
            "vendor": "Northmill",
            "products": 1,
            "lead_time_days": 21,
            "pack_units": 12,
            "minimum_units": 0,
            "order_minimum": "500.50",
            "order_minimum_in": "money",
            "lead_time_is_fixed": True,
        }
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("margin_floor", "96"),
        ("margin_floor", "NaN"),
        ("max_price_step", "0"),
        ("max_price_step", "x"),
        ("lead_time_days", "-1"),
        ("lead_time_days", "1.5"),
        ("review_period_days", ""),
        ("holding_cost_per_year", "0"),
        ("cycle_service_level", "100"),
        ("timezone", "Mars/Base"),
        ("language", "fr"),
        ("price_ending", ".50"),
        ("prices_frozen_first", "soon"),
        ("prices_frozen_last", "2026-12-01"),
    ],
)
def test_each_field_refuses_what_cannot_be(client, acme, field, value):
    answer = change(client, acme, **{field: value})

    assert answer.status_code == 422
    assert answer.json["errors"]


def test_a_refused_form_keeps_what_was_typed_and_changes_nothing(client, acme):
    form = client.get("/settings", headers=as_json(acme)).json["settings"]
    answer = client.post("/settings", data={"margin_floor": "200"}, headers=bearer(acme))

    assert answer.status_code == 422
    assert 'value="200"' in answer.text
    assert 'aria-describedby="margin_floor-error"' in answer.text
    assert client.get("/settings", headers=as_json(acme)).json["settings"] == form


def test_a_freeze_ends_on_or_after_its_start(client, acme):
    answer = change(client, acme, prices_frozen_first="2026-12-02", prices_frozen_last="2026-12-01")

    assert answer.json["errors"] == {"prices_frozen_last": "Choose an end on or after the start"}


def test_a_rivals_settings_stay(client, acme, rival):
    change(client, acme, margin_floor=50)

    assert (
        client.get("/settings", headers=as_json(rival)).json["settings"]["margin_floor"] == "0.200"
    )


def test_a_form_with_wrong_fields_of_two_groups_shows_both(client, acme):
    wrong = {"margin_floor": "200", "loss_cap": "-5", "exposure_limit": "1"}

    page = client.post("/settings", data=wrong, headers=bearer(acme))
    told = change(client, acme, **wrong)

    assert page.status_code == 422
    for name in wrong:
        assert f'aria-describedby="{name}-error"' in page.text
    assert set(told.json["errors"]) == set(wrong)
