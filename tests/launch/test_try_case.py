"""`./run try`: 0 if all is as expected, 1 if not, 2 in one line for a bad file; one JSON document if asked; a rival sees nothing."""

import json
import tempfile
from pathlib import Path

import pytest

from launch import try_case
from launch.case_statements import Seen, judge
from launch.case_world import case_world, text_of
from shopify_app.usecases.history import facts
from simulator.cases.reading import parsed

ORDER = {
    "id": 9001,
    "name": "#T",
    "created_at": "2025-01-02T12:00:00Z",
    "processed_at": "2025-01-02T12:00:00Z",
    "updated_at": "2025-01-02T12:00:00Z",
    "currency": "GBP",
    "financial_status": "paid",
    "line_items": [
        {
            "id": 1,
            "product_id": "$product:Apron",
            "variant_id": "$variant:Apron",
            "title": "Apron",
            "quantity": 2,
            "current_quantity": 2,
            "price": "24.00",
        }
    ],
}
CASE = {
    "shop": {"products": [{"title": "Apron", "variants": [{"price": "24.00", "available": 5}]}]},
    "webhooks": [["orders/create", ORDER]],
    "expect": [{"facts": "2025-01-02", "gross": "48.00", "units": 2}, {"dead_letters": 0}],
}


@pytest.fixture(scope="module")
def world(database_of_module):
    with (
        tempfile.TemporaryDirectory(prefix="keel-cases-") as folder,
        case_world(
            Path(folder), database_url=database_of_module, redis_url="redis://127.0.0.1:1/0"
        ) as made,
    ):
        yield made


def file_of(folder, told):
    path = folder / "case.json"
    path.write_text(json.dumps(told))
    return str(path)


@pytest.mark.slow
def test_a_case_is_tried_on_servers_of_its_own_and_told_as_one_json_document(tmp_path, capsys):
    wrong = {"facts": "2025-01-02", "gross": "50.00"}
    path = file_of(tmp_path, CASE | {"expect": [*CASE["expect"], wrong]})

    assert try_case.main([path, "--json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert [one["ok"] for one in told["expect"]] == [True, True, False]
    assert told["expect"][2]["found"] == "gross 48.00"
    assert [day["day"] for day in told["facts"]["days"]] == ["2025-01-02"]


def test_a_bad_file_ends_with_2_and_one_line(tmp_path, capsys):
    assert try_case.main([file_of(tmp_path, {"shop": {"currency": 5}})]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "shop.currency: " in said.err


def test_what_a_case_sends_stays_in_its_shop(world):
    without = parsed(CASE | {"webhooks": [], "expect": []}, name="")
    rival = world.run(without, "rival.myshopify.com", advise=False)
    ours = world.run(parsed(CASE, name=""), "ours.myshopify.com", advise=False)

    assert [one["ok"] for one in ours["expect"]] == [True, True]
    assert rival["facts"]["days"] == []
    assert facts.facts(world.shop("rival.myshopify.com").shop_id)["days"] == []


def test_a_day_of_cards_and_words_is_judged_as_it_is_told():
    card = {
        "kind": "restock",
        "product": "Apron",
        "variant": "Navy",
        "proposal": {"units": 40},
        "words": {"en": {"title": "Order 40", "text": "Order 40 × Apron"}, "zh": {"text": "订购"}},
    }
    document = {
        "facts": {
            "currency": "GBP",
            "days": [
                {"day": "2026-11-29", "currency": "GBP", "gross": "4.00"},
                {"day": "2026-11-29", "currency": "JPY", "gross": "400"},
            ],
            "catalogue": {"products": 1},
            "stock": {"levels": 2},
        },
        "cards": [card],
        "daily": [{"product": "Apron", "variant": "Navy", "day": "2026-11-29", "ordered_units": 3}],
        "not_sure": [{"reason": "no_cost", "variants": 2}],
        "advice": {"stage": "ready"},
        "dead_letters": [],
    }
    statements = {
        True: [
            {"facts": 1, "currency": "JPY", "gross": 400},
            {"facts": 2, "absent": True},
            {"shelves": {"products": 1, "levels": {"least": 1, "most": 2}}},
            {"daily": "Apron / Navy", "on": 1, "ordered_units": {"one_of": [2, 3]}},
            {"daily": "Apron", "on": 5, "ordered_units": 0},
            {"card": "restock", "of": "Apron", "where": {"proposal.units": {"not": 41}}},
            {"no_card": "price"},
            {"no_card": "restock", "of": "Apron", "where": {"proposal.units": {"least": 50}}},
            {"reason": "no_cost", "variants": 2},
            {"advice": {"stage": "ready"}},
            {"words": "cards", "of": "Apron", "has": ["40"], "lacks": ["41"]},
            {"words": "/restock", "language": "zh", "has": ["页"]},
            {"dead_letters": 0},
        ],
        False: [
            {"facts": 1, "gross": "4.00"},
            {"facts": 1, "currency": "GBP", "gross": "4.01"},
            {"facts": 1, "currency": "GBP", "absent": True},
            {"facts": 1, "currency": "GBP", "nett": "4.00"},
            {"shelves": {"levels": {"least": 3}}},
            {"card": "restock", "of": "Mug"},
            {"card": "price", "of": "Apron"},
            {"card": "restock", "of": "Apron", "where": {"proposal.cost": {"known": True}}},
            {"no_card": "any", "of": "Apron"},
            {"reason": "untracked"},
            {"words": "cards", "lacks": ["40"]},
            {"dead_letters": 1},
        ],
    }
    case = parsed({"shop": {"as_of": "2026-11-30"}}, name="")
    seen = Seen(document, case.shop.today, lambda _path, _tongue: "页")
    for ok, told in statements.items():
        judged = [judge(one, seen).ok for one in parsed({"expect": told}, name="").expect]
        assert judged == [ok] * len(told)


def test_the_words_of_a_page_are_those_that_a_person_reads_of_it():
    page = "<p>Order <b>40</b><br>today<script>no()</script></p><p hx-swap-oob='true'>else<i>where</i></p>!"

    assert text_of(page) == "Order 40 today !"
