"""Bodies in Shopify's shape: types, times, money; and nobody's personal data after the cut."""

import json
from datetime import datetime

import pytest

from launch.processes import ROOT
from simulator import app_toml
from simulator.webhooks import payloads
from simulator.world import kinds

FIELDS = {
    one.topic: one.include_fields for one in app_toml.read(ROOT / "shopify.app.toml").subscriptions
}
PERSONAL = (
    "@example.com",
    "Sam",
    "Shopper",
    "Olive",
    "High Street",
    "AB1 2CD",
    "+44",
    "203.0.113",
    "bell",
    "too small",
    "Engraving",
)
TIMES = ("created_at", "processed_at", "updated_at", "published_at")


def body(sim, shop, topic, resource_id):
    return payloads.build(sim.store.connection(), shop, topic, resource_id)


def cut(topic, whole):
    return payloads.only(whole, FIELDS[topic]) if FIELDS[topic] else whole


@pytest.fixture
def sold(act, rows, shop):
    """Three units less 1.50 to a shopper, one of them given back: (order, refund, variant)."""
    variant = rows("SELECT * FROM variants WHERE shop = ? ORDER BY id", shop)[0]
    line = {"variant_id": variant["id"], "quantity": 3, "discount": "1.50"}
    order = act("orders", lines=[line])["result"]
    refund = act(f"orders/{order}/refund", lines=[{"line_id": order + 1, "quantity": 1}])["result"]
    return order, refund, variant


def sent(rows):
    return [
        (row["topic"], row["body"].decode()) for row in rows("SELECT topic, body FROM deliveries")
    ]


@pytest.mark.parametrize(
    ("topic", "which"),
    [
        ("orders/create", "order"),
        ("refunds/create", "refund"),
        ("shop/update", "shop"),
        ("app/uninstalled", "shop"),
        ("locations/update", "location"),
    ],
)
def test_the_whole_body_holds_persons_and_what_the_app_gets_does_not(
    sim, shop, sold, rows, topic, which
):
    place = rows("SELECT id FROM locations WHERE shop = ?", shop)[0]["id"]
    whole = body(
        sim,
        shop,
        topic,
        {"order": sold[0], "refund": sold[1], "shop": None, "location": place}[which],
    )

    assert [word for word in PERSONAL if word in json.dumps(whole)]
    assert [word for word in PERSONAL if word in json.dumps(cut(topic, whole))] == []


def test_nothing_that_a_month_of_trade_sends_holds_a_person(act, sold, rows):
    act("advance", days=20)
    told = sent(rows)

    assert {"orders/create", "orders/updated", "refunds/create", "inventory_levels/update"} <= {
        topic for topic, _ in told
    }
    assert [(topic, word) for topic, text in told for word in PERSONAL if word in text] == []


def test_an_order_says_what_was_sold_in_shopifys_types(sim, shop, sold):
    order_id, refund_id, variant = sold
    whole = body(sim, shop, "orders/updated", order_id)
    (line,) = whole["line_items"]

    assert (whole["id"], whole["tags"], whole["test"]) == (order_id, "", False)
    assert whole["financial_status"] == "partially_refunded"
    assert [refund["id"] for refund in whole["refunds"]] == [refund_id]
    assert (line["quantity"], line["current_quantity"]) == (3, 2)
    assert (line["price"], line["variant_id"]) == (variant["price"], variant["id"])
    assert line["total_discount"] == "0.00"  # as Shopify: a discount is in the allocations alone
    assert [part["amount"] for part in line["discount_allocations"]] == ["1.50"]
    assert all(isinstance(part["price"], str) for part in line["tax_lines"])


def test_a_refunds_amounts_are_json_floats(sim, shop, sold):
    (line,) = body(sim, shop, "refunds/create", sold[1])["refund_line_items"]

    assert isinstance(line["subtotal"], float) and isinstance(line["total_tax"], float)
    assert line["subtotal_set"]["shop_money"] == {
        "amount": f"{line['subtotal']:.2f}",
        "currency_code": "GBP",
    }
    assert (line["restock_type"], line["quantity"]) == ("return", 1)


def test_times_carry_the_shops_own_offset(sim, shop, rows):
    order = rows(
        "SELECT * FROM orders WHERE shop = ? AND processed_at LIKE '%-07-%' LIMIT 1", shop
    )[0]
    whole = body(sim, shop, "orders/create", order["id"])

    assert whole["processed_at"].endswith("+01:00")  # British summer
    assert datetime.fromisoformat(whole["processed_at"]) == datetime.fromisoformat(
        order["processed_at"]
    )
    assert all(datetime.fromisoformat(whole[name]).tzinfo for name in TIMES if whole.get(name))


def test_a_product_lists_its_variants_and_a_large_one_is_cut_short_but_names_them_all(sim, rows):
    domain = kinds.create_shop(sim.store, "hostile", 1)["shop"]
    many = rows(
        "SELECT product_id FROM variants WHERE shop = ? GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
        domain,
    )
    whole = body(sim, domain, "products/update", many[0]["product_id"])

    assert (len(whole["variants"]), len(whole["variant_gids"])) == (100, 2048)
    assert (
        whole["variant_gids"][0]["admin_graphql_api_id"]
        == f"gid://shopify/ProductVariant/{whole['variants'][0]['id']}"
    )
    assert isinstance(whole["tags"], str)
    assert whole["status"] == whole["status"].lower()


def test_a_level_and_an_item_name_what_the_app_joins_them_by(sim, shop, rows):
    level = rows("SELECT * FROM inventory_levels WHERE shop = ?", shop)[0]
    told = body(
        sim, shop, "inventory_levels/update", (level["inventory_item_id"], level["location_id"])
    )
    item = body(sim, shop, "inventory_items/update", level["inventory_item_id"])

    assert (told["inventory_item_id"], told["location_id"], told["available"]) == (
        level["inventory_item_id"],
        level["location_id"],
        level["available"],
    )
    assert f"?inventory_item_id={item['id']}" in told["admin_graphql_api_id"]
    assert item["cost"] is None or isinstance(item["cost"], str)


def test_cutting_reaches_into_lists_and_objects_and_leaves_out_what_is_not_there():
    whole = {
        "id": 1,
        "a": {"b": 2, "c": 3},
        "l": [{"x": 1, "y": {"z": 2, "w": 3}}, {"y": None}],
        "s": "t",
        "n": None,
    }

    assert payloads.only(whole, ["id", "gone", "gone.too"]) == {"id": 1}
    assert payloads.only(whole, ["a.b", "l.y.z"]) == {
        "a": {"b": 2},
        "l": [{"y": {"z": 2}}, {"y": None}],
    }
    assert payloads.only(whole, ["a"]) == {"a": {"b": 2, "c": 3}}
    assert payloads.only(whole, ["n", "s.deeper"]) == {"n": None, "s": "t"}


@pytest.fixture
def whole_order(act, rows, shop):
    """24.00 with a tip, shipping at 5 of 6, and 10.00 of goodwill: the order's id."""
    variant = rows("SELECT * FROM variants WHERE shop = ? ORDER BY id", shop)[0]
    order = act(
        "orders",
        lines=[{"variant_id": variant["id"], "quantity": 1, "tax_rate": "0.05"}],
        shipping=[{"price": "6.00", "discount": "1.00", "tax_rate": "0.2"}],
        tip="3.00",
    )["result"]
    act(f"orders/{order}/refund", amount="10", shipping="2.50")
    return order


def test_an_order_says_its_taxes_shipping_tips_and_totals(sim, shop, whole_order):
    whole = body(sim, shop, "orders/updated", whole_order)
    line, tip = whole["line_items"]
    (shipping,) = whole["shipping_lines"]

    assert whole["taxes_included"] is True
    assert [
        whole[name]
        for name in ("total_price", "current_total_price", "total_tax", "total_tip_received")
    ] == ["32.00", "29.50", "1.97", "3.00"]  # 24.00 + 5.00 + 3.00; 1.14 of 5 % and 0.83 of 20 %
    assert [(tax["price"], tax["rate"]) for tax in line["tax_lines"]] == [("1.14", 0.05)]
    assert [(tax["price"], tax["rate"]) for tax in whole["tax_lines"]] == [
        ("1.14", 0.05),
        ("0.83", 0.2),
    ]
    assert (shipping["price"], shipping["discounted_price"]) == ("6.00", "5.00")
    assert [part["amount"] for part in shipping["discount_allocations"]] == ["1.00"]
    assert [tax["price"] for tax in shipping["tax_lines"]] == ["0.83"]
    assert tip["tip_payment_gateway"] and "tip_payment_gateway" not in line


def test_a_refund_says_what_is_beside_its_lines_in_shopifys_signs(sim, shop, whole_order):
    (refund,) = body(sim, shop, "orders/updated", whole_order)["refunds"]
    (adjustment,) = refund["order_adjustments"]
    (shipping,) = refund["refund_shipping_lines"]

    assert refund["refund_line_items"] == []
    assert (adjustment["amount"], adjustment["tax_amount"]) == ("-7.50", "0.00")
    assert adjustment["kind"] == "refund_discrepancy"
    assert shipping["subtotal_amount_set"]["shop_money"]["amount"] == "2.50"
    assert shipping["tax_amount_set"]["shop_money"]["amount"] == "0.42"
    assert [one["amount"] for one in refund["transactions"]] == ["10.00"]


def test_units_taken_off_are_a_refund_of_nothing_with_the_money_still_to_come(sim, shop, act, sold):
    order = sold[0]
    act(f"orders/{order}/edit", line_id=order + 1, delta=-1)
    refund = body(sim, shop, "orders/updated", order)["refunds"][-1]

    assert refund["transactions"] == []
    assert [line["quantity"] for line in refund["refund_line_items"]] == [1]
    assert [one["reason"] for one in refund["order_adjustments"]] == ["Pending refund discrepancy"]
    assert [float(one["amount"]) for one in refund["order_adjustments"]] == [
        refund["refund_line_items"][0]["subtotal"]
    ]
