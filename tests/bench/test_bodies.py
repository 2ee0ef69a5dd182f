"""The sums that our books are held against come from bodies alone: by hand, for what ships."""

import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bench import bodies
from bench.lib.body_sums import sums
from bench.lib.public_bodies import read_folder, topic_of

LONDON = ZoneInfo("Europe/London")


@pytest.fixture(scope="module")
def shipped():
    return sums(read_folder(bodies.OURS).found, LONDON, included=True, currency="GBP")


@pytest.mark.parametrize(
    ("day", "currency", "right"),
    [
        # A dress of 100.00 with 10 % in it, a quarter off: Shopify's own example of its reports.
        (
            "2023-03-02",
            "EUR",
            {"gross": "90.91", "discounts": "22.73", "net": "68.18", "taxes": "6.82"},
        ),
        # Half past eleven at night in New York is the next day in London.
        ("2023-03-05", "USD", {"gross": "150.00", "taxes": "10.50", "units": "3"}),
        ("2023-03-05", "JPY", {"gross": "8364", "taxes": "836"}),
        ("2023-03-06", "KWD", {"gross": "28.875", "discounts": "0.875", "net": "28.000"}),
        ("2023-03-07", "GBP", {"gross": "10.00", "tips": "4.50", "units": "1"}),
        ("2023-03-09", "GBP", {"gross": "12.50", "gift_cards": "50.00", "units": "1"}),
        (
            "2023-03-12",
            "GBP",
            {"gross": "48.00", "discounts": "9.60", "net": "38.40", "units": "1"},
        ),
        ("2023-03-16", "GBP", {"refunds": "10.00", "net": "-10.00", "orders": "0"}),
        ("2023-03-18", "GBP", {"refunds": "65.00", "returned_units": "1"}),
        ("2023-03-21", "GBP", {"shipping": "-6.00", "refunds": "0"}),
        ("2023-03-30", "GBP", {"refunds": "24.00", "net": "-24.00", "orders": "0"}),
    ],
)
def test_a_day_comes_to_what_a_hand_finds(shipped, day, currency, right):
    found = shipped[day, currency]

    assert {name: found[name] for name in right} == {
        name: Decimal(value) for name, value in right.items()
    }


def test_a_test_order_is_on_no_day(shipped):
    assert ("2023-03-27", "GBP") not in shipped


def test_bodies_are_found_in_lists_and_wrappers_and_what_is_none_is_named(tmp_path):
    order = {"id": 5, "line_items": [], "currency": "GBP"}
    refund = {"id": 6, "order_id": 5, "refund_line_items": []}
    (tmp_path / "a.json").write_text(json.dumps({"orders": [order, order]}))
    (tmp_path / "b.json").write_text(json.dumps([{"order": order}, {"refund": refund}]))
    (tmp_path / "c.json").write_text('{"errors": "Not Found"}')
    (tmp_path / "d.json").write_text("{")

    folder = read_folder(tmp_path)

    assert [one.topic for one in folder.found] == ["orders/updated"] * 3 + ["refunds/create"]
    orders = {one.body["id"] for one in folder.of("orders/updated")}
    assert len(orders) == 3, "one id in two bodies is two shops' order"
    assert folder.of("refunds/create")[0].body["order_id"] in orders
    assert [line.partition(":")[0] for line in folder.strange] == ["c.json", "d.json"]


def test_a_refund_inside_an_order_is_told_beside_it(tmp_path):
    refund = {"id": 6, "order_id": 5, "refund_line_items": []}
    order = {"id": 5, "line_items": [], "currency": "GBP", "refunds": [refund]}
    (tmp_path / "a.json").write_text(json.dumps(order))

    told = read_folder(tmp_path).found

    assert [one.topic for one in told] == ["orders/updated", "refunds/create"]
    assert told[1].body["order_id"] == told[0].body["id"]


def test_what_is_no_body_of_ours_has_no_topic():
    assert topic_of({"id": 1}) is None
