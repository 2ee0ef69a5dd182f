"""The plan page: chosen, changed or declined; the app's own query and a subscribed webhook say the same."""

import json

import pytest

from tests.simulator.conftest import CLIENT_ID

PAGE = "/store/tiny/charges/keel/pricing_plans"
ACTIVE = "{ currentAppInstallation { activeSubscriptions { id name status } } }"


@pytest.fixture
def subscribed(run, sim):
    """The app asked, through the API, to be told of its subscriptions."""
    text = "mutation($u: String!) { webhookSubscriptionCreate(topic: APP_SUBSCRIPTIONS_UPDATE, webhookSubscription: {uri: $u}) { userErrors { message } } }"
    assert (
        run(text, u=f"{sim.config.app_url}/webhooks/app")["webhookSubscriptionCreate"]["userErrors"]
        == []
    )


def test_a_plan_that_is_chosen_is_active_is_told_and_opens_the_app(
    web, shop, run, subscribed, rows
):
    answer = web.post(PAGE, data={"plan": "pro"})

    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"/store/tiny/apps/keel/welcome?plan_handle=pro&shop={shop}",
    )
    (active,) = run(ACTIVE)["currentAppInstallation"]["activeSubscriptions"]
    assert (active["name"], active["status"]) == ("Pro", "ACTIVE")
    (delivery,) = rows("SELECT * FROM deliveries WHERE topic = 'app_subscriptions/update'")
    told = json.loads(delivery["body"])["app_subscription"]
    assert (told["admin_graphql_api_id"], told["plan_handle"], told["status"], told["price"]) == (
        active["id"],
        "pro",
        "ACTIVE",
        "29.00",
    )
    assert "your plan" in web.get(PAGE).text


def test_a_change_of_plan_is_one_subscription(web, run, shop):
    for plan in ("pro", "free"):
        web.post(PAGE, data={"plan": plan})

    assert [
        one["name"] for one in run(ACTIVE)["currentAppInstallation"]["activeSubscriptions"]
    ] == ["Free"]


def test_who_declines_is_back_in_the_app_with_no_plan(web, run, shop):
    answer = web.post(f"/store/tiny/charges/{CLIENT_ID}/pricing_plans", data={"plan": "decline"})

    assert answer.headers["Location"] == f"/store/tiny/apps/{CLIENT_ID}"
    assert run(ACTIVE)["currentAppInstallation"]["activeSubscriptions"] == []


def test_an_app_that_did_not_ask_is_not_told(web, shop, rows):
    web.post(PAGE, data={"plan": "pro"})
    assert rows("SELECT * FROM deliveries") == []


@pytest.mark.parametrize(
    ("path", "plan", "status"),
    [(PAGE, "gold", 400), ("/store/nobody/charges/keel/pricing_plans", "pro", 404)],
)
def test_what_there_is_not_cannot_be_chosen(web, shop, path, plan, status):
    assert web.post(path, data={"plan": plan}).status_code == status


def test_there_is_no_plan_page_for_another_app_or_shop(web, shop):
    assert web.get("/store/tiny/charges/other/pricing_plans").status_code == 404
    assert web.get("/store/nobody/charges/keel/pricing_plans").status_code == 404
