"""What of a shelf price is left before tax: margins are worked out of that, for a cost has no tax in it.

In:  the variants on sale, `domain.frames.TAX_SHARES` of the shop's recent lines.
Out: the variants with `tax_share` (of the price, 0..1) and `tax_from`, where it is known from.
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

ROUNDING_UNITS: Final = 0.6
"""Minor units by which a line's tax may be off by rounding, with room for a share that was rounded itself."""

SHOP: Final = 0
"""Variant id of the whole shop's row in `TAX_SHARES`."""


def with_tax_shares(
    variants: pd.DataFrame, told: pd.DataFrame, *, taxes_included: bool, minor_digits: int
) -> pd.DataFrame:
    """The variants with `tax_share` and `tax_from`: `own`, `shop`, `unknown` (taxes are included, no line tells), '' (none is).

    Parameters
    ----------
    told : `domain.frames.TAX_SHARES`
    taxes_included : whether the shop's prices have tax in them
    """
    by_variant = told.set_index("variant_id")
    of_shop = float(by_variant["tax_share"].get(SHOP, np.nan))
    number = variants["variant_id"]
    own = number.map(by_variant["tax_share"]).to_numpy(float)
    paid = number.map(by_variant["paid"]).to_numpy(float)
    rounding = ROUNDING_UNITS * 10.0**-minor_digits / np.where(paid > 0, paid, np.nan)
    is_own = ~np.isnan(own)
    is_shops = ~np.isnan(of_shop) & (~is_own | (np.abs(own - of_shop) <= rounding))
    share = np.where(is_shops, of_shop, own)
    known_from = np.where(is_own, "own", np.where(is_shops, "shop", "unknown"))
    share = np.round(np.nan_to_num(share), 6)
    has_tax = share > 0 if not taxes_included else np.ones(len(share), dtype=bool)
    return variants.assign(
        tax_share=share, tax_from=pd.Series(np.where(has_tax, known_from, ""), variants.index, str)
    )


def found_shares(variants: pd.DataFrame) -> list[tuple[int, Decimal, str]]:
    """(variant, share of its price that is tax, where that is known from), as they are kept."""
    columns = (variants[name].tolist() for name in ("variant_id", "tax_share", "tax_from"))
    return [
        (variant, Decimal(f"{share:.6f}"), known_from)
        for variant, share, known_from in zip(*columns, strict=True)
    ]


def kept_shares(variants: pd.DataFrame) -> np.ndarray:
    """Share (n,) of each price that is the shop's own; 1 in runs from before it was looked at."""
    if "tax_share" not in variants:
        return np.ones(len(variants))
    return 1.0 - variants["tax_share"].to_numpy(float)


def net_prices(variants: pd.DataFrame) -> np.ndarray:
    """Price (n,) before tax of each variant."""
    return variants["price"].to_numpy(float) * kept_shares(variants)


def tax_evidence(variant: pd.Series) -> dict[str, float | str]:
    """`tax_share` and `tax_from` of a variant for its card; nothing where no tax is in the price."""
    known_from = str(variant.get("tax_from", ""))
    if not known_from:
        return {}
    return {"tax_share": round(float(variant["tax_share"]), 6), "tax_from": known_from}
