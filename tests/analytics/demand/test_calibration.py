"""How often ranges held: counted in part at their ends, by weeks that share shocks, corrected where they fail."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.demand import calibration
from shopify_app.analytics.demand import forecast as demand
from shopify_app.analytics.demand.calibration import correction, ranges_of, score_ranges

MONDAY = np.datetime64("2025-01-06")


def said(rng, *, weeks=40, each=30, spread=1.0, shock=0.0, level=0.8, used=None, since=0):
    """Ranges of normal totals around 100 whose true spread is `spread` times what was said, from week `since` on."""
    z = {0.8: 1.2816, 0.5: 0.6745}[level]
    wide = z if used is None else float(calibration.ndtri((1 + used) / 2))
    parts = []
    for week in range(weeks):
        now = spread if week >= since else 1.0
        actual = 100 + 10 * now * rng.normal(0, 1, each) + 10 * shock * rng.normal()
        parts.append(
            pd.DataFrame(
                {
                    "series_id": np.arange(each),
                    "level": level,
                    "used": level if used is None else used,
                    "low": 100 - 10 * wide,
                    "high": 100 + 10 * wide,
                    "issued_on": MONDAY + 7 * week,
                    "due_on": MONDAY + 7 * (week + 1),
                    "actual": actual,
                    "kind": "restock",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_ranges_that_hold_as_said_are_left_as_they_are():
    found = score_ranges(said(np.random.default_rng(1)))

    assert found.levels[0].held == pytest.approx(0.8, abs=0.03)
    assert found.levels[0].held_low < 0.8 < found.levels[0].held_high
    assert correction(found)[0.8] == pytest.approx(0.8, abs=0.02)


def test_ranges_that_are_too_narrow_are_widened_to_where_they_would_have_held():
    found = score_ranges(said(np.random.default_rng(2), spread=1.5))

    assert found.levels[0].held == pytest.approx(0.607, abs=0.03)
    assert correction(found)[0.8] == pytest.approx(2 * 0.97274 - 1, abs=0.02)  # 1.2816 x 1.5


def test_ranges_that_are_too_wide_are_made_narrower():
    found = score_ranges(said(np.random.default_rng(3), spread=0.7))

    assert correction(found)[0.8] < 0.70


def test_a_correction_at_work_is_not_counted_twice():
    once = correction(score_ranges(said(np.random.default_rng(4), spread=1.5)))[0.8]
    again = score_ranges(said(np.random.default_rng(5), spread=1.5, used=once))

    assert again.levels[0].held == pytest.approx(0.8, abs=0.03)
    assert correction(again)[0.8] == pytest.approx(once, abs=0.02)


def test_while_little_is_known_nothing_is_corrected_and_then_little():
    few = said(np.random.default_rng(6), weeks=1, each=29, spread=3.0)
    some = said(np.random.default_rng(6), weeks=1, each=40, spread=1.5)
    many = said(np.random.default_rng(6), weeks=30, each=40, spread=1.5)

    assert not score_ranges(few).levels[0].is_known
    assert correction(score_ranges(few)) == {0.8: 0.8}
    steps = [correction(score_ranges(one))[0.8] for one in (some, many)]
    assert 0.8 < steps[0] < steps[1]


def test_six_weeks_after_a_change_the_level_is_nearly_where_it_must_be():
    long_calm = said(np.random.default_rng(7), weeks=58, spread=2.0, since=52, shock=0.2)

    assert correction(score_ranges(long_calm))[0.8] > 0.97  # 1.2816 x 2: 0.9896


def test_one_bad_week_in_a_long_calm_is_not_taken_for_a_change():
    one = said(np.random.default_rng(8), weeks=53, spread=2.0, since=52, shock=0.2)

    assert correction(score_ranges(one))[0.8] < 0.88


def test_ranges_of_one_week_share_its_shock_so_less_is_known_than_their_number_says():
    alone = score_ranges(said(np.random.default_rng(9), each=100)).levels[0]
    shaken = score_ranges(said(np.random.default_rng(9), each=100, shock=1.0)).levels[0]

    width = [one.held_high - one.held_low for one in (alone, shaken)]
    assert width[1] > 2 * width[0]


def test_the_range_of_the_share_holds_it_eight_times_of_ten_under_shocks():
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(100 + seed)
        score = score_ranges(said(rng, weeks=20, each=40, shock=0.7)).levels[0]
        true = 2 * calibration.ndtr(1.2816 / np.sqrt(1 + 0.49)) - 1
        hits += score.held_low <= true <= score.held_high
    assert 0.72 <= hits / 200 <= 0.90


def test_a_total_on_the_end_of_a_range_of_whole_units_counts_in_part():
    rng = np.random.default_rng(10)
    weeks = 52
    history = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(400), weeks),
            "period": np.tile(
                MONDAY.astype("datetime64[s]") + np.arange(weeks) * np.timedelta64(7, "D"), 400
            ),
            "units": rng.poisson(0.15, 400 * weeks).astype(float),
        }
    )
    made = ranges_of(demand.forecast_demand(history, horizon=4), 0.8, last=4)
    came = np.concatenate([rng.poisson(0.6, 400) for _ in range(10)])
    many = pd.concat([made] * 10, ignore_index=True).assign(
        level=0.8, issued_on=MONDAY, due_on=MONDAY + 28, actual=came
    )
    score = score_ranges(many).levels[0]

    assert score.held_plainly > 0.86
    assert score.held == pytest.approx(0.8, abs=0.04)


def test_shares_are_told_by_kind_and_by_class_of_demand():
    rng = np.random.default_rng(11)
    frame = pd.concat([said(rng), said(rng, spread=2.0).assign(kind="price", low=20.0)])
    parts = score_ranges(frame).parts

    by_kind = parts[parts["kind"] != ""].set_index("kind")["count"]
    assert dict(by_kind) == {"price": 1200, "restock": 1200}
    assert set(parts["demand_class"]) <= {"", "< 0.1", "0.1-0.5", "0.5-2", "2-10", "10-40", ">= 40"}
    assert parts[parts["kind"] == ""]["count"].sum() == 2400


def test_what_is_not_due_yet_is_not_counted():
    frame = said(np.random.default_rng(12), weeks=10)
    frame.loc[:29, "actual"] = np.nan

    assert score_ranges(frame, as_of=MONDAY + 35).levels[0].count == 4 * 30
    assert score_ranges(frame.iloc[:0]).levels == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"level": 1.0}, "level"),
        ({"low": 1e9}, "wrong way"),
        ({"due_on": MONDAY - 7}, "before it was issued"),
    ],
)
def test_ranges_that_cannot_be_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        score_ranges(said(np.random.default_rng(13), weeks=2).assign(**change))
    with pytest.raises(ValueError, match="lack"):
        score_ranges(pd.DataFrame({"level": [0.8]}))
