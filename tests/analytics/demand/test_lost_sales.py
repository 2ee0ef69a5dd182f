"""What stock-outs cost, in units, with a range that holds."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.demand.lost_sales import lost_demand


def shop(seed=0, n=300, length=52):
    rng = np.random.default_rng(seed)
    rate = rng.lognormal(1.0, 0.8, n)
    demand = rng.poisson(rng.gamma(4, rate[:, None] / 4, (n, length)))
    in_stock = np.where(rng.random((n, length)) < 0.25, rng.uniform(0, 0.8, (n, length)), 1.0)
    sold = rng.binomial(demand, in_stock)
    start = np.datetime64("2025-01-06", "s") + np.arange(length) * np.timedelta64(7, "D")
    frame = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), length),
            "period": np.tile(start, n),
            "units": sold.ravel().astype(float),
            "in_stock": in_stock.ravel(),
        }
    )
    return frame, (demand - sold)[:, -26:].sum(axis=1)


def test_the_units_lost_are_told_without_bias_and_the_ranges_hold():
    frame, truth = shop()
    found = lost_demand(frame, periods=26).set_index("series_id").reindex(range(300))

    assert found["lost"].sum() == pytest.approx(truth.sum(), rel=0.06)
    held = ((truth >= found["low"]) & (truth <= found["high"])).mean()
    assert 0.73 <= held <= 0.9


def test_a_product_that_was_never_short_lost_nothing():
    frame, _ = shop()
    frame.loc[frame["series_id"] == 7, "in_stock"] = 1.0

    assert 7 not in set(lost_demand(frame, periods=26)["series_id"])


def test_a_history_that_does_not_know_its_stock_is_refused():
    frame, _ = shop(n=3)
    with pytest.raises(ValueError, match="in_stock"):
        lost_demand(frame.drop(columns="in_stock"))
