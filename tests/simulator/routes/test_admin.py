"""The admin around the app: what it puts into the frame, to whom it hands tokens."""

import base64
import hashlib
import hmac
import html
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jwt
import pytest

from launch.processes import ROOT
from tests.simulator.conftest import CLIENT_ID, SECRET

STATIC = ROOT / "simulator/static"


@pytest.fixture
def frame(web, shop):
    """The frame's address on the admin page of a path."""

    def open_page(path="", **query):
        answer = web.get(f"/store/{shop.split('.')[0]}/apps/keel{path}", query_string=query)
        assert answer.status_code == 200
        return html.unescape(re.search(r'data-src="([^"]+)"', answer.text)[1]), answer

    return open_page


def claims(token, **more):
    return jwt.decode(token, SECRET, algorithms=["HS256"], audience=CLIENT_ID, **more)


def test_the_frames_address_is_signed_and_says_who_opens_what(sim, shop, frame):
    address, answer = frame("/pricing")
    url = urlsplit(address)
    query = dict(parse_qsl(url.query))
    given = query.pop("hmac")
    message = urlencode(sorted(query.items()), quote_via=quote)

    assert f"{url.scheme}://{url.netloc}" == sim.config.app_url
    assert url.path == "/pricing"
    assert given == hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()
    assert set(query) == {"embedded", "host", "id_token", "locale", "session", "shop", "timestamp"}
    assert base64.b64decode(query["host"] + "==").decode() == "admin.shopify.com/store/tiny"
    assert (query["shop"], query["embedded"], query["locale"]) == (shop, "1", "en")
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_id_token_is_for_this_shop_this_app_and_a_minute(shop, frame):
    address, _ = frame()
    found = claims(dict(parse_qsl(urlsplit(address).query))["id_token"])

    assert (found["iss"], found["dest"]) == (f"https://{shop}/admin", f"https://{shop}")
    assert found["exp"] - found["nbf"] == 60
    assert {"sub", "jti", "sid", "iat"} <= set(found)


def test_the_language_is_the_admins_own(frame):
    address, answer = frame(locale="zh")

    assert dict(parse_qsl(urlsplit(address).query))["locale"] == "zh-CN"
    assert '<html lang="zh-CN">' in answer.text


def test_the_page_says_that_it_is_no_shopify_and_loads_the_app_only_by_script(frame):
    _, answer = frame()

    assert "Simulated admin" in answer.text and "not connected to a store" in answer.text
    assert not re.search(r"<iframe[^>]*\ssrc=", answer.text)  # set after layout


def test_without_the_app_there_is_a_gate_and_no_frame(web, sim, shop):
    sim.store.connection().execute("UPDATE shops SET installed_at = NULL")
    assert (
        web.get("/store/tiny/apps/keel/").status_code == 200
    )  # as the address is after a reload at home
    answer = web.get("/store/tiny/apps/keel")

    assert "Install" in answer.text
    assert "<iframe" not in answer.text and "id_token" not in answer.text


def test_the_first_page_lists_the_shops_and_an_unknown_shop_is_not_found(web, shop):
    assert "/store/tiny/apps/keel" in web.get("/").text
    assert web.get("/store/nobody/apps/keel").status_code == 404


def test_a_token_is_handed_to_the_admins_own_page_alone(web, sim, shop):
    def ask(origin, asked=shop):
        headers = {} if origin is None else {"Origin": origin}
        return web.post("/internal/token", json={"shop": asked}, headers=headers)

    good = ask("http://localhost:5998")
    assert claims(good.json["id_token"])["dest"] == f"https://{shop}"
    for origin in (
        None,
        "null",
        sim.config.app_url,
        "http://localhost:1",
        "http://evil.example",
        "http://127.0.0.1:5998",
    ):
        assert ask(origin).status_code == 403
    assert ask("http://localhost:5998", "nobody.myshopify.com").status_code == 404
    sim.store.connection().execute("UPDATE shops SET installed_at = NULL")
    assert ask("http://localhost:5998").status_code == 404


def test_scripts_are_served_and_nothing_beside_them(web):
    bridge = web.get("/app-bridge.js")
    assert bridge.mimetype == "text/javascript"
    assert bridge.data == (STATIC / "app-bridge.js").read_bytes()
    assert web.get("/shell/shell.js").status_code == 200
    assert web.get("/shell/../admin.py").status_code == 404
    assert web.get("/shell/%2e%2e/admin.py").status_code == 404


@pytest.mark.parametrize("name", ["app-bridge.js", "shell.js"])
def test_messages_go_to_a_named_origin_and_are_taken_from_one_window_of_one_origin(name):
    text = (STATIC / name).read_text()

    assert re.findall(r"postMessage\([^;]*,\s*(\w+)\)", text) == (
        ["admin"] if name == "app-bridge.js" else ["origin"]
    )
    assert '"*"' not in text and "'*'" not in text
    assert text.count('addEventListener("message"') == 1
    assert re.search(
        r"event\.origin !== (admin|origin) \|\| event\.source !== (parent|frame\.contentWindow)\) return",
        text,
    )


def test_the_admin_page_has_a_button_for_each_of_these(web, sim, shop, act):
    act("scopes", granted=["read_orders"])
    page = web.get("/store/tiny/apps/keel").text

    for act_name in ("uninstall", "scopes", "block", "data-request", "customers-redact"):
        assert f'data-act="{act_name}"' in page
    assert "Grant read_all_orders" in page and "/charges/keel/pricing_plans" in page
    act("scopes", grant=["read_all_orders"])
    assert "Take back read_all_orders" in web.get("/store/tiny/apps/keel").text
