"""What sold without stock was on offer: the stretch of it, not only the days that sold."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopify_app.advice.on_offer import with_sold_while_empty


def shares(in_stock, sold, *, stray=7):
    """Shares in stock of a product's days, from shares told and units sold by day."""
    stock = pd.DataFrame({"variant_id": 1, "day": range(len(in_stock)), "in_stock": in_stock})
    units = pd.Series(
        list(sold.values()),
        index=pd.MultiIndex.from_tuples([(1, day) for day in sold]),
        dtype=float,
    )
    found = with_sold_while_empty(stock, units, series="variant_id", period="day", stray=stray)
    return found["in_stock"].tolist()


@pytest.mark.parametrize(
    ("in_stock", "sold", "right"),
    [
        ([1.0, 0.0, 0.0, 1.0], {0: 3}, [1.0, 0.0, 0.0, 1.0]),  # an empty shelf that sold nothing
        ([0.0, 0.0, 0.0, 0.0], {1: 2, 3: 1}, [1.0, 1.0, 1.0, 1.0]),  # the days between sold none
        ([0.0, 0.0, 0.0, 0.0, 0.0], {0: 1, 2: 4}, [1.0, 1.0, 1.0, 0.0, 0.0]),  # then it was out
        ([0.4, 0.0, 0.0], {0: 3, 1: 1}, [0.4, 1.0, 0.0]),  # let through after the last one
        ([0.4, 0.0, 0.0, 0.1], {1: 1, 2: 1}, [1.0, 1.0, 1.0, 1.0]),  # ran out and came in mid-day
        ([0.4, 0.0, 0.0, 0.1], {1: 2, 3: 1}, [0.4, 1.0, 0.0, 0.1]),
        ([0.0] * 9, {8: 1}, [0.0, 0.0] + [1.0] * 7),  # one alone tells of a week
        ([0.0, 0.0, 1.0, 0.0], {0: 1, 1: 1}, [1.0, 1.0, 1.0, 0.0]),  # another stretch is another
    ],
)
def test_a_stretch_without_stock_was_on_offer_until_its_last_sale(in_stock, sold, right):
    assert shares(in_stock, sold) == right


def test_another_products_sales_say_nothing():
    stock = pd.DataFrame({"variant_id": [1, 2, 2], "day": [0, 0, 1], "in_stock": [0.0, 0.0, 0.0]})
    sold = pd.Series([1.0, 1.0], index=pd.MultiIndex.from_tuples([(2, 0), (2, 1)]))
    found = with_sold_while_empty(stock, sold, series="variant_id", period="day")

    assert found["in_stock"].tolist() == [0.0, 1.0, 1.0]


@settings(deadline=None, max_examples=50)
@given(
    days=st.lists(
        st.tuples(st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 2)), min_size=1, max_size=40
    )
)
def test_no_unit_is_sold_without_exposure_and_no_share_falls(days):
    told = [share for share, _ in days]
    found = shares(told, dict(enumerate(units for _, units in days)))

    assert all(after >= before for before, after in zip(told, found, strict=True))
    assert all(share > 0 for share, (_, units) in zip(found, days, strict=True) if units)
