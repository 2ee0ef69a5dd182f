"""A price test for products whose elasticity is too little known: `analytics.price_tests.experiments` in the shop's own terms.

A product is tested as a whole: all its variants cost the same, nothing else is said of any of them, none is shown as
reduced and none has a price fixed for a market. Of those the ones that sell most often teach most; as many are
taken as leave the half that alternates, by lot, inside the share of sales that may be under change; the other half stays.
"""

from dataclasses import asdict, replace
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.advice.before_tax import tax_rates
from shopify_app.advice.inputs import Inputs
from shopify_app.analytics.price_tests.experiments import plan_switchback
from shopify_app.analytics.prices.pricing import PriceLimits
from shopify_app.domain.price_test import PriceTestPlan

MOST_PRODUCTS: Final = 160
"""Products of both halves together, at most: more teach little more, and a merchant could not look through
them."""

PRECISION: Final = 0.7
"""Target half-width of the 80 % interval of elasticity: half of what it is before."""

STEP: Final = 0.08
"""Share by which prices go up and down, where the merchant's largest step allows it."""

CHANGES_PER_MONTH: Final = 2
"""Price changes a month of a product under test."""

MOST_WEEKS: Final = 16
"""Longest test."""

HEADROOM: Final = 0.9
"""Share of the loss cap and of the sales that may be under change that a proposal uses: both move while it
stands."""

FEWER: Final = 0.9
"""Share of the products kept at each try, where those under test would make up too much of the sales."""


def propose(
    inputs: Inputs, unknown: pd.DataFrame, limits: PriceLimits, *, seed: int
) -> PriceTestPlan | None:
    """The `SwitchbackPlan` of a test, to be kept; None where none is worth it or allowed.

    `unknown` : see `price.PriceAdvice`.
    """
    terms = inputs.settings.price_test
    if terms is None or not terms.may_propose or terms.cost_left <= 0:
        return None
    catalogue = _products(inputs, unknown, set(terms.fixed)).head(MOST_PRODUCTS)
    cost = HEADROOM * float(terms.cost_left)
    room = HEADROOM * float(terms.exposure_limit) - float(terms.share_under_change)
    plan = None
    while len(catalogue):
        plan = plan_switchback(
            catalogue,
            replace(limits, changes_per_month=CHANGES_PER_MONTH),
            precision=PRECISION,
            maximum_cost=cost,
            step=STEP,
            most_weeks=MOST_WEEKS,
            seed=seed,
        )
        if sum(terms.shares.get(series.series_id, 0.0) for series in plan.series) <= room:
            break
        catalogue = catalogue.head(int(len(catalogue) * FEWER))
    if plan is None or plan.abstained_because is not None:
        return None
    digits = inputs.settings.minor_digits
    rounded = replace(
        plan,
        maximum_cost=_up(plan.maximum_cost, digits),
        expected_cost=round(plan.expected_cost, digits),
    )
    return PriceTestPlan.of_json(asdict(rounded))


def _products(inputs: Inputs, unknown: pd.DataFrame, fixed: set[int]) -> pd.DataFrame:
    """The products that could be tested: series_id, price, unit_cost, tax_rate, units_per_week, units_each; best sellers first."""
    told = unknown.set_index("series_id").reindex(inputs.variants["variant_id"])
    variants = inputs.variants.assign(
        orders=told["units_per_week"].to_numpy(),
        units_each=told["units_each"].to_numpy(),
        tax_rate=tax_rates(inputs.variants),
    )
    never_sold = ~variants["variant_id"].isin(inputs.weekly["variant_id"])
    is_fit = (
        (variants["orders"].notna() | never_sold)
        & variants["compare_at_price"].isna()
        & (variants["price"] > 0)
        & ~variants["variant_id"].isin(fixed)
    )
    whole = variants.groupby("product_id").agg(
        prices=("price", "nunique"), price=("price", "first"), orders=("orders", "sum")
    )
    whole["is_fit"] = is_fit.groupby(variants["product_id"]).all()
    known = variants[variants["orders"] > 0]
    weight = known.set_index("product_id")["orders"]
    for name in ("unit_cost", "units_each", "tax_rate"):
        weighted = (known[name] * known["orders"]).groupby(known["product_id"]).sum(min_count=1)
        whole[name] = weighted / weight.groupby(level=0).sum()
    fit = whole[whole["is_fit"] & (whole["prices"] == 1) & (whole["orders"] > 0)]
    fit = fit.reset_index().sort_values(["orders", "product_id"], ascending=[False, True])
    return fit.rename(columns={"product_id": "series_id", "orders": "units_per_week"})


def _up(amount: float, digits: int) -> float:
    """An amount rounded up: a maximum stays one."""
    return float(np.ceil(amount * 10**digits) / 10**digits)
