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


def test_an_order_that_was_sent_waits_until_the_merchant_says_it_is_there(
    client, acme, rival, order
):
    sent = client.post(
        "/purchase-orders/exports", json={"vendor": order["vendor"]}, headers=as_json(acme)
    ).json["purchase_orders"][0]
    told = {"vendor": sent["vendor"], "sent_at": sent["sent_at"]}
    assert (sent["is_closed"], sent["arrived_at"]) == (True, None)
    assert "It has arrived" in client.get("/restock", headers=bearer(acme)).text

    by_rival = client.post("/purchase-orders/receipts", json=told, headers=as_json(rival)).json
    assert by_rival == {"arrived_lines": 0, "purchase_orders": []}
    came = client.post("/purchase-orders/receipts", json=told, headers=as_json(acme)).json
    again = client.post("/purchase-orders/receipts", json=told, headers=as_json(acme)).json

    assert (came["arrived_lines"], again["arrived_lines"]) == (1, 0)
    assert came["purchase_orders"][0]["arrived_at"]
    page = client.get("/restock", headers=bearer(acme)).text
    assert "Arrived" in page
    assert "It has arrived" not in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"vendor": None},
        {"sent_at": "yesterday"},
        {"sent_at": "2026-11-20T10:00:00"},
        {"day": "x"},
        {"day": "2020-01-01"},
        {"day": "2099-01-01"},
    ],
)
def test_a_receipt_that_cannot_be_is_refused(client, acme, order, wrong):
    sent = client.post(
        "/purchase-orders/exports", json={"vendor": order["vendor"]}, headers=as_json(acme)
    ).json["purchase_orders"][0]
    told = {"vendor": sent["vendor"], "sent_at": sent["sent_at"]} | wrong

    assert (
        client.post("/purchase-orders/receipts", json=told, headers=as_json(acme)).status_code
        == 422
    )


def test_what_was_sent_at_different_times_are_different_orders(client, acme, order):
    client.post("/purchase-orders/exports", json={"vendor": order["vendor"]}, headers=as_json(acme))
    number = restock_row(acme, title="Bowls")
    client.post(f"/suggestions/{number}/acceptance", headers=bearer(acme))

    found = client.get("/restock", headers=as_json(acme)).json["purchase_orders"]

    assert [one["is_closed"] for one in found] == [False, True]
    assert "Bowls" in client.get(found[0]["csv_url"]).text
    assert "Bowls" not in client.get(found[1]["csv_url"]).text
