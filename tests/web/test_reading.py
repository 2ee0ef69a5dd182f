"""Looking changes nothing: no page writes a row, and none could."""

import re

import psycopg2
import pytest

from shopify_app.web import create_app, reading
from tests.factories import rows
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
OTHERS = {"assets.", "oauth.", "webhooks.", "patch_id_token", "health."}
"""Files, an install, Shopify's own calls, App Bridge's page and probes: no pages of a shop."""


@pytest.fixture
def client(database):
    return create_app().test_client()


def kept(shop):
    """Every row but the shop's own, which says when Shopify last proved it."""
    return {table: rows for table, rows in rows_of(shop).items() if table != "shops"}


def paths_to_look_at(client, shop):
    """Every page of a shop: its lists, one of each kind, its order's file and print."""
    client.post(f"/suggestions/{restock_row(shop)}/acceptance", headers=bearer(shop))
    price = price_row(shop)
    plan = client.post("/rollouts", json={"ids": [price]}, headers=as_json(shop))
    known = {
        "pricing.show": price,
        "restock.show": restock_row(shop, title="Rug"),
        "trends.show": trend_row(shop),
        "suggestions.show": price,
        "rollouts.show": plan.json["rollout"]["id"],
        "price_tests.show": price_test_row(shop),
    }
    for rule in create_app().url_map.iter_rules():
        if "GET" in rule.methods and not rule.endpoint.startswith(tuple(OTHERS | SIGNED_LINKS)):
            yield re.sub(r"<[^>]+>", str(known.get(rule.endpoint)), rule.rule)
    orders = client.get("/restock", headers=as_json(shop)).json["purchase_orders"]
    yield from (orders[0]["csv_url"], orders[0]["print_url"])


def test_every_page_opens_and_leaves_every_row_as_it_was(client, acme):
    paths = list(paths_to_look_at(client, acme))
    rows(acme, "DELETE FROM shop_settings RETURNING 1")
    before = kept(acme)

    for path in paths:
        for headers in (bearer(acme), as_json(acme)):
            assert client.get(path, headers=headers).status_code == 200, path

    assert len(paths) >= 14
    assert rows(acme, "SELECT count(*) FROM shop_settings") == [(0,)]
    assert kept(acme) == before


def test_what_is_read_for_a_page_cannot_write(client, acme):
    with client.application.test_request_context():
        reading.g.shop = acme
        with (
            pytest.raises(psycopg2.errors.ReadOnlySqlTransaction),
            reading.reading() as conn,
            conn.cursor() as cur,
        ):
            cur.execute("UPDATE shop_settings SET lead_time_days = 9")

    assert rows(acme, "SELECT lead_time_days FROM shop_settings") == [(14,)]
