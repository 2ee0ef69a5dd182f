"""What of a page JSON tells: the fields that say so, each written by one rule."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from shopify_app.web.json_twin import (
    Inlined,
    Told,
    as_json,
    attribute,
    attributes,
    picked,
    rounded,
)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Row:
    """As the database has it: no field is marked."""

    price: Decimal
    sold_on: date
    sold_at: datetime | None


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    row: Inlined[Row]
    secret: str
    share: Annotated[float, rounded(2)]
    rows: Told[list[Row]]
    words: Annotated[Words | None, attribute("figures"), attribute("title", "words_title")]
    some: Annotated[Row, attributes("price")]
    colour: Told[Colour]


ROW = Row(Decimal("1.50"), date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


def page(**changed):
    told = {
        "row": ROW,
        "secret": "for the template alone",
        "share": 0.666,
        "rows": [ROW],
        "words": Words("Seven", {"units": 7, "cost": Decimal("0.10")}),
        "some": Row(Decimal("9.00"), date(2026, 1, 1), None),
        "colour": Colour.RED,
    }
    return Page(**(told | changed))


def test_a_row_is_told_whole_money_as_text_and_moments_as_iso_writes_them():
    assert as_json(ROW) == {
        "price": "1.50",
        "sold_on": "2026-01-02",
        "sold_at": "2026-01-02T03:04:00+00:00",
    }


def test_a_page_tells_its_marked_fields_in_their_order_and_no_other():
    assert list(as_json(page())) == [
        "price",
        "sold_on",
        "sold_at",
        "share",
        "rows",
        "words",
        "words_title",
        "colour",
    ]


def test_each_kind_of_mark_writes_its_field():
    told = as_json(page())

    assert told["share"] == 0.67
    assert told["rows"] == [as_json(ROW)]
    assert (told["words"], told["words_title"]) == ({"units": 7, "cost": "0.10"}, "Seven")
    assert told["price"] == "9.00"
    assert told["colour"] == "red"


def test_what_is_not_there_is_null_under_each_of_its_keys():
    told = as_json(page(words=None))

    assert (told["words"], told["words_title"]) == (None, None)
    assert as_json(None) is None


def test_what_is_picked_stands_in_the_order_asked_for():
    assert list(picked(ROW, "sold_at", "price")) == ["sold_at", "price"]


def test_a_class_may_say_itself_how_it_is_told():
    @dataclass(frozen=True, slots=True)
    class Own:
        units: int

    @as_json.register
    def _(own: Own) -> str:
        return f"{own.units} units"

    assert as_json([Own(3), (Own(4),)]) == ["3 units", ["4 units"]]
