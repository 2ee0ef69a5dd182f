"""JSON is read whole or refused with one error, whatever it holds."""

from decimal import Decimal

import pytest

from shopify_app.errors import NotJsonError
from shopify_app.strict_json import parse, parse_typed


def test_numbers_keep_every_digit():
    assert parse(b'{"price": 12.50, "id": 9007199254740993}') == {
        "price": Decimal("12.50"),
        "id": 9007199254740993,
    }


@pytest.mark.parametrize(
    "raw",
    [b"NaN", b"[Infinity]", b"-Infinity", b'{"a": 1, "a": 1}', b"\xff", b"[" * 100_000, b"9" * 5_000, b"1e99999999999999999999", b"", b"{"],
)  # fmt: skip
def test_what_is_no_json_is_refused_by_both(raw):
    for read in (parse, parse_typed):
        with pytest.raises(NotJsonError):
            read(raw)


@pytest.mark.parametrize("raw", [b"1e999", b"-1e999", b'"\\ud800"', b'{"\\uDFFF": 1}', b'["\\ud83d \\ude00"]'])  # fmt: skip
def test_what_no_float_or_no_database_holds_is_refused_only_of_what_people_send(raw):
    parse(raw)
    with pytest.raises(NotJsonError):
        parse_typed(raw)


def test_a_whole_pair_of_surrogates_is_one_character():
    assert parse_typed(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"
