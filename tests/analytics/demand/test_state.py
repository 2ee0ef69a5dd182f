"""A period closes without a new fit: what was kept goes on to the bit, and says nearly what a fit would."""

import io

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.demand import forecast as demand
from shopify_app.analytics.demand import state as demand_state
from shopify_app.analytics.demand.learned import DemandStates, LearnedDemand
from shopify_app.analytics.panel import as_panel

WEEKS = 80
CLOSES = 8
HORIZON = 8
SERIES = 300


@pytest.fixture(scope="module")
def shop():
    """(units (n, T), in stock (n, T), first week on sale (n,)) of a shop of four kinds of products."""
    rng = np.random.default_rng(3)
    length = WEEKS + CLOSES
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(length) / 52)
    rate = rng.lognormal(0.3, 1.1, SERIES)[:, None] * season
    units = rng.poisson(rng.gamma(2, rate / 2)).astype(float)
    in_stock = np.where(rng.random(units.shape) < 0.1, rng.uniform(0, 0.9, units.shape), 1.0)
    units = np.round(units * in_stock)
    born = np.where(np.arange(SERIES) % 3 == 0, rng.integers(7, WEEKS - 2, SERIES), 0)
    return units, in_stock, born


def history(shop, known, series=None):
    units, in_stock, born = shop
    there = (np.arange(units.shape[1]) >= born[:, None]) & (np.arange(units.shape[1]) < known)
    if series is not None:
        there &= np.isin(np.arange(SERIES), series)[:, None]
    row, week = np.nonzero(there)
    return pd.DataFrame(
        {
            "series_id": row,
            "period": np.datetime64("2024-01-01", "s") + week * np.timedelta64(7, "D"),
            "units": units[row, week],
            "in_stock": in_stock[row, week],
            "group": np.array(["bags", "belts", "caps", "socks"])[row % 4],
        }
    )


def fitted(shop, known=WEEKS):
    panel = as_panel(history(shop, known), period="W")
    return demand.fit(demand.past_of(panel, "W", HORIZON), horizon=HORIZON)


@pytest.fixture(scope="module")
def fit(shop):
    return fitted(shop)


@pytest.fixture(scope="module")
def learned(fit):
    return demand_state.learned_of(fit)


def closed(shop, learned, states, weeks):
    forecast = None
    for week in weeks:
        states, forecast = demand_state.close_period(
            learned, states, shop[0][:, week], shop[1][:, week], horizon=HORIZON
        )
    return states, forecast


def same(one, other, rtol=1e-4):
    np.testing.assert_allclose(one.mean, other.mean, rtol=rtol)
    np.testing.assert_allclose(one.dispersion, other.dispersion, rtol=rtol, atol=1e-6)
    np.testing.assert_allclose(one.alive, other.alive, rtol=rtol, atol=1e-5)
    np.testing.assert_array_equal(one.levels, other.levels)


def test_what_was_kept_says_what_the_fit_said(fit, learned):
    again = demand_state.forecast_from(learned, demand_state.states_of(fit), horizon=HORIZON)

    same(again, fit.forecast)


def test_both_go_to_bytes_and_back_to_the_bit(shop, fit, learned):
    states = demand_state.states_of(fit)
    learned_again = LearnedDemand.from_bytes(learned.to_bytes())
    states_again = DemandStates.from_rows(states.ids, states.to_rows(), learned_again)

    states, forecast = closed(shop, learned, states, range(WEEKS, WEEKS + 3))
    states_again, again = closed(shop, learned_again, states_again, range(WEEKS, WEEKS + 3))

    np.testing.assert_array_equal(forecast.mean, again.mean)
    np.testing.assert_array_equal(forecast.dispersion, again.dispersion)
    assert states.to_rows() == states_again.to_rows()


@pytest.mark.parametrize("closes", [1, 4, CLOSES])
def test_closing_week_by_week_is_following_the_longer_history_by_what_was_learned(
    shop, fit, learned, closes
):
    known = WEEKS + closes
    _, forecast = closed(shop, learned, demand_state.states_of(fit), range(WEEKS, known))

    panel = as_panel(history(shop, known), period="W")
    _, followed = demand_state.follow_history(learned, panel, horizon=HORIZON, closes=closes)

    np.testing.assert_allclose(forecast.mean, followed.mean, rtol=1e-3)
    np.testing.assert_allclose(forecast.alive, followed.alive, atol=1e-3)


def test_after_eight_closes_the_mean_is_near_what_a_new_fit_says(shop, fit, learned):
    _, forecast = closed(shop, learned, demand_state.states_of(fit), range(WEEKS, WEEKS + CLOSES))
    anew = fitted(shop, WEEKS + CLOSES).forecast

    assert forecast.mean.sum() == pytest.approx(anew.mean.sum(), rel=0.1)
    far = np.abs(forecast.mean - anew.mean) / (anew.mean + 0.05)
    assert np.median(far) < 0.1


def test_a_series_followed_alone_is_forecast_as_among_all_the_others(shop, fit, learned):
    panel = as_panel(history(shop, WEEKS, series=[7, 30, 211]), period="W")

    _, alone = demand_state.follow_history(learned, panel, horizon=HORIZON)

    rows = np.isin(fit.forecast.series_ids, [7, 30, 211])
    np.testing.assert_allclose(alone.mean, fit.forecast.mean[rows], rtol=1e-5)
    np.testing.assert_allclose(alone.dispersion, fit.forecast.dispersion[rows], rtol=1e-5)


def test_a_product_new_since_the_fit_is_believed_to_be_like_the_shops_launches(learned, shop):
    launch = pd.DataFrame(
        {
            "series_id": ["new"],
            "period": [np.datetime64("2024-01-01", "s") + (WEEKS - 1) * np.timedelta64(7, "D")],
            "units": [0.0],
            "group": ["a kind never seen"],
        }
    )

    states, forecast = demand_state.follow_history(
        learned, as_panel(launch, period="W"), horizon=HORIZON
    )

    assert 0 < forecast.mean.sum() < 20 * shop[0].mean() * HORIZON
    assert states.marks[0] == len(learned.names)


def test_a_week_out_of_stock_is_no_week_without_demand(shop, fit, learned):
    states = demand_state.states_of(fit)
    none = np.zeros(SERIES)

    _, censored = demand_state.close_period(learned, states, none, none, horizon=HORIZON)
    _, unsold = demand_state.close_period(learned, states, none, none + 1, horizon=HORIZON)

    assert (censored.mean[:, 0] >= unsold.mean[:, 0] - 1e-9).mean() > 0.95
    assert censored.mean.sum() > 1.05 * unsold.mean.sum()


def test_days_close_by_the_week():
    rng = np.random.default_rng(8)
    units = rng.poisson(2.0, (40, 147)).astype(float)
    row, day = np.nonzero(np.ones((40, 140)))
    rows = {"series_id": row, "units": units[row, day]}
    rows["period"] = np.datetime64("2024-01-01", "s") + day * np.timedelta64(1, "D")
    panel = as_panel(pd.DataFrame(rows), period="D")
    fit = demand.fit(demand.past_of(panel, "D", 14), horizon=14)

    _, forecast = demand_state.close_period(
        demand_state.learned_of(fit),
        demand_state.states_of(fit),
        units[:, 140:],
        np.ones((40, 7)),
        horizon=14,
    )

    assert forecast.mean.sum() == pytest.approx(40 * 14 * 2.0, rel=0.1)


def test_a_fit_too_long_ago_is_not_gone_on_from(shop, fit, learned):
    states = demand_state.states_of(fit)
    weeks = list(range(WEEKS, WEEKS + CLOSES)) * 3

    with pytest.raises(ValueError, match="not foreseen"):
        closed(shop, learned, states, weeks)


def test_a_history_that_goes_on_after_the_periods_known_is_refused(shop, learned):
    with pytest.raises(ValueError, match="goes on"):
        demand_state.follow_history(
            learned, as_panel(history(shop, WEEKS + 1), period="W"), horizon=HORIZON
        )


def test_rows_and_archives_of_another_version_are_refused(fit, learned):
    states = demand_state.states_of(fit)
    rows = states.to_rows()
    with pytest.raises(ValueError, match="version"):
        DemandStates.from_rows(states.ids, [b"\xff" + rows[0][1:], *rows[1:]], learned)
    with pytest.raises(ValueError, match="bytes"):
        DemandStates.from_rows(states.ids, [rows[0][:-4], *rows[1:]], learned)

    with np.load(io.BytesIO(learned.to_bytes())) as archive:
        arrays = {name: archive[name] for name in archive.files} | {"version": 99}
    other = io.BytesIO()
    np.savez(other, **arrays)
    with pytest.raises(ValueError, match="version"):
        LearnedDemand.from_bytes(other.getvalue())


def test_parts_of_a_shop_close_as_the_whole_does(shop, fit, learned, monkeypatch):
    states = demand_state.states_of(fit)
    _, whole = closed(shop, learned, states, [WEEKS])

    monkeypatch.setattr(demand_state, "AT_ONCE", 70)
    _, parts = closed(shop, learned, states, [WEEKS])

    same(parts, whole)


@pytest.fixture(scope="module")
def promoted_shop():
    """A steady shop, four weeks in sixteen promoted (each product its own) at three times the sales; and those weeks."""
    rng = np.random.default_rng(0)
    begin, weeks = rng.integers(0, 16, SERIES), np.arange(WEEKS + CLOSES)
    shown = ((weeks[None, :] + begin[:, None]) % 16 < 4).astype(float)
    rate = rng.lognormal(0.3, 1.1, SERIES)[:, None] * (1 + 2 * shown)
    units = rng.poisson(rng.gamma(2, rate / 2)).astype(float)
    return (units, np.ones_like(units), np.zeros(SERIES)), shown


def promoted_history(promoted_shop, known):
    shop, shown = promoted_shop
    rows = history(shop, known)
    week = ((rows["period"] - np.datetime64("2024-01-01")).dt.days // 7).to_numpy()
    return rows.assign(on_promotion=shown[rows["series_id"], week])


def test_promotions_close_as_they_are_followed_and_are_expected_to_go_on_as_of_late(promoted_shop):
    (units, in_stock, _), shown = promoted_shop
    panel = as_panel(promoted_history(promoted_shop, WEEKS), period="W")
    fit = demand.fit(demand.past_of(panel, "W", HORIZON), horizon=HORIZON)
    learned = LearnedDemand.from_bytes(demand_state.learned_of(fit).to_bytes())
    states, known = demand_state.states_of(fit), WEEKS + 3
    assert 0.7 < learned.lift.during < 1.5

    for week in range(WEEKS, known):
        factor = learned.lift.factors(shown[:, week - 1 : week + 1])[:, 1]
        states, _ = demand_state.close_period(
            learned, states, units[:, week], in_stock[:, week] * factor, horizon=HORIZON
        )
    newest = slice(known - 14, known)
    states = demand_state.usual_promotions(learned, states, shown[:, newest], in_stock[:, newest])
    forecast = demand_state.forecast_from(learned, states, horizon=HORIZON)

    longer = as_panel(promoted_history(promoted_shop, known), period="W")
    _, followed = demand_state.follow_history(learned, longer, horizon=HORIZON, closes=3)
    np.testing.assert_allclose(forecast.mean, followed.mean, rtol=2e-3)
