"""The simulated shop keeps money as Shopify's own library does."""

from decimal import Decimal

import pytest

from simulator.minor_units import smallest


@pytest.mark.parametrize(
    ("currency", "unit"),
    [
        ("GBP", "0.01"),
        ("JPY", "1"),
        ("XOF", "1"),
        ("ISK", "1"),
        ("HUF", "0.01"),
        ("TWD", "0.01"),
        ("KWD", "0.001"),
        ("MGA", "0.1"),
        ("MRU", "1"),
    ],
)
def test_the_smallest_amount_of_a_currency(currency, unit):
    assert smallest(currency) == Decimal(unit)
