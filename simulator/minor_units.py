"""The smallest amount that a shop's money is kept in, as Shopify's library `money` has it (its `config/currency_iso.yml`)."""

from decimal import Decimal
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
