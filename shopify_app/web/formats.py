"""The only place that writes numbers, money and dates: the reader's language, the shop's currency.

Babel costs 0.2 to 0.5 ms a call and a page makes a hundred, so what it wrote is kept.
"""

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import dates, numbers
from flask_babel import gettext

from shopify_app.domain.currency import exact, exponent, rounded
from shopify_app.web.reading import language

MINUS: Final = "\u2212"
LOCALES: Final = {"en": "en_US", "zh": "zh_Hans_CN"}

Amount = Decimal | float | int


def price(amount: Amount, currency: str) -> str:
    """An exact price: the decimals of its currency, and more where it has more."""
    return _exactly(exact(Decimal(str(amount)), exponent(currency)), currency)


def total(amount: Amount, currency: str) -> str:
    """What several units cost together, to the last decimal of the currency."""
    digits = exponent(currency)
    return _exactly(rounded(Decimal(str(amount)), digits), currency)


def money(amount: Amount, currency: str) -> str:
    """An estimate: two significant digits, no cents; the sign only when it is a loss."""
    rounded = _two_digits(float(amount))
    text = _currency(Decimal(abs(rounded)), currency, "¤#,##0", _locale())
    return MINUS + text if rounded < 0 else text


def whole(amount: Amount, currency: str) -> str:
    """An amount to the unit of its currency: for budgets, which are round anyway."""
    return _currency(Decimal(str(amount)), currency, "¤#,##0", _locale())


def gain(amount: Amount, currency: str) -> str:
    """An estimate with its sign, whichever it is."""
    text = money(amount, currency)
    return "+" + text if _two_digits(float(amount)) > 0 else text


def between(low: Amount, high: Amount, write: Callable[[Amount], str]) -> str:
    """A range, with a word between (a dash would read as a minus)."""
    return gettext("%(low)s to %(high)s", low=write(low), high=write(high))


def count(number: Amount, digits: int = 0) -> str:
    """A number with thousands separators."""
    return _number(
        round(float(number), digits), "#,##0" + ("." + "0" * digits if digits else ""), _locale()
    )


def rate(number: Amount) -> str:
    """Units a week: a decimal while it is small."""
    return count(number, 1 if abs(float(number)) < 10 else 0)


def percent(share: Amount, digits: int = 0) -> str:
    """A share of 1 as percent."""
    text = _percent(
        abs(round(float(share), digits + 2)), "0." + "0" * digits if digits else "0", _locale()
    )
    return MINUS + text if round(float(share), digits + 2) < 0 else text


def change(share: Amount, digits: int = 0) -> str:
    """A relative change with its sign."""
    text = percent(share, digits)
    return "+" + text if round(float(share), digits + 2) > 0 else text


def day(when: date | str) -> str:
    """`Nov 22`."""
    return _skeleton("MMMd", _date(when), _locale())


def weekday(when: date | str) -> str:
    """`Thu, Nov 26`."""
    return _skeleton("MMMEd", _date(when), _locale())


def full_day(when: date) -> str:
    """`Sunday, November 22, 2026`."""
    return dates.format_date(when, format="full", locale=_locale())


def moment(when: datetime, today: date) -> str:
    """A time of today, else the day and the time. `when` is on the merchant's clock."""
    clock = dates.format_time(when, format="short", locale=_locale()).replace("\u202f", "\u00a0")
    if when.date() == today:
        return gettext("today %(time)s", time=clock)
    return f"{day(when.date())} {clock}"


def _exactly(amount: Decimal, currency: str) -> str:
    """An amount with all the decimals that it is written with."""
    digits = -int(amount.as_tuple().exponent)
    return _currency(amount, currency, "¤#,##0" + ("." + "0" * digits if digits else ""), _locale())


def _locale() -> str:
    return LOCALES[language()]


def _two_digits(amount: float) -> int:
    if abs(amount) < 1:
        return 0
    scale = 10 ** max(0, math.floor(math.log10(abs(amount))) - 1)
    return round(amount / scale) * scale


def _date(when: date | str) -> date:
    return date.fromisoformat(when) if isinstance(when, str) else when


@lru_cache(maxsize=8192)
def _currency(amount: Decimal, currency: str, pattern: str, locale: str) -> str:
    return numbers.format_currency(amount, currency, pattern, locale=locale, currency_digits=False)


@lru_cache(maxsize=8192)
def _number(number: float, pattern: str, locale: str) -> str:
    return numbers.format_decimal(number, format=pattern, locale=locale)


@lru_cache(maxsize=8192)
def _percent(share: float, pattern: str, locale: str) -> str:
    return numbers.format_percent(share, format=f"#,##{pattern}%", locale=locale)


@lru_cache(maxsize=8192)
def _skeleton(skeleton: str, when: date, locale: str) -> str:
    return dates.format_skeleton(skeleton, when, locale=locale)
