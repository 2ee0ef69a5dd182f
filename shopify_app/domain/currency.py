"""How many decimals a currency has: the one table, for what is written and for what is shown.

Source: ISO 4217, list one (active codes and their minor units); what is not in it has two.
Shopify rounds money by the same list (its open library `money`: forints keep their fillér, as ISO has them:
pull request 188), with two exceptions, `SHOPIFY_DIGITS`.

What comes from Shopify is kept exactly as it came, with more decimals or fewer. What we write has
`written_digits`; what is shown exactly has `digits_shown`.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_CODES: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE"
        " CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD"
        " HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK"
        " MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD"
        " RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH"
        " USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS: Final = {code: digits for digits, codes in _CODES.items() for code in codes.split()}
"""Code -> decimals of its minor unit (2: a hundredth)."""

SHOPIFY_DIGITS: Final = {"MGA": 1, "MRU": 0}
"""Both have a fifth as their minor unit, for which ISO writes 2; Shopify keeps one decimal and none."""

USUAL: Final = 2
"""Of a code that ISO 4217 does not have any more or never had, as Shopify's JEP and USDC."""


def exponent(currency: str) -> int:
    """Decimals of a currency's minor unit, by ISO 4217."""
    return EXPONENTS.get(currency, USUAL)


def written_digits(currency: str) -> int:
    """Decimals of a price that we write: more would come back rounded."""
    return SHOPIFY_DIGITS.get(currency, exponent(currency))


def rounded(amount: Decimal, digits: int) -> Decimal:
    """An amount of money with so many decimals, for totals and for what is written; a half goes up, as in every till.

    >>> rounded(Decimal("4999.95"), written_digits("XOF"))
    Decimal('5000')
    >>> rounded(Decimal("6.625"), 2)
    Decimal('6.63')
    """
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def exact(amount: Decimal, digits: int) -> Decimal:
    """The same amount with at least so many decimals, and more only where it has more.

    >>> exact(Decimal("4.1250"), exponent("KWD")), exact(Decimal("1990.5"), exponent("HUF"))
    (Decimal('4.125'), Decimal('1990.50'))
    """
    return amount.quantize(Decimal(1).scaleb(-max(digits, own_digits(amount))))


def own_digits(amount: Decimal) -> int:
    """Decimals that an amount needs.

    >>> own_digits(Decimal("24.5000")), own_digits(Decimal("1E+3"))
    (1, 0)
    """
    power = amount.normalize().as_tuple().exponent
    return max(0, -power) if isinstance(power, int) else 0
