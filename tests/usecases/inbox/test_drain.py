"""What is proved is kept, what is poison is parked, what is late or doubled changes nothing."""

import base64
import hashlib
import json

import pytest

from shopify_app.db import webhook_inbox
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases.inbox import drain
from shopify_app.web import create_app
from tests.webhooks import ORDER, send

POISON = [
    b"{",
    b'{"id": NaN}',
    b'{"id": 1, "id": 2, "line_items": []}',
    b"{\xff\xfe",
    b'{"id":' + b"9" * 5000 + b"}",
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    json.dumps({**ORDER, "id": "x"}).encode(),
    json.dumps({**ORDER, "id": 2**70}).encode(),
    json.dumps({**ORDER, "updated_at": "yesterday"}).encode(),
    json.dumps({**ORDER, "line_items": [{"id": 1}]}).encode(),
    json.dumps({**ORDER, "line_items": "none"}).encode(),
    json.dumps({**ORDER, "currency": None}).encode(),
]


@pytest.fixture
def client(database):
    return create_app().test_client()


def kept():
    return drain.standing()


def rows(shop, query):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(query)
        return cur.fetchall()


def test_a_delivery_that_comes_five_times_is_one_row_and_one_order(client, acme):
    assert [send(client, acme, ORDER, webhook_id="w1") for _ in range(5)] == [200] * 5
    assert kept()["waiting"] == 1

    drain.drain_inbox()

    assert rows(acme, "SELECT id, processed_on::text FROM orders") == [(5001, "2026-11-20")]


def test_older_news_that_comes_later_changes_nothing(client, acme):
    newer = {**ORDER, "updated_at": "2026-11-21T10:00:00+00:00", "line_items": []}
    send(client, acme, newer, webhook_id="w2")
    drain.drain_inbox()
    send(client, acme, ORDER, webhook_id="w1")
    drain.drain_inbox()

    assert rows(acme, "SELECT updated_at::date::text FROM orders") == [("2026-11-21",)]
    assert rows(acme, "SELECT count(*) FROM order_lines") == [(0,)]
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT outcome FROM webhook_inbox ORDER BY id")
        assert [row[0] for row in cur.fetchall()] == ["applied", "stale"]


def test_a_deleted_order_does_not_come_back(client, acme):
    send(client, acme, {"id": 5001}, topic="orders/delete", webhook_id="w1")
    drain.drain_inbox()
    send(client, acme, ORDER, webhook_id="w2")
    drain.drain_inbox()

    assert rows(acme, "SELECT deleted_at IS NOT NULL FROM orders") == [(True,)]


def test_poison_is_parked_after_three_tries_its_neighbours_are_done_and_it_can_be_replayed(
    client, acme
):
    for number, body in enumerate(POISON):
        assert send(client, acme, body, webhook_id=f"p{number}") == 200
        assert send(client, acme, {**ORDER, "id": 6000 + number}, webhook_id=f"g{number}") == 200
    for _ in range(3):
        drain.drain_inbox()
        with sweep_transaction() as conn, conn.cursor() as cur:
            cur.execute("UPDATE webhook_inbox SET due_at = now() WHERE done_at IS NULL")
    drain.drain_inbox()

    assert kept() == {"waiting": 0, "oldest_seconds": 0.0, "dead": len(POISON), "done": len(POISON)}
    assert rows(acme, "SELECT count(*) FROM orders") == [(len(POISON),)]
    with sweep_transaction() as conn:
        assert all(one.error for one in webhook_inbox.dead(conn))
        assert webhook_inbox.replay(conn) == len(POISON)


def test_text_that_postgres_cannot_keep_is_made_harmless(client, acme):
    body = json.dumps({**ORDER, "name": "a\0b\ud800c"}).encode()
    send(client, acme, body, webhook_id="w")
    drain.drain_inbox()

    assert rows(acme, "SELECT name FROM orders") == [("a\ufffdb?c",)]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Shopify-Hmac-Sha256": None},
        {"X-Shopify-Hmac-Sha256": ""},
        {"X-Shopify-Hmac-Sha256": "é\udcff".encode("utf-8", "surrogateescape").decode("latin-1")},
        {"X-Shopify-Hmac-Sha256": base64.b64encode(b"0" * 32).decode()},
        {"X-Shopify-Hmac-Sha256": hashlib.sha256(b"x").hexdigest()},
    ],
)
@pytest.mark.parametrize("path", ["/webhooks/orders", "/webhooks/compliance"])
def test_what_shopify_did_not_sign_is_refused_and_leaves_no_row(client, acme, headers, path):
    assert send(client, acme, ORDER, webhook_id="w", path=path, **headers) == 401
    assert kept()["waiting"] == 0


def test_a_redirected_or_read_webhook_path_is_no_road_in(client, acme):
    assert client.get("/webhooks/orders").status_code == 405
    assert send(client, acme, ORDER, webhook_id="w", path="/webhooks/orders/") == 200


def test_a_body_beyond_ten_megabytes_is_refused_and_one_below_is_kept(client, acme):
    assert send(client, acme, b" " * (10 * 1024 * 1024 + 1), webhook_id="a") == 413
    assert send(client, acme, b"{" + b" " * (9 * 1024 * 1024), webhook_id="b") == 200


def test_a_delivery_without_an_id_is_known_by_its_content(client, acme):
    assert [send(client, acme, ORDER) for _ in range(2)] == [200, 200]
    assert kept()["waiting"] == 1


def test_a_delivery_that_names_the_rivals_shop_never_touches_ours(client, acme, rival):
    send(client, rival, ORDER, webhook_id="w")
    drain.drain_inbox()

    assert rows(acme, "SELECT count(*) FROM orders") == [(0,)]
    assert rows(rival, "SELECT processed_on::text FROM orders") == [("2026-11-20",)]


def test_when_the_database_is_away_shopify_is_told_to_try_again(client, acme, monkeypatch):
    from shopify_app import config
    from shopify_app.db import connection

    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    config.settings.cache_clear()
    connection.close_pool()
    try:
        assert send(client, acme, ORDER, webhook_id="w") == 503
    finally:
        connection.close_pool()


SHELF = {"inventory_item_id": 77, "location_id": 9, "available": 5}


def shelf(available, second=0, **more):
    stamp = f"2026-11-20T10:00:{second:02d}+00:00"
    return {**SHELF, "available": available, "updated_at": stamp, **more}


def send_all(client, shop, topic, bodies, *, at_once):
    for number, body in enumerate(bodies):
        assert send(client, shop, body, topic=topic, webhook_id=f"{topic}{number}") == 200
        if not at_once:
            drain.drain_inbox()
    drain.drain_inbox()
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT outcome FROM webhook_inbox ORDER BY id")
        return [row[0] for row in cur.fetchall()]


@pytest.mark.parametrize("at_once", [True, False])
def test_the_newest_level_counts_whatever_its_place_and_every_one_is_history(client, acme, at_once):
    bodies = [shelf(5, 1), shelf(3, 3), shelf(4, 2), shelf(8, 1, location_id=10)]
    outcomes = send_all(client, acme, "inventory_levels/update", bodies, at_once=at_once)

    assert outcomes[1:] == ["applied", "stale", "applied"]
    assert rows(
        acme, "SELECT location_id, available_units FROM inventory_levels ORDER BY location_id"
    ) == [(9, 3), (10, 8)]
    assert rows(
        acme,
        "SELECT available_units FROM inventory_history WHERE location_id = 9 ORDER BY changed_at",
    ) == [(5,), (4,), (3,)]


@pytest.mark.parametrize("at_once", [True, False])
def test_two_levels_of_one_second_cannot_both_be_true_so_shopify_is_asked(client, acme, at_once):
    outcomes = send_all(
        client, acme, "inventory_levels/update", [shelf(5), shelf(3)], at_once=at_once
    )

    assert outcomes[-1] == "refetch"
    assert rows(acme, "SELECT kind, resource_id FROM refetches") == [("inventory_item", 77)]


@pytest.mark.parametrize("at_once", [True, False])
def test_two_versions_of_an_order_under_one_stamp_are_asked_for(client, acme, at_once):
    (line,) = ORDER["line_items"]
    returned = {**ORDER, "line_items": [{**line, "current_quantity": 1}]}
    outcomes = send_all(client, acme, "orders/updated", [ORDER, returned], at_once=at_once)

    assert outcomes[-1] == "refetch"
    assert rows(acme, "SELECT kind, resource_id FROM refetches") == [("order", 5001)]


@pytest.mark.parametrize("at_once", [True, False])
def test_the_same_news_under_another_topic_asks_for_nothing(client, acme, at_once):
    send_all(client, acme, "orders/create", [ORDER], at_once=True)
    assert send_all(client, acme, "orders/updated", [ORDER, ORDER], at_once=at_once) == (
        ["applied"] * 3
    )
    assert rows(acme, "SELECT count(*) FROM refetches") == [(0,)]


def ware(price, second, *, product_id=31, variants=1, title="Mug", **more):
    stamp = f"2026-11-20T10:00:{second:02d}+00:00"
    return {
        "id": product_id,
        "title": title,
        "status": "active",
        "updated_at": stamp,
        "variants": [
            {
                "id": product_id * 100 + number,
                "title": "Default",
                "price": price,
                "updated_at": stamp,
                "inventory_item_id": product_id * 1000 + number,
                "inventory_management": "shopify",
            }
            for number in range(variants)
        ],
        **more,
    }


@pytest.mark.parametrize("at_once", [True, False])
def test_a_products_news_in_one_batch_comes_out_as_one_by_one_with_every_price_on_the_way(
    client, acme, at_once
):
    news = [
        ware("5.00", 1),
        ware("6.00", 2),
        ware("6.00", 3),
        ware("7.00", 4, variants=2),
        ware("9.00", 1, product_id=32, variants=2),
        ware("9.00", 5, product_id=32, variants=1),
        {"id": 33},
        ware("1.00", 1, product_id=34, variant_gids=[{}, {}]),
        ware("4.00", 0),
    ]
    outcomes = send_all(client, acme, "products/update", news, at_once=at_once)

    assert outcomes[:6] == ["applied"] * 6
    assert outcomes[6:8] == ["refetch", "refetch"]
    assert outcomes[8] == ("applied" if at_once else "stale")  # sorted in, or late
    assert rows(acme, "SELECT kind, resource_id FROM refetches ORDER BY 2") == [
        ("product", 33),
        ("product", 34),
    ]
    prices = rows(
        acme,
        "SELECT price::float FROM price_history WHERE variant_id = 3100 ORDER BY seen_at",
    )
    assert [price for (price,) in prices][-3:] == [5.0, 6.0, 7.0]
    assert rows(
        acme,
        "SELECT id, price::float, deleted_at IS NOT NULL FROM variants WHERE id < 3300 ORDER BY id",
    ) == [(3100, 7.0, False), (3101, 7.0, False), (3200, 9.0, False), (3201, 9.0, True)]


def test_a_batch_holds_no_more_bodies_than_it_may_but_always_one(client, acme):
    for number in range(4):
        send(client, acme, {**ORDER, "id": 7000 + number}, webhook_id=f"w{number}")
    with transaction(acme.shop_id) as conn:
        counts = [
            len(webhook_inbox.due(conn, acme.domain, limit=limit, limit_bytes=limit_bytes))
            for limit, limit_bytes in ((10, 1), (10, 800), (3, 10**6), (10, 10**6))
        ]

    assert counts == [1, 2, 3, 4]
