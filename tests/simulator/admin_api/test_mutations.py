"""Webhook subscriptions through the API: made, listed, deleted, refused; topics by their name on the wire."""

import pytest

from simulator.admin_api import mutations


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://evil.example/x", "protocol http://"),
        ("https://localhost/x", "internal domain"),
        ("https://acme.myshopify.com/x", "internal domain"),
    ],
)
def test_webhooks_are_sent_to_no_such_address(run, rows, address, words):
    text = "mutation($u: String!) { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: {uri: $u}) { userErrors { message } } }"

    assert words in run(text, u=address)["webhookSubscriptionCreate"]["userErrors"][0]["message"]
    assert rows("SELECT * FROM webhook_subscriptions") == []


def test_a_subscription_is_made_listed_and_deleted(run, sim):
    create = "mutation($u: String!) { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: {uri: $u}) { webhookSubscription { id topic } } }"
    made = run(create, u=f"{sim.config.app_url}/webhooks/orders")["webhookSubscriptionCreate"][
        "webhookSubscription"
    ]
    delete = "mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }"
    listed = "{ webhookSubscriptions(first: 5) { nodes { id } } }"

    assert run(listed)["webhookSubscriptions"]["nodes"] == [{"id": made["id"]}]
    assert (
        run(delete, id=made["id"])["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"]
        == made["id"]
    )
    assert run(listed)["webhookSubscriptions"]["nodes"] == []
    assert run(delete, id=made["id"])["webhookSubscriptionDelete"]["userErrors"]


@pytest.mark.parametrize(
    "topic",
    [
        "orders/create",
        "inventory_levels/update",
        "app/scopes_update",
        "app_subscriptions/update",
        "bulk_operations/finish",
        "app/uninstalled",
    ],
)
def test_a_topic_has_the_same_name_in_the_api_and_on_the_wire(topic):
    assert mutations.topic_of(topic.upper().replace("/", "_")) == topic
