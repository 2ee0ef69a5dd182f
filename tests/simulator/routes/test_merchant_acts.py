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
