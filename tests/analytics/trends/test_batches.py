"""A large shop is judged in parts: siblings together, the same weeks in all, nothing left out."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.trends import detect as trends
from shopify_app.analytics.trends.batches import batches

WEEKS = 60
AS_OF = "2026-01-01"


def shop(products=90, seed=2):
    rng = np.random.default_rng(seed)
    units = rng.poisson(4.0, (products, WEEKS))
    units[:6, -8:] = rng.poisson(16.0, (6, 8))
    series, week = np.nonzero(np.ones(units.shape))
    return pd.DataFrame(
        {
            "series_id": series,
            "period": np.datetime64("2024-11-04", "s") + week * np.timedelta64(7, "D"),
            "units": units[series, week].astype(float),
            "group": [f"product {one // 4}" for one in series],
        }
    )


def test_each_product_is_in_one_part_and_siblings_are_not_parted():
    parts = list(batches(shop(), AS_OF, 30))

    assert len(parts) == 3
    for name in ("series_id", "group"):
        members = [set(part[name]) for part in parts]
        assert len(set.union(*members)) == sum(len(one) for one in members)
    assert sum(len(part) for part in parts) == 90 * WEEKS


def test_a_department_may_be_cut():
    assert len(list(batches(shop().assign(group="all"), AS_OF, 30))) == 3


def test_a_part_that_sold_nothing_last_week_ends_with_the_shop():
    history = shop()
    last = history["period"].max()
    history = history[(history["series_id"] >= 30) | (history["period"] < last)]

    ends = [part["period"].max() for part in batches(history, AS_OF, 30)]

    assert ends == [last] * 3


def test_weeks_that_are_not_looked_at_make_no_parts():
    late = shop()
    late = late[late["series_id"] >= 30].assign(period=late["period"] + pd.Timedelta(weeks=1_000))
    assert sum(len(part) for part in batches(late, AS_OF, 30)) == 0


@pytest.mark.parametrize("at_once", [30, 5_000])
def test_in_parts_or_at_once_what_rises_is_found_in_the_order_of_the_products(at_once, monkeypatch):
    monkeypatch.setattr(trends, "AT_ONCE", at_once)

    found = trends.detect_trends(shop(), as_of=AS_OF)

    assert found["series_id"].tolist() == list(range(90))
    rising = found.loc[found["direction"] == "rising", "series_id"]
    assert set(range(6)) <= set(rising) and len(rising) <= 9
