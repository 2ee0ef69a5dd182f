"""Money on a page: an exact price has all its decimals and can be read back, a total has its currency's."""

from decimal import Decimal

import pytest
from babel import numbers
from hypothesis import given
from hypothesis import strategies as st

from shopify_app.domain.currency import EXPONENTS
from shopify_app.web import formats


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("24.0000", "GBP", "£24.00"),
        ("4999.95", "XOF", "F\u202fCFA4,999.95"),
        ("5000", "XOF", "F\u202fCFA5,000"),
        ("1990.5", "HUF", "HUF1,990.50"),
        ("4.125", "KWD", "KWD4.125"),
        ("250", "IQD", "IQD250.000"),
        ("1080", "JPY", "¥1,080"),
        ("3.3333", "USD", "$3.3333"),
        ("120", "RSD", "RSD120.00"),
        (22.8, "GBP", "£22.80"),
    ],
)
def test_an_exact_price_has_its_currencys_decimals_and_more_where_it_has_more(
    monkeypatch, amount, currency, words
):
    monkeypatch.setattr(formats, "language", lambda: "en")

    assert formats.price(amount, currency).replace("\xa0", "") == words


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (Decimal("12.375"), "GBP", "£12.38"),
        (4.125 * 3, "KWD", "KWD12.375"),
        (0.1 + 0.2, "USD", "$0.30"),
        (Decimal("14999.85"), "JPY", "¥15,000"),
    ],
)
def test_a_total_is_rounded_to_the_last_decimal_of_its_currency(
    monkeypatch, amount, currency, words
):
    monkeypatch.setattr(formats, "language", lambda: "en")

    assert formats.total(amount, currency).replace("\xa0", "") == words


@given(st.sampled_from(sorted(EXPONENTS)), st.decimals("0", "99999999", places=4))
def test_what_is_shown_reads_back_as_the_same_price(currency, amount):
    for language, locale in formats.LOCALES.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(formats, "language", lambda language=language: language)
            shown = formats.price(amount, currency)
        symbol = numbers.get_currency_symbol(currency, locale=locale)
        number = shown.replace(symbol, "").strip("\xa0\u202f ")
        assert numbers.parse_decimal(number, locale=locale) == amount
