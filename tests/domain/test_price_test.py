"""The days, weeks and blocks of a price test."""

from datetime import date, timedelta

import pytest

from shopify_app.domain.price_test import PriceTest

FIRST = date(2026, 11, 2)


def made(first_on=FIRST):
    """Eight weeks in blocks of two."""
    fields = dict.fromkeys(PriceTest.__dataclass_fields__) | {
        "first_on": first_on,
        "weeks": 8,
        "block_weeks": 2,
    }
    return PriceTest(**fields)


@pytest.mark.parametrize(
    ("days", "block", "weeks_over"),
    [
        (-1, None, 0),
        (0, 0, 0),
        (6, 0, 0),
        (7, 0, 1),
        (13, 0, 1),
        (14, 1, 2),
        (55, 3, 7),
        (56, None, 8),
        (90, None, 8),
    ],
)
def test_a_day_lies_in_its_block_and_after_so_many_weeks(days, block, weeks_over):
    day = FIRST + timedelta(days=days)

    assert made().block_on(day) == block
    assert made().weeks_over(day) == weeks_over


def test_its_last_day_is_the_sunday_of_its_last_week():
    assert made().last_on == date(2026, 12, 27)


def test_a_test_that_is_not_agreed_to_has_no_days():
    proposed = made(first_on=None)

    assert (proposed.block_on(FIRST), proposed.weeks_over(FIRST), proposed.last_on) == (
        None,
        0,
        None,
    )
