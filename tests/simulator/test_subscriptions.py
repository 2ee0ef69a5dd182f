"""What the app subscribed to, read as a deploy would read it, and who is told of what."""

import json

import pytest

from launch.processes import ROOT
from simulator import events, graphql_mutations, payloads, subscriptions

APP = subscriptions.read(ROOT / "shopify.app.toml")
PLACES = {"orders", "products", "inventory", "app", "compliance"}


def deliveries(rows):
    return [
        (row["topic"], row["uri"], json.loads(row["body"]))
        for row in rows("SELECT * FROM deliveries ORDER BY seq")
    ]


def record(sim, shop, topic, resource_id=1, **more):
    with sim.store.transaction() as conn:
        return events.record(conn, sim.store, shop, topic, resource_id, **more)


def test_each_topic_is_subscribed_once_at_one_of_the_apps_doors():
    topics = [one.topic for one in APP.subscriptions]

    assert len(topics) == len(set(topics))
    assert {one.uri for one in APP.subscriptions} == {f"/webhooks/{place}" for place in PLACES}
    assert {topic for topic in topics if topic in events.COMPLIANCE} == events.COMPLIANCE
    assert APP.api_version == "2026-10"


def test_scopes_are_the_least_that_the_work_needs():
    assert set(APP.scopes) == {"read_inventory", "read_locations", "read_orders", "write_products"}
    assert APP.optional_scopes == ("read_all_orders", "read_markets")


def test_every_topic_that_a_body_is_built_for_has_a_builder():
    given = {"bulk_operations", "customers", "shop"}  # those who record them bring their bodies
    families = {one.topic.split("/")[0] for one in APP.subscriptions}

    assert families - given <= set(payloads.BUILDERS)


@pytest.mark.parametrize(
    "one", [s for s in APP.subscriptions if s.include_fields], ids=lambda s: s.topic
)
def test_a_cut_body_still_says_what_it_is_about_and_when_it_changed(one):
    assert {"id", "order_edit.id"} & set(one.include_fields)
    if one.topic.endswith(("update", "updated")):  # or equal bodies are held back as duplicates
        assert "updated_at" in one.include_fields


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


@pytest.mark.parametrize("topic", ["orders/create", "inventory_levels/update", "app/scopes_update", "app_subscriptions/update", "bulk_operations/finish", "app/uninstalled"])  # fmt: skip
def test_a_topic_has_the_same_name_in_the_api_and_on_the_wire(topic):
    assert graphql_mutations.topic_of(topic.upper().replace("/", "_")) == topic
