"""The control endpoints: each does what it says, and says plainly what it does not do."""

import json
from urllib.parse import urlsplit

import pytest

from tests.simulator.conftest import SECRET


@pytest.fixture
def look(web, shop):
    def get(what, **query):
        return web.get(f"/_sim/{shop}/{what}", query_string=query).json

    return get


@pytest.fixture
def apron(rows, shop):
    return rows("SELECT * FROM variants WHERE shop = ? ORDER BY id", shop)[0]


def told(rows):
    return [
        (row["topic"], json.loads(row["body"]))
        for row in rows("SELECT topic, body FROM deliveries ORDER BY seq")
    ]


def test_a_shop_is_made_once(web, sim):
    first = web.post("/_sim/shops", json={"kind": "tiny", "seed": 3, "domain": "x.myshopify.com"})
    again = web.post("/_sim/shops", json={"kind": "tiny", "seed": 3, "domain": "x.myshopify.com"})

    assert first.json["shop"] == again.json["shop"] == "x.myshopify.com"
    assert (first.json["is_new"], again.json["is_new"]) == (True, False)
    assert first.json["orders"] > 0
    assert [one["domain"] for one in web.get("/_sim/shops").json] == ["x.myshopify.com"]
    assert web.post("/_sim/shops", json={"kind": "nothing"}).status_code == 400


def test_installing_grants_what_the_app_asks_for_unless_told_otherwise(act, look, sim):
    sim.store.connection().execute("UPDATE shops SET installed_at = NULL, granted_scopes = ''")
    assert urlsplit(act("install")["launch_url"]).netloc == urlsplit(sim.config.app_url).netloc
    assert "read_all_orders" in look("state")["scopes"].split(",")

    act("uninstall")
    act("install", scopes=["read_orders"])
    assert look("state")["scopes"] == "read_orders"


def test_an_end_is_told_and_ends_every_token_and_subscription(act, look, rows, shop, sim):
    conn = sim.store.connection()
    conn.execute(
        "INSERT INTO access_tokens (token, shop, install, kind, scopes, issued_at) VALUES ('t', ?, 1, 'offline', '', 0)",
        (shop,),
    )
    conn.execute(
        "INSERT INTO webhook_subscriptions (shop, id, topic, uri, created_at) VALUES (?, 7, 'orders/delete', '/own', '2026-11-01T00:00:00Z')",
        (shop,),
    )
    act("uninstall")

    assert [topic for topic, _ in told(rows)] == ["app/uninstalled"]
    assert look("state")["installed_at"] is None
    assert rows("SELECT token FROM access_tokens WHERE revoked_at IS NULL") == []
    assert rows("SELECT id FROM webhook_subscriptions WHERE deleted_at IS NULL") == []


def test_duties_and_scopes_are_told_in_shopifys_words(act, rows, shop):
    act("customers-redact", customer_id=5, order_ids=[8, 9])
    act("data-request", customer_id=5, order_ids=[8])
    act("redact")
    act("scopes", granted=["read_orders"])
    number = rows("SELECT id FROM shops")[0]["id"]
    (_, redact), (_, request), (_, gone), (_, scopes) = told(rows)

    assert set(redact) == {"shop_id", "shop_domain", "customer", "orders_to_redact"}
    assert (redact["shop_id"], redact["customer"]["id"], redact["orders_to_redact"]) == (
        number,
        5,
        [8, 9],
    )
    assert set(request) == {
        "shop_id",
        "shop_domain",
        "orders_requested",
        "customer",
        "data_request",
    }
    assert gone == {"shop_id": number, "shop_domain": shop}
    assert scopes["current"] == ["read_orders"]
    assert set(scopes) == {"id", "previous", "current", "updated_at", "shop_id"}


def test_days_go_by_and_what_happened_is_counted_and_in_the_books(act, look, rows):
    before = look("state")["now"]
    facts = act("advance", days=3)
    last = look("ledger")["days"][-3:]

    assert facts["days"] == 3
    assert look("state")["now"][:10] > before[:10]
    assert sum(day["orders"] for day in last) == facts["orders"]
    assert facts["deliveries"] == len(told(rows)) > facts["orders"]
    assert [
        day["day"] for day in look("ledger", since=last[1]["day"], until=last[1]["day"])["days"]
    ] == [last[1]["day"]]
    assert sum(day["lost"] for day in look("truth/days")) == facts["lost_units"]


def test_a_merchants_price_is_logged_and_told_and_nonsense_is_refused(
    act, look, web, shop, apron, rows
):
    act(f"variants/{apron['id']}/price", price="25.50", compare_at_price="30.00")

    (write,) = look("price-writes", variant_id=apron["id"])
    assert (write["actor"], write["before_price"], write["after_price"]) == (
        "merchant",
        apron["price"],
        "25.50",
    )
    assert [topic for topic, _ in told(rows)] == ["products/update"]
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


def test_a_sale_takes_stock_a_refund_and_a_cancellation_give_it_back(act, look, rows, apron):
    def stock():
        return next(one for one in look("variants") if one["id"] == apron["id"])["available"]

    before = stock()
    order = act("orders", lines=[{"variant_id": apron["id"], "quantity": 3}])["result"]
    assert stock() == before - 3
    act(f"orders/{order}/refund", lines=[{"line_id": order + 1, "quantity": 1}])
    assert stock() == before - 2
    act(f"orders/{order}/cancel")
    assert stock() == before
    topics = [topic for topic, _ in told(rows)]
    assert {
        "orders/create",
        "refunds/create",
        "orders/updated",
        "orders/cancelled",
        "inventory_levels/update",
    } <= set(topics)


def test_an_edit_tells_only_what_changed_and_a_deletion_only_the_id(act, rows, apron):
    order = act("orders", lines=[{"variant_id": apron["id"], "quantity": 3}])["result"]
    act(f"orders/{order}/edit", line_id=order + 1, delta=-2)
    act(f"products/{apron['product_id']}/delete")
    bodies = dict(told(rows))

    assert bodies["orders/edited"]["order_edit"]["order_id"] == order
    assert bodies["orders/edited"]["order_edit"]["line_items"]["removals"] == [
        {"id": order + 1, "delta": 2}
    ]
    assert bodies["products/delete"] == {"id": apron["product_id"]}


def test_switches_are_set_together_and_cleared_and_a_misspelt_one_is_refused(web):
    assert web.put("/_sim/faults", json={"webhook_drop": 0.1}).json == {"webhook_drop": 0.1}
    assert web.put("/_sim/faults", json={"oauth_429": 1.0}).json == {
        "webhook_drop": 0.1,
        "oauth_429": 1.0,
    }
    wrong = web.put("/_sim/faults", json={"webhook_drops": 0.1})
    assert (wrong.status_code, "webhook_drops" in wrong.json["error"]) == (400, True)
    assert web.delete("/_sim/faults").json == {}


def test_deliveries_can_be_waited_for_and_looked_at(web, act, sim, shop):
    act("redact")
    assert web.post("/_sim/flush", json={"timeout_seconds": 0.1}).json == {"pending": 1}
    sim.start()
    assert web.post("/_sim/flush", json={"timeout_seconds": 5}).json == {"pending": 0}

    (one,) = web.get("/_sim/deliveries", query_string={"shop": shop, "state": "delivered"}).json
    assert (one["topic"], one["attempts"], one["last_status"]) == ("shop/redact", 1, 200)
    assert web.get("/_sim/deliveries", query_string={"topic": "orders/create"}).json == []
    assert SECRET not in json.dumps(one)


PLACES = [
    ("GET", "state"), ("GET", "launch-url"), ("GET", "ledger"), ("GET", "price-writes"), ("GET", "truth"), ("GET", "truth/days"),
    ("GET", "variants"), ("POST", "install"), ("POST", "id-token"), ("POST", "uninstall"), ("POST", "redact"), ("POST", "customers-redact"),
    ("POST", "data-request"), ("POST", "scopes"), ("POST", "advance"), ("POST", "variants/1/price"), ("POST", "variants/1/stock"),
    ("POST", "variants/1/cost"), ("POST", "orders"), ("POST", "orders/1/refund"), ("POST", "orders/1/cancel"), ("POST", "orders/1/edit"),
    ("POST", "products/1/delete"), ("POST", "purchase-orders"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PLACES, ids=lambda part: part)
def test_a_shop_that_was_never_made_is_not_found_and_the_answer_names_it(web, method, path):
    answer = web.open(f"/_sim/nobody.myshopify.com/{path}", method=method, json={})

    assert answer.status_code == 404
    assert answer.json == {"error": "no such shop: nobody.myshopify.com"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("scopes", {}), ("advance", {"days": "many"}), ("variants/99/price", {"price": "1"}), ("variants/99/stock", {"available": 1}),
        ("variants/99/stock", {}), ("variants/99/cost", {"cost": "1"}), ("orders", {}), ("orders", {"lines": [{"variant_id": 99, "quantity": 1}]}),
        ("orders/99/refund", {"lines": []}), ("orders/99/cancel", {}), ("orders/99/edit", {"line_id": 1, "delta": -1}), ("products/99/delete", {}),
        ("purchase-orders", {"variant_id": 99, "units": 1}),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_plainly_and_changes_nothing(web, shop, rows, path, body):
    answer = web.post(f"/_sim/{shop}/{path}", json=body)

    assert answer.status_code == 400
    assert answer.json["error"]
    assert told(rows) == []


@pytest.mark.parametrize("quantity", [0, -2, "x"])
def test_no_units_are_sold_or_given_back(web, shop, apron, quantity):
    line = {"variant_id": apron["id"], "quantity": quantity}
    assert web.post(f"/_sim/{shop}/orders", json={"lines": [line]}).status_code == 400
