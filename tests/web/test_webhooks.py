"""What Shopify did not sign is refused and leaves nothing; what it signed and is odd is kept and does no harm."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest

from shopify_app import config
from shopify_app.db import redactions, webhook_inbox
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.metrics import WEBHOOKS_RECEIVED
from shopify_app.usecases.inbox import drain
from shopify_app.usecases.shops import uninstalls
from shopify_app.web import create_app
from tests.conftest import CLIENT_SECRET
from tests.factories import make_variant

OLD = "shpss_" + "9" * 32
DOORS = ("app", "orders", "products", "inventory", "compliance")
BODY = json.dumps(
    {"id": 7, "name": "caf\u00e9 \u20ac", "updated_at": "2026-11-20T10:00:00Z"}, ensure_ascii=False
).encode()


def sign(raw, secret=CLIENT_SECRET):
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


@pytest.fixture
def client(database):
    return create_app().test_client()


def post(
    client, domain, raw=BODY, *, door="orders", signature=None, topic="orders/updated", **headers
):
    sent = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": domain,
        "X-Shopify-Hmac-Sha256": sign(raw) if signature is None else signature,
        "X-Shopify-Webhook-Id": "w1",
        "X-Shopify-Triggered-At": "2026-11-20T10:00:01Z",
        **headers,
    }
    return client.post(f"/webhooks/{door}", data=raw, headers=sent).status_code


def inbox_rows():
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT webhook_id, topic, outcome, error FROM webhook_inbox ORDER BY id")
        return cur.fetchall()


def shop_rows(shop, query):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(query)
        return cur.fetchall()


FORGED = {
    "empty": "",
    "wrong secret": sign(BODY, "shpss_wrong"),
    "another app's": sign(BODY, "shpss_" + "a" * 32),
    "of a body one byte longer": sign(BODY + b" "),
    "of a body one byte shorter": sign(BODY[:-1]),
    "hex": hmac.new(CLIENT_SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
    "of the body written again": sign(json.dumps(json.loads(BODY)).encode()),
    "not ASCII": "é" * 44,
    "padded": sign(BODY) + "=",
    "with a space": sign(BODY) + " x",
    "url-safe base64": sign(BODY).replace("+", "-").replace("/", "_") + "_",
    "lower case": sign(BODY).lower(),
    "very long": "A" * 20_000,
}


@pytest.mark.parametrize("door", DOORS)
def test_no_door_lets_a_forged_signature_in(client, acme, door):
    for name, signature in FORGED.items():
        assert post(client, acme.domain, door=door, signature=signature) == 401, name
    assert client.post(f"/webhooks/{door}", data=BODY).status_code == 401
    assert inbox_rows() == []


@pytest.mark.parametrize("door", DOORS)
def test_a_door_takes_posts_alone_and_leads_nowhere_else(client, acme, door):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert client.open(f"/webhooks/{door}", method=method).status_code == 405
    assert (
        client.post(f"/webhooks/{door}/", data=BODY).status_code == 401
    )  # no redirect: 3xx is a failure


def test_both_secrets_sign_while_they_change_and_the_old_one_no_longer_after(
    client, acme, monkeypatch
):
    monkeypatch.setenv("SHOPIFY_OLD_API_SECRET", OLD)
    config.settings.cache_clear()
    assert post(client, acme.domain, signature=sign(BODY, OLD)) == 200
    assert post(client, acme.domain, signature=sign(BODY)) == 200

    monkeypatch.delenv("SHOPIFY_OLD_API_SECRET")
    config.settings.cache_clear()
    assert post(client, acme.domain, signature=sign(BODY, OLD)) == 401


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_the_raw_bytes_are_proved_whatever_the_content_type_says(client, acme, kind):
    assert post(client, acme.domain, **{"Content-Type": kind}) == 200
    assert len(inbox_rows()) == 1


@pytest.mark.parametrize("raw", [b"{", b'{"a":' * 100_000, b'{"a":NaN}', b"{\0", b" \r\n\t{}"])
def test_a_signed_body_that_is_no_json_is_kept_and_answered_at_once(client, acme, raw):
    assert post(client, acme.domain, raw) == 200
    assert len(inbox_rows()) == 1


def id_token_halves():
    """What an ID token signs, and its signature as a webhook would carry it: both are HMAC-SHA256 under one secret."""
    token = jwt.encode({"dest": "https://acme.myshopify.com", "sub": "7"}, CLIENT_SECRET, "HS256")
    signed, _, signature = token.rpartition(".")
    return signed.encode(), base64.b64encode(base64.urlsafe_b64decode(signature + "=")).decode()


def test_an_id_token_of_any_merchants_browser_is_no_webhook(client, acme, rival):
    signed, signature = id_token_halves()
    assert signature == sign(signed)  # so the signature alone would let it in

    for door in DOORS:
        assert post(client, rival.domain, signed, door=door, signature=signature) == 401
    assert inbox_rows() == []


def test_the_signed_query_of_a_launch_is_no_webhook(client, acme, rival):
    query = b"host=YWRtaW4&shop=acme.myshopify.com&timestamp=1796000000"
    assert post(client, rival.domain, query, topic="app/uninstalled", door="app") == 401
    assert inbox_rows() == []


@pytest.mark.parametrize("raw", [b"", b"  ", b"[]", b'"{}"', b"\xef\xbb\xbf{}", b"\xa0{}", b"\0{}"])
def test_a_signed_body_that_is_no_object_is_not_shopifys_and_leaves_no_row(client, acme, raw):
    assert post(client, acme.domain, raw) == 401
    assert inbox_rows() == []


def test_the_same_delivery_again_under_its_id_is_nothing_new(client, acme):
    assert [post(client, acme.domain) for _ in range(3)] == [200] * 3
    assert len(inbox_rows()) == 1


ORDER = {
    "id": 5001,
    "name": "#1",
    "created_at": "2026-11-20T10:00:00Z",
    "updated_at": "2026-11-20T10:00:00Z",
    "currency": "GBP",
    "financial_status": "paid",
    "line_items": [{"id": 1, "quantity": 2, "price": "5.00", "title": "Mug"}],
}


def test_the_same_body_under_new_ids_is_one_order(client, acme):
    raw = json.dumps(ORDER).encode()
    for number in range(3):
        assert post(client, acme.domain, raw, **{"X-Shopify-Webhook-Id": f"w{number}"}) == 200
    drain.drain_inbox()

    assert shop_rows(acme, "SELECT count(*), sum(quantity) FROM order_lines") == [(1, 2)]


def test_a_body_that_names_its_shop_does_nothing_under_another_shops_name(client, acme, rival):
    """Headers are not signed: a captured body may come again under any of them."""
    uninstalled = {"id": 1, "myshopify_domain": acme.domain, "name": "Acme", "currency": "GBP"}
    privacy = {"shop_domain": acme.domain, "orders_to_redact": [5001]}
    post(
        client,
        rival.domain,
        json.dumps(uninstalled).encode(),
        topic="app/uninstalled",
        door="app",
        **{"X-Shopify-Triggered-At": "2030-01-01T00:00:00Z"},
    )
    post(
        client,
        rival.domain,
        json.dumps(uninstalled).encode(),
        topic="shop/update",
        door="app",
        **{"X-Shopify-Webhook-Id": "w2"},
    )
    post(
        client,
        rival.domain,
        json.dumps(privacy).encode(),
        topic="customers/redact",
        door="compliance",
        **{"X-Shopify-Webhook-Id": "w3"},
    )
    drain.drain_inbox()
    uninstalls.confirm_uninstalls()

    assert shop_rows(rival, "SELECT state, name, currency FROM shops") == [
        ("installed", "Rival", "JPY")
    ]
    assert all("another shop" in row[3] for row in inbox_rows())


def begun_again():
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE webhook_inbox SET due_at = now() WHERE done_at IS NULL")


@pytest.mark.parametrize(
    "topic",
    ["app/uninstalled", "shop/update", "shop/redact", "customers/redact", "customers/data_request"],
)
@pytest.mark.parametrize("gone", [False, True])
def test_one_captured_delivery_sent_as_a_topic_about_the_rival_is_poison(
    client, acme, rival, topic, gone
):
    """Neither the topic nor the shop's name is signed: acme's order can come as the rival's uninstall."""
    raw = json.dumps(ORDER).encode()
    post(client, rival.domain, raw, **{"X-Shopify-Webhook-Id": "own"})
    drain.drain_inbox()
    if gone and topic != "app/uninstalled":
        with sweep_transaction() as conn, conn.cursor() as cur:
            cur.execute("UPDATE shops SET state = 'uninstalled', uninstalled_at = now()")
    before = shop_rows(rival, "SELECT * FROM shops"), shop_rows(rival, "SELECT * FROM orders")

    post(
        client,
        rival.domain,
        raw,
        topic=topic,
        **{"X-Shopify-Webhook-Id": "forged", "X-Shopify-Triggered-At": "2030-01-01T00:00:00Z"},
    )
    for _ in range(3):
        drain.drain_inbox()
        uninstalls.confirm_uninstalls()
        begun_again()

    assert (
        shop_rows(rival, "SELECT * FROM shops"),
        shop_rows(rival, "SELECT * FROM orders"),
    ) == before
    with sweep_transaction() as conn:
        ignored = gone and topic == "shop/update"  # nothing is done for a shop that is gone
        assert len(webhook_inbox.dead(conn)) == (0 if ignored else 1)
        assert redactions.every(conn) == []


def order_with(*product_ids):
    lines = [
        {"id": number, "quantity": 1, "price": "5.00", "title": "Mug", "product_id": product_id}
        for number, product_id in enumerate(product_ids, 1)
    ]
    return json.dumps({**ORDER, "line_items": lines}).encode()


def product_of(shop):
    make_variant(shop)
    return shop_rows(shop, "SELECT max(id) FROM products")[0][0]


@pytest.mark.parametrize(
    ("src", "is_believed"),
    [
        ("https://cdn.shopify.com/s/files/1/0005/4838/0009/products/ipod-nano.png?v=1", True),
        ("https://cdn.shopify.com/s/files/1/0005/4838/0010/products/ipod-nano.png?v=1", False),
        ("https://cdn.shopify.com/s/files/1/1234/5678/products/ipod-nano.png", False),
        ("https://example.com/ipod-nano.png", True),
        (None, True),
    ],
)
def test_a_product_whose_picture_is_another_shops_is_asked_for(client, acme, src, is_believed):
    """The address is that of Shopify's own documentation, whose shop is 548380009."""
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET shopify_id = 548380009")
    body = {
        "id": 31,
        "title": "IPod",
        "updated_at": "2026-11-20T10:00:00Z",
        "image": src and {"src": src},
        "variants": [],
    }
    post(client, acme.domain, json.dumps(body).encode(), topic="products/update")
    drain.drain_inbox()

    assert shop_rows(acme, "SELECT id FROM products") == [(31,)] * is_believed
    assert shop_rows(acme, "SELECT resource_id FROM refetches") == [(31,)] * (not is_believed)


def test_a_body_under_another_topic_is_parked_or_ignored_and_harms_nothing(client, acme):
    raw = json.dumps(ORDER).encode()
    post(client, acme.domain, raw)
    drain.drain_inbox()
    for number, topic in enumerate(
        (
            "products/update",
            "refunds/create",
            "inventory_levels/update",
            "app/scopes_update",
            "made/up",
        )
    ):
        post(client, acme.domain, raw, topic=topic, **{"X-Shopify-Webhook-Id": f"x{number}"})
    drain.drain_inbox()

    assert shop_rows(acme, "SELECT count(*) FROM orders") == [(1,)]
    assert shop_rows(acme, "SELECT count(*) FROM products") == [(0,)]
    assert shop_rows(acme, "SELECT state FROM shops") == [("installed",)]


@pytest.mark.parametrize("domain", ["nobody.myshopify.com", "", "evil.com", "x" * 5_000])
def test_a_shop_that_is_none_of_ours_is_answered_and_ignored(client, acme, domain):
    assert post(client, domain) == 200
    drain.drain_inbox()

    assert [row[2] for row in inbox_rows()] == ["ignored"]


def test_an_uninstalled_shops_news_is_answered_and_ignored(client, acme):
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE shops SET state = 'uninstalled', uninstalled_at = now() WHERE shop_id = %s",
            (acme.shop_id,),
        )
    assert post(client, acme.domain, json.dumps(ORDER).encode()) == 200
    drain.drain_inbox()

    assert [row[2] for row in inbox_rows()] == ["ignored"]
    assert shop_rows(acme, "SELECT count(*) FROM orders") == [(0,)]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Shopify-Triggered-At": "yesterday"},
        {"X-Shopify-Triggered-At": "2026-11-20T10:00:00"},
        {"X-Shopify-Topic": "t" * 3_000},
        {"X-Shopify-Event-Id": "é" * 100},
        {"X-Shopify-API-Version": "x" * 500},
        {"X-Shopify-Webhook-Id": "é" * 300},
    ],
)
def test_odd_headers_are_kept_as_they_are(client, acme, headers):
    assert post(client, acme.domain, **headers) == 200
    drain.drain_inbox()
    assert len(inbox_rows()) == 1


def kept_headers():
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT webhook_id, event_id, shop_domain, topic, api_version, triggered_at IS NOT NULL FROM webhook_inbox"
        )
        return cur.fetchall()


@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.lower,
        str.upper,
        lambda name: name.removeprefix("X-"),
        lambda name: name.removeprefix("X-").lower(),
    ],
    ids=["as documented", "lower", "upper", "without X-", "lower without X-"],
)
def test_headers_are_read_in_any_case_and_in_both_of_shopifys_families(client, acme, spell):
    headers = {
        "X-Shopify-Topic": "orders/updated",
        "X-Shopify-Shop-Domain": acme.domain,
        "X-Shopify-Hmac-Sha256": sign(BODY),
        "X-Shopify-Webhook-Id": "w1",
        "X-Shopify-Event-Id": "e1",
        "X-Shopify-Triggered-At": "2026-11-20T10:00:01Z",
        "X-Shopify-API-Version": "2026-10",
    }
    answer = client.post(
        "/webhooks/orders",
        data=BODY,
        headers={spell(name): value for name, value in headers.items()},
    )

    assert answer.status_code == 200
    assert kept_headers() == [("w1", "e1", acme.domain, "orders/updated", "2026-10", True)]


def test_the_documented_family_wins_over_its_twin(client, acme, rival):
    assert (
        post(
            client, acme.domain, **{"Shopify-Shop-Domain": rival.domain, "Shopify-Hmac-Sha256": "x"}
        )
        == 200
    )
    assert kept_headers()[0][2] == acme.domain


@pytest.mark.parametrize("headers", [
    {"X-Shopify-Webhook-Id": "w" * 6_000}, {"X-Shopify-Webhook-Id": "é" * 3_000}, {"X-Shopify-Event-Id": "e" * 6_000},
    {"X-Shopify-Triggered-At": "9999-12-31T23:59:59-23:59"}, {"X-Shopify-Triggered-At": "0001-01-01T00:00:00+23:59"},
    {"X-Shopify-Triggered-At": "yesterday"}, {"X-Shopify-Topic": "t" * 6_000}, {"X-Shopify-API-Version": "v" * 6_000},
    {"X-Shopify-Shop-Domain": "s" * 6_000},
])  # fmt: skip
def test_odd_headers_of_a_signed_delivery_are_cut_and_never_an_error(client, acme, headers):
    assert post(client, acme.domain, **headers) == 200
    assert post(client, acme.domain, **headers) == 200  # Shopify tries again: the same delivery

    assert len(inbox_rows()) == 1
    drain.drain_inbox()


def test_two_ids_that_are_too_long_and_begin_alike_are_two_deliveries(client, acme):
    for last in "ab":
        post(client, acme.domain, **{"X-Shopify-Webhook-Id": "w" * 6_000 + last})

    assert len(inbox_rows()) == 2


def test_a_body_whose_framing_is_broken_is_the_senders_fault(client, acme):
    class Broken:
        def read(self, *_):
            raise OSError("bad chunk")

        readline = readinto = read

    environ = {"wsgi.input": Broken(), "wsgi.input_terminated": True}

    assert client.post("/webhooks/orders", environ_overrides=environ).status_code == 400
    assert inbox_rows() == []


def test_topics_that_nobody_subscribed_to_are_counted_under_one_name(client, acme):
    for number in range(5):
        post(client, acme.domain, topic=f"made/up_{number}", signature="no")

    (received,) = WEBHOOKS_RECEIVED.collect()
    assert not any("made/up" in one.labels.get("topic", "") for one in received.samples)
