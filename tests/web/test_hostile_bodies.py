"""Whatever is posted to whichever route, it is understood or refused: never an error of ours, and nothing is written."""

import re

import pytest

from shopify_app.db.connection import transaction
from shopify_app.web import create_app
from tests.web.page_rows import as_json, bearer, price_row, price_test_row, restock_row

NO_BODIES = {
    "infinity": b'{"ids": [Infinity], "stages": Infinity}',
    "minus infinity": b'{"units": -Infinity}',
    "not a number": b'{"every_days": NaN}',
    "beyond any number": b'{"ids": [1e999], "stages": 1e999, "every_days": 1e999, "units": {"1": 1e999}}',
    "an exponent of twenty digits": b'{"stages": 1e99999999999999999999}',
    "5,000 digits": b'{"stages": ' + b"9" * 5_000 + b"}",
    "a list": b"[]",
    "a text": b'"vendor"',
    "a number": b"7",
    "null": b"null",
    "true": b"true",
    "half a character": b'{"vendor": "\\ud800", "sent_at": "2026-11-20T10:00:00Z"}',
    "half a character as a name": b'{"\\udfff": 1}',
    "nested lists": b'{"ids": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "cut off": b'{"ids": [1',
    "not UTF-8": b'{"vendor": "\xff"}',
    "a key twice": b'{"ids": [1], "ids": [2]}',
    "NUL": b'{"vendor": "a\\u0000b"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
}
"""What is no JSON object, for every route, also for those that expect no body."""

WRONG_FIELDS = [
    ("/suggestions/acceptances", {"ids": ["x", True, 1.5], "units": {"1": "many"}}, {"ids.0", "ids.1", "ids.2", "units.1"}),
    ("/suggestions/acceptances", {}, {"ids"}),
    ("/suggestions/acceptances", {"ids": [1] * 101, "units": [1]}, {"ids", "units"}),
    ("/suggestions/acceptances", {"ids": [0, 2**63, 10**4_000]}, {"ids.0", "ids.1", "ids.2"}),
    ("/suggestions/undos", {"ids": {"1": 2}}, {"ids"}),
    ("/suggestions/undos", {"ids": "1"}, {"ids"}),
    ("/suggestions/1/dismissal", {"reason": ["other"]}, {"reason"}),
    ("/suggestions/1/dismissal", {"reason": "\u202e"}, {"reason"}),
    ("/suggestions/1/acceptance?units=1e999", {}, {"units"}),
    ("/suggestions/1/acceptance?units=", {}, {"units"}),
    ("/rollouts/previews", {"ids": [], "stages": 2_000_000, "every_days": 0, "first_at": "soon"}, {"ids", "stages", "every_days", "first_at"}),
    ("/rollouts/previews", {"all": 1, "stages": 10**30, "first_at": "9999-12-31T23:59:59-23:59"}, {"stages", "first_at"}),
    ("/rollouts", {"ids": [1], "stages": 1.5, "every_days": [], "first_at": "0001-01-01T00:00"}, {"stages", "every_days", "first_at"}),
    ("/purchase-orders/exports", {"vendor": {"a": 1}}, {"vendor"}),
    ("/purchase-orders/exports", {"vendor": "v" * 6_000}, {"vendor"}),
    ("/purchase-orders/receipts", {"vendor": 7, "sent_at": "9999-12-31T23:59:59-23:59", "day": "0001-01-01"}, {"vendor", "sent_at", "day"}),
    ("/purchase-orders/receipts", {"vendor": "v", "sent_at": "0001-01-01T00:00:00+23:59"}, {"sent_at"}),
    ("/purchase-orders/receipts", {"vendor": "v", "sent_at": "2026-11-20T10:00:00"}, {"sent_at"}),
    ("/purchase-orders/receipts", {}, {"vendor", "sent_at"}),
]  # fmt: skip


@pytest.fixture
def client(database):
    return create_app().test_client()


def posting_paths(number):
    """Every route of ours that is posted to, but Shopify's own."""
    for rule in create_app().url_map.iter_rules():
        if "POST" in rule.methods and not rule.endpoint.startswith("webhooks."):
            yield re.sub(r"<[^>]+>", str(number), rule.rule)


def rows_of(shop):
    """Every row of a shop, by table: what must stay as it is."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'shop_id'"
        )
        found = {}
        for table in sorted(row[0] for row in cur.fetchall()):
            cur.execute(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
            )
            found[table] = cur.fetchone()[0]
        return found


def test_what_is_no_json_object_is_refused_by_every_route_and_nothing_is_written(client, acme):
    number = price_row(acme)
    restock_row(acme), price_test_row(acme)
    client.get("/settings", headers=as_json(acme))  # makes the settings' row
    before = rows_of(acme)
    paths = list(posting_paths(number))

    for path in paths:
        for name, body in NO_BODIES.items():
            answer = client.post(
                path, data=body, content_type="application/json", headers=as_json(acme)
            )
            assert answer.status_code == 400, f"{name} to {path}: {answer.status_code}"

    assert len(paths) >= 14
    assert rows_of(acme) == before


@pytest.mark.parametrize(("path", "body", "wrong"), WRONG_FIELDS)
def test_all_wrong_fields_are_named_at_once_by_their_paths(client, acme, path, body, wrong):
    answer = client.post(path, json=body, headers=as_json(acme))

    assert answer.status_code == 422
    assert set(answer.json["errors"]) == wrong
    assert answer.json["field"] in {name.partition(".")[0] for name in wrong}
    assert answer.json["detail"] in answer.json["errors"].values()


def test_a_form_is_held_to_the_same_fields(client, acme):
    ours = restock_row(acme)
    form = {"ids": [ours, "x"], f"units-{ours}": "many"}

    answer = client.post("/suggestions/acceptances", data=form, headers=as_json(acme))

    assert answer.json["errors"] == {
        "ids.1": "ids must be numbers",
        f"units.{ours}": "units must be a whole number",
    }


@pytest.mark.parametrize("fill", ["{}", "", "  "])
def test_a_body_that_says_nothing_is_an_object_without_fields(client, acme, fill):
    number = price_row(acme)

    answer = client.post(
        f"/suggestions/{number}/dismissal",
        data=fill,
        content_type="application/json",
        headers=as_json(acme),
    )

    assert answer.json["dismissed"] is True


def test_numbers_may_come_as_text_and_unknown_fields_are_not_looked_at(client, acme):
    number = price_row(acme)
    told = {"ids": [str(number)], "stages": "2", "every_days": "", "shop_id": 999, "state": "x"}

    seen = client.post("/rollouts/previews", json=told, headers=as_json(acme))

    assert (seen.status_code, seen.json["ids"], seen.json["stages"]) == (200, [number], 2)


@pytest.mark.parametrize(
    "body", [b"[]", b'{"vendor": "\\ud800"}', b'{"a":' * 100_000], ids=["list", "half", "deep"]
)
def test_who_has_not_proved_himself_learns_nothing_of_it(client, rival, body):
    for path in posting_paths(1):
        answer = client.post(path, data=body, content_type="application/json")
        assert answer.status_code == 401, path


def test_a_page_is_told_so_too(client, acme):
    answer = client.post(
        "/suggestions/undos", data=b"[]", content_type="application/json", headers=bearer(acme)
    )

    assert answer.status_code == 400
    assert "text/html" in answer.headers["Content-Type"]
