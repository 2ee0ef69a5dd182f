"""Forecasts against simulated truth: rates, ranges, stock-outs, dead products."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.demand.forecast import forecast_demand

WEEKS = np.datetime64("2025-01-06", "s") + np.arange(78) * np.timedelta64(7, "D")


def history(units, in_stock=None, group=None):
    n, length = units.shape
    frame = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), length),
            "period": np.tile(WEEKS[:length], n),
            "units": units.ravel().astype(float),
        }
    )
    if in_stock is not None:
        frame["in_stock"] = in_stock.ravel()
    if group is not None:
        frame["group"] = np.repeat(group, length)
    return frame


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(7)
    rate = rng.lognormal(0, 1.2, 800)
    draw = rng.poisson(rng.gamma(3, rate[:, None] / 3, (800, 78)))
    return rate, draw[:, :70], draw[:, 70:74].sum(axis=1)


def test_means_and_ranges_are_what_they_say(shop):
    _, seen, truth = shop
    forecast = forecast_demand(history(seen), horizon=8)

    assert forecast.mean[:, :4].sum() == pytest.approx(truth.sum(), rel=0.06)
    for level in (0.5, 0.8, 0.95):
        cut = forecast.quantile([level], last=4)[:, 0]
        assert (truth < cut).mean() - 0.03 <= level <= (truth <= cut).mean() + 0.03


def test_quantiles_rise_with_the_level_and_the_run():
    forecast = forecast_demand(history(np.random.default_rng(1).poisson(2, (20, 60))), horizon=6)
    cuts = forecast.quantile([0.1, 0.5, 0.9, 0.99], last=4)

    assert (np.diff(cuts, axis=1) >= 0).all()
    assert (forecast.quantile([0.9], last=6) >= forecast.quantile([0.9], last=2)).all()


def test_a_stock_out_is_not_a_week_without_demand():
    rng = np.random.default_rng(3)
    demand = rng.poisson(6, (200, 60)).astype(float)
    in_stock = np.where(rng.random((200, 60)) < 0.3, rng.uniform(0, 0.6, (200, 60)), 1.0)
    sold = rng.binomial(demand.astype(int), in_stock)

    told = forecast_demand(history(sold, in_stock), horizon=4).mean[:, 0].mean()
    untold = forecast_demand(history(sold), horizon=4).mean[:, 0].mean()

    assert told == pytest.approx(6, rel=0.05)
    assert untold < 5.2


def test_a_product_that_stopped_selling_is_not_foreseen_at_its_old_rate():
    units = np.random.default_rng(4).poisson(3, (200, 60))
    units[:50, 40:] = 0
    forecast = forecast_demand(history(units), horizon=4)

    assert forecast.mean[:50, 0].max() < 0.3
    assert forecast.alive[:50].mean() < 0.2
    assert forecast.mean[50:, 0].mean() == pytest.approx(3, rel=0.05)


def test_a_shop_that_sells_nothing_any_more_is_not_foreseen_at_its_old_rate():
    units = np.random.default_rng(4).poisson(3, (50, 60))
    units[:, 40:] = 0

    assert forecast_demand(history(units), horizon=4).mean.max() < 0.5


def test_a_launch_leans_on_its_group():
    rng = np.random.default_rng(5)
    fast, slow = rng.poisson(20, (30, 60)), rng.poisson(1, (30, 60))
    units = np.vstack([fast, slow])
    frame = history(units, group=np.repeat(["fast", "slow"], 30))
    new = pd.DataFrame(
        {
            "series_id": [900, 901],
            "period": WEEKS[59],
            "units": [2.0, 2.0],
            "group": ["fast", "slow"],
        }
    )

    mean = forecast_demand(pd.concat([frame, new]), horizon=2).mean[-2:, 0]

    assert mean[0] > 2 * mean[1]


def test_a_doubled_rate_is_followed():
    units = np.random.default_rng(6).poisson(4, (60, 60))
    units[:, 40:] = np.random.default_rng(8).poisson(8, (60, 20))

    assert forecast_demand(history(units), horizon=1).mean.mean() == pytest.approx(8, rel=0.08)


@pytest.mark.parametrize("period", ["D", "W", "M"])
@pytest.mark.parametrize("length", [1, 2, 5, 9, 15, 30])
def test_a_past_of_any_length_gives_a_forecast(period, length):
    step = {"D": "D", "W": "7D", "M": "MS"}[period]
    starts = pd.date_range(
        "2025-01-06" if period != "M" else "2023-01-01", periods=length, freq=step
    )
    units = np.random.default_rng(2).poisson(3, (12, length)).astype(float)
    frame = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(12), length),
            "period": np.tile(starts.to_numpy("datetime64[s]"), 12),
            "units": units.ravel(),
        }
    )
    forecast = forecast_demand(frame, horizon=5, period=period)

    assert np.isfinite(forecast.mean).all() and (forecast.mean > 0).any()
    assert (np.diff(forecast.quantile([0.1, 0.5, 0.9]), axis=1) >= 0).all()


def test_one_series_that_never_sold_is_foreseen_near_nothing():
    frame = history(np.zeros((1, 30)))
    assert forecast_demand(frame, horizon=4).mean.sum() < 1


def test_days_know_their_weekday():
    length, n = 140, 60
    rate = np.tile([1, 1, 1, 1, 2, 6, 2], length // 7)
    units = np.random.default_rng(3).poisson(rate[None, :] * 2, (n, length)).astype(float)
    frame = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), length),
            "period": np.tile(
                pd.date_range("2025-01-06", periods=length).to_numpy("datetime64[s]"), n
            ),
            "units": units.ravel(),
        }
    )
    mean = forecast_demand(frame, horizon=7, period="D").mean.mean(axis=0)

    assert mean == pytest.approx(2 * rate[:7], rel=0.15)


def test_the_same_history_gives_the_same_numbers_in_any_order():
    frame = history(np.random.default_rng(9).poisson(2, (30, 50)))
    shuffled = frame.sample(frac=1, random_state=1)

    assert (
        forecast_demand(frame, horizon=3).mean == forecast_demand(shuffled, horizon=3).mean
    ).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [({"units": -1.0}, "units"), ({"units": np.nan}, "units"), ({"in_stock": 1.5}, "in_stock")],
)
def test_a_history_that_cannot_be_one_is_refused(change, words):
    frame = history(np.ones((2, 10))).assign(**change)
    with pytest.raises(ValueError, match=words):
        forecast_demand(frame, horizon=1)


def test_wrong_arguments_are_named():
    frame = history(np.ones((2, 10)))
    for arguments, words in (
        ({"horizon": 0}, "horizon"),
        ({"horizon": 1, "period": "Y"}, "period"),
    ):
        with pytest.raises(ValueError, match=words):
            forecast_demand(frame, **arguments)
    with pytest.raises(ValueError, match="twice"):
        forecast_demand(pd.concat([frame, frame]), horizon=1)
    with pytest.raises(ValueError, match="within"):
        forecast_demand(frame, horizon=2).quantile([0.5], last=3)
