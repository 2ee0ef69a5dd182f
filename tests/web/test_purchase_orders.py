"""Draft orders: signed links open one vendor's order of one shop, for five minutes."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from shopify_app.web import create_app
from tests.web.page_rows import as_json, bearer, restock_row


@pytest.fixture
def client(database):
    return create_app().test_client()


@pytest.fixture
def order(client, acme):
    number = restock_row(acme, title="=cmd()")
    client.post(f"/suggestions/{number}/acceptance", headers=bearer(acme))
    return client.get("/restock", headers=as_json(acme)).json["purchase_orders"][0]


def test_a_link_opens_without_a_token_and_adds_up(client, order):
    file = client.get(order["csv_url"])

    assert file.data.startswith(b"\xef\xbb\xbf")
    assert file.text.splitlines()[1].startswith(
        "Norrland Mill,WT-MS,'=cmd(),Moss,150,38.50,5775.00,GBP,"
    )
    assert "£5,775.00" in client.get(order["print_url"]).text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url[:-6] + "x.csv",
        lambda url: url.replace("/purchase-orders/", "/purchase-orders/x"),
    ],
)
def test_an_altered_link_is_refused(client, order, spoil):
    assert client.get(spoil(order["csv_url"])).status_code == 403


def test_a_link_dies_after_five_minutes(client, order):
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        assert client.get(order["csv_url"]).status_code == 403


def test_a_closed_order_refuses_undo(client, acme, order):
    closed = client.post(
        "/purchase-orders/exports", json={"vendor": order["vendor"]}, headers=as_json(acme)
    ).json
    number = order["lines"][0]["suggestion_id"]
    undo = client.post(f"/suggestions/{number}/undo", headers=as_json(acme))

    assert closed["closed_lines"] == 1
    assert (undo.status_code, undo.json["refused_because"]) == (422, "already_exported")


def test_a_rival_cannot_close_our_order(client, rival, order):
    answer = client.post(
        "/purchase-orders/exports", json={"vendor": order["vendor"]}, headers=as_json(rival)
    )

    assert answer.json["closed_lines"] == 0
