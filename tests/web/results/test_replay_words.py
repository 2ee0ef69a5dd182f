"""What the past would have brought with our advice, on the Results page: a loss as plain as a gain, nothing without a record."""

import pytest
from psycopg2.extras import Json

from shopify_app.db.connection import transaction
from shopify_app.web import create_app
from tests.factories import NOW
from tests.web.openapi import check
from tests.web.page_rows import as_json, bearer

RECORD = {
    "verdict": "gain",
    "weeks": 40,
    "series": 80,
    "series_in_all": 80,
    "is_floor": False,
    "gain": 4210.4,
    "gain_low": 2900.0,
    "gain_high": 5500.0,
    "revenue": 90000.0,
    "from_sales": 4800.0,
    "from_holding": -600.0,
    "from_ordering": 0.0,
    "lost_units": 900.0,
    "lost_units_advised": 120.0,
    "stock_value": 8000.0,
    "stock_value_advised": 9900.0,
    "lines": 400.0,
    "lines_advised": 420.0,
    "counted_share": 1.0,
}


@pytest.fixture
def client(acme):
    return create_app().test_client()


def keep(shop, **changed):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO replays (shop_id, as_of, currency, record) VALUES (%s, %s, %s, %s)",
            (shop.shop_id, NOW.date(), shop.currency, Json(RECORD | changed)),
        )


def test_without_a_replay_the_page_says_nothing_of_one(client, acme):
    body = client.get("/results", headers=as_json(acme))

    assert "restock advice over" not in client.get("/results", headers=bearer(acme)).text
    check(body, "/results")
    assert body.json["replay"] is body.json["replay_words"] is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "You would have earned about £4,200 more (+£2,900 to +£5,500)."),
        ({"is_floor": True}, "You would have earned at least about £4,200 more"),
        (
            {"verdict": "loss", "gain": -1500.0, "gain_low": -2000.0, "gain_high": -1000.0},
            "You would have earned about £1,500 less (−£2,000 to −£1,000). Your own way of ordering did better.",
        ),
        (
            {"verdict": "little_to_gain", "gain": 100.0, "gain_low": -50.0, "gain_high": 250.0},
            "Little to gain: your shop is already run well (−£50 to +£250 by our advice).",
        ),
        (
            {"verdict": "cannot_tell", "gain": 100.0, "gain_low": -900.0, "gain_high": 3000.0},
            "It cannot be told: anything from −£900 to +£3,000 is possible.",
        ),
        (
            {"verdict": "not_counted", "is_floor": True},
            "the stock on your shelves for too few weeks",
        ),
        ({"verdict": "too_little_history", "weeks": 3}, "half a year of sales is needed"),
    ],
)
def test_each_verdict_is_said_plainly_with_its_range(client, acme, changed, words):
    keep(acme, **changed)

    page = client.get("/results", headers=bearer(acme)).text
    body = client.get("/results", headers=as_json(acme))

    assert words in page
    check(body, "/results")
    assert body.json["replay"]["verdict"] == changed.get("verdict", "gain")
    assert words in body.json["replay_words"]


def test_it_stands_there_in_both_languages_and_never_at_the_rivals(client, acme, rival):
    keep(acme)

    english = client.get("/results", headers=bearer(acme)).text
    chinese = client.get("/results?locale=zh-CN", headers=bearer(acme)).text

    assert "If you had followed our restock advice over the last 40 weeks" in english
    assert "+£4,800 from sales, −£600 from stock" in english
    assert "如果过去 40 周都采纳了我们的补货建议" in chinese
    assert client.get("/results", headers=as_json(rival)).json["replay"] is None
