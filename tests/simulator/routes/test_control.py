"""The simulator's own controls, and what every address below /_sim/ refuses."""

import json

import pytest

from tests.simulator.conftest import SECRET


def test_a_shop_is_made_once(web, sim):
    first = web.post("/_sim/shops", json={"kind": "tiny", "seed": 3, "domain": "x.myshopify.com"})
    again = web.post("/_sim/shops", json={"kind": "tiny", "seed": 3, "domain": "x.myshopify.com"})

    assert first.json["shop"] == again.json["shop"] == "x.myshopify.com"
    assert (first.json["is_new"], again.json["is_new"]) == (True, False)
    assert first.json["orders"] > 0
    assert [one["domain"] for one in web.get("/_sim/shops").json] == ["x.myshopify.com"]
    assert web.post("/_sim/shops", json={"kind": "nothing"}).status_code == 400


def test_days_go_by_and_what_happened_is_counted_and_in_the_books(act, look, told):
    before = look("state")["now"]
    facts = act("advance", days=3)
    last = look("ledger")["days"][-3:]

    assert facts["days"] == 3
    assert look("state")["now"][:10] > before[:10]
    assert sum(day["orders"] for day in last) == facts["orders"]
    assert facts["deliveries"] == len(told()) > facts["orders"]
    assert [
        day["day"] for day in look("ledger", since=last[1]["day"], until=last[1]["day"])["days"]
    ] == [last[1]["day"]]
    assert sum(day["lost"] for day in look("truth/days")) == facts["lost_units"]


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
    ("GET", "state"),
    ("GET", "launch-url"),
    ("GET", "ledger"),
    ("GET", "price-writes"),
    ("GET", "truth"),
    ("GET", "truth/days"),
    ("GET", "variants"),
    ("POST", "install"),
    ("POST", "id-token"),
    ("POST", "uninstall"),
    ("POST", "redact"),
    ("POST", "customers-redact"),
    ("POST", "data-request"),
    ("POST", "scopes"),
    ("POST", "advance"),
    ("POST", "variants/1/price"),
    ("POST", "variants/1/stock"),
    ("POST", "variants/1/cost"),
    ("POST", "orders"),
    ("POST", "orders/1/refund"),
    ("POST", "orders/1/cancel"),
    ("POST", "orders/1/edit"),
    ("POST", "products/1/delete"),
    ("POST", "purchase-orders"),
]


@pytest.mark.parametrize(("method", "path"), PLACES, ids=lambda part: part)
def test_a_shop_that_was_never_made_is_not_found_and_the_answer_names_it(web, method, path):
    answer = web.open(f"/_sim/nobody.myshopify.com/{path}", method=method, json={})

    assert answer.status_code == 404
    assert answer.json == {"error": "no such shop: nobody.myshopify.com"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("scopes", {}),
        ("advance", {"days": "many"}),
        ("variants/99/price", {"price": "1"}),
        ("variants/99/stock", {"available": 1}),
        ("variants/99/stock", {}),
        ("variants/99/cost", {"cost": "1"}),
        ("orders", {}),
        ("orders", {"lines": [{"variant_id": 99, "quantity": 1}]}),
        ("orders/99/refund", {"lines": []}),
        ("orders/99/cancel", {}),
        ("orders/99/edit", {"line_id": 1, "delta": -1}),
        ("products/99/delete", {}),
        ("purchase-orders", {"variant_id": 99, "units": 1}),
    ],
)
def test_what_cannot_be_done_is_refused_plainly_and_changes_nothing(web, shop, told, path, body):
    answer = web.post(f"/_sim/{shop}/{path}", json=body)

    assert answer.status_code == 400
    assert answer.json["error"]
    assert told() == []
