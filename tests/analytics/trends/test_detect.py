"""Trends: silence on noise, planted changes found, causes named."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.trends.detect import detect_trends

WEEKS = np.datetime64("2025-06-02", "s") + np.arange(60) * np.timedelta64(7, "D")


def history(units, **columns):
    n, length = units.shape
    frame = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), length),
            "period": np.tile(WEEKS[:length], n),
            "units": units.ravel().astype(float),
        }
    )
    return frame.assign(**{name: values.ravel() for name, values in columns.items()})


def noise(rng, n=1500, length=60):
    rate = rng.lognormal(0, 1.2, n)
    return rate, rng.poisson(rng.gamma(4, rate[:, None] / 4, (n, length)))


def test_on_pure_noise_almost_nothing_is_ever_called_a_trend_though_we_look_every_week():
    _, units = noise(np.random.default_rng(1))
    ever: set[int] = set()
    for weeks in range(48, 60, 2):
        found = detect_trends(history(units[:, :weeks]), as_of="2030-01-01")
        ever |= set(found.loc[found["direction"] != "none", "series_id"])

    naive = (units[:, -4:].mean(axis=1) > 1.5 * units[:, -30:-4].mean(axis=1)) & (
        units[:, -4:].sum(axis=1) >= 5
    )
    assert len(ever) <= 0.01 * len(units)
    assert naive.sum() > 3 * max(len(ever), 1)


def planted(seed):
    """A shop of which a tenth really changed: (what was found, who changed, by how much, their rates)."""
    rng = np.random.default_rng(seed)
    rate, units = noise(rng)
    changed = rng.permutation(1500)[:150]
    factor = np.where(np.arange(150) % 2, 2.5, 0.35)
    units[changed, -8:] = rng.poisson(rng.gamma(4, (rate[changed] * factor)[:, None] / 4, (150, 8)))
    return (
        detect_trends(history(units), as_of="2030-01-01").set_index("series_id"),
        changed,
        factor,
        rate,
    )


def test_planted_changes_are_found_with_few_wrong_ones():
    wrong, power = [], []
    for seed in range(100, 104):
        found, changed, factor, rate = planted(seed)
        given = found[found["direction"] != "none"]
        wrong.append((~given.index.isin(changed)).mean())
        power.append(
            (found.loc[changed[(factor > 1) & (rate[changed] > 2)], "direction"] == "rising").mean()
        )
        said = found.loc[changed, "direction"].to_numpy()
        assert ((said == "none") | (said == np.where(factor > 1, "rising", "falling"))).all()

    assert np.mean(wrong) <= 0.12
    assert np.mean(power) >= 0.45


def test_what_moves_the_whole_shop_is_no_products_trend():
    _, units = noise(np.random.default_rng(3))
    units[:, -6:] *= 2

    found = detect_trends(history(units), as_of="2030-01-01")
    assert (found["direction"] != "none").mean() < 0.02


def test_a_promotion_a_rebound_and_a_single_week_are_called_what_they_are():
    rng = np.random.default_rng(4)
    rate, units = noise(rng, 400)
    units[:3] = rng.poisson(5, (3, 60))
    promoted, in_stock = np.zeros_like(units, float), np.ones_like(units, float)
    units[0, -4:], promoted[0, -4:] = 25, 1.0
    units[1, -12:-4], in_stock[1, -12:-4], units[1, -4:] = 1, 0.2, 25
    units[2, -4:] = [0, 0, 90, 0]
    found = detect_trends(
        history(units, on_promotion=promoted, in_stock=in_stock), as_of="2030-01-01"
    ).set_index("series_id")

    assert list(found.loc[[0, 1, 2], "cause"]) == ["promotion", "stock-out rebound", "one-off"]
    assert rate.shape == (400,)


def test_ranges_hold_their_ratio_and_a_wrong_rate_is_refused():
    _, units = noise(np.random.default_rng(5), 300)
    found = detect_trends(history(units), as_of="2030-01-01")

    assert (
        (found["ratio_low"] <= found["ratio"] + 1e-9)
        & (found["ratio"] <= found["ratio_high"] + 1e-9)
    ).mean() > 0.99
    with pytest.raises(ValueError, match="false_sign_rate"):
        detect_trends(history(units), as_of="2030-01-01", false_sign_rate=0.7)
    assert detect_trends(history(units[:, :5]), as_of="2030-01-01").empty


def test_another_order_of_the_series_changes_nothing():
    _, units = noise(np.random.default_rng(6), 300)
    units[:5, -8:] = units[:5, -8:] * 3 + 5
    order = np.random.default_rng(0).permutation(300)
    found = detect_trends(history(units), as_of="2030-01-01").set_index("series_id")
    again = detect_trends(history(units[order]), as_of="2030-01-01")

    assert list(again["direction"]) == list(found.loc[order, "direction"])
    # What a forecast learns from is drawn by place.
    assert np.allclose(again["lasting"], found.loc[order, "lasting"], atol=0.01)
    assert (found.loc[:4, "direction"] == "rising").sum() >= 3


def test_a_second_copy_of_the_shop_changes_little():
    found, *_ = planted(110)
    _, units = noise(np.random.default_rng(8), 600)
    units[:60, -8:] *= 3
    one = detect_trends(history(units), as_of="2030-01-01")
    two = detect_trends(history(np.vstack([units, units])), as_of="2030-01-01")

    assert (one["direction"].to_numpy() == two["direction"].to_numpy()[:600]).mean() > 0.98
    assert (found["direction"] != "none").any()


def test_a_direction_stays_until_its_chance_of_a_wrong_sign_passes_three_tenths():
    _, units = noise(np.random.default_rng(9), 600)
    units[:40, -8:] *= 2
    fresh = detect_trends(history(units), as_of="2030-01-01")
    doubtful = fresh[(fresh["direction"] == "none") & fresh["false_sign_rate"].between(0.15, 0.3)]
    previous = fresh.assign(direction="rising")
    kept = detect_trends(history(units), as_of="2030-01-01", previous=previous).set_index(
        "series_id"
    )

    assert len(doubtful)
    rising = doubtful[doubtful["ratio"] > 1]["series_id"]
    assert (kept.loc[rising, "direction"] == "rising").all()
    gone = fresh[fresh["false_sign_rate"] > 0.5]["series_id"]
    assert (kept.loc[gone, "direction"] == "none").all()


def test_siblings_that_rise_together_are_believed_sooner_than_one_alone():
    rng = np.random.default_rng(10)
    rate = np.full((400, 60), 1.5)
    rate[:8, -8:] *= 2
    units = rng.poisson(rate)
    family = np.repeat(np.array(["kettle"] + [f"single {i}" for i in range(392)]), [8] + [1] * 392)
    group = np.repeat(family[:, None], 60, axis=1)
    alone = detect_trends(history(units), as_of="2030-01-01")
    together = detect_trends(history(units, group=group), as_of="2030-01-01")

    assert together["false_sign_rate"][:8].mean() < alone["false_sign_rate"][:8].mean() - 0.1
    assert np.allclose(together["false_sign_rate"][8:], alone["false_sign_rate"][8:], atol=0.02)


def test_one_sale_a_week_cannot_tell_a_doubling_in_a_month():
    rng = np.random.default_rng(11)
    units = rng.poisson(1.0, (1000, 60))
    units[:100, -4:] = rng.poisson(2.0, (100, 4))
    found = detect_trends(history(units), as_of="2030-01-01")

    assert (found["direction"] != "none").mean() < 0.03
    assert found["false_sign_rate"][100:].mean() > 0.8


def test_the_week_in_which_it_began_is_found():
    rng = np.random.default_rng(12)
    units = rng.poisson(8.0, (300, 60))
    units[:10, -6:] = rng.poisson(30.0, (10, 6))
    found = detect_trends(history(units), as_of="2030-01-01")
    weeks = (WEEKS[59] - found["since"][:10].to_numpy("datetime64[s]")) / np.timedelta64(7, "D") + 1

    assert (found["direction"][:10] == "rising").all()
    assert np.median(np.abs(weeks - 6)) <= 1


def test_a_negative_lead_time_is_refused():
    _, units = noise(np.random.default_rng(13), 50)
    with pytest.raises(ValueError, match="lead_time"):
        detect_trends(history(units), as_of="2030-01-01", lead_time=-1)
