"""The smallest amount that a shop's money is kept in, as Shopify's library `money` has it (its `config/currency_iso.yml`)."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

DIGITS: Final = {
    **dict.fromkeys(("BIF", "BYR", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("MRU", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    "MGA": 1,
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of currencies that have not two."""


def smallest(currency: str) -> Decimal:
    """A hundredth, a thousandth or a whole one."""
    return Decimal(1).scaleb(-DIGITS.get(currency, 2))


def to_units(amount: Decimal, currency: str) -> int:
    """An amount in smallest units, half a unit rounded away from zero."""
    return int((amount / smallest(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def from_units(units: int, currency: str) -> Decimal:
    """Smallest units as an amount with the currency's decimals."""
    return Decimal(units).scaleb(-DIGITS.get(currency, 2))
