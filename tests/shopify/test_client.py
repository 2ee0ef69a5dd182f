"""Every kind of answer of the Admin API becomes one of our words, once; nothing is retried that must not be."""

import httpx
import pytest
import structlog

from shopify_app.errors import (
    AccessDeniedError,
    OutcomeUnknownError,
    ShopifyProgramError,
    ShopifyUserError,
    ShopUnavailableError,
    TransientError,
)
from shopify_app.metrics import API_FELL_FORWARD
from shopify_app.shopify import client
from shopify_app.shopify.client import AdminApi, CostBucket, InvalidAccessTokenError

COST = {
    "cost": {
        "requestedQueryCost": 10,
        "actualQueryCost": 5,
        "throttleStatus": {
            "maximumAvailable": 2000.0,
            "currentlyAvailable": 1990,
            "restoreRate": 100.0,
        },
    }
}
EMPTY = {
    "cost": {
        "requestedQueryCost": 100,
        "actualQueryCost": None,
        "throttleStatus": {
            "maximumAvailable": 2000.0,
            "currentlyAvailable": 0,
            "restoreRate": 1000.0,
        },
    }
}


def error(code, message="no", **more):
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code}, **more}]}


@pytest.fixture
def shopify(settings_env, monkeypatch):
    """An Admin API whose answers are given in turn (the last one stays); what was sent is kept."""

    class Edge:
        def __init__(self):
            self.answers, self.sent, self.waits = [], [], []
            transport = httpx.MockTransport(self.answer)
            self.api = AdminApi(
                "acme.myshopify.com", "shpat_secret", http=httpx.Client(transport=transport)
            )

        def answer(self, request):
            self.sent.append(request)
            given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(given, Exception):
                raise given
            status, body, headers = (*given, {}, {})[:3]
            content = body if isinstance(body, bytes) else None
            return httpx.Response(
                status, json=None if content is not None else body, content=content, headers=headers
            )

        def read(self, *answers):
            self.answers = list(answers)
            return self.api.query("query Q { shop { id } }", operation="Q")

        def write(self, *answers):
            self.answers = list(answers)
            return self.api.mutate("mutation M { x { y } }", {}, operation="M")

    edge = Edge()
    monkeypatch.setattr(client, "_buckets", {})
    monkeypatch.setattr(client.time, "sleep", edge.waits.append)
    return edge


def test_a_call_goes_to_the_pinned_version_with_the_token_in_a_header(shopify):
    assert shopify.read((200, {"data": {"shop": {"id": "1"}}, "extensions": COST})) == {
        "shop": {"id": "1"}
    }

    (request,) = shopify.sent
    assert str(request.url) == "https://acme.myshopify.com/admin/api/2026-10/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == "shpat_secret"
    assert "shpat_secret" not in str(request.url) + request.content.decode()


READS = {
    "bad token": ((401, {"errors": "x"}), InvalidAccessTokenError),
    "frozen": ((402, {"errors": "x"}), ShopUnavailableError),
    "locked": ((423, {"errors": "x"}), ShopUnavailableError),
    "blocked": ((403, {"errors": "x"}), AccessDeniedError),
    "shop gone": ((404, {"errors": "x"}), ShopUnavailableError),
    "throttled by HTTP": ((429, {"errors": "x"}), TransientError),
    "security rejection": ((430, {"errors": "x"}), TransientError),
    "server error": ((500, {}), TransientError),
    "gateway": ((504, b"<html>"), TransientError),
    "disabled": ((540, {}), TransientError),
    "redirect": ((302, {}), ShopifyProgramError),
    "not JSON": ((200, b"<html>"), TransientError),
    "scope missing": ((200, error("ACCESS_DENIED")), AccessDeniedError),
    "protected data": (
        (200, error("", "This app is not approved to access the Order object.")),
        AccessDeniedError,
    ),
    "internal": ((200, error("INTERNAL_SERVER_ERROR")), TransientError),
    "too dear": ((200, error("MAX_COST_EXCEEDED")), ShopifyProgramError),
    "unknown field": ((200, error("undefinedField")), ShopifyProgramError),
    "wrong variable": ((200, error("INVALID_VARIABLE")), ShopifyProgramError),
    "no directive": ((200, error("BAD_REQUEST")), ShopifyProgramError),
    "errors as text": ((200, {"errors": "odd"}), ShopifyProgramError),
    "a list": ((200, []), TransientError),
    "no data": ((200, {"data": None}), TransientError),
    "no answer": (httpx.ReadTimeout("x"), TransientError),
    "cut off": (httpx.RemoteProtocolError("x"), TransientError),
    "no connection": (httpx.ConnectError("x"), TransientError),
}


@pytest.mark.parametrize("name", list(READS))
def test_a_read_that_fails_says_in_our_words_why_and_asked_once(shopify, name):
    answer, raised = READS[name]
    with pytest.raises(raised) as failed:
        shopify.read(answer)

    assert not isinstance(failed.value, OutcomeUnknownError)
    assert len(shopify.sent) == 1
    assert "shpat_secret" not in str(failed.value)


UNKNOWN = {
    "a list",
    "no data",
    "server error",
    "gateway",
    "disabled",
    "not JSON",
    "internal",
    "no answer",
    "cut off",
}
"""After these a write may or may not have happened."""


@pytest.mark.parametrize("name", list(READS))
def test_a_write_whose_outcome_nobody_knows_says_so_and_is_never_sent_again(shopify, name):
    answer, raised = READS[name]
    with pytest.raises(raised) as failed:
        shopify.write(answer)

    assert isinstance(failed.value, OutcomeUnknownError) is (name in UNKNOWN)
    assert len(shopify.sent) == 1


@pytest.mark.parametrize(
    ("status", "reason"), [(402, "frozen"), (423, "frozen"), (404, "uninstalled")]
)
def test_why_a_shop_is_unavailable(shopify, status, reason):
    with pytest.raises(ShopUnavailableError) as failed:
        shopify.read((status, {}))
    assert failed.value.reason == reason


@pytest.mark.parametrize(
    ("said", "seconds"), [("7.5", 7.5), ("0", 0.5), ("soon", 2.0), ("99999", 300.0), (None, 2.0)]
)
def test_how_long_to_wait_is_shopifys_word_within_reason(shopify, said, seconds):
    with pytest.raises(TransientError) as failed:
        shopify.read((429, {}, {} if said is None else {"Retry-After": said}))
    assert failed.value.retry_after_seconds == seconds


def test_throttled_with_http_200_is_waited_for_and_done(shopify):
    throttled = (
        200,
        {
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "extensions": EMPTY,
        },
    )

    assert shopify.read(throttled, throttled, (200, {"data": {"ok": 1}, "extensions": COST})) == {
        "ok": 1
    }
    assert len(shopify.waits) == 2
    assert all(1.0 <= wait <= 2.0 for wait in shopify.waits)


def test_throttled_for_longer_than_a_worker_has_time_is_put_off(shopify):
    slow = {
        "cost": {
            "requestedQueryCost": 1000,
            "throttleStatus": {
                "maximumAvailable": 1000,
                "currentlyAvailable": 0,
                "restoreRate": 10,
            },
        }
    }
    with pytest.raises(TransientError, match="throttled") as failed:
        shopify.read((200, {"errors": [{"extensions": {"code": "THROTTLED"}}], "extensions": slow}))

    assert failed.value.retry_after_seconds > 20
    assert shopify.waits == []


def test_user_errors_are_shopifys_own_words_with_their_place(shopify):
    body = {
        "data": {
            "x": {
                "userErrors": [
                    {"field": ["variants", 0, "price"], "message": "Too low", "code": "LOW"}
                ]
            }
        }
    }
    with pytest.raises(ShopifyUserError, match="Too low") as failed:
        shopify.write((200, body))

    assert (failed.value.code, failed.value.field) == ("LOW", ("variants", "0", "price"))


def test_a_version_that_fell_forward_is_an_alarm_and_not_an_error(shopify):
    before = API_FELL_FORWARD.labels("2027-01")._value.get()
    with structlog.testing.capture_logs() as logs:
        shopify.read(
            (
                200,
                {"data": {}},
                {"X-Shopify-API-Version": "2027-01", "X-Shopify-API-Deprecated-Reason": "barcode"},
            )
        )

    assert API_FELL_FORWARD.labels("2027-01")._value.get() == before + 1
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("api_version_fell_forward", "error"),
        ("api_deprecated", "warning"),
    ]


def test_the_pinned_version_is_no_alarm(shopify):
    with structlog.testing.capture_logs() as logs:
        shopify.read((200, {"data": {}}, {"X-Shopify-API-Version": "2026-10"}))
    assert logs == []


def test_the_bucket_fills_by_the_second_and_takes_shopifys_word(monkeypatch):
    moment = [100.0]
    monkeypatch.setattr(client.time, "monotonic", lambda: moment[0])
    bucket = CostBucket(said_at=100.0)
    bucket.learn({"currentlyAvailable": 50, "maximumAvailable": 200, "restoreRate": 10})
    assert bucket.now() == 50
    moment[0] += 5
    assert bucket.now() == 100
    moment[0] += 500
    assert bucket.now() == 200


def test_one_shops_bucket_says_nothing_of_anothers(shopify):
    shopify.read((200, {"data": {}, "extensions": COST}))
    assert set(client._buckets) == {"acme.myshopify.com"}


def test_no_redirect_is_followed_and_every_call_has_a_time_limit(settings_env):
    http = client.http_client()

    assert http.follow_redirects is False
    assert (client.TIMEOUT.connect, client.TIMEOUT.read, client.WRITE_TIMEOUT.read) == (
        3.0,
        25.0,
        5.0,
    )
