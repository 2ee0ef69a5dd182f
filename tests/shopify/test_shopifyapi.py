"""Why a part of shopifyapi is not used: each test shows what it would let through, and that ours does not.

When one of these fails after an upgrade, the part may have become sound: see ADR 5.
"""

import io
import threading
import time
import urllib.request

import jwt
import pytest
from shopify import ApiAccess, ApiAccessError, ApiVersion, Session, ShopifyResource, session_token
from shopify.utils.shop_url import sanitize_shop_domain

from shopify_app.config import read_settings
from shopify_app.errors import InvalidIdTokenError, InvalidSettingsError
from shopify_app.shopify import signature
from shopify_app.shopify.session_token import read_id_token
from shopify_app.shopify.shop_domain import shop_domain

KEY, SECRET, SHOP = "client", "secret-of-thirty-two-bytes-at-least", "acme.myshopify.com"


@pytest.fixture
def shared_session():
    """Shopifyapi's classes, as they were before afterwards."""
    secret, key = Session.secret, Session.api_key
    yield
    ShopifyResource.clear_session()
    Session.secret, Session.api_key = secret, key


def in_another_thread(ask):
    said = []
    thread = threading.Thread(target=lambda: said.append(ask()))
    thread.start()
    thread.join()
    return said[0]


def claims(**changed):
    now = int(time.time())
    told = {
        "iss": f"https://{SHOP}/admin",
        "dest": f"https://{SHOP}",
        "aud": KEY,
        "sub": "1",
        "exp": now + 60,
        "nbf": now,
        "iat": now,
        "jti": "a",
        "sid": "b",
    }
    return {name: value for name, value in (told | changed).items() if value is not None}


def test_its_secret_and_its_shop_are_those_of_every_thread(shared_session):
    Session.setup(api_key=KEY, secret=SECRET)
    ShopifyResource.activate_session(Session(SHOP, "2026-10", "token"))

    assert in_another_thread(lambda: Session.secret) == SECRET
    assert in_another_thread(lambda: ShopifyResource.site).startswith(f"https://{SHOP}")


def test_its_temporary_session_outlives_an_error(shared_session):
    with pytest.raises(ZeroDivisionError), Session.temp(SHOP, "2026-10", "token"):
        raise ZeroDivisionError

    assert ShopifyResource.headers["X-Shopify-Access-Token"] == "token"


def test_its_hmac_serves_us_without_the_secret_of_every_thread():
    class Signer(Session):
        secret = SECRET

    params = {"shop": SHOP, "timestamp": "1795305600"}
    raw = f"shop={SHOP}&timestamp=1795305600&hmac={Signer.calculate_hmac(params)}"

    assert signature.is_signed_query(raw, ["another", SECRET], now=1795305600)
    assert Session.secret is None


def test_its_check_of_age_takes_a_day_and_any_future(shared_session):
    Session.setup(secret=SECRET)
    for offset in (-23 * 3600, 365 * 86_400):
        params = {"shop": SHOP, "timestamp": str(int(time.time()) + offset)}
        params["hmac"] = Session.calculate_hmac(params)
        raw = "&".join(f"{name}={value}" for name, value in params.items())

        assert Session.validate_params(params)
        assert not signature.is_signed_query(raw, [SECRET], now=time.time())


def test_its_token_request_asks_for_a_token_that_never_expires_and_waits_for_ever(
    shared_session, monkeypatch
):
    sent = []

    def answer(request, *arguments, **options):
        sent.append((request.data, arguments, options))
        said = io.BytesIO(b'{"access_token": "t", "scope": "read_orders"}')
        said.code = 200
        return said

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    Session.setup(api_key=KEY, secret=SECRET)
    params = {"shop": SHOP, "code": "c", "timestamp": str(int(time.time()))}
    params["hmac"] = Session.calculate_hmac(params)

    assert Session(SHOP, "2026-10").request_token(params) == "t"
    assert sent == [(f"client_id={KEY}&client_secret={SECRET}&code=c".encode(), (), {})]


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": None},
        {"exp": int(time.time()) + 365 * 86_400},
        {"aud": ["another", KEY]},
        {"iss": f"https://{SHOP}/evil"},
        {"iss": "https://\u212aeel.myshopify.com/admin", "dest": "https://\u212aeel.myshopify.com"},
        {"iss": f"http://{SHOP}/admin", "dest": f"http://{SHOP}"},
    ],
    ids=[
        "never expires",
        "lives a year",
        "names two apps",
        "another issuer",
        "a Kelvin sign",
        "http",
    ],
)
def test_its_session_tokens_may_be_what_shopify_never_signs(changed):
    token = jwt.encode(claims(**changed), SECRET, algorithm="HS256")

    assert session_token.decode_from_header(f"Bearer {token}", KEY, SECRET)["sub"] == "1"
    with pytest.raises(InvalidIdTokenError):
        read_id_token(token, api_key=KEY, secrets=[SECRET])


def test_its_session_tokens_must_carry_a_session_which_an_offline_one_need_not():
    token = jwt.encode(claims(sid=None), SECRET, algorithm="HS256")

    with pytest.raises(session_token.SessionTokenError):
        session_token.decode_from_header(f"Bearer {token}", KEY, SECRET)
    assert read_id_token(token, api_key=KEY, secrets=[SECRET]).session_id is None


@pytest.mark.parametrize(
    "text",
    [
        "acme",
        " acme.myshopify.com\n",
        "https://acme.myshopify.com",
        "acmhttp://e.myshopify.com",
        "ac\nme.myshopify.com",
        "\u212aeel.myshopify.com",
    ],
)
def test_its_domains_are_mended_from_what_is_none(text):
    assert sanitize_shop_domain(text) is not None
    assert shop_domain(text) is None


def test_its_scopes_are_refused_together_for_one_that_it_does_not_know():
    with pytest.raises(ApiAccessError):
        ApiAccess(["write_products", "customer_read_orders"])


@pytest.mark.parametrize(
    "version", ["2026-13", "2026-10\n", "\uff12\uff10\uff12\uff16-10", "unstable"]
)
def test_its_versions_may_be_such_as_never_come(version):
    env = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SHOPIFY_API_KEY"), "x")
    env |= {"SHOPIFY_API_SECRET": "x" * 32, "APP_URL": "https://x"}
    env |= {"TOKEN_KEYS": "a:" + "B" * 43 + "="}

    assert ApiVersion.coerce_to_version(version).name == version
    with pytest.raises(InvalidSettingsError):
        read_settings(env | {"SHOPIFY_API_VERSION": version})
    assert read_settings(env).graphql_url(SHOP) == f"https://{SHOP}/admin/api/2026-10/graphql.json"
