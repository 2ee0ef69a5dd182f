"""Deliveries as Shopify makes them, and the ways in which they go wrong, on a real socket."""

import base64
import hashlib
import hmac
import json
import time
from itertools import pairwise

import pytest

from simulator.webhooks import emitter, events
from tests.simulator.conftest import OLD_SECRET, SECRET


def tell(sim, shop, topic="orders/delete", count=1, **more):
    with sim.store.transaction() as conn:
        for number in range(1, count + 1):
            events.record(conn, sim.store, shop, topic, number, payload={"id": number, **more})


def signature(secret, body):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def fast_retries(sim, **switches):
    sim.faults.set({"webhook_retry_scale": 0.001, **switches})


def test_a_delivery_carries_shopifys_headers_and_a_signature_over_its_raw_bytes(
    sim, shop, receiver
):
    tell(sim, shop, name="Caff\u00e8 \u4e2d")
    sim.start()
    assert sim.emitter.flush(5) == 0

    (one,) = receiver.got
    assert one.path == "/webhooks/orders"
    assert json.loads(one.body) == {"id": 1, "name": "Caff\u00e8 \u4e2d"}
    assert one.headers["x-shopify-hmac-sha256"] == signature(SECRET, one.body)
    assert one.headers["x-shopify-topic"] == "orders/delete"
    assert one.headers["x-shopify-shop-domain"] == shop
    assert one.headers["x-shopify-api-version"] == "2026-10"
    assert one.headers["x-shopify-triggered-at"].endswith("Z")
    assert one.headers["x-shopify-webhook-id"] != one.headers["x-shopify-event-id"]
    assert one.headers["content-type"] == "application/json"


def test_during_a_rotation_the_old_secret_signs_when_asked_to(sim, shop, receiver):
    sim.faults.set({"webhook_secret": "old"})
    tell(sim, shop)
    sim.start()
    assert sim.emitter.flush(5) == 0

    assert receiver.of("x-shopify-hmac-sha256") == [signature(OLD_SECRET, receiver.got[0].body)]


@pytest.mark.parametrize("status", [500, 401, 302, 304])
def test_what_is_not_taken_comes_again_the_same_until_it_is(sim, shop, receiver, rows, status):
    receiver.statuses = [status, status]
    fast_retries(sim)
    tell(sim, shop)
    sim.start()
    assert sim.emitter.flush(5) == 0

    assert len(receiver.got) == 3
    assert len(set(receiver.of("x-shopify-webhook-id"))) == 1
    assert len({one.body for one in receiver.got}) == 1
    assert rows("SELECT state, attempts, last_status FROM deliveries") == [
        {"state": "delivered", "attempts": 3, "last_status": 200}
    ]


def test_waits_between_attempts_double(sim, shop, receiver, rows):
    receiver.statuses = [500, 500, 500]
    sim.faults.set({"webhook_retry_scale": 0.05})
    tell(sim, shop)
    sim.start()
    times = []
    for count in (1, 2, 3, 4):
        receiver.wait_for(count)
        times.append(time.monotonic())

    waits = [after - before for before, after in pairwise(times)]
    assert waits[0] >= 0.08 and waits[1] >= 0.18 and waits[2] >= 0.38


def test_an_answer_that_drips_past_the_limit_is_a_failure(sim, shop, receiver, rows, monkeypatch):
    monkeypatch.setattr(emitter, "TOTAL_SECONDS", 0.2)
    receiver.drip_seconds = 0.5
    sim.faults.set({"webhook_retry_scale": 100})
    tell(sim, shop)
    sim.start()
    receiver.wait_for(1)
    time.sleep(1.0)

    assert rows("SELECT state, last_status FROM deliveries") == [
        {"state": "pending", "last_status": 0}
    ]


def test_after_eight_retries_it_is_given_up_and_only_what_the_api_subscribed_is_taken_away(
    sim, shop, receiver, rows
):
    receiver.always = 500
    sim.store.connection().execute(
        "INSERT INTO webhook_subscriptions (shop, id, topic, uri, created_at) VALUES (?, 7, 'orders/delete', '/own', '2026-11-01T00:00:00Z')",
        (shop,),
    )
    fast_retries(sim)
    tell(sim, shop)
    sim.start()
    assert sim.emitter.flush(10) == 0

    assert [one.path for one in receiver.got].count("/webhooks/orders") == 9
    assert [one.path for one in receiver.got].count("/own") == 9
    assert {row["state"] for row in rows("SELECT state FROM deliveries")} == {"failed"}
    receiver.always, receiver.got = 200, []
    tell(sim, shop, later=True)
    assert sim.emitter.flush(5) == 0
    assert [one.path for one in receiver.got] == ["/webhooks/orders"]


def test_what_is_held_back_arrives_later_in_another_order_and_has_all_its_retries_left(
    sim, shop, receiver, rows
):
    sim.faults.set({"webhook_reorder": 0.5, "webhook_reorder_seconds": 0.5})
    tell(sim, shop, count=40)
    sim.start()
    assert sim.emitter.flush(10) == 0

    came = [json.loads(one.body)["id"] for one in receiver.got]
    assert sorted(came) == list(range(1, 41))
    held = [earlier for earlier, later in pairwise(came) if earlier > later + 8]
    assert held
    assert {row["attempts"] for row in rows("SELECT attempts FROM deliveries")} == {1}


def test_duplicates_come_under_the_same_id(sim, shop, receiver):
    sim.faults.set({"webhook_duplicate": 1.0})
    tell(sim, shop, count=3)
    sim.start()
    assert sim.emitter.flush(5) == 0

    ids = receiver.of("x-shopify-webhook-id")
    assert len(ids) == 6 and len(set(ids)) == 3


def test_a_share_is_lost_for_good(sim, shop, receiver, rows):
    sim.faults.set({"webhook_drop": 0.5})
    tell(sim, shop, count=60)
    sim.start()
    assert sim.emitter.flush(5) == 0

    dropped = rows("SELECT count(*) AS n FROM deliveries WHERE state = 'dropped'")[0]["n"]
    assert 15 <= dropped <= 45
    assert len(receiver.got) == 60 - dropped


def test_a_body_cut_to_its_id_is_signed_as_it_is(sim, shop, receiver):
    sim.faults.set({"webhook_only_id": 1.0})
    tell(sim, shop, note="long")
    sim.start()
    assert sim.emitter.flush(5) == 0

    assert receiver.got[0].body == b'{"id": 1}'
    assert receiver.of("x-shopify-hmac-sha256") == [signature(SECRET, b'{"id": 1}')]


def test_nothing_goes_out_in_a_pause_and_everything_after_it(sim, shop, receiver):
    sim.faults.set({"webhook_pause": True})
    tell(sim, shop, count=5)
    sim.start()
    assert sim.emitter.flush(0.3) == 5
    assert receiver.got == []

    sim.faults.clear()
    assert sim.emitter.flush(5) == 0
    assert len(receiver.got) == 5


def test_what_was_not_sent_is_sent_after_a_restart(make_sim, sim, shop, receiver):
    sim.faults.set({"webhook_pause": True})
    tell(sim, shop, count=5)
    sim.start()
    sim.stop()

    again = make_sim()
    again.faults.clear()
    again.start()
    assert again.emitter.flush(5) == 0
    assert len(receiver.got) == 5


def test_an_address_that_cannot_be_dialled_fails_alone(sim, shop, receiver, rows):
    for number, uri in enumerate(
        ("http://[", "http://127.0.0.1:1/x", "http://127.0.0.1:x/"), start=1
    ):
        sim.store.connection().execute(
            "INSERT INTO webhook_subscriptions (shop, id, topic, uri, created_at) VALUES (?, ?, 'orders/delete', ?, '2026-11-01T00:00:00Z')",
            (shop, number, uri),
        )
    fast_retries(sim)
    tell(sim, shop, count=2)
    sim.start()
    assert sim.emitter.flush(10) == 0

    assert len(receiver.got) == 2
    assert len(rows("SELECT 1 FROM deliveries WHERE state = 'failed'")) == 6


def test_a_proxy_of_the_machine_is_never_asked(make_sim, sim, shop, receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    late = make_sim()
    tell(sim, shop)
    late.start()
    assert late.emitter.flush(3) == 0

    assert len(receiver.got) == 1


def test_stopping_does_not_wait_for_what_has_not_begun(sim, shop, receiver, rows):
    receiver.drip_seconds = 1.0
    tell(sim, shop, count=100)
    sim.start()
    receiver.wait_for(8)
    started = time.monotonic()
    sim.stop()

    assert time.monotonic() - started < 5
    assert 8 <= len(receiver.got) < 30
    left = rows("SELECT count(*) AS n FROM deliveries WHERE state = 'pending'")[0]["n"]
    assert left == 100 - len(receiver.got)


def test_thousands_go_out_in_seconds(sim, shop, receiver):
    sim.faults.set({"webhook_duplicate": 0.1, "webhook_reorder": 0.2, "webhook_drop": 0.01})
    tell(sim, shop, count=1500)
    started = time.monotonic()
    sim.start()
    assert sim.emitter.flush(20) == 0

    assert 1500 / (time.monotonic() - started) > 100
