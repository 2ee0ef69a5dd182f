"""Accept, dismiss, undo: what comes back, and that a double click is one decision."""

import json

import pytest

from shopify_app.db.connection import transaction
from shopify_app.web import create_app
from tests.web.page_rows import (
    as_json,
    bearer,
    price_row,
    restock_row,
    set_change,
    set_settings,
    trend_row,
)


@pytest.fixture
def client(database):
    return create_app().test_client()


def writes(shop):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT count(*) FROM price_changes WHERE shop_id = %(shop_id)s",
            {"shop_id": shop.shop_id},
        )
        return cur.fetchone()[0]


def post(client, shop, path, **sent):
    return client.post(path, headers=as_json(shop), **sent)


def test_two_clicks_are_one_price_write(client, acme):
    number = price_row(acme)

    first, second = (post(client, acme, f"/suggestions/{number}/acceptance").json for _ in range(2))

    assert (first["accepted"], second["accepted"]) == (True, False)
    assert first["suggestion"]["outcome"] == "Sending £26.00 to your store …"
    assert writes(acme) == 1


def test_an_accepted_row_asks_again_until_the_write_has_ended(client, acme):
    number = price_row(acme)
    client.post(f"/suggestions/{number}/acceptance?shape=row", headers=bearer(acme))

    waiting = client.get(f"/suggestions/{number}?shape=row", headers=bearer(acme)).text
    set_change(acme, number, "applied")
    ended = client.get(f"/suggestions/{number}?shape=row", headers=bearer(acme)).text

    assert "hx-trigger" in waiting
    assert "hx-trigger" not in ended
    assert "The price in your store is now £26.00." in ended
    assert f'action="/suggestions/{number}/undo?shape=row"' in ended


@pytest.mark.parametrize(
    ("state", "seen", "error", "words"),
    [
        ("conflict", "25.00", None, "The price is now £25.00; we did not touch it."),
        (
            "failed",
            None,
            "Price is too high",
            "Shopify refused the change: Price is too high. Nothing was changed.",
        ),
        ("unknown", None, None, "No answer came back, so we do not know the price."),
        ("applied", "26.00", None, "The price in your store is now £26.00."),
    ],
)
def test_a_price_says_what_became_of_it(client, acme, state, seen, error, words):
    number = price_row(acme)
    post(client, acme, f"/suggestions/{number}/acceptance")
    set_change(acme, number, state, seen=seen, error=error)

    assert words in client.get(f"/suggestions/{number}", headers=bearer(acme)).text


def test_an_undo_that_cannot_be_names_the_conflict(client, acme):
    number = price_row(acme)
    post(client, acme, f"/suggestions/{number}/acceptance")
    set_change(acme, number, "conflict", seen="25.00")

    answer = client.post(f"/suggestions/{number}/undo", headers=bearer(acme))

    assert answer.status_code == 422
    assert "so we did not touch it. There is nothing to undo." in answer.text


def test_frozen_days_refuse_in_place(client, acme):
    number = price_row(acme)
    set_settings(acme, prices_frozen_first="2020-01-01", prices_frozen_last="2099-01-01")

    answer = client.post(f"/suggestions/{number}/acceptance?shape=act", headers=bearer(acme))

    assert answer.status_code == 422
    assert "Prices are frozen today" in answer.text
    assert writes(acme) == 0


def test_the_merchants_cap_on_losses_refuses_a_single_price_in_place(client, acme):
    first, second = price_row(acme), price_row(acme, title="Bowls")
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE suggestions SET value_low = -20 WHERE shop_id = %s", (acme.shop_id,))
    set_settings(acme, loss_cap="30")

    one = client.post(f"/suggestions/{first}/acceptance", headers=bearer(acme))
    other = client.post(f"/suggestions/{second}/acceptance?shape=act", headers=bearer(acme))

    assert one.status_code == 200  # 20 a month for six weeks: 28
    assert other.status_code == 422
    assert "could lose more than you allow" in other.text
    assert writes(acme) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The step is larger than you allow now, so nothing was changed."),
        ("zh", "调价幅度超过您现在允许的上限"),
    ],
)
@pytest.mark.parametrize("shape", ["row", "line", "act"])
def test_a_price_beyond_the_limits_of_now_is_refused_in_place(client, acme, shape, language, words):
    number = price_row(acme)
    set_settings(acme, max_price_step="0.08")

    page = client.post(
        f"/suggestions/{number}/acceptance?shape={shape}",
        headers=bearer(acme, **{"Accept-Language": language}),
    )
    told = post(client, acme, f"/suggestions/{number}/acceptance")

    assert (page.status_code, told.status_code) == (422, 422)
    assert words in page.text
    assert "Change price" not in page.text
    assert (told.json["accepted"], told.json["refused_because"]) == (False, "step")
    assert told.json["suggestion"]["beyond_limit"] == "step"
    assert writes(acme) == 0


def test_a_planned_price_that_was_not_sent_says_why(client, acme):
    number = price_row(acme)
    post(client, acme, f"/suggestions/{number}/acceptance")
    set_change(acme, number, "failed", error_code="margin")

    page = client.get(f"/pricing/{number}", headers=bearer(acme)).text

    assert (
        "Not sent, nothing was changed. The margin after it is smaller than you allow now." in page
    )
    assert "Refused by Shopify" not in page


def test_the_page_says_of_several_what_was_not_done_and_why(client, acme):
    first, second, gone = price_row(acme), price_row(acme, title="Bowl"), 10**6
    set_settings(acme, max_price_step="0.08")

    answer = client.post(
        "/suggestions/acceptances",
        data={"ids": [first, second, gone]},
        headers=bearer(acme),
        follow_redirects=False,
    )
    page = client.get(answer.headers["Location"], headers=bearer(acme)).text
    undone = client.post("/suggestions/undos", data={"ids": [first]}, headers=bearer(acme))
    results = client.get(undone.headers["Location"], headers=bearer(acme)).text
    made_up = client.get("/pricing?not_accepted=<b>:1&not_accepted=step:x", headers=bearer(acme))

    assert "2 not done: The step is larger than you allow now" in page
    assert "1 not done: There is no such suggestion." in page
    assert "1 not done: This suggestion is not accepted, so there is nothing to undo." in results
    assert (made_up.status_code, "not done" in made_up.text) == (200, False)


@pytest.mark.parametrize("shape", ["row", "line", "act"])
@pytest.mark.parametrize("make", [price_row, restock_row, trend_row])
def test_every_shape_of_every_kind_can_be_accepted_dismissed_and_taken_back(
    client, acme, make, shape
):
    number = make(acme)
    for act in ("dismissal", "undo", "acceptance", "undo"):
        answer = client.post(f"/suggestions/{number}/{act}?shape={shape}", headers=bearer(acme))
        assert answer.status_code == 200, act


def test_a_toast_offers_the_undo_of_the_same_shape(client, acme):
    number = restock_row(acme)

    answer = client.post(f"/suggestions/{number}/acceptance?shape=line", headers=bearer(acme))

    assert (
        json.loads(answer.headers["HX-Trigger"])["app:toast"]["undo"]
        == f"/suggestions/{number}/undo?shape=line"
    )


@pytest.mark.parametrize("act", ["acceptance", "dismissal", "undo"])
def test_a_rival_cannot_decide_for_us(client, acme, rival, act):
    number = restock_row(acme)

    assert post(client, rival, f"/suggestions/{number}/{act}").status_code == 404
    assert (
        client.get(f"/suggestions/{number}", headers=as_json(acme)).json["suggestion"]["state"]
        == "open"
    )


def test_several_are_accepted_each_for_itself(client, acme, rival):
    ours, theirs = price_row(acme), price_row(rival)

    results = post(
        client, acme, "/suggestions/acceptances", json={"ids": [ours, theirs + 1000]}
    ).json["results"]

    assert [r["accepted"] for r in results] == [True, False]
    assert [r["refused_because"] for r in results] == [None, "not_found"]


def test_nothing_is_decided_by_a_get(client, acme):
    number = price_row(acme)

    assert client.get(f"/suggestions/{number}/acceptance", headers=bearer(acme)).status_code == 405
