"""Every limit binds, is named and keeps the law; advice stays silent where the response is not understood."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.lib.price_shops import make_shop
from shopify_app.analytics.prices import rules as price_rules
from shopify_app.analytics.prices.elasticity import fit_price_response
from shopify_app.analytics.prices.pricing import PriceLimits, suggest_prices
from shopify_app.analytics.prices.profit import StockView, monthly_profit, sold

START = np.datetime64("2025-01-06", "s")
WEEKS = START + np.arange(80) * np.timedelta64(7, "D")


@pytest.fixture(scope="module")
def inelastic():
    """Twelve products that would earn more at a higher price, beyond doubt: (response, catalogue)."""
    rng = np.random.default_rng(1)
    frames = []
    for number in range(12):
        level = np.digitize(np.arange(80), np.sort(rng.choice(np.arange(5, 75), 8, replace=False)))
        price = (20 * rng.uniform(0.85, 1.15, 9))[level].round(2)
        price[-5:] = 20.0
        units = rng.poisson(200 * (price / 20) ** -0.8)
        frames.append(
            pd.DataFrame({"series_id": number, "period": WEEKS, "units": units, "price": price})
        )
    response = fit_price_response(pd.concat(frames, ignore_index=True))
    catalogue = pd.DataFrame(
        {"series_id": range(12), "price": 20.0, "unit_cost": 8.0, "units_per_month": 870.0}
    )
    return response, catalogue


def advise(inelastic, limits=None, stock=None, **columns):
    response, catalogue = inelastic
    return suggest_prices(
        response, catalogue.assign(**columns), limits or PriceLimits(), stock=stock
    )


@pytest.mark.parametrize(
    ("columns", "limits", "rule", "price"),
    [
        ({}, PriceLimits(max_step=0.05), "max_price_step", 21.0),
        ({"ceiling_price": 20.5}, PriceLimits(), "price_ceiling", 20.5),
        ({"recommended_price": 20.8}, PriceLimits(), "recommended_price", 20.8),
        ({"tried_low": 17.0, "tried_high": 18.0}, PriceLimits(max_step=0.5), "tried_range", 23.0),
    ],
)
def test_a_limit_that_holds_a_price_is_named_with_the_price_before_and_after(
    inelastic, columns, limits, rule, price
):
    found = advise(inelastic, limits, **columns)

    assert found["price"].to_numpy() == pytest.approx(price)
    assert set(found["binding_limit"]) == {rule}
    step = found["clamp_trail"][0][-1]
    assert (step["rule"], step["after"]) == (rule, pytest.approx(price))
    assert step["before"] > step["after"]


@pytest.mark.parametrize(
    ("columns", "limits", "reason"),
    [
        ({"floor_price": 25.0}, PriceLimits(), "no_room_inside_limits"),
        ({"minimum_advertised_price": 25.0}, PriceLimits(), "no_room_inside_limits"),
        ({}, PriceLimits(margin_floor=0.9), "no_room_inside_limits"),
        ({"changes_last_30_days": 1}, PriceLimits(), "changed_lately"),
        ({}, PriceLimits(is_frozen=True), "prices_frozen"),
        (
            {},
            PriceLimits(
                frozen=((date(2026, 11, 20), date(2026, 12, 1)),), as_of=date(2026, 11, 27)
            ),
            "prices_frozen",
        ),
    ],
)
def test_where_a_limit_leaves_no_price_nothing_is_said_and_why(inelastic, columns, limits, reason):
    assert set(advise(inelastic, limits, **columns)["abstained_because"]) == {reason}


def test_a_freeze_that_is_over_freezes_nothing(inelastic):
    limits = PriceLimits(frozen=((date(2026, 1, 1), date(2026, 1, 9)),), as_of=date(2026, 1, 10))
    assert advise(inelastic, limits)["price"].notna().all()


def test_no_more_products_and_no_more_revenue_change_at_once_than_allowed(inelastic):
    few = advise(inelastic, PriceLimits(max_changes=3))
    assert few["price"].notna().sum() == 3
    assert (few["abstained_because"] == "enough_changes_at_once").sum() == 9
    part = advise(inelastic, PriceLimits(max_revenue_share=0.5))
    assert part["price"].notna().sum() == 6
    assert (part["abstained_because"] == "enough_revenue_under_change").sum() == 6


def test_a_compare_at_price_that_would_become_false_blocks_where_it_must_stay(inelastic):
    limits = PriceLimits(keeps_compare_at=True)
    shown = {"compare_at_price": 30.0, "lowest_price_30_days": 20.0}
    assert set(advise(inelastic, limits, **shown)["abstained_because"]) == {
        "would_show_a_false_reduction"
    }
    loose = advise(inelastic, **shown)
    assert loose["price"].notna().all()
    assert loose["compare_at_price"].isna().all()  # dearer than the last 30 days: no reduction


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(500, 4000)), min_size=1, max_size=12),
    st.integers(500, 4000),
    st.integers(500, 5000),
)
def test_the_reference_shown_is_the_lowest_price_of_thirty_days_or_none(path, price, shown):
    day = date(2026, 6, 1)
    history = {day - timedelta(days=ago): cents / 100 for ago, cents in path}
    daily = {}  # the price in force on each of the thirty days, by hand
    for ago in range(1, 31):
        set_on = [when for when in history if when <= day - timedelta(days=ago)]
        if set_on:
            daily[ago] = history[max(set_on)]
    lowest = min(daily.values(), default=float("nan"))
    found = price_rules.lawful_compare_at(price / 100, shown / 100, lowest, PriceLimits())

    if not daily:
        assert np.isnan(found)
    if not np.isnan(found):
        assert found == lowest
        assert found > price / 100
    elsewhere = PriceLimits(honours_prior_price=False)
    kept = price_rules.lawful_compare_at(price / 100, shown / 100, lowest, elsewhere)
    assert np.isnan(kept) if shown <= price else kept == shown / 100


def test_stock_that_will_not_last_until_the_delivery_raises_the_price_and_never_lowers_it(
    inelastic,
):
    response, catalogue = inelastic
    short = pd.DataFrame(
        {"series_id": catalogue["series_id"], "available": 200.0, "weeks_to_delivery": 4.0}
    )
    dear = advise(inelastic, PriceLimits(max_step=0.15), stock=short)
    assert (dear["price"] > 20).all()
    held = advise(
        inelastic,
        PriceLimits(max_step=0.15, min_chance=0.5, least_chance=0.5),
        stock=short.assign(is_short=True),
        unit_cost=1.0,
    )
    assert (held["price"].dropna() > 20).all()
    del response


def test_stock_that_dies_soon_is_marked_down_and_plenty_is_not():
    units = 100 * np.array([[0.7], [1.0]]) ** -2.5
    price = np.array([14.0, 20.0])
    dying = monthly_profit(price, units, 8.0, StockView(available=200.0, sell_by_weeks=4.0))
    plenty = monthly_profit(price, units, 8.0, None)
    assert dying[0, 0] > dying[1, 0]
    assert plenty[0, 0] > 0
    assert sold(10.0, np.array([1000.0])) == pytest.approx(10.0)


@pytest.mark.parametrize("response", ["reversed", "flat"])
@pytest.mark.parametrize("history", ["thin", "rich"])
def test_a_shop_whose_prices_do_not_matter_or_work_backwards_is_not_led_into_loss(
    history, response
):
    shop = make_shop(history, seed=21, endogeneity=0.8, response=response, n=200)
    found = suggest_prices(fit_price_response(shop.panel()), shop.catalogue(), PriceLimits())
    price = found["price"].fillna(pd.Series(shop.price_now)).to_numpy()
    gain = (shop.monthly_profit(price) - shop.monthly_profit(shop.price_now)).sum()

    assert gain >= -0.005 * shop.monthly_profit(shop.price_now).sum()
    if response == "reversed":
        assert found["price"].isna().all()


def test_a_shop_whose_prices_never_moved_hears_nothing():
    shop = make_shop("unmoved", seed=22, n=60)
    found = suggest_prices(fit_price_response(shop.panel()), shop.catalogue(), PriceLimits())
    assert set(found["abstained_because"]) <= {"too_few_price_changes", "no_sales"}


# ---------------------------------------------------------------- tax in the price


@pytest.mark.parametrize(
    ("cost", "rate", "floor", "least"),
    [
        (8.5, 0.2, 0.2, 12.75),  # 10.625 before tax, of which 2.125 is a fifth
        (8.5, 0.2, 0.0, 10.21),  # a penny above what it cost with its tax
        (8.5, 0.0, 0.2, 10.625),
        (9.0, 0.055, 0.5, 18.99),
    ],
)
def test_a_margin_floor_stands_on_the_shelf_with_the_tax_in_it(cost, rate, floor, least):
    row = pd.Series({"price": 24.0, "unit_cost": cost, "tax_rate": rate})
    found = price_rules.bounds(row, PriceLimits(margin_floor=floor), may_fall=True)

    assert next(one.low for one in found if one.rule == "margin_floor") == pytest.approx(least)


def test_no_price_on_the_shelf_is_below_cost_with_tax_whatever_the_floor(inelastic):
    limits = PriceLimits(margin_floor=0.1, max_step=0.5)
    found = advise(inelastic, limits, unit_cost=16.2, tax_rate=0.2)
    prices = [point["price"] for curve in found["curve"] for point in curve]

    assert min(prices) >= 16.2 * 1.2 / 0.9


def test_a_profit_is_worked_out_of_the_price_before_tax(inelastic):
    taxed = advise(inelastic, PriceLimits(max_step=0.05), unit_cost=8.0, tax_rate=0.25)
    plain = advise(inelastic, PriceLimits(max_step=0.05), unit_cost=10.0)

    # 20.00 with a quarter of tax is 16.00: against a cost of 8.00 that is the same offer as 20.00 against 10.00, of four fifths.
    assert taxed["price"].tolist() == plain["price"].tolist()
    assert taxed["gain_mid"].to_numpy() == pytest.approx(0.8 * plain["gain_mid"].to_numpy())
    first = taxed["curve"].iloc[0][0], plain["curve"].iloc[0][0]
    assert first[0]["profit"] == pytest.approx(0.8 * first[1]["profit"], abs=0.01)
