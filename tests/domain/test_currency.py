"""Decimals of money: ISO 4217 by hand, what we write never has more, what was sent is never cut."""

from datetime import date
from decimal import Decimal

import pytest
from babel import numbers
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from shopify_app.advice import price as price_advice
from shopify_app.analytics.prices.pricing import PriceLimits
from shopify_app.analytics.prices.rules import Bound, candidates
from shopify_app.domain.currency import EXPONENTS, exact, exponent, rounded, written_digits

BY_HAND = {
    **dict.fromkeys(
        [
            "JPY",
            "KRW",
            "XOF",
            "XAF",
            "XPF",
            "CLP",
            "PYG",
            "UGX",
            "RWF",
            "ISK",
            "VND",
            "KMF",
            "DJF",
            "GNF",
            "BIF",
            "VUV",
        ],
        0,
    ),
    **dict.fromkeys(["KWD", "BHD", "OMR", "JOD", "IQD", "LYD", "TND"], 3),
    **dict.fromkeys(
        [
            "HUF",
            "EUR",
            "GBP",
            "USD",
            "CNY",
            "TWD",
            "IDR",
            "MGA",
            "MRU",
            "RSD",
            "ALL",
            "LBP",
            "IRR",
            "PKR",
            "COP",
        ],
        2,
    ),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Read off ISO 4217's list one."""


@pytest.mark.parametrize(("currency", "digits"), sorted(BY_HAND.items()))
def test_decimals_are_those_of_iso_4217(currency, digits):
    assert exponent(currency) == digits


def test_every_currency_that_is_tender_somewhere_today_is_in_the_table():
    day = date(2026, 11, 20)
    tender = {
        code
        for territory in get_global("territory_currencies")
        for code in numbers.get_territory_currencies(territory, day, day)
    }

    assert len(tender) > 140
    assert tender - set(EXPONENTS) <= {
        "ANG",
        "BGN",
    }  # ended in 2025 and 2026; the list may be older


def test_a_code_that_iso_4217_does_not_have_has_hundredths():
    assert exponent("JEP") == exponent("USDC") == exponent("HRK") == 2


def test_what_shopify_keeps_coarser_is_written_coarser():
    assert (written_digits("MGA"), written_digits("MRU")) == (1, 0)
    assert {c for c in EXPONENTS if written_digits(c) != exponent(c)} == {"MGA", "MRU"}


@pytest.mark.parametrize(
    ("amount", "currency", "kept", "written"),
    [
        ("4999.95", "XOF", "4999.95", "5000"),
        ("4.1250", "KWD", "4.125", "4.125"),
        ("4.125", "GBP", "4.125", "4.13"),
        ("1990.5000", "HUF", "1990.50", "1990.50"),
        ("1080.0000", "JPY", "1080", "1080"),
        ("1E+3", "EUR", "1000.00", "1000.00"),
    ],
)
def test_what_was_sent_keeps_its_decimals_and_what_is_written_has_its_currencys(
    amount, currency, kept, written
):
    assert str(exact(Decimal(amount), exponent(currency))) == kept
    assert str(rounded(Decimal(amount), written_digits(currency))) == written


@given(
    st.sampled_from(sorted(EXPONENTS)),
    st.decimals("0.5", "90000", places=4),
    st.sampled_from(["keep", "0.99", "0.95"]),
)
def test_a_proposed_price_has_no_more_decimals_than_its_currency(currency, price, ending):
    limits = PriceLimits(price_ending=ending, minor_digits=written_digits(currency))
    rules = [Bound("max_price_step", float(price) * 0.9, float(price) * 1.1)]

    for found in candidates(float(price), rules, limits):
        text = price_advice._price(float(found), limits.minor_digits)
        assert -Decimal(text).as_tuple().exponent <= exponent(currency)
        assert float(text) == pytest.approx(found, abs=1e-9)


@given(st.sampled_from(sorted(EXPONENTS)), st.decimals("0.0001", "9999999", places=4))
def test_a_price_of_the_store_is_told_as_it_was_sent(currency, price):
    assert Decimal(price_advice._as_sent(float(price), exponent(currency))) == price
