"""Elasticities recovered from known truth; prices inside every limit; silence where nothing is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopify_app.analytics.prices.elasticity import fit_price_response
from shopify_app.analytics.prices.pricing import PriceLimits, suggest_prices

WEEKS = np.datetime64("2025-01-06", "s") + np.arange(78) * np.timedelta64(7, "D")


def shop(rng, n=200, changes=4, elasticity=None):
    """A shop whose prices moved at random times; (panel, true elasticities, last prices)."""
    true = (
        rng.normal(-2.2, 0.8, n).clip(-4.5, -0.3) if elasticity is None else np.full(n, elasticity)
    )
    base, rate = rng.uniform(8, 40, n), rng.lognormal(2, 0.7, n)
    ratio = np.ones((n, 78))
    for row in range(n):
        for week in rng.choice(np.arange(6, 72), changes, replace=False):
            ratio[row, week:] = rng.uniform(0.85, 1.15)
    price = np.round(base[:, None] * ratio, 2)
    units = rng.poisson(rng.gamma(12, rate[:, None] * ratio ** true[:, None] / 12))
    panel = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), 78),
            "period": np.tile(WEEKS, n),
            "units": units.ravel().astype(float),
            "price": price.ravel(),
        }
    )
    return panel, true, price[:, -1], rate * ratio[:, -1] ** true


def catalogue(price, units, cost_share=0.5):
    return pd.DataFrame(
        {
            "series_id": np.arange(len(price)),
            "price": price,
            "unit_cost": np.round(price * cost_share, 2),
            "units_per_month": units * 52 / 12,
        }
    )


def test_elasticities_are_nearer_the_truth_than_the_literature_alone_and_ranges_hold_them():
    panel, true, *_ = shop(np.random.default_rng(1), n=400, changes=8)
    table = fit_price_response(panel).table
    tried = (table["events"] >= 3).to_numpy()
    error = (table["elasticity"] - true)[tried]

    assert np.sqrt((error**2).mean()) < 0.95 * np.sqrt(((-2.2 - true)[tried] ** 2).mean())
    assert 0.72 <= ((table["low"] <= true) & (true <= table["high"])).mean() <= 0.9


def test_a_product_that_never_changed_its_price_says_so_and_stays_wide():
    panel, *_ = shop(np.random.default_rng(2), n=20, changes=0)
    table = fit_price_response(panel).table

    assert (table["events"] == 0).all()
    assert (table["high"] - table["low"] > 2).all()


def test_a_sale_of_the_whole_shop_teaches_nothing_of_one_product():
    panel, *_ = shop(np.random.default_rng(3), n=50, changes=0)
    late = panel["period"] >= WEEKS[60]
    panel.loc[late, "price"] = (panel.loc[late, "price"] * 0.8).round(2)
    panel.loc[late, "units"] *= 3

    assert (fit_price_response(panel).table["events"] == 0).all()


def test_most_suggestions_earn_and_few_lose():
    rng = np.random.default_rng(4)
    panel, true, price, rate = shop(rng, n=400, changes=5)
    cost_share = 0.35
    found = suggest_prices(
        fit_price_response(panel), catalogue(price, rate, cost_share), PriceLimits(margin_floor=0.1)
    )
    given_ = found[found["price"].notna()]
    rows = given_["series_id"].to_numpy()
    cost = np.round(price[rows] * cost_share, 2)
    gain = rate[rows] * (
        (given_["price"].to_numpy() / price[rows]) ** true[rows]
        * (given_["price"].to_numpy() - cost)
        - (price[rows] - cost)
    )

    assert len(given_) >= 30
    assert (gain < 0).mean() <= 0.15
    assert gain.sum() > 0


def test_without_costs_changes_or_sales_nothing_is_said_and_the_reason_is():
    panel, _, price, rate = shop(np.random.default_rng(5), n=4, changes=3)
    panel.loc[panel["series_id"] == 1, "price"] = price[1]
    rows = catalogue(price, rate)
    rows.loc[0, "unit_cost"] = np.nan
    rows.loc[2, "units_per_month"] = 0.0
    reasons = list(
        suggest_prices(fit_price_response(panel), rows, PriceLimits())["abstained_because"]
    )

    assert reasons[:3] == ["no_cost", "too_few_price_changes", "no_sales"]
    assert set(
        suggest_prices(fit_price_response(panel), rows, PriceLimits(is_frozen=True))[
            "abstained_because"
        ]
    ) == {"prices_frozen"}


@pytest.fixture(scope="module")
def fitted():
    panel, _, price, rate = shop(np.random.default_rng(6), n=60, changes=5, elasticity=-0.6)
    return fit_price_response(panel), price, rate


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.02, 0.3),
    st.floats(0.0, 0.8),
    st.sampled_from(["keep", ".99", ".95", ".00"]),
    st.sampled_from([0, 2]),
    st.floats(0.1, 0.95),
)
def test_no_limit_is_ever_passed(fitted, step, floor, ending, digits, cost_share):
    response, price, rate = fitted
    price = np.round(price, digits)
    rows = catalogue(price, rate, cost_share)
    limits = PriceLimits(
        margin_floor=floor, max_step=step, price_ending=ending, minor_digits=digits, min_chance=0.5
    )
    found = suggest_prices(
        response,
        rows,
        limits,
        stock=pd.DataFrame({"series_id": rows["series_id"], "is_short": True}),
    )
    made = found[found["price"].notna()]
    cost = rows.set_index("series_id").loc[made["series_id"], "unit_cost"].to_numpy()

    assert (made["price"] >= cost / (1 - floor) - 1e-6).all()
    assert (np.abs(made["price"] / made["old_price"] - 1) <= step + 1e-6).all()
    assert (made["price"] > made["old_price"]).all()  # stock is short: no price falls
    assert np.allclose(made["price"] * 10**digits, np.round(made["price"] * 10**digits))
    assert (made["gain_low"] <= made["gain_mid"]).all() and (
        made["gain_mid"] <= made["gain_high"]
    ).all()


def test_a_panel_that_cannot_be_one_is_refused():
    panel, *_ = shop(np.random.default_rng(7), n=2)
    for change, words in (({"price": 0.0}, "prices"), ({"units": -1.0}, "units")):
        with pytest.raises(ValueError, match=words):
            fit_price_response(panel.assign(**change))
    with pytest.raises(ValueError, match="lacks"):
        fit_price_response(panel.drop(columns="price"))
