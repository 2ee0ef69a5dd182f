"""Restock: a budget reads off the run's plan for it, the rest of the page says why, decided lines leave the plans."""

import pytest
from psycopg2.extras import Json

from shopify_app.db import purchase_orders
from shopify_app.db.connection import transaction
from shopify_app.web import create_app
from tests.factories import rows
from tests.web.page_rows import as_json, bearer, restock_row, set_order_budget


@pytest.fixture
def client(database):
    return create_app().test_client()


@pytest.fixture
def two(acme):
    """A throw (38.50 each: none, 40 or 150) and bowls (38.50 each: none or 150), and their plans."""
    throw, bowls = restock_row(acme), restock_row(acme, title="Bowls")
    budget_of(acme, throw, bowls)
    return throw, bowls


def budget_of(shop, throw, bowls):
    levels = {throw: [[0, 0], [40, 500], [150, 900]], bowls: [[0, 0], [150, 600]]}
    set_order_budget(shop, levels, [[0, 0], [1, 0], [1, 1], [2, 1]])


def page(client, shop, budget):
    return client.get(f"/restock?budget={budget}", headers=as_json(shop)).json


def test_a_budget_buys_the_plan_that_earns_most_within_it(client, acme, two):
    throw, bowls = two

    found = page(client, acme, "7,500")

    assert {s["id"]: s["units_in_budget"] for s in found["suggestions"]} == {throw: 40, bowls: 150}
    assert (found["plan"]["cost"], found["plan"]["gain"]) == ("7315.00", 1100)
    assert found["plan"]["all_cost"] == "11550.00"


@pytest.mark.parametrize(
    ("budget", "cost"), [("0", "0"), ("1539", "0"), ("1540", "1540.00"), ("99999", "11550.00")]
)
def test_a_plan_never_costs_more_than_the_budget(client, acme, two, budget, cost):
    assert float(page(client, acme, budget)["plan"]["cost"]) == float(cost)


def test_the_next_money_is_told_with_its_unit_and_nothing_is_promised_beyond_everything(
    client, acme, two
):
    words = client.get("/restock?budget=4000", headers=bearer(acme)).text

    assert "With £4,000 buy this 1 line for £1,540.00: it should earn about £500" in words
    assert "The next £1,000 would earn about £100 more." in words
    assert 'class="c-line"' in words
    everything = client.get("/restock", headers=bearer(acme)).text
    assert "more money would earn nothing here" in everything


def test_what_a_budget_buys_is_what_goes_on_the_draft_and_can_be_undone(client, acme, two):
    throw, bowls = two
    form = {"ids": [throw, bowls], f"units-{throw}": "40", f"units-{bowls}": "150"}

    client.post("/suggestions/acceptances?back=restock", data=form, headers=bearer(acme))

    drafted = rows(acme, "SELECT suggestion_id, units FROM purchase_order_lines ORDER BY id")
    assert [tuple(row) for row in drafted] == [(throw, 40), (bowls, 150)]
    assert "Order 40 × Wool throw" in client.get("/", headers=bearer(acme)).text
    assert client.post(f"/suggestions/{throw}/undo", headers=as_json(acme)).json["accepted"]


def test_a_decided_line_leaves_the_plans_and_the_others_stay(client, acme, two):
    throw, bowls = two
    client.post(
        f"/suggestions/{bowls}/dismissal", json={"reason": "not_now"}, headers=as_json(acme)
    )

    found = page(client, acme, "4000")

    assert {s["id"]: s["units_in_budget"] for s in found["suggestions"] if s["is_in_budget"]} == {
        throw: 40
    }
    assert found["plan"]["all_cost"] == "5775.00"
    assert found["plan"]["curve"] == [["0.00", 0], ["1540.00", 500], ["5775.00", 900]]


@pytest.mark.parametrize("units", ["45", "30", "0", "-10", "2000000", "x", "1e3"])
def test_units_that_the_vendor_does_not_sell_are_refused_and_nothing_is_decided(
    client, acme, units
):
    number = restock_row(acme)

    answer = client.post(f"/suggestions/{number}/acceptance?units={units}", headers=as_json(acme))

    assert answer.status_code == 422
    assert rows(acme, "SELECT state FROM suggestions")[0][0] == "open"


def test_an_order_without_a_known_cost_is_in_no_budget_and_the_page_says_so(client, acme, two):
    restock_row(acme, title="Unknown", order_cost=None)
    budget_of(acme, *two)

    found = page(client, acme, "99999")

    assert found["plan"]["unpriced"] == 1
    assert "in no budget" in client.get("/restock", headers=bearer(acme)).text


def test_before_a_run_has_worked_out_budgets_the_page_says_so(client, acme):
    restock_row(acme)

    words = client.get("/restock?budget=500", headers=bearer(acme)).text

    assert "worked out with the next look" in words


@pytest.mark.parametrize(
    ("language", "less", "more"),
    [
        (
            "en",
            "Not 110: about 8.2 units that customers want would be lost, and it would earn about £60 less.",
            "Not 190: the chance that the last of it still lies there in 6 weeks rises from 4% to 21%",
        ),
        ("zh", "不是 110 件", "不是 190 件"),
    ],
)
def test_the_detail_says_why_not_less_and_why_not_more(client, acme, language, less, more):
    number = restock_row(acme)

    words = client.get(f"/restock/{number}?locale={language}", headers=bearer(acme)).text

    assert less in words
    assert more in words


def test_units_and_money_on_open_drafts_are_counted_by_vendor(client, acme, two):
    client.post(f"/suggestions/{two[0]}/acceptance", headers=as_json(acme))

    with transaction(acme.shop_id) as conn:
        units, money = purchase_orders.on_draft(conn, acme.shop_id)["Norrland Mill"]

    assert (units, float(money)) == (150, 5775.0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_to_move_first_is_said_on_the_page_the_card_and_the_line(
    client, acme, rival, language
):
    move = {
        "variant_id": 1,
        "source_id": 7,
        "source": "Warehouse",
        "destination_id": 8,
        "destination": "Shop floor",
        "units": 12,
        "gain": 31.5,
        "product_title": "Wool throw",
        "variant_title": "Grey",
    }
    places = [
        {"location": "Warehouse", "available_units": 40},
        {"location": "Shop floor", "available_units": 6},
    ]
    number = restock_row(acme, evidence={"moves": [move], "places": places})
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE suggestion_runs SET moves = %s", (Json([move]),))
        cur.execute("UPDATE shop_settings SET language = %s", (language,))

    listed, detail = (
        client.get(path, headers=bearer(acme)).text for path in ("/restock", f"/restock/{number}")
    )

    first = {
        "en": "Move 12 from Warehouse to Shop floor first; order 150.",
        "zh": "先将 12 件从 Warehouse 移至 Shop floor；再订 150 件。",
    }
    nothing = {"en": "We move nothing", "zh": "我们不会移动任何库存"}
    assert first[language] in detail
    assert "Warehouse 40, Shop floor 6" in detail.replace("\u3001", ", ")
    assert nothing[language] in detail
    assert nothing[language] in listed
    assert listed.count("Warehouse") >= 2
    assert client.get("/restock", headers=as_json(acme)).json["moves"] == [move]
    assert client.get("/restock", headers=as_json(rival)).json["moves"] == []
    assert "Warehouse" not in client.get("/restock", headers=bearer(rival)).text


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, "Delivery takes 14 days."),
        (
            {"deliveries": 3, "days_low": 16, "days_high": 23, "is_fixed": False},
            "Lead time 14 days stated; 3 deliveries took 16 to 23 days.",
        ),
        (
            {"deliveries": 1, "days_low": 9, "days_high": 9, "is_fixed": True},
            "Lead time 14 days stated; 1 delivery took 9 days, but yours counts, as you chose.",
        ),
    ],
)
def test_a_card_says_what_deliveries_took_beside_what_was_stated(client, acme, told, words):
    number = restock_row(acme, evidence={"lead_time": told})

    assert words in client.get(f"/restock/{number}", headers=bearer(acme)).text
