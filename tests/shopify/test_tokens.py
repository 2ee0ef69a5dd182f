"""The token endpoint: what is asked, what each refusal means, how often it is tried."""

import httpx
import orjson
import pytest

from shopify_app import config
from shopify_app.errors import InvalidIdTokenError, TransientError
from shopify_app.shopify import tokens
from shopify_app.shopify.tokens import TokenRefusedError
from tests.conftest import CLIENT_ID, CLIENT_SECRET

PAIR = {
    "access_token": "shpat_x",
    "scope": "write_products,read_orders",
    "expires_in": 3600,
    "refresh_token": "shprt_x",
    "refresh_token_expires_in": 7776000,
}
DOMAIN = "acme.myshopify.com"


@pytest.fixture
def endpoint(settings_env, monkeypatch):
    class Endpoint:
        def __init__(self):
            self.answers, self.asked, self.waits = [(200, PAIR)], [], []

        def answer(self, request):
            self.asked.append((str(request.url), orjson.loads(request.content)))
            given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(given, Exception):
                raise given
            status, body, headers = (*given, {})[:3]
            return httpx.Response(
                status,
                headers=headers,
                **({"content": body} if isinstance(body, bytes) else {"json": body}),
            )

        def bodies(self):
            return [body for _, body in self.asked]

    made = Endpoint()
    http = httpx.Client(transport=httpx.MockTransport(made.answer))
    monkeypatch.setattr(tokens, "http_client", lambda: http)
    monkeypatch.setattr(tokens.time, "sleep", made.waits.append)
    return made


def test_an_id_token_is_exchanged_for_an_expiring_offline_token(endpoint):
    pair = tokens.exchange_id_token(DOMAIN, "the-id-token")

    ((url, body),) = endpoint.asked
    assert url == f"https://{DOMAIN}/admin/oauth/access_token"
    assert body == {
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "the-id-token", "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token", "expiring": 1,
    }  # fmt: skip
    assert (
        pair.access_token,
        pair.refresh_token,
        pair.expires_in_seconds,
        pair.refresh_expires_in_seconds,
    ) == ("shpat_x", "shprt_x", 3600, 7776000)
    assert pair.scopes == ["write_products", "read_orders"]


def test_a_code_is_exchanged_for_an_expiring_token_too(endpoint):
    tokens.exchange_code(DOMAIN, "abc")
    assert endpoint.bodies() == [
        {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "code": "abc", "expiring": "1"}
    ]


def test_a_refresh_sends_the_refresh_token_and_nothing_of_the_user(endpoint):
    tokens.refresh(DOMAIN, "shprt_old")
    assert endpoint.bodies() == [
        {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "grant_type": "refresh_token",
            "refresh_token": "shprt_old",
        }
    ]


def test_an_id_token_that_shopify_does_not_take_asks_for_a_fresh_one(endpoint):
    endpoint.answers = [(400, {"error": "invalid_subject_token"})]
    with pytest.raises(InvalidIdTokenError):
        tokens.exchange_id_token(DOMAIN, "old")
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(401, {"error": "invalid_request"}, "invalid_request"), (401, {"error": "invalid_grant"}, "invalid_grant"),
     (400, {"error": "invalid_client"}, "invalid_client"), (400, {"error": "shop_not_permitted"}, "shop_not_permitted"), (404, {}, "404")],
)  # fmt: skip
def test_a_refusal_is_final_and_asked_once(endpoint, status, body, code):
    endpoint.answers = [(status, body)]
    with pytest.raises(TokenRefusedError) as refused:
        tokens.refresh(DOMAIN, "shprt_old")
    assert (refused.value.code, len(endpoint.asked)) == (code, 1)


def test_too_busy_is_waited_for_as_long_as_it_asks_and_no_longer_than_two_seconds(endpoint):
    endpoint.answers = [
        (429, {}, {"Retry-After": "1.5"}),
        (429, {}, {"Retry-After": "600"}),
        (200, PAIR),
    ]

    assert tokens.refresh(DOMAIN, "shprt_old").access_token == "shpat_x"
    assert endpoint.waits == [1.5, 2.0]


@pytest.mark.parametrize(
    "trouble",
    [
        (503, {}),
        (500, b"<html>"),
        (200, b"<html>"),
        httpx.ReadTimeout("x"),
        httpx.ConnectError("x"),
    ],
)
def test_trouble_is_tried_three_times_with_the_same_token(endpoint, trouble):
    endpoint.answers = [trouble]
    with pytest.raises(TransientError):
        tokens.refresh(DOMAIN, "shprt_old")

    assert len(endpoint.asked) == 3
    assert {body["refresh_token"] for body in endpoint.bodies()} == {"shprt_old"}


def test_a_lost_reply_is_answered_by_asking_again(endpoint):
    endpoint.answers = [httpx.RemoteProtocolError("x"), (200, PAIR)]
    assert tokens.refresh(DOMAIN, "shprt_old").refresh_token == "shprt_x"


def test_during_a_rotation_the_other_secret_is_tried(endpoint, monkeypatch):
    monkeypatch.setenv("SHOPIFY_OLD_API_SECRET", "shpss_" + "9" * 32)
    config.settings.cache_clear()
    endpoint.answers = [(400, {"error": "invalid_client"}), (200, PAIR)]

    tokens.refresh(DOMAIN, "shprt_old")

    assert [body["client_secret"] for body in endpoint.bodies()] == [
        CLIENT_SECRET,
        "shpss_" + "9" * 32,
    ]


def test_no_error_tells_a_secret_or_a_token(endpoint):
    for answer in ((400, {"error": "invalid_client"}), (503, {}), httpx.ReadTimeout("shprt_old")):
        endpoint.answers = [answer]
        with pytest.raises((TokenRefusedError, TransientError)) as failed:
            tokens.refresh(DOMAIN, "shprt_old")
        assert not any(secret in repr(failed.value) for secret in ("shprt_old", CLIENT_SECRET))
