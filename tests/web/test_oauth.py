"""The authorization-code grant: to Shopify's screen, back with a code, into the admin; and what is refused."""

from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest

from launch.processes import ROOT
from shopify_app.db import offline_tokens
from shopify_app.db.connection import transaction
from shopify_app.web import oauth
from simulator import app_toml
from simulator.access import launch_url
from tests.conftest import CLIENT_ID


@pytest.fixture
def browser(world):
    with httpx.Client(timeout=30) as client:
        yield client


def begin(world):
    return launch_url.begin_url(world.sim.config, world.domain)


def to_callback(world, browser):
    """The address that Shopify sends the merchant back to."""
    sent = browser.get(begin(world))
    assert sent.status_code == 302, sent.text
    granted = browser.get(sent.headers["Location"])
    assert granted.status_code == 302, granted.text
    return granted.headers["Location"]


def with_query(url, **changed):
    """The address with some of its query changed, signed anew as Shopify would not."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(dict(parse_qsl(parts.query)) | changed)}"


def test_the_road_installs_with_an_expiring_token_and_ends_in_the_admin(world, browser):
    callback = to_callback(world, browser)

    landed = browser.get(callback)

    shop = world.shop()
    assert landed.status_code == 302
    assert (
        landed.headers["Location"]
        == f"http://localhost:{world.sim.config.port}/store/tiny/apps/{CLIENT_ID}"
    )
    assert httpx.get(landed.headers["Location"]).status_code == 200
    with transaction(shop.shop_id) as conn:
        assert offline_tokens.of_shop(conn, shop.shop_id).refresh_token.startswith("shprt_")
    assert (shop.state, shop.install_epoch) == ("installed", 1)


def test_the_grant_screen_is_asked_for_the_scopes_of_the_toml_under_our_registered_address(
    world, browser
):
    sent = browser.get(begin(world))
    asked = parse_qs(urlsplit(sent.headers["Location"]).query)

    assert asked["scope"] == [",".join(app_toml.read(ROOT / "shopify.app.toml").scopes)]
    assert asked["redirect_uri"] == [f"{world.app_url}/auth/callback"]
    assert asked["scope"][0] == oauth.SCOPES
    cookie = sent.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=600" in cookie
    assert "shpss_" not in cookie


def test_a_state_serves_once(world, browser):
    callback = to_callback(world, browser)
    browser.get(callback)

    assert browser.get(callback).status_code == 400


def test_another_browsers_callback_is_refused(world, browser):
    callback = to_callback(world, browser)

    assert httpx.get(callback).status_code == 400
    assert httpx.get(callback, cookies={oauth.STATE_COOKIE: "forged"}).status_code == 400


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"shop": "evil.com"}, 400),
        ({"shop": "rival.myshopify.com"}, 400),
        ({"state": "x"}, 400),
        ({"state": ""}, 400),
        ({"state": "é"}, 400),
        ({"code": ""}, 400),
        ({"code": "another"}, 401),
        ({"hmac": "0" * 64}, 401),
        ({"hmac": ""}, 401),
        ({"hmac": "é"}, 401),
        ({"timestamp": "1"}, 401),
        ({"extra": "1"}, 401),
    ],
)
def test_a_callback_that_was_changed_installs_nothing(world, browser, changed, status):
    callback = to_callback(world, browser)

    answer = browser.get(with_query(callback, **changed))

    assert answer.status_code == status
    assert "evil" not in answer.headers.get("Location", "")
    with pytest.raises(AssertionError):
        world.shop()


def test_a_name_that_stands_twice_is_refused(world, browser):
    callback = to_callback(world, browser)

    assert browser.get(f"{callback}&code=another").status_code == 401


def test_a_spent_or_old_code_is_refused_in_shopifys_words(world, browser):
    callback = to_callback(world, browser)
    world.sim.store.connection().execute("UPDATE oauth_codes SET issued_at = 1")

    assert browser.get(callback).status_code == 401


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.replace("hmac=", "hmac=0"),
        lambda url: url.replace("timestamp=", "timestamp=1"),
        lambda url: url.split("&hmac=")[0],
        lambda url: f"{url}&shop=evil.com",
    ],
)
def test_only_a_link_that_shopify_signed_begins_the_road(world, spoil):
    answer = httpx.get(spoil(begin(world)))

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_no_merchant_is_asked_to_type_a_shop(world):
    assert httpx.get(f"{world.app_url}/auth/begin").status_code == 400
    assert httpx.get(f"{world.app_url}/auth/begin?shop=evil.com").status_code == 400
