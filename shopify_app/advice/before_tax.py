"""What of a shelf price is left before tax: margins are worked out of that, for a cost has no tax in it.

In:  the variants on sale, `domain.frames.TAX_RATES` of the shop's recent lines.
Out: the variants with `tax_rate` (tax over the price before it) and `tax_from`, where it is known from.
Method: the median of a variant's own lines; the shop's where it sold nothing of late, or where its own differs by no
more than the rounding of its tax to the minor unit. A line sent abroad without tax does not move a median.
Weak: a variant that sold nothing has the shop's rate, whatever its own is; one whose rate changed keeps the old one for half
the days that are looked at.
"""

from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd

RECENT_DAYS: Final = 91
"""Days whose lines tell what tax is in a price."""

ROUNDING_UNITS: Final = 0.55
"""Minor units by which a line's tax may be off by rounding, and a little for the numbers of a machine."""

USUAL_STEP: Final = 0.001
"""Tax rates are whole steps of it: one that is so within its rounding is taken to be."""

DIGITS: Final = 5
"""Decimals of a rate."""

SHOP: Final = 0
"""Variant id of the whole shop's row in `TAX_RATES`."""


def with_tax_rates(
    variants: pd.DataFrame, told: pd.DataFrame, *, taxes_included: bool, minor_digits: int
) -> pd.DataFrame:
    """The variants with `tax_rate` and `tax_from`: `own`, `shop`, `unknown` (taxes are included, no line tells), '' (none is).

    Parameters
    ----------
    told : `domain.frames.TAX_RATES`
    taxes_included : whether the shop's prices have tax in them
    """
    by_variant = told.set_index("variant_id")
    as_paid = by_variant["tax_rate"]
    # Rate t / (p - t): a tax off by d moves it by about d (1 + rate) / (price before tax).
    off = ROUNDING_UNITS * 10.0**-minor_digits * (1 + as_paid) / by_variant["net"]
    usual = (as_paid / USUAL_STEP).round() * USUAL_STEP
    rates = as_paid.where((usual - as_paid).abs() > off, usual)
    of_shop = float(rates.get(SHOP, np.nan))
    number = variants["variant_id"]
    is_own = number.isin(by_variant.index).to_numpy()
    is_near = ((as_paid - of_shop).abs() <= off).reindex(number, fill_value=True).to_numpy()
    rate = np.where(is_near, of_shop, number.map(rates).to_numpy(float))
    rate = np.round(np.nan_to_num(rate), DIGITS)
    is_shops = is_near & ~np.isnan(of_shop)
    known_from = np.where(is_own, "own", np.where(is_shops, "shop", "unknown"))
    # A shop whose prices have none may still take single orders with tax in them.
    has_tax = np.full(len(rate), fill_value=True) if taxes_included else rate > 0
    return variants.assign(
        tax_rate=rate, tax_from=pd.Series(np.where(has_tax, known_from, ""), variants.index, str)
    )


def found_rates(variants: pd.DataFrame) -> list[tuple[int, Decimal, str]]:
    """(variant, rate of the tax in its price, where that is known from), as they are kept."""
    columns = (variants[name].tolist() for name in ("variant_id", "tax_rate", "tax_from"))
    return [
        (variant, Decimal(f"{rate:.{DIGITS}f}"), known_from)
        for variant, rate, known_from in zip(*columns, strict=True)
    ]


def tax_rates(variants: pd.DataFrame) -> np.ndarray:
    """Rate (n,) of the tax in each price; 0 in runs from before it was looked at."""
    if "tax_rate" not in variants:
        return np.zeros(len(variants))
    return variants["tax_rate"].to_numpy(float)


def net_prices(variants: pd.DataFrame) -> np.ndarray:
    """Price (n,) before tax of each variant."""
    return variants["price"].to_numpy(float) / (1 + tax_rates(variants))


def tax_evidence(variant: pd.Series) -> dict[str, float | str]:
    """`tax_rate` and `tax_from` of a variant for its card; nothing where no tax is in the price."""
    known_from = str(variant.get("tax_from", ""))
    if not known_from:
        return {}
    return {"tax_rate": round(float(variant["tax_rate"]), DIGITS), "tax_from": known_from}
