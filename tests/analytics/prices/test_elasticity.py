"""Answers to prices: known truth comes back, and what only looks like an answer is not taken for one."""

import numpy as np
import pandas as pd
import pytest

from bench.lib.price_shops import make_shop
from shopify_app.analytics.prices.elasticity import fit_price_response
from shopify_app.analytics.prices.prior import PRIOR_MEAN
from shopify_app.analytics.prices.spells import price_weeks

STARTS = np.datetime64("2025-01-06", "s") + np.arange(80) * np.timedelta64(7, "D")


def series(name, units, price, **more):
    """Rows of one series from its first week on."""
    count = len(units)
    columns = {"series_id": name, "period": STARTS[:count], "units": units, "price": price}
    return pd.DataFrame({**columns, **more})


def steps(rng, elasticity, rate=30.0, weeks=80):
    """Units and prices of a product whose price stepped in eight weeks of its own."""
    at = np.sort(rng.choice(np.arange(5, weeks - 5), 8, replace=False))
    level = np.digitize(np.arange(weeks), at)
    price = (20 * rng.uniform(0.85, 1.15, 9))[level].round(2)
    units = rng.poisson(rate * (price / 20) ** elasticity)
    return units.astype(float), price


def group(rng, elasticity, count=12):
    return pd.concat(
        [series(f"p{n}", *steps(rng, elasticity), group="a") for n in range(count)],
        ignore_index=True,
    )


@pytest.mark.parametrize("elasticity", [-3.5, -1.2])
def test_a_known_elasticity_comes_back(elasticity):
    table = fit_price_response(group(np.random.default_rng(1), elasticity)).table

    assert table["elasticity"].mean() == pytest.approx(elasticity, abs=0.35)
    assert (table["low"] < table["elasticity"]).all()
    assert (table["elasticity"] < table["high"]).all()


def test_selling_ten_times_as_much_leaves_the_elasticity_where_it_was():
    panel = group(np.random.default_rng(2), -2.5)
    once = fit_price_response(panel).table["elasticity"]
    panel["units"] *= 10
    assert np.abs(fit_price_response(panel).table["elasticity"] - once).mean() < 0.25


def test_another_currency_leaves_everything_where_it_was():
    panel = group(np.random.default_rng(3), -2.5)
    once = fit_price_response(panel).table
    again = fit_price_response(panel.assign(price=panel["price"] * 150)).table
    assert np.allclose(once["elasticity"], again["elasticity"], atol=0.02)


def test_the_order_of_rows_does_not_matter():
    panel = group(np.random.default_rng(4), -2.0)
    mixed = panel.sample(frac=1.0, random_state=1)
    assert np.allclose(
        fit_price_response(panel).table["elasticity"], fit_price_response(mixed).table["elasticity"]
    )


def test_forty_copies_at_one_price_know_no_more_than_one_series_of_their_sum():
    rng = np.random.default_rng(5)
    price = steps(rng, -2)[1]
    shock = np.exp(np.repeat(rng.normal(0, 0.4, 8), 10))  # of the product, in every colour alike
    others = group(rng, -2.0, count=6).assign(group="b")
    rate = 4 * shock * (price / 20) ** -2.0
    copies = [series(f"c{n}", rng.poisson(rate), price, group="a") for n in range(40)]
    together = sum(one["units"] for one in copies)
    many = fit_price_response(pd.concat([others, *copies], ignore_index=True)).table
    one = fit_price_response(
        pd.concat([others, series("c", together, price, group="a")], ignore_index=True)
    ).table
    sd = many.loc[many["series_id"].str.startswith("c"), "sd"]

    assert sd.nunique() == 1
    assert sd.iloc[0] >= 0.8 * one.loc[one["series_id"] == "c", "sd"].iloc[0]


def test_a_wholesale_week_at_a_tier_price_is_no_price_change():
    rng = np.random.default_rng(6)
    panels = []
    for n in range(8):
        price, units = np.full(80, 20.0), rng.poisson(20, 80).astype(float)
        for week in rng.choice(np.arange(2, 78, 3), 6, replace=False):
            price[week], units[week] = 14.0, 200.0
        panels.append(series(f"p{n}", units, price))
    table = fit_price_response(pd.concat(panels, ignore_index=True)).table

    assert (table["information"] < 1e-4).all()
    assert table["elasticity"].to_numpy() == pytest.approx(PRIOR_MEAN[0], abs=0.01)


def test_weeks_out_of_stock_are_no_answer_to_the_price_of_those_weeks():
    panel = group(np.random.default_rng(7), -2.0)
    dear = panel["price"] > 21
    empty = dear & (panel["period"].isin(STARTS[::2]))
    panel["in_stock"] = np.where(empty, 0.0, 1.0)
    told = fit_price_response(panel).table["elasticity"]
    panel.loc[empty, "units"] = 0.0
    assert np.allclose(fit_price_response(panel).table["elasticity"], told)


def test_a_promotions_own_pull_is_not_taken_for_an_answer_to_the_regular_price():
    rng = np.random.default_rng(8)
    panels = []
    for n in range(12):
        price = 20 * rng.uniform(0.9, 1.1, 9)[(np.arange(80) + rng.integers(10)) // 10]
        promoted = np.isin((np.arange(80) + rng.integers(8)) % 8, [3])
        units = rng.poisson(40 * (price / 20) ** -1.5 * np.where(promoted, 0.85**-1.5 * 2.5, 1.0))
        price = np.where(promoted, price * 0.85, price)
        panels.append(series(f"p{n}", units, price, on_promotion=promoted.astype(float)))
    panel = pd.concat(panels, ignore_index=True)
    told = fit_price_response(panel).table["elasticity"].mean()
    untold = fit_price_response(panel.drop(columns="on_promotion")).table["elasticity"].mean()

    assert abs(told + 1.5) < 0.5
    assert untold < told - 0.5


def test_prices_that_chased_demand_do_not_make_demand_look_indifferent():
    shop = make_shop("mid", seed=11, endogeneity=0.8, n=200)
    panel = shop.panel().drop(columns="unit_cost")
    found = fit_price_response(panel).table["elasticity"].to_numpy()
    usual = ~shop.on_sale
    x, y = np.log(shop.price[:, usual]), np.log(shop.units[:, usual] + 0.5)
    x = x - x.mean(axis=1, keepdims=True)
    slope = (x * y).sum() / (x**2).sum()

    plain = slope - shop.elasticity.mean()
    assert plain > 0.8  # what regression makes of it
    assert abs(found.mean() - shop.elasticity.mean()) < plain / 2


def sale_only(rng, elasticity, pull):
    """A shop that only ever moved prices in two sales, and whose sales pull by themselves too."""
    panels = [group(rng, -2.0, count=6).assign(group="moved")]
    for n, own in enumerate(elasticity):
        cut = np.isin(np.arange(80), [20, 21, 60, 61]) & (n % 3 > 0)
        price = np.where(cut, 16.0, 20.0)
        units = rng.poisson(60 * (price / 20) ** own * np.where(cut, np.exp(pull), 1.0))
        panels.append(series(f"s{n:02}", units.astype(float), price, group="a"))
    return pd.concat(panels, ignore_index=True)


@pytest.mark.parametrize("pull", [0.0, 0.5])
def test_a_sale_tells_its_products_apart_and_its_own_pull_is_not_their_answer(pull):
    rng = np.random.default_rng(15)
    truth = rng.normal(-2.2, 0.8, 60)
    table = fit_price_response(sale_only(rng, truth, pull)).table.set_index("series_id")
    cut = np.arange(60) % 3 > 0
    found = table.loc[[f"s{n:02}" for n in range(60)], "elasticity"].to_numpy()

    assert np.corrcoef(found[cut], truth[cut])[0, 1] > 0.7
    assert found[~cut].std() < 0.01
    assert abs(found[cut].mean() - truth[cut].mean()) < 0.5  # all of the pull would be 2.2


def test_more_history_narrows_and_none_leaves_the_priors_width():
    widths = []
    for history in ("unmoved", "thin", "rich"):
        panel = make_shop(history, seed=12, n=120).panel()
        widths.append(fit_price_response(panel).table["sd"].mean())
    assert widths[0] > widths[1] > widths[2]
    assert widths[0] > 0.7
    blind = make_shop("unmoved", seed=12, n=120).panel().drop(columns="unit_cost")
    assert fit_price_response(blind).table["sd"].mean() > 0.9  # costs tell something too


def test_expected_units_follow_price_stock_and_level_and_foresee_what_is_sold():
    rng = np.random.default_rng(13)
    panel = group(rng, -2.0)
    response = fit_price_response(panel)
    ahead = np.datetime64("2026-07-27", "s")
    rows = pd.DataFrame({"series_id": "p3", "period": ahead, "price": [18.0, 20.0, 22.0]})
    units = response.expected_units(rows)
    _, dispersion = response.predictive(rows)

    assert units[0] > units[1] > units[2]
    assert units[1] == pytest.approx(30, rel=0.2)
    assert np.allclose(response.expected_units(rows.assign(in_stock=0.5)), units / 2)
    assert (dispersion > 0).all()
    assert np.allclose(response.posterior.sum(axis=1), 1)


def test_rows_that_cannot_be_answered_are_refused():
    response = fit_price_response(group(np.random.default_rng(14), -2.0, count=3))
    rows = pd.DataFrame({"series_id": ["p0"], "period": STARTS[:1], "price": [20.0]})
    for change, words in (({"series_id": "x"}, "not fitted"), ({"price": 0.0}, "prices")):
        with pytest.raises(ValueError, match=words):
            response.expected_units(rows.assign(**change))
    with pytest.raises(ValueError, match="lack"):
        response.expected_units(rows.drop(columns="price"))


def test_a_panel_of_nothing_answers_with_nothing():
    empty = series("a", np.zeros(0), np.zeros(0))
    assert len(fit_price_response(empty).table) == 0


def test_a_price_that_a_lot_drew_is_nobodys_choice_and_no_copy_of_one_drawn_alike():
    panel, truth = switched_by_lot()
    plain = fit_price_response(panel.drop(columns="randomised")).table
    drawn = fit_price_response(panel).table

    off = [abs(table["elasticity"].mean() - truth) for table in (plain, drawn)]
    assert off[1] < off[0]
    assert drawn["sd"].mean() > 0.35  # of each product it tells little
    assert len(price_weeks(panel).units) == panel["series_id"].nunique()
    assert len(price_weeks(panel.drop(columns="randomised")).units) < panel["series_id"].nunique()


def switched_by_lot(count=40, weeks=60, test_weeks=16, truth=-3.4):
    """Products of one price that then alternate by 5 % either way, half of them the other way round."""
    rng = np.random.default_rng(4)
    turn = np.repeat(np.array([1, -1] * (test_weeks // 4)), 2)
    price = np.full((count, weeks), 20.0)
    price[:, -test_weeks:] *= 1 + 0.05 * np.where(np.arange(count) % 2, 1, -1)[:, None] * turn
    units = rng.poisson(12 * (price / 20) ** truth)
    starts = np.datetime64("2025-01-06") + np.arange(weeks) * np.timedelta64(7, "D")
    drawn = np.broadcast_to(np.arange(weeks) >= weeks - test_weeks, price.shape)
    panel = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(count), weeks),
            "period": np.tile(starts, count),
            "units": units.ravel().astype(float),
            "price": price.ravel(),
            "randomised": drawn.ravel(),
        }
    )
    return panel, truth
