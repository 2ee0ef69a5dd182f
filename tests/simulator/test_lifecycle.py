"""Scopes granted and taken back, a shop frozen; protected data as a switch; webhooks subscribed through the API."""

import json

import pytest


def told(rows):
    return [
        json.loads(row["body"])
        for row in rows(
            "SELECT body FROM deliveries WHERE topic = 'app/scopes_update' ORDER BY seq"
        )
    ]


def test_scopes_are_set_whole_or_changed_one_by_one_and_the_app_is_told_both(act, rows):
    act("scopes", granted=["read_orders", "write_products"])
    act("scopes", grant=["read_all_orders"], revoke=["read_orders"])

    assert [(one["previous"], one["current"]) for one in told(rows)][1] == (
        ["read_orders", "write_products"],
        ["write_products", "read_all_orders"],
    )
    assert all(one["shop_id"] for one in told(rows))


def test_an_app_gives_optional_scopes_back_and_no_required_one(act, run, rows):
    act("scopes", granted=["read_orders", "read_all_orders"])
    text = "mutation($s: [String!]!) { appRevokeAccessScopes(scopes: $s) { revoked { handle } userErrors { code } } }"

    assert run(text, s=["read_orders"])["appRevokeAccessScopes"] == {
        "revoked": None,
        "userErrors": [{"code": "CANNOT_REVOKE_REQUIRED_SCOPES"}],
    }
    assert run(text, s=["read_all_orders"])["appRevokeAccessScopes"]["revoked"] == [
        {"handle": "read_all_orders"}
    ]
    assert rows("SELECT granted_scopes FROM shops") == [{"granted_scopes": "read_orders"}]


@pytest.mark.parametrize("status", [402, 403, 404, 423])
def test_a_blocked_shop_answers_so_until_it_is_let_go(act, web, shop, api, status):
    def read():
        return api("{ shop { id } }").status_code

    act("block", status=status)
    assert read() == status
    act("block", status=0)
    assert read() == 200
    assert web.post(f"/_sim/{shop}/block", json={"status": 418}).status_code == 400
    assert web.post("/_sim/nobody.myshopify.com/block", json={}).status_code == 404


def test_protected_data_is_denied_by_name_and_products_are_not(sim, api):
    sim.faults.set({"pcd_denied": True})

    def post(query):
        return api(query).json

    for query in (
        "{ orders(first: 1) { nodes { id } } }",
        '{ nodes(ids: ["gid://shopify/Order/1"]) { id } }',
        '{ order(id: "gid://shopify/Order/1") { id } }',
    ):
        (error,) = post(query)["errors"]
        assert error["message"].startswith("This app is not approved to access the Order object")
        assert error["extensions"]["code"] == "ACCESS_DENIED"
        assert error["path"]
    assert "errors" not in post("{ products(first: 1) { nodes { id } } }")


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


def test_the_admin_page_has_a_button_for_each_of_these(web, sim, shop, act):
    act("scopes", granted=["read_orders"])
    page = web.get("/store/tiny/apps/keel").text

    for act_name in ("uninstall", "scopes", "block", "data-request", "customers-redact"):
        assert f'data-act="{act_name}"' in page
    assert "Grant read_all_orders" in page and "/charges/keel/pricing_plans" in page
    act("scopes", grant=["read_all_orders"])
    assert "Take back read_all_orders" in web.get("/store/tiny/apps/keel").text
