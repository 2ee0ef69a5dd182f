"""The token endpoint of the simulator: each grant, each refusal in Shopify's words, rotation and its grace."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.access.launch_url import id_token
from tests.simulator.conftest import CLIENT_ID, EXCHANGE, OLD_SECRET

ONLINE = "urn:shopify:params:oauth:token-type:online-access-token"
OFFLINE = EXCHANGE["requested_token_type"]


@pytest.fixture
def works(web, shop):
    """The HTTP status of a read with a token."""

    def read(token):
        answer = web.post(
            f"/{shop}/admin/api/2026-10/graphql.json",
            json={"query": "{ shop { id } }"},
            headers={"X-Shopify-Access-Token": token},
        )
        return answer.status_code

    return read


def test_an_expiring_pair_has_everything_that_shopify_says(exchange, works):
    said = exchange().json

    assert set(said) == {
        "access_token",
        "scope",
        "expires_in",
        "refresh_token",
        "refresh_token_expires_in",
    }
    assert (said["expires_in"], said["refresh_token_expires_in"]) == (3600, 7776000)
    assert works(said["access_token"]) == 200
    assert exchange(expiring="1").json["refresh_token"]  # a string will do


def test_without_asking_for_expiry_comes_what_the_api_refuses(exchange, works, web, shop):
    said = exchange(expiring=None).json

    assert set(said) == {"access_token", "scope"}
    assert works(said["access_token"]) == 403
    answer = web.post(
        f"/{shop}/admin/api/2026-10/graphql.json",
        json={},
        headers={"X-Shopify-Access-Token": said["access_token"]},
    )
    assert "Non-expiring access tokens are no longer accepted" in answer.json["errors"]


def test_an_old_token_is_migrated_one_way(ask, exchange, works):
    old = exchange(expiring=0).json["access_token"]
    migration = {**EXCHANGE, "subject_token": old, "subject_token_type": OFFLINE, "expiring": 1}

    assert works(ask(**migration).json["access_token"]) == 200
    assert (ask(**migration).status_code, ask(**migration).json["error"]) == (
        400,
        "invalid_subject_token",
    )


def test_an_online_token_names_its_user_and_has_no_refresh_token(exchange):
    said = exchange(requested_token_type=ONLINE).json

    assert said["expires_in"] == 86_399
    assert said["associated_user"]["account_owner"] is True
    assert "refresh_token" not in said


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 400, "invalid_client"),
        ({"client_id": "wrong"}, 400, "invalid_client"),
        ({"to": "nobody.myshopify.com"}, 400, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"subject_token": "x.y.z"}, 400, "invalid_subject_token"),
        ({"subject_token_type": "jwt"}, 400, "invalid_request"),
        ({"requested_token_type": "made-up"}, 400, "invalid_request"),
    ],
)
def test_refusals_of_an_exchange(exchange, changed, status, error):
    answer = exchange(**changed)
    assert (answer.status_code, answer.json["error"]) == (status, error)


def test_an_expired_or_foreign_id_token_is_refused(exchange, sim):
    for token in (
        id_token(sim.config, "tiny.myshopify.com", life_seconds=-60),
        id_token(sim.config, "other.myshopify.com"),
    ):
        assert exchange(subject_token=token).json["error"] == "invalid_subject_token"


def test_the_old_client_secret_serves_while_they_change(ask, sim, shop):
    answer = ask(
        **EXCHANGE, subject_token=id_token(sim.config, shop), expiring=1, client_secret=OLD_SECRET
    )
    assert answer.status_code == 200


def test_a_refresh_token_stays_good_until_its_successor_is_used(ask, exchange):
    def refresh(token):
        return ask(grant_type="refresh_token", refresh_token=token)

    first = exchange().json["refresh_token"]
    second = refresh(first).json["refresh_token"]
    third = refresh(first).json["refresh_token"]  # the reply was lost: asked again
    assert third not in (first, second)

    assert refresh(third).status_code == 200
    answer = refresh(first)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_request")


def test_an_exchange_retires_every_refresh_token_and_no_access_token(ask, exchange, works):
    old = exchange().json
    exchange()

    assert ask(grant_type="refresh_token", refresh_token=old["refresh_token"]).status_code == 401
    assert works(old["access_token"]) == 200


def test_tokens_end_by_the_clock(ask, exchange, works, sim):
    pair = exchange().json
    sim.faults.set({"token_clock_offset_seconds": 3_700})
    assert works(pair["access_token"]) == 401
    assert ask(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 200

    sim.faults.set({"token_clock_offset_seconds": 91 * 86_400})
    assert ask(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 401


def test_an_uninstall_ends_every_token(act, ask, exchange, works):
    pair = exchange().json
    act("uninstall")
    act("install")

    assert works(pair["access_token"]) == 401
    assert ask(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 401
    assert works(exchange().json["access_token"]) == 200


def test_busy_says_for_how_long(exchange, sim):
    sim.faults.set({"oauth_429": 1.0})
    answer = exchange()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2.0")


def test_a_token_does_what_it_was_given_and_still_is_granted(act, exchange, web, shop):
    def orders(token):
        query = {"query": "{ orders(first: 1) { nodes { id } } }"}
        answer = web.post(
            f"/{shop}/admin/api/2026-10/graphql.json",
            json=query,
            headers={"X-Shopify-Access-Token": token},
        )
        return "errors" not in answer.json

    act("scopes", granted=["read_products"])
    without = exchange().json["access_token"]
    act("scopes", grant=["read_orders"])

    assert not orders(without)  # given before the grant
    later = exchange().json["access_token"]
    assert orders(later)
    act("scopes", revoke=["read_orders"])
    assert not orders(later)  # taken back since


def authorize(web, shop, sim, **changed):
    query = {
        "client_id": CLIENT_ID,
        "redirect_uri": f"{sim.config.app_url}/auth/callback",
        "state": "s1",
        **changed,
    }
    return web.get(f"/{shop}/admin/oauth/authorize", query_string=query)


def test_a_code_goes_to_the_registered_address_signed_and_serves_once(web, shop, sim, ask):
    url = urlsplit(authorize(web, shop, sim).headers["Location"])
    query = {name: values[0] for name, values in parse_qs(url.query).items()}

    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{sim.config.app_url}/auth/callback"
    assert set(query) == {"code", "hmac", "host", "shop", "state", "timestamp"}
    assert (query["state"], query["shop"]) == ("s1", shop)
    assert abs(int(query["timestamp"]) - time.time()) < 5
    assert ask(code=query["code"], expiring="1").json["refresh_token"]
    assert ask(code=query["code"], expiring="1").json["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.com/auth/callback"},
        {"redirect_uri": ""},
        {"client_id": "other"},
    ],
)
def test_no_code_goes_anywhere_else(web, shop, sim, changed):
    answer = authorize(web, shop, sim, **changed)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
