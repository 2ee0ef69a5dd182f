"""What a merchant does is done, logged and told; nonsense is refused."""

import pytest


@pytest.fixture
def apron(rows, shop):
    return rows("SELECT * FROM variants WHERE shop = ? ORDER BY id", shop)[0]


def test_a_merchants_price_is_logged_and_told_and_nonsense_is_refused(
    act, look, web, shop, apron, told
):
    act(f"variants/{apron['id']}/price", price="25.50", compare_at_price="30.00")

    (write,) = look("price-writes", variant_id=apron["id"])
    assert (write["actor"], write["before_price"], write["after_price"]) == (
        "merchant",
        apron["price"],
        "25.50",
    )
    assert [topic for topic, _ in told()] == ["products/update"]
    for price in ("abc", "-1", "NaN", "", None):
        assert (
            web.post(
                f"/_sim/{shop}/variants/{apron['id']}/price", json={"price": price}
            ).status_code
            == 400
        )
    assert len(look("price-writes")) == 1


def test_stock_and_cost_are_what_they_are_set_to(act, look, apron):
    act(f"variants/{apron['id']}/stock", available=7)
    act(f"variants/{apron['id']}/cost", cost="3.25")
    found = next(one for one in look("variants") if one["id"] == apron["id"])
    assert found["unit_cost"] == "3.25"

    act(f"variants/{apron['id']}/cost", cost=None)
    assert next(one for one in look("variants") if one["id"] == apron["id"])["unit_cost"] is None


def test_a_sale_takes_stock_a_refund_and_a_cancellation_give_it_back(act, look, told, apron):
    def stock():
        return next(one for one in look("variants") if one["id"] == apron["id"])["available"]

    before = stock()
    order = act("orders", lines=[{"variant_id": apron["id"], "quantity": 3}])["result"]
    assert stock() == before - 3
    act(f"orders/{order}/refund", lines=[{"line_id": order + 1, "quantity": 1}])
    assert stock() == before - 2
    act(f"orders/{order}/cancel")
    assert stock() == before
    topics = [topic for topic, _ in told()]
    assert {
        "orders/create",
        "refunds/create",
        "orders/updated",
        "orders/cancelled",
        "inventory_levels/update",
    } <= set(topics)


def test_an_edit_tells_only_what_changed_and_a_deletion_only_the_id(act, told, apron):
    order = act("orders", lines=[{"variant_id": apron["id"], "quantity": 3}])["result"]
    act(f"orders/{order}/edit", line_id=order + 1, delta=-2)
    act(f"products/{apron['product_id']}/delete")
    bodies = dict(told())

    assert bodies["orders/edited"]["order_edit"]["order_id"] == order
    assert bodies["orders/edited"]["order_edit"]["line_items"]["removals"] == [
        {"id": order + 1, "delta": 2}
    ]
    assert bodies["products/delete"] == {"id": apron["product_id"]}


@pytest.mark.parametrize("quantity", [0, -2, "x"])
def test_no_units_are_sold_or_given_back(web, shop, apron, quantity):
    line = {"variant_id": apron["id"], "quantity": quantity}
    assert web.post(f"/_sim/{shop}/orders", json={"lines": [line]}).status_code == 400


def line(apron, **more):
    return {"variant_id": apron["id"], "quantity": 2, **more}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lines": []},
        {"lines": [{"variant_id": 1, "quantity": 1}]},
        {"lines": [{"title": "Engraving", "quantity": 1}]},
        {"lines": [{"title": "Engraving", "price": "2", "discount": "3"}]},
        {"lines": [{"title": "Engraving", "price": "2", "tax_rate": "-0.2"}]},
        {"lines": [{"title": "Engraving", "price": "2"}], "financial_status": "rich"},
        {"lines": [{"title": "Engraving", "price": "2"}], "processed_at": "tomorrow"},
        {"lines": [{"title": "Engraving", "price": "2"}], "shipping": [{"title": "Post"}]},
    ],
)
def test_an_order_of_nonsense_is_refused_in_words_and_leaves_nothing(web, shop, rows, body):
    before = rows("SELECT count(*) AS n FROM orders")
    answer = web.post(f"/_sim/{shop}/orders", json=body)

    assert answer.status_code == 400 and answer.json["error"]
    assert rows("SELECT count(*) AS n FROM orders") == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("refund", {}),
        ("refund", {"lines": [{"line_id": 1, "quantity": 1}]}),
        ("refund", {"amount": "1000"}),
        ("refund", {"shipping": "1"}),
        ("edit", {"delta": -1}),
        ("edit", {"line_id": 1, "delta": -1}),
        ("payment", {"status": "lost"}),
        ("payment", {"status": "voided"}),
        ("returns", {}),
        ("exchange", {"lines": []}),
    ],
)
def test_what_cannot_be_done_to_an_order_is_refused_and_leaves_no_trace(
    act, web, shop, apron, rows, path, body
):
    order = act("orders", lines=[line(apron)])["result"]
    answer = web.post(f"/_sim/{shop}/orders/{order}/{path}", json=body)

    assert answer.status_code == 400 and answer.json["error"]
    assert [row["id"] for row in rows("SELECT id FROM agreement WHERE order_id = ?", order)] == [
        order
    ]
    assert rows("SELECT id FROM refunds WHERE order_id = ?", order) == []


def test_no_more_is_given_back_than_was_bought(act, web, shop, apron):
    order = act("orders", lines=[line(apron)])["result"]
    answer = web.post(
        f"/_sim/{shop}/orders/{order}/refund",
        json={"lines": [{"line_id": order + 1, "quantity": 3}]},
    )

    assert answer.status_code == 400
    assert answer.json["error"] == f"ValueError: of line {order + 1} 2 are left, not 3"


def test_how_an_order_came_is_told_with_it(act, apron, told):
    act(
        "orders",
        lines=[line(apron)],
        source_name="shopify_draft_order",
        company=True,
        financial_status="pending",
        processed_at="2026-01-05T10:00:00+01:00",
        taxes_included=False,
    )
    ((_, body), *_) = [one for one in told() if one[0] == "orders/create"]

    assert body["processed_at"] == "2026-01-05T09:00:00+00:00"
    assert (body["source_name"], body["financial_status"]) == ("shopify_draft_order", "pending")
    assert body["created_at"] > body["processed_at"]


def test_a_return_goes_step_by_step(act, web, shop, apron, look):
    order = act("orders", lines=[line(apron)])["result"]
    asked = {"lines": [{"line_id": order + 1, "quantity": 1}]}
    number = act(f"orders/{order}/returns", **asked)["result"]
    refused = web.post(f"/_sim/{shop}/returns/{number}/process", json={})
    act(f"returns/{number}/approve")
    refund = act(f"returns/{number}/process", restocking_fee="2")["result"]

    assert refused.json["error"] == "ValueError: the return is REQUESTED, not OPEN"
    assert refund > number
    assert look("ledger")["days"][-1]["fees"] == "2.00"

    other = act(f"orders/{order}/returns", **asked)["result"]
    act(f"returns/{other}/decline")
    assert look("ledger")["days"][-1]["returned_units"] == 1


def test_an_unlisted_product_is_still_sold(act, look, told, apron):
    act(f"products/{apron['product_id']}/status", status="unlisted")
    ((_, body),) = [one for one in told() if one[0] == "products/update"]
    act("advance", days=3)

    assert body["status"] == "unlisted"
    assert any(day["sold"] for day in look("truth/days", variant_id=apron["id"]))


def test_the_stock_of_a_closed_place_moves_on_and_is_counted_once(act, web, shop, look, rows, told):
    before = look("ledger")["stock"]["available_units"]
    first, second = (row["id"] for row in rows("SELECT id FROM locations WHERE shop = ?", shop))
    act(f"locations/{first}/deactivate", destination_id=second)
    places = rows(
        "SELECT location_id, sum(available) AS units FROM inventory_levels WHERE is_active GROUP BY 1"
    )

    assert places == [{"location_id": second, "units": before}]
    assert look("ledger")["stock"]["available_units"] == before
    topics = [topic for topic, _ in told()]
    assert topics.count("inventory_levels/connect") == 6 and "locations/deactivate" in topics
    open_one = web.post(f"/_sim/{shop}/locations/{second}/delete")
    act(f"locations/{first}/delete")
    assert open_one.status_code == 400
    assert ("locations/delete", {"id": first}) in told()
    act("advance", days=2)
    assert rows("SELECT sum(available) AS n FROM inventory_levels WHERE is_active = 0") == [
        {"n": 0}
    ]


def test_a_deleted_order_is_told_by_its_id_and_is_in_no_books(act, web, shop, look, told, apron):
    order = act("orders", lines=[line(apron)])["result"]
    act(f"orders/{order}/delete")

    assert ("orders/delete", {"id": order}) in told()
    assert look("ledger", by="variant", since=look("ledger")["days"][-1]["day"])["rows"]
    assert web.post(f"/_sim/{shop}/orders/{order}/cancel").status_code == 400
    assert web.get(f"/_sim/{shop}/ledger?by=hour").status_code == 400
