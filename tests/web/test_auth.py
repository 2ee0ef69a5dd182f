"""Who may ask what: documents bounce, fetches are told to try again, nobody gets in by another door."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from shopify_app.web import create_app
from tests.conftest import CLIENT_ID
from tests.web.page_rows import bearer, id_token

APP = "http://127.0.0.1:5999"
BRIDGE = "https://cdn.shopify.com/shopifycloud/app-bridge.js"
RETRY = "X-Shopify-Retry-Invalid-Session-Request"


@pytest.fixture
def client(database):
    return create_app().test_client()


def proved_routes():
    """(method, path) of every route that wants a proof, with ids that are nobody's."""
    app = create_app()
    for rule in app.url_map.iter_rules():
        if not getattr(app.view_functions[rule.endpoint], "is_public", False):
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, re.sub(r"<[^>]+>", "1", rule.rule)


def test_a_document_with_a_token_is_a_page_framed_by_its_own_shop_alone(client, acme, rival):
    for shop in (acme, rival, acme):  # two shops in a row on one process
        answer = client.get(f"/?shop={rival.domain}&id_token={id_token(shop)}")

        ancestors = re.search(r"frame-ancestors ([^;]+)", answer.headers["Content-Security-Policy"])
        assert answer.status_code == 200
        assert ancestors[1].split()[:2] == [f"https://{shop.domain}", "https://admin.shopify.com"]
        assert len(ancestors[1].split()) <= 3
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Authorization" in answer.headers["Vary"]
        assert "X-Frame-Options" not in answer.headers
        assert f'<{BRIDGE}>; rel="preload"; as="script"' in answer.headers["Link"]


@pytest.mark.parametrize(
    "path", ["/healthz", "/nothing", "/auth/patch-id-token", "/webhooks/orders"]
)
def test_where_no_shop_is_proved_nobody_may_frame(client, path):
    policy = client.get(path, headers={"Accept": "text/html"}).headers.get(
        "Content-Security-Policy", "frame-ancestors 'none'"
    )

    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("token", ["", "dead", "expired"])
def test_a_document_without_a_good_token_bounces_and_the_token_is_left_behind(client, acme, token):
    sent = (
        id_token(acme, exp=1_700_000_060, iat=1_700_000_000, nbf=1_700_000_000)
        if token == "expired"
        else token
    )
    answer = client.get(f"/restock?budget=600&shop={acme.domain}&id_token={sent}&host=YWI")

    url = urlsplit(answer.headers["Location"])
    assert answer.status_code == 302
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{APP}/auth/patch-id-token"
    assert parse_qs(url.query)["shopify-reload"] == [
        f"/restock?budget=600&shop={acme.domain}&host=YWI"
    ]
    assert "id_token" not in url.query


def test_a_document_with_another_apps_token_is_refused_without_a_retry(client, acme):
    answer = client.get(f"/?id_token={id_token(acme, aud='other')}")

    assert (answer.status_code, RETRY in answer.headers) == (401, False)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer dead", "bearer x", "Basic eDp5", "Bearer a b"]
)
def test_a_fetch_without_a_good_token_is_told_to_try_once_more(client, header):
    answer = client.get("/pricing", headers={"Authorization": header})

    assert (answer.status_code, answer.headers[RETRY], answer.text) == (401, "1", "Unauthorized")


def test_a_token_in_the_address_or_a_cookie_opens_no_write(client, acme):
    writes = [(method, path) for method, path in proved_routes() if method != "GET"]
    client.set_cookie("session", id_token(acme))

    assert len(writes) >= 6
    for method, path in writes:
        for headers in ({}, {"Content-Type": "text/plain"}):
            answer = client.open(
                f"{path}?id_token={id_token(acme)}",
                method=method,
                data='{"ids": [1]}',
                headers=headers,
            )
            assert answer.status_code == 401, f"{method} {path}"


def test_no_get_writes(client, acme):
    for method, path in proved_routes():
        if method == "POST":
            answer = client.get(path, headers=bearer(acme))
            # /settings reads by the same name; a word under /purchase-orders is no signed link
            assert answer.status_code in (403, 405) or path == "/settings", path


def test_admin_extensions_may_ask_from_their_own_origin_on_every_route(client, acme):
    for method, path in proved_routes():
        asked = client.options(
            path,
            headers={
                "Origin": "https://extensions.shopifycdn.com",
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization",
            },
        )
        assert asked.status_code == 204
        assert asked.headers["Access-Control-Allow-Origin"] == "*"
        assert asked.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
        assert asked.headers["Access-Control-Expose-Headers"] == RETRY
        assert asked.headers["Access-Control-Max-Age"] == "7200"
        assert "Access-Control-Allow-Credentials" not in asked.headers


def test_an_extensions_request_is_proved_as_any_and_never_bounces(client, acme):
    origin = {"Origin": "https://extensions.shopifycdn.com"}

    good = client.get("/", headers=bearer(acme, Accept="application/json", **origin))
    bad = client.get("/", headers={"Authorization": "Bearer dead", **origin})
    none = client.get(f"/?id_token={id_token(acme)}", headers=origin)

    assert [one.status_code for one in (good, bad, none)] == [200, 401, 401]
    assert all(one.headers["Access-Control-Allow-Origin"] == "*" for one in (good, bad, none))
    assert all(one.headers[RETRY] == "1" for one in (bad, none))
    assert "Access-Control-Allow-Origin" not in client.get("/", headers=bearer(acme)).headers


def test_webhooks_and_files_are_no_extensions_business(client):
    for path in ("/webhooks/orders", "/healthz"):
        answer = client.options(path, headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "Twitterbot/1.0",
        "AhrefsBot/7.0",
        "Baiduspider",
        "facebookexternalhit/1.1",
    ],
)
def test_a_crawler_is_told_that_there_is_nothing(client, acme, agent):
    assert client.get("/", headers={"User-Agent": agent}).status_code == 410
    assert client.get(f"/?shop={acme.domain}", headers={"User-Agent": agent}).status_code == 302


@pytest.mark.parametrize(
    "agent", ["Mozilla/5.0 (X11; Linux) Chrome/140.0", "Shopify Mobile/iOS", "Cubot phone", ""]
)
def test_a_persons_browser_is_no_crawler(client, agent):
    assert client.get("/", headers={"User-Agent": agent}).status_code == 302


def test_the_patch_page_is_exactly_app_bridge_framed_by_the_shop(client, acme):
    answer = client.get(f"/auth/patch-id-token?shop={acme.domain}&shopify-reload=%2F%3Fa%3Db")

    assert answer.status_code == 200
    assert answer.text == f'<script data-api-key="{CLIENT_ID}" src="{BRIDGE}"></script>'
    assert (
        f"frame-ancestors https://{acme.domain} https://admin.shopify.com"
        in answer.headers["Content-Security-Policy"]
    )
    assert answer.headers["Link"] == f'<{BRIDGE}>; rel="preload"; as="script"'


@pytest.mark.parametrize(
    "target",
    [
        "",
        "//evil.com",
        "/\\evil.com",
        "https://evil.com",
        "/a\nb",
        "javascript:alert(1)",
        "evil",
        "/\t/evil.com",
        f"{APP}.evil.com/",
        f"{APP}@evil.com/",
        "/é",
        "http://127.0.0.1:5998/",
    ],
)
def test_the_patch_page_leads_nowhere_but_home(client, acme, target):
    query = {"shop": acme.domain, "shopify-reload": target}

    assert client.get("/auth/patch-id-token", query_string=query).status_code == 400


@pytest.mark.parametrize(
    "shop",
    [
        "evil.com",
        "acme.myshopify.com.evil.com",
        "acme.myshopify.com@evil.com",
        "acme%2eevil.com",
        "acme.myshopify.com.",
        "acme.myshopify.com:443",
        "acme.myshopify.com/x",
        "//acme.myshopify.com",
        "acme.myshopify.com\n",
        "ａcme.myshopify.com",
        "\u212aeel.myshopify.com",
        "",
        "acme.myshopify.com; script-src *",
    ],
)
def test_a_shop_that_is_none_gets_no_patch_page(client, shop):
    query = {"shop": shop, "shopify-reload": "/"}

    assert client.get("/auth/patch-id-token", query_string=query).status_code == 400


def test_the_first_of_two_shops_named_is_not_smuggled_past_the_second(client, acme):
    answer = client.get(f"/auth/patch-id-token?shop={acme.domain}&shop=evil.com&shopify-reload=/")

    assert "evil" not in answer.headers["Content-Security-Policy"]
    assert (
        client.get("/auth/patch-id-token?shop[]=acme.myshopify.com&shopify-reload=/").status_code
        == 400
    )
