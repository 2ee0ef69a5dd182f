"""Who is told of what, and what is held back: equal bodies for a quarter of an hour, protected data without approval."""

import json
from datetime import timedelta

import pytest

from simulator.store import iso
from simulator.webhooks import events


def deliveries(rows):
    return [
        (row["topic"], row["uri"], json.loads(row["body"]))
        for row in rows("SELECT * FROM deliveries ORDER BY seq")
    ]


def record(sim, shop, topic, resource_id=1, **more):
    with sim.store.transaction() as conn:
        return events.record(conn, sim.store, shop, topic, resource_id, **more)


@pytest.fixture
def tell(sim, shop):
    def record(topic="orders/delete", **payload):
        with sim.store.transaction() as conn:
            return events.record(conn, sim.store, shop, topic, 1, payload=payload or {"id": 1})

    return record


@pytest.fixture
def later(sim, shop):
    """Let time go by in the shop."""

    def move(**span):
        now = iso(sim.store.now(shop) + timedelta(**span))
        sim.store.connection().execute("UPDATE shops SET now_at = ?", (now,))

    return move


def test_an_equal_body_is_told_once_in_fifteen_minutes(tell, later):
    assert [tell(), tell()] == [1, 0]
    later(minutes=14)
    assert tell() == 0
    later(minutes=2)
    assert tell() == 1


def test_another_body_or_another_topic_is_told(tell):
    assert [tell(id=1), tell(id=2), tell("products/delete", id=1)] == [1, 1, 1]


def test_each_subscription_is_held_back_for_itself(tell, sim, shop, rows):
    tell(id=1)
    sim.store.connection().execute(
        "INSERT INTO webhook_subscriptions (shop, id, topic, uri, created_at) VALUES (?, 7, 'orders/delete', '/own', '2026-11-01T00:00:00Z')",
        (shop,),
    )
    assert tell(id=1) == 1
    assert [row["uri"] for row in rows("SELECT uri FROM deliveries ORDER BY seq")] == [
        "/webhooks/orders",
        "/own",
    ]


def test_fields_cut_away_make_bodies_equal(tell, sim, shop, later):
    """Why updated_at must stay in include_fields: without it the second change is never told."""
    sim.store.connection().execute(
        "INSERT INTO webhook_subscriptions (shop, id, topic, uri, include_fields, created_at)"
        " VALUES (?, 7, 'carts/update', '/own', '[\"id\"]', '2026-11-01T00:00:00Z')",
        (shop,),
    )
    assert tell("carts/update", id=1, updated_at="a") == 1
    assert tell("carts/update", id=1, updated_at="b") == 0


@pytest.mark.parametrize(
    "topic", ["app/uninstalled", "app/scopes_update", "customers/redact", "shop/redact"]
)
def test_an_apps_life_and_its_duties_are_always_told(tell, topic):
    assert [tell(topic, id=1), tell(topic, id=1)] == [1, 1]


def test_without_the_approval_no_order_is_told_and_products_are(tell, sim):
    sim.faults.set({"pcd_denied": True})
    assert [tell("orders/delete"), tell("refunds/create"), tell("products/delete")] == [0, 0, 1]
    sim.faults.clear()
    assert tell("orders/delete") == 1


def test_a_shop_without_the_app_tells_it_nothing_but_its_duties(sim, shop, rows):
    sim.store.connection().execute("UPDATE shops SET installed_at = NULL")

    assert record(sim, shop, "orders/delete", payload={"id": 1}) == 0
    assert record(sim, shop, "shop/redact", payload={"shop_domain": shop}) == 1
    assert [topic for topic, _, _ in deliveries(rows)] == ["shop/redact"]


def test_a_topic_nobody_asked_for_is_not_sent(sim, shop, rows):
    assert record(sim, shop, "customers/create", payload={"id": 1}) == 0
    assert deliveries(rows) == []


def test_a_topic_subscribed_in_the_file_and_through_the_api_comes_twice(sim, shop, rows):
    sim.store.connection().execute(
        "INSERT INTO webhook_subscriptions (shop, id, topic, uri, include_fields, created_at)"
        " VALUES (?, 1, 'orders/delete', 'https://x.example/own', '[\"id\"]', '2026-11-01T00:00:00Z')",
        (shop,),
    )
    assert record(sim, shop, "orders/delete", payload={"id": 1, "b": 2}) == 2

    assert deliveries(rows) == [
        ("orders/delete", "/webhooks/orders", {"id": 1, "b": 2}),
        ("orders/delete", "https://x.example/own", {"id": 1}),
    ]
    ids = rows(
        "SELECT count(DISTINCT webhook_id) AS w, count(DISTINCT event_id) AS e FROM deliveries"
    )
    assert ids == [{"w": 2, "e": 1}]


def test_an_act_that_fails_is_told_to_nobody(sim, shop, rows):
    def fails():
        with sim.store.transaction() as conn:
            events.record(conn, sim.store, shop, "orders/delete", 1, payload={"id": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert deliveries(rows) == []
