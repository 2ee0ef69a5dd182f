"""No id of the rival opens anything: every route that takes an id is asked with each of the rival's."""

import re

import pytest

from shopify_app.db.connection import transaction
from shopify_app.web import create_app
from tests.web.page_rows import (
    as_json,
    bearer,
    price_row,
    price_test_row,
    restock_row,
    rows_of,
    trend_row,
)

SIGNED_LINKS = {"purchase_orders.show", "purchase_orders.show_csv"}
"""Their id is a signed link of one shop; tests/web/restock/test_purchase_orders.py alters them."""

PUBLIC_FILES = {"assets.show"}


@pytest.fixture
def client(database):
    return create_app().test_client()


def routes_with_ids():
    app = create_app()
    for rule in app.url_map.iter_rules():
        if rule.arguments and rule.endpoint not in SIGNED_LINKS | PUBLIC_FILES:
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield rule, method


def test_every_route_that_takes_an_id_gives_404_for_each_of_the_rivals(client, acme, rival):
    theirs = [price_row(rival), restock_row(rival), trend_row(rival), price_test_row(rival)]
    before = rows_of(rival)
    asked = 0

    for rule, method in routes_with_ids():
        for number in (*theirs, 2**31, 2**62):
            path = re.sub(r"<[^>]+>", str(number), rule.rule)
            for headers in (bearer(acme), as_json(acme)):
                answer = client.open(path, method=method, headers=headers)
                assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
                asked += 1

    assert asked >= 60
    assert rows_of(rival) == before


def test_the_same_ids_open_for_their_owner(client, rival):
    theirs = {
        "pricing": price_row(rival),
        "restock": restock_row(rival),
        "trends": trend_row(rival),
        "price-tests": price_test_row(rival),
    }

    for folder, number in theirs.items():
        assert client.get(f"/{folder}/{number}", headers=bearer(rival)).status_code == 200


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "x", "1%27", "1;--", "%00", "9" * 25])
def test_what_is_no_id_is_not_found_either(client, acme, number):
    for rule, method in routes_with_ids():
        path = re.sub(r"<[^>]+>", number, rule.rule)
        assert client.open(path, method=method, headers=as_json(acme)).status_code == 404, path


def test_the_rivals_ids_in_a_list_are_accepted_for_nobody(client, acme, rival):
    number = price_row(rival)

    answer = client.post("/suggestions/acceptances", json={"ids": [number]}, headers=as_json(acme))

    assert answer.json["results"] == [
        {"id": number, "accepted": False, "refused_because": "not_found"}
    ]
    with transaction(rival.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT state FROM suggestions WHERE shop_id = %s AND id = %s", (rival.shop_id, number)
        )
        assert cur.fetchone() == ("open",)


@pytest.mark.parametrize(
    "hostile", ["'", "';--", "%", "_", "\0", "%2e", "\ud7ff", "{{7*7}}", "1 OR 1=1", "a" * 5_000]
)
def test_hostile_words_in_every_query_are_words(client, acme, rival, hostile):
    price_row(rival, title="Secret candle")
    names = (
        "budget",
        "shape",
        "back",
        "sort",
        "order",
        "q",
        "kind",
        "locale",
        "vendor",
        "page",
        "shop",
        "host",
    )
    for path in ("/", "/pricing", "/restock", "/trends", "/settings", "/welcome"):
        for name in names:
            answer = client.get(path, query_string={name: hostile}, headers=bearer(acme))
            assert answer.status_code in (200, 400), f"{path}?{name}"
            assert "Secret" not in answer.text


@pytest.mark.parametrize("ids", [[2**70], [0], [-1], ["x"], [None], [[1]], {}, "1", [1] * 101, []])
def test_ids_that_cannot_be_are_refused_and_no_error(client, acme, ids):
    answer = client.post("/suggestions/acceptances", json={"ids": ids}, headers=as_json(acme))

    assert answer.status_code in (200, 422)
    assert not any(one["accepted"] for one in answer.json.get("results", []))


def test_a_text_that_postgres_cannot_keep_is_refused_before_it_gets_there(client, acme):
    for path in ("/settings", "/purchase-orders/exports", "/suggestions/acceptances"):
        for body in (
            {"json": {"vendor": "a\0b"}},
            {"data": {"vendor-0": "a\0b", "vendor-0-lead_time_days": "3"}},
        ):
            assert client.post(path, headers=bearer(acme), **body).status_code == 400
