"""A file becomes a case, or one line that names the field; the shipped schema says the same."""

import json

import pytest
from jsonschema import Draft202012Validator

from launch.processes import ROOT
from simulator.cases.reading import SCHEMA, BadCaseError, parsed, read_case, schema_text

VARIANT = {"price": "24.00", "cost": "9.00", "available": 5}
APRON = {"title": "Linen apron", "variants": [VARIANT]}
SHOP = {"products": [APRON]}
FILES = sorted((ROOT / "tests" / "cases").glob("*/*.json"))


def shop_with(**variant):
    return {"shop": {"products": [{"title": "Linen apron", "variants": [VARIANT | variant]}]}}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ([], "must be a JSON object"),
        ({"shap": {}}, "shap: there is no such field"),
        ({"shop": {"currency": "POUND"}}, "shop.currency: String should match pattern '^[A-Z]{3}$'"),
        ({"shop": {"timezone": "Europe/Nowhere"}}, "shop.timezone: is no time zone"),
        ({"shop": {"products": [{"title": "P", "variants": [{}]}]}}, "shop.products[0].variants[0].price: is missing"),
        ({"shop": {"products": [APRON, APRON]}}, "shop.products: two products have one title"),
        (shop_with(policy="maybe"), "shop.products[0].variants[0].policy: String should match pattern"),
        (shop_with(sales=[{"from": 9, "per_day": -1}]), "shop.products[0].variants[0].sales[0].per_day: Input should be"),
        (shop_with(sales=[[1]]), "shop.products[0].variants[0].sales[0]: must be [day, units]"),
        (shop_with(sales=[["31 March", 1]]), "shop.products[0].variants[0].sales[0].on: Invalid isoformat string: '31 March'"),
        ({"shop": {"orders": [{"at": 3, "lines": [{"units": 2}]}]}}, "shop.orders[0].lines[0]: needs a `variant`, or a `title` and a `price`"),
        ({"webhooks": [["orders", {}]]}, "webhooks[0].topic: String should match pattern"),
        ({"webhooks": [{"act": "advance?x", "body": {}}]}, "webhooks[0].act: String should match pattern"),
        ({"expect": [{"fact": 1}]}, "expect[0]: is none of the statements: see simulator/README.md"),
        ({"expect": [{"card": "order", "of": "P"}]}, "expect[0].card: Input should be 'restock', 'price' or 'trend'"),
        ({"expect": [{"words": "cards"}]}, "expect[0]: needs has or lacks"),
        ({"expect": [{"facts": 1, "gross": {"lest": 1}}]}, "expect[0].gross.lest: there is no such field"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_case_is_refused_in_one_line_that_names_the_field(told, line):
    with pytest.raises(BadCaseError) as refused:
        parsed(told, name="a.json")

    words = str(refused.value)
    assert words.startswith(f"a.json: {line}")
    assert "\n" not in words


def test_a_file_that_is_not_there_or_no_json_is_refused_in_one_line(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("{")

    for path in (broken, tmp_path / "none.json"):
        with pytest.raises(BadCaseError, match=rf"^{path}: [^\n]+$"):
            read_case(path)


def test_figures_may_stand_beside_the_day_that_they_are_of():
    case = parsed({"expect": [{"facts": 3, "gross": "4.00", "units": {"least": 1}}]}, name="")

    assert case.expect[0].facts == "3"
    assert case.expect[0].fields["gross"] == "4.00"
    assert case.expect[0].fields["units"].least == 1


def test_a_case_without_a_title_is_called_as_its_file():
    assert parsed({"shop": SHOP}, name="", title="apron").title == "apron"


def test_the_shipped_schema_is_that_of_the_format():
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()  # python -m launch case_schema


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_case_is_valid_by_the_shipped_schema(path):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    told = json.loads(path.read_text(encoding="utf-8"))

    assert [error.json_path for error in Draft202012Validator(schema).iter_errors(told)] == []
