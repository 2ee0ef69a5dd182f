"""A raise for a shortage says until when, its way back why it is time; in both languages, on card and page and as JSON."""

import pytest

from shopify_app.usecases.decisions import decide
from shopify_app.web import create_app
from tests.factories import make_suggestion, rows
from tests.web.page_rows import TODAY, as_json, bearer, price_evidence, price_row, set_change

SHORTAGE = {"until": "2099-12-10", "there_units": 10, "needed_units": 40}
LANGUAGES = ("en", "zh")


@pytest.fixture
def client(database):
    return create_app().test_client()


def page(client, shop, path, language="en"):
    rows(shop, "UPDATE shop_settings SET language = %(l)s RETURNING 1", l=language)
    answer = client.get(path, headers=bearer(shop, **{"Accept-Language": language}))
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def raised(shop, **shortage):
    return price_row(shop, evidence=price_evidence(shortage=SHORTAGE | shortage))


def way_back(shop, raise_id, because):
    (variant_id,) = rows(shop, "SELECT variant_id FROM suggestions WHERE id = %(id)s", id=raise_id)[
        0
    ]
    told = {
        "because": because,
        "raised_on": TODAY.isoformat(),
        "until": "2026-12-10",
        "units_then": 10,
        "units_now": 212,
    }
    return make_suggestion(
        shop,
        variant_id,
        proposal={
            "price": "24.00",
            "compare_at_price": None,
            "old_price": "26.00",
            "old_compare_at_price": None,
            "back_from": raise_id,
        },
        evidence=price_evidence(way_back=told, curve=[], prices_tried=[], binding_limit=None),
    )


@pytest.mark.parametrize(
    ("language", "card", "reason"),
    [
        ("en", "Only while stock is short: until Dec 10", "10 are there or on their way"),
        ("zh", "仅在缺货期间：至", "现有及在途共 10 件"),
    ],
)
def test_a_raise_says_until_when_and_what_happens_then(client, acme, language, card, reason):
    number = raised(acme)

    assert card in page(client, acme, "/", language)
    assert ("until Dec 10" in page(client, acme, "/pricing")) or language == "zh"
    detail = page(client, acme, f"/pricing/{number}", language)
    assert card in detail
    assert reason in detail
    body = client.get(f"/pricing/{number}", headers=as_json(acme)).json
    assert (body["until"], body["way_back_of"]) == ("2099-12-10", None)


def test_an_ordinary_price_has_no_end(client, acme):
    number = price_row(acme)

    assert "stock is short" not in page(client, acme, f"/pricing/{number}")
    assert client.get(f"/pricing/{number}", headers=as_json(acme)).json["until"] is None


def test_once_written_it_says_when_the_way_back_is_suggested_until_that_day_has_come(client, acme):
    ahead, past = raised(acme), raised(acme, until="2020-01-01")
    for number in (ahead, past):
        decide.accept_suggestion(acme.shop_id, number, accepted_by="42")
        set_change(acme, number, "applied", seen="26.00")

    words = "we suggest going back to £24.00"
    assert words in page(client, acme, f"/suggestions/{ahead}")
    assert words not in page(client, acme, f"/suggestions/{past}")


@pytest.mark.parametrize(
    ("because", "language", "words"),
    [
        ("stock_came", "en", "Stock has come: 212 are there, 10 then."),
        ("day_passed", "en", "until Dec 10. That day has come; 212 are there now."),
        ("stock_came", "zh", "新货已到：现有 212 件，当时 10 件。"),
        ("day_passed", "zh", "该日已到；现有 212 件。"),
    ],
)
def test_the_way_back_says_why_it_is_time_and_what_a_click_does(
    client, acme, because, language, words
):
    number = raised(acme)
    decide.accept_suggestion(acme.shop_id, number, accepted_by="42")
    set_change(acme, number, "applied", seen="26.00")
    back = way_back(acme, number, because)

    for path in ("/", f"/pricing/{back}"):
        shown = page(client, acme, path, language)
        assert words in shown
        assert ("Set Soy candle, Fig back from £26.00 to £24.00" in shown) is (language == "en")
    body = client.get(f"/pricing/{back}", headers=as_json(acme)).json
    assert body["way_back_of"] == number


def test_after_a_way_back_was_written_the_raise_no_more_claims_the_price(client, acme):
    number = raised(acme)
    decide.accept_suggestion(acme.shop_id, number, accepted_by="42")
    set_change(acme, number, "applied", seen="26.00")
    back = way_back(acme, number, "stock_came")
    decide.accept_suggestion(acme.shop_id, back, accepted_by="42")
    assert "now £26.00" in page(client, acme, f"/suggestions/{number}")  # not written yet
    set_change(acme, back, "applied", seen="24.00")

    assert "Went back since" in page(client, acme, f"/suggestions/{number}")
    results = page(client, acme, "/results")
    assert "The way back from a price raised while stock was short" in results


def test_the_rival_sees_nothing_of_it(client, acme, rival):
    number = raised(acme)

    assert client.get(f"/pricing/{number}", headers=bearer(rival)).status_code == 404
    assert "stock is short" not in page(client, rival, "/")
