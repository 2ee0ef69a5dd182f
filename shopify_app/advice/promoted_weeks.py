"""Which weeks a variant was on promotion, from what order lines were sold below their list price.

In:  sales of each variant and day before and after discounts, what product it belongs to.
Out: a share of each closed week (0..1), of every variant that it goes for, sold or not.
Method: a day is discounted whose sales went at least `LEAST_OFF` below list. A variant's share of a
week's units is shrunk toward its product's, and that toward the whole shop's: a week in which a variant sold
nothing is on promotion if the rest was. Below half it is none: a shopper's own code makes no promotion.
Weak: a lower price without a discount (a compare-at price) is not seen here.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

LEAST_OFF: Final = 0.05
"""Share off the list price below which a day's discounts are somebody's own code."""

LEANS: Final = 3.0
"""Pseudo-count, in units, of the product's share beside a variant's own, and of the shop's beside the
product's."""

LEAST_SHARE: Final = 0.5
"""Share of a week's units sold at a discount below which the week is none of promotion."""

PROMOTED_WEEKS: Final = {"variant_id": "int64", "weeks_ago": "int64", "on_promotion": "float64"}
"""Columns of the promoted weeks; `weeks_ago` as in `shop_weeks.CLOSED_WEEKS`; only what was promoted has a
row."""


def promoted_weeks(
    sales: pd.DataFrame, weeks_ago: "pd.Series[Any]", variants: pd.DataFrame
) -> pd.DataFrame:
    """`PROMOTED_WEEKS` of the variants on sale.

    Parameters
    ----------
    sales : `domain.frames.DAILY_SALES`
    weeks_ago : of each of its rows
    variants : `variant_id, product_id`
    """
    off = 1 - sales["revenue"] / sales["list_revenue"].where(sales["list_revenue"] > 0)
    sold = pd.DataFrame(
        {
            "variant_id": sales["variant_id"],
            "weeks_ago": weeks_ago,
            "units": sales["ordered_units"].astype(float),
            "off": sales["ordered_units"] * (off >= LEAST_OFF),
        }
    )
    products = variants.set_index("variant_id")["product_id"]
    sold["product_id"] = sold["variant_id"].map(products)
    of_shop = sold.groupby("weeks_ago")[["units", "off"]].sum()
    weeks = of_shop["off"] / (of_shop["units"] + LEANS)
    keys = ["product_id", "weeks_ago"]
    of_product = _leaning(sold, keys, sold["weeks_ago"].map(weeks))
    above = of_product.reindex(pd.MultiIndex.from_frame(sold[keys])).to_numpy(float)
    of_variant = _leaning(sold, ["variant_id", "weeks_ago"], pd.Series(above, index=sold.index))
    silent = _silent(weeks, of_product, of_variant, products)
    found = pd.concat([of_variant, silent]).rename("on_promotion")
    found = found[found >= LEAST_SHARE].reset_index()
    found = found[found["variant_id"].isin(products.index)]
    return found.sort_values(["variant_id", "weeks_ago"], ignore_index=True).astype(PROMOTED_WEEKS)


def _leaning(sold: pd.DataFrame, keys: list[str], above: "pd.Series[Any]") -> "pd.Series[float]":
    """Shrunk share of units sold at a discount in each group: (off + n x the share above) / (units + n)."""
    total = (
        sold.assign(above=above)
        .groupby(keys)
        .agg(units=("units", "sum"), off=("off", "sum"), above=("above", "first"))
    )
    return (total["off"] + LEANS * total["above"]) / (total["units"] + LEANS)


def _silent(
    weeks: "pd.Series[float]",
    of_product: "pd.Series[float]",
    sold: "pd.Series[float]",
    products: "pd.Series[Any]",
) -> "pd.Series[float]":
    """Share of weeks in which a variant sold nothing, where its product's, or the shop's, was promoted.

    A week in which only products no longer on sale were sold has no product's share: the shop's goes for all.
    """
    found: list[pd.Series[float]] = []
    promoted = np.union1d(
        weeks.index[weeks >= LEAST_SHARE],
        of_product.index.get_level_values("weeks_ago")[of_product >= LEAST_SHARE].unique(),
    )
    every = of_product.unstack("weeks_ago").reindex(columns=promoted)
    for week in promoted:
        share = products.map(every[week]).fillna(weeks[week])
        rows = pd.MultiIndex.from_arrays(
            [share.index, np.full(len(share), week)], names=["variant_id", "weeks_ago"]
        )
        found.append(pd.Series(share.to_numpy(float), index=rows))
    if not found:
        return sold.iloc[:0]
    silent = pd.concat(found)
    return silent[~silent.index.isin(sold.index)]
