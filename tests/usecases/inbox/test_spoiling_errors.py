"""What spoilt one body is kept in a text that Postgres takes; the database being away spoils nothing."""

import json

import psycopg2
import pytest

from shopify_app.errors import DatabaseBusyError, TransientError
from shopify_app.usecases.inbox.spoiling_errors import LONGEST, SPOILING, told
from tests.factories import rows


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("id"), "KeyError: 'id'"),
        (ValueError("a\0b"), r"ValueError: a\x00b"),
        (ValueError("half \ud800"), r"ValueError: half \ud800"),
        (ValueError("价格"), r"ValueError: \u4ef7\u683c"),
    ],
)
def test_an_error_is_told_in_plain_characters_that_a_row_can_keep(acme, error, text):
    assert told(error) == text
    assert rows(acme, "SELECT %(text)s", text=told(error)) == [(text,)]


def test_a_long_error_is_cut():
    assert len(told(ValueError("x" * 10_000))) == LONGEST


@pytest.mark.parametrize(
    "error",
    [json.JSONDecodeError("no", "{", 0), KeyError("x"), psycopg2.DataError(), OverflowError()],
)
def test_what_data_can_cause_spoils_it(error):
    assert isinstance(error, SPOILING)


@pytest.mark.parametrize(
    "error", [TransientError("away"), DatabaseBusyError("full"), MemoryError()]
)
def test_what_is_no_fault_of_the_data_spoils_nothing(error):
    assert not isinstance(error, SPOILING)
