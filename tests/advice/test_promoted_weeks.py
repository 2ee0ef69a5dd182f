"""Promotions from order lines: a sale of the shop or of a product, sold or not; no shopper's own code; no rival's."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from shopify_app.advice import inputs as advice_inputs
from shopify_app.advice.promoted_weeks import PROMOTED_WEEKS, promoted_weeks
from shopify_app.db import daily_sales, orders
from shopify_app.db.connection import transaction
from shopify_app.usecases.suggestions.read_inputs import read_inputs
from tests.factories import NOW, line_of, make_variant, order_of

VARIANTS = pd.DataFrame({"variant_id": [1, 2, 3, 4], "product_id": [10, 10, 20, 20]})


def told(*days):
    """Of (variant, weeks ago, units, share off the list price): {(variant, weeks ago): share on promotion}."""
    sales = pd.DataFrame(
        [
            (variant, units, 10.0 * units * (1 - off), 10.0 * units)
            for variant, _, units, off in days
        ],
        columns=["variant_id", "ordered_units", "revenue", "list_revenue"],
    )
    found = promoted_weeks(
        sales, pd.Series([week for _, week, _, _ in days], dtype="int64"), VARIANTS
    )
    assert dict(found.dtypes.astype(str)) == PROMOTED_WEEKS
    return {
        (int(v), int(w)): s
        for v, w, s in zip(
            found["variant_id"], found["weeks_ago"], found["on_promotion"], strict=True
        )
    }


def test_a_sale_of_the_whole_shop_goes_for_what_sold_nothing_too():
    found = told((1, 3, 40, 0.2), (3, 3, 30, 0.2), (1, 4, 40, 0.0), (2, 4, 5, 0.0))

    assert set(found) == {(1, 3), (2, 3), (3, 3), (4, 3)}
    assert min(found.values()) > 0.8


def test_a_sale_of_a_product_goes_for_its_variants_and_no_others():
    found = told((1, 3, 40, 0.2), (3, 3, 60, 0.0), (4, 3, 1, 0.0))

    assert set(found) == {(1, 3), (2, 3)}


@pytest.mark.parametrize("own", [(1, 3, 1, 0.1), (2, 3, 2, 0.3)])
def test_a_shoppers_own_code_is_no_promotion(own):
    assert told(own, (1, 3, 9, 0.0), (3, 3, 30, 0.0)) == {}


def test_a_day_at_a_hair_below_list_is_none():
    assert told((1, 3, 40, 0.02), (3, 3, 30, 0.02)) == {}


def test_a_clearance_of_products_no_longer_on_sale_goes_for_the_whole_shop():
    found = told((99, 45, 3, 0.1), (1, 3, 10, 0.0))

    # 3 units off of 3 sold, and 3 units' worth of doubt: half of the week.
    assert found == {(variant, 45): pytest.approx(0.5) for variant in (1, 2, 3, 4)}


def test_a_shop_that_sells_nothing_any_more_of_what_it_sold_has_its_promotions():
    assert set(told((99, 45, 3, 0.1))) == {(variant, 45) for variant in (1, 2, 3, 4)}


def test_nothing_sold_is_nothing_told():
    empty = pd.DataFrame(
        columns=["variant_id", "ordered_units", "revenue", "list_revenue"], dtype=float
    )

    assert promoted_weeks(empty, pd.Series(dtype="int64"), VARIANTS).empty


def test_a_discounted_week_reaches_the_inputs_and_no_rivals(acme, rival):
    variant_id = make_variant(acme)
    make_variant(rival)
    made = [
        order_of(
            ago, line_of(ago, variant_id, units=2, price="10.00", discount=Decimal(6 if 21 <= ago < 49 else 0)),
            at=NOW - timedelta(days=ago),
        )
        for ago in range(1, 90)
    ]  # fmt: skip
    with transaction(acme.shop_id) as conn:
        applied = orders.upsert_many(conn, acme.shop_id, acme.zone, made)
        daily_sales.touch(conn, acme.shop_id, applied.days)
        daily_sales.recount(conn, acme.shop_id, limit_days=999)
        inputs = read_inputs(conn, acme, NOW.date())
    with transaction(rival.shop_id) as conn:
        of_rival = read_inputs(conn, rival, NOW.date())

    assert inputs.promoted["variant_id"].unique().tolist() == [variant_id]
    assert 3 <= len(inputs.promoted) <= 5
    assert np.ptp(inputs.promoted["weeks_ago"]) == len(inputs.promoted) - 1
    assert of_rival.promoted.empty
    again = advice_inputs.from_bytes(advice_inputs.to_bytes(inputs)[0])
    assert again.promoted.equals(inputs.promoted)
