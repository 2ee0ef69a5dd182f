"""Shopify's own sample bodies, as its documentation and its "send test notification" have them, are all understood."""

import json
from pathlib import Path

import pytest

from shopify_app.db.connection import sweep_transaction
from shopify_app.usecases.inbox import drain, ingest
from tests.factories import rows
from tests.webhooks import record

SAMPLES = Path(__file__).parent / "doc_samples"

OUTCOME = {
    "app/scopes_update": "applied",
    "bulk_operations/finish": "applied",
    "customers/data_request": "applied",
    "customers/redact": "applied",
    "inventory_items/create": "applied",
    "inventory_items/delete": "applied",
    "inventory_items/update": "applied",
    "inventory_levels/connect": "applied",
    "inventory_levels/disconnect": "applied",
    "inventory_levels/update": "applied",
    "locations/create": "applied",
    "orders/cancelled": "applied",
    "orders/create": "applied",
    "orders/delete": "applied",
    "orders/edited": "refetch",  # the body says which lines, not how the order stands now
    "orders/updated": "applied",
    "products/create": "applied",
    "products/delete": "applied",
    "products/update": "applied",
    "refunds/create": "refetch",  # kept; its order is asked for
    "shop/update": "applied",
}


def topic_of(path):
    return path.stem.replace("__", "/")


def body_of(path, shop):
    """The body; it names the shop that it is sent to where the sample names one."""
    text = path.read_text().replace("{shop}.myshopify.com", shop.domain)
    body = json.loads(text)
    if "myshopify_domain" in body:
        body["myshopify_domain"] = shop.domain
    return json.dumps(body).encode()


def test_every_topic_that_is_applied_has_its_sample_or_is_like_one_that_has():
    told = {topic_of(path) for path in SAMPLES.glob("*.json")}

    assert {*ingest.HANDLERS, *ingest.TOGETHER} - told == {
        f"locations/{what}" for what in ("activate", "deactivate", "delete", "update")
    }


@pytest.mark.parametrize("topic", sorted(OUTCOME))
def test_a_sample_body_is_applied(topic, acme, rival):
    path = SAMPLES / f"{topic.replace('/', '__')}.json"
    record(acme, body=body_of(path, acme), topic=topic)

    drain.drain_inbox()

    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT outcome, error, dead_at FROM webhook_inbox")
        assert cur.fetchall() == [(OUTCOME[topic], None, None)]
    for table in ("orders", "products", "inventory_levels", "refunds"):
        assert rows(rival, f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("left_out", ["cost", "tracked"])
def test_an_items_body_that_leaves_something_out_wipes_nothing(acme, left_out):
    path = SAMPLES / "inventory_items__update.json"
    body = {**json.loads(path.read_text()), "cost": "7.50"}
    later = {**body, "updated_at": "2022-01-01T00:00:00Z"}
    del later[left_out]
    record(acme, "w1", json.dumps(body).encode(), "inventory_items/update")
    record(acme, "w2", json.dumps(later).encode(), "inventory_items/update")

    drain.drain_inbox()

    assert rows(
        acme, "SELECT unit_cost::text, is_tracked, requires_shipping FROM inventory_items"
    ) == [("7.5000", True, True)]


@pytest.mark.parametrize("topic", ["inventory_items/update", "inventory_levels/update"])
def test_a_body_of_ids_alone_is_asked_for(acme, topic):
    key = "id" if topic.startswith("inventory_items") else "inventory_item_id"
    record(acme, body=json.dumps({key: 7, "location_id": 9}).encode(), topic=topic)

    drain.drain_inbox()

    assert rows(acme, "SELECT kind, resource_id FROM refetches") == [("inventory_item", 7)]


def test_an_id_in_quotes_is_parked_with_the_field_that_is_wrong(acme):
    body = {**json.loads((SAMPLES / "orders__create.json").read_text()), "id": "820982911946154508"}
    record(acme, body=json.dumps(body).encode(), topic="orders/create")
    for _ in range(drain.TRIES):
        with sweep_transaction() as conn, conn.cursor() as cur:
            cur.execute("UPDATE webhook_inbox SET due_at = now()")
        drain.drain_inbox()
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT dead_at IS NOT NULL, error FROM webhook_inbox")
        ((is_dead, error),) = cur.fetchall()
    assert is_dead
    assert "id" in error
