"""Signatures and ID tokens: the shared vectors, and everything that must be refused."""

import base64
import hashlib
import hmac
import json
import time
from collections import defaultdict
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from urllib.parse import quote, urlencode

import jwt
import pytest
import time_machine
from shopify import Session

from shopify_app.errors import InvalidIdTokenError
from shopify_app.shopify.session_token import read_id_token
from shopify_app.shopify.shop_domain import shop_domain
from shopify_app.shopify.signature import (
    is_signed_query,
    is_signed_webhook,
)

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
SECRET, CLIENT, SHOP = VECTORS["client_secret"], VECTORS["client_id"], VECTORS["shop"]
NOW = int(time.time())
CLAIMS = {**VECTORS["id_token"]["claims"], "iat": NOW, "nbf": NOW, "exp": NOW + 60}


def token(secret=SECRET, algorithm="HS256", headers=None, **changed):
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    return jwt.encode(claims, secret, algorithm=algorithm, headers=headers)


def read(text, secrets=(SECRET,), now=NOW):
    with time_machine.travel(now, tick=False):
        return read_id_token(text, api_key=CLIENT, secrets=secrets)


def signed(query, message, secret=SECRET):
    """A query under the HMAC of a message that is written out by hand."""
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return urlencode({**query, "hmac": digest})


def test_the_webhook_vector_is_shopifys_under_either_secret():
    raw, header = (
        VECTORS["webhook"]["raw_body_utf8"].encode(),
        VECTORS["webhook"]["X-Shopify-Hmac-Sha256"],
    )

    assert is_signed_webhook(raw, header, ["new-secret", SECRET])
    assert not is_signed_webhook(raw + b" ", header, [SECRET])
    assert not is_signed_webhook(json.dumps(json.loads(raw)).encode(), header, [SECRET])
    assert not is_signed_webhook(raw, base64.b64decode(header).hex(), [SECRET])
    assert not any(is_signed_webhook(raw, bad, [SECRET]) for bad in (None, "", "é\udcff", "x" * 44))


def test_the_query_vector_is_good_for_ninety_seconds():
    query = VECTORS["oauth_callback"]["query"]
    raw, at = (
        urlencode({**query, "hmac": VECTORS["oauth_callback"]["hmac_hex"]}),
        int(query["timestamp"]),
    )

    assert is_signed_query(raw, [SECRET], now=at + 89)
    assert not is_signed_query(raw, [SECRET], now=at + 91)
    assert not is_signed_query(raw.replace("abc123", "abc124"), [SECRET], now=at)
    assert not is_signed_query("hmac=é&timestamp=²", [SECRET], now=at)


def test_every_vector_of_the_file_is_answered_here():
    told = {"client_id", "client_secret", "shop"}
    assert set(VECTORS) - told == {"webhook", "id_token", "oauth_callback", "app_proxy"}


def test_the_messages_of_the_vectors_are_what_is_signed():
    """The vectors agree with themselves: another implementation, from their own words."""
    callback, proxy = VECTORS["oauth_callback"], VECTORS["app_proxy"]
    for message, wanted in (
        (callback["message"], callback["hmac_hex"]),
        (proxy["message"], proxy["signature_hex"]),
    ):
        assert hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest() == wanted
    claims = jwt.decode(
        VECTORS["id_token"]["jwt"],
        SECRET,
        algorithms=["HS256"],
        options={
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": False,
        },
    )
    assert claims == VECTORS["id_token"]["claims"]


def test_a_signed_query_in_which_a_name_stands_twice_is_refused():
    query = VECTORS["oauth_callback"]["query"]
    raw, at = (
        urlencode({**query, "hmac": VECTORS["oauth_callback"]["hmac_hex"]}),
        int(query["timestamp"]),
    )

    assert is_signed_query(raw, [SECRET], now=at)
    for more in ("shop=evil.myshopify.com", "hmac=0", "code=x"):
        assert not is_signed_query(f"{more}&{raw}", [SECRET], now=at)
        assert not is_signed_query(f"{raw}&{more}", [SECRET], now=at)


@pytest.mark.parametrize(
    "message",
    [
        "code=a+b/c d%26e=f%25&shop=acme.myshopify.com&timestamp=1795305600",
        "code=a%2Bb%2Fc%20d%26e%3Df%25&shop=acme.myshopify.com&timestamp=1795305600",
    ],
    ids=["decoded, as Shopify's Python package signs", "as sent, as its JavaScript package signs"],
)
def test_a_value_with_a_plus_a_slash_or_an_equals_sign_is_read_as_it_was_signed(message):
    query = {"shop": "acme.myshopify.com", "code": "a+b/c d&e=f%", "timestamp": "1795305600"}
    raw = signed(query, message)

    assert is_signed_query(raw, ["new-secret", SECRET], now=1795305600)
    assert is_signed_query(raw.replace("+d", "%20d"), [SECRET], now=1795305600)
    assert not is_signed_query(raw, ["new-secret"], now=1795305600)
    assert not is_signed_query(raw.replace("acme", "evil"), [SECRET], now=1795305600)


def test_a_list_and_a_name_that_holds_its_json_cannot_be_taken_for_each_other():
    """Shopifyapi signs both alike."""
    message = 'ids=["1"]&timestamp=1795305600'

    for query, taken in (({"ids": '["1"]'}, True), ({"ids[]": "1"}, False)):
        raw = signed({**query, "timestamp": "1795305600"}, message)
        assert is_signed_query(raw, [SECRET], now=1795305600) is taken


def test_a_signature_never_serves_another_query():
    """Every name and value of up to two of these, signed both ways: who shares a digest, and is taken."""

    class Signer(Session):
        secret = SECRET

    parts = ("a", "=", "&", "%", "+", "25", "3D", "[]", '["a"]')
    words = ["", *parts, *map("".join, product(parts, parts))]
    queries = defaultdict(set)
    for name, value in product(words, words):
        pairs = {name: value, "timestamp": "1795305600"}
        message = urlencode(sorted(pairs.items()), quote_via=quote).encode()
        queries[Signer.calculate_hmac(pairs)].add((name, value))
        queries[hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()].add((name, value))
    shared = {digest: many for digest, many in queries.items() if len(many) > 1}

    assert any(("a[]", "a") in many for many in shared.values())
    for digest, many in shared.items():
        taken = [
            is_signed_query(
                urlencode({name: value, "timestamp": "1795305600", "hmac": digest}),
                [SECRET],
                now=1795305600,
            )
            for name, value in many
        ]
        assert sum(taken) <= 1, many


def test_the_id_token_says_when_it_was_issued():
    assert read(token()).issued_at == datetime.fromtimestamp(NOW, UTC)


def test_the_id_token_vector_is_good_between_its_times_and_not_outside():
    first, last = VECTORS["id_token"]["valid_between_utc"]

    for moment in (first, last - 1):
        found = read(VECTORS["id_token"]["jwt"], now=moment)
        assert (found.shop_domain, found.user_id) == (SHOP, "42")
    for moment in (first - 1, last):
        with pytest.raises(InvalidIdTokenError):
            read(VECTORS["id_token"]["jwt"], now=moment)


def test_during_a_rotation_either_secret_may_have_signed():
    assert read(token(), secrets=("new-secret-of-thirty-two-bytes-xx", SECRET)).shop_domain == SHOP


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in ("exp", "nbf", "iat", "iss", "dest", "sub", "jti")),
        {"exp": NOW - 11},
        {"iat": NOW + 11, "exp": NOW + 60},
        {"iat": float("inf")},
        {"nbf": float("nan")},
        {"exp": float("inf")},
        {"iat": str(NOW)},
        {"nbf": False},
        {"nbf": NOW + 30},
        {"exp": NOW + 3600},
        {"exp": str(NOW + 60)},
        {"exp": 10**20},
        {"exp": True},
        {"exp": NOW + 60.5},
        {"dest": "https://evil.com"},
        {"dest": f"https://{SHOP}.evil.com"},
        {"dest": f"http://{SHOP}"},
        {"dest": f"https://u@{SHOP}"},
        {"dest": f"https://{SHOP}:444"},
        {"dest": f"https://{SHOP}/x"},
        {"dest": f"https://{SHOP}\n"},
        {"dest": [f"https://{SHOP}"]},
        {"iss": "https://other.myshopify.com/admin"},
        {"iss": f"https://{SHOP}/evil"},
        {"sub": 42},
        {"sub": ""},
        {"jti": 1},
    ],
)
def test_a_token_with_a_wrong_or_missing_claim_proves_nothing(changed):
    with pytest.raises(InvalidIdTokenError) as refused:
        read(token(**changed))
    assert refused.value.kind == "invalid"


@pytest.mark.parametrize("audience", ["other-app", [CLIENT], None, ""])
def test_another_apps_token_is_told_apart(audience):
    with pytest.raises(InvalidIdTokenError) as refused:
        read(token(aud=audience))
    assert refused.value.kind == ("audience" if audience else "invalid")


def test_a_clock_that_is_ten_seconds_behind_shopifys_still_proves():
    assert read(token(iat=NOW + 10, nbf=NOW + 10, exp=NOW + 70)).shop_domain == SHOP


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c.d",
        token() + " ",
        token()[:-2],
        token(secret="another-secret-of-thirty-two-bytes"),
        token(secret=SECRET * 2, algorithm="HS512"),
        jwt.encode(CLAIMS, None, algorithm="none"),
        token(headers={"kid": "1"}),
        token(headers={"crit": ["x"], "x": 1}),
    ],
)
def test_a_forged_token_proves_nothing(text):
    with pytest.raises(InvalidIdTokenError):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "evil.com",
        "a.myshopify.com.evil.com",
        "a.myshopify.com@evil.com",
        "acme%2eevil.com",
        "acme.myshopify.com.",
        "acme.myshopify.com:443",
        "acme.myshopify.com/x",
        "//acme.myshopify.com",
        "acme.myshopify.com\n",
        "\tacme.myshopify.com",
        "ａcme.myshopify.com",
        "acme.mysho\u212aify.com",
        "\u212aeel.myshopify.com",
        "",
        None,
        ["acme.myshopify.com"],
        "-acme.myshopify.com",
        "https://acme.myshopify.com",
    ],
)
def test_only_a_shops_own_domain_is_one(text):
    assert shop_domain(text) is None


def test_a_domain_is_kept_in_lower_case():
    assert shop_domain("Acme-2.MyShopify.com") == "acme-2.myshopify.com"
