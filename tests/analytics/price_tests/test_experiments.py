"""A test stays inside every limit, balances, keeps its stated cost, and its reading finds what is true."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopify_app.analytics.price_tests.experiments import (
    evaluate_switchback,
    plan_from,
    plan_switchback,
)
from shopify_app.analytics.prices.rules import PriceLimits

LOOSE = PriceLimits(margin_floor=0.05, changes_per_month=2)


def catalogue(n=120, seed=1):
    rng = np.random.default_rng(seed)
    price = np.round(rng.lognormal(3.2, 0.5, n), 2)
    return pd.DataFrame(
        {
            "series_id": [f"p{row}" for row in range(n)],
            "price": price,
            "unit_cost": np.round(price * rng.uniform(0.3, 0.7, n), 2),
            "units_per_week": rng.lognormal(1.5, 0.7, n),
        }
    )


def lived(plan, rows, elasticity, seed, weeks=None):
    """Units of a test under a true elasticity, and its true cost."""
    rng, rows = np.random.default_rng(seed), rows.set_index("series_id")
    weeks = plan.weeks if weeks is None else weeks
    tested = {series.series_id: series for series in plan.series}
    found, cost = [], 0.0
    for name in [*tested, *plan.comparison_ids]:
        row = rows.loc[name]
        for week in range(weeks):
            price = (
                tested[name].price_in(week // plan.block_weeks) if name in tested else row["price"]
            )
            rate = row["units_per_week"] * (price / row["price"]) ** elasticity
            cost += row["units_per_week"] * (row["price"] - row["unit_cost"]) - rate * (
                price - row["unit_cost"]
            )
            found.append((name, week, float(rng.poisson(rate))))
    return pd.DataFrame(found, columns=["series_id", "week", "units"]), cost


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.04, 0.3),
    st.floats(0.0, 0.5),
    st.sampled_from(["keep", ".99", ".95"]),
    st.sampled_from([0, 2]),
    st.integers(1, 4),
    st.integers(0, 50),
)
def test_no_limit_is_ever_passed(step, floor, ending, digits, changes, seed):
    rows = catalogue(60, seed)
    rows["price"] = np.maximum(np.round(rows["price"], digits), rows["unit_cost"] + 1)
    limits = PriceLimits(
        margin_floor=floor,
        max_step=step,
        price_ending=ending,
        minor_digits=digits,
        changes_per_month=changes,
    )
    plan = plan_switchback(rows, limits, seed=seed)

    assert plan.block_weeks * changes >= 4
    for series in plan.series:
        assert series.low_price < series.old_price < series.high_price
        assert series.low_price >= series.unit_cost / (1 - floor) - 1e-6
        assert series.high_price / series.low_price - 1 <= step + 1e-6
        for price in (series.low_price, series.high_price):
            assert price * 10**digits == pytest.approx(round(price * 10**digits))


def test_every_product_stands_as_long_high_as_low_and_half_of_them_at_any_time():
    plan = plan_switchback(catalogue(), LOOSE)
    schedule = pd.DataFrame(plan.schedule(), columns=["series", "week", "weeks", "price"])
    old = {series.series_id: series.old_price for series in plan.series}
    schedule["high"] = schedule["price"] > schedule["series"].map(old)

    assert (schedule.groupby("series")["high"].mean() == 0.5).all()
    assert (abs(schedule.groupby("week")["high"].mean() - 0.5) <= 1 / len(plan.series)).all()
    assert not {series.series_id for series in plan.series} & set(plan.comparison_ids)


def test_the_cost_is_stated_first_and_the_merchants_own_maximum_is_kept():
    free = plan_switchback(catalogue(), LOOSE)
    held = plan_switchback(catalogue(), LOOSE, maximum_cost=free.maximum_cost / 3)

    assert free.expected_cost < free.maximum_cost and free.maximum_cost > 0
    assert held.maximum_cost <= free.maximum_cost / 3
    assert held.precision > free.precision and len(held.series) < len(free.series)


@pytest.mark.parametrize("elasticity", [-5.0, -2.2, 0.0, 1.0])
def test_the_stated_maximum_is_kept_whatever_the_answer_is(elasticity):
    rows = catalogue()
    plan = plan_switchback(rows, LOOSE)
    _, cost = lived(plan, rows, elasticity, 1)

    assert cost <= plan.maximum_cost


def test_the_reading_finds_the_truth_and_the_range_by_the_draw_holds_it():
    rows, errors, held = catalogue(), [], []
    for seed in range(12):
        plan = plan_switchback(rows, LOOSE, seed=seed)
        reading = evaluate_switchback(plan, lived(plan, rows, -3.0, seed)[0])
        errors.append(reading.elasticity + 3.0)
        held.append(reading.drawn_low <= -3.0 <= reading.drawn_high)

    assert abs(np.mean(errors)) < 0.35
    assert (
        sum(held) >= 7
    )  # of twelve ranges of 80 %, fewer than seven hold in two runs of a hundred


def test_a_price_that_does_not_matter_is_not_said_to_matter():
    rows, claims = catalogue(), []
    for seed in range(12):
        plan = plan_switchback(rows, LOOSE, seed=seed)
        claims.append(
            evaluate_switchback(plan, lived(plan, rows, 0.0, seed)[0]).p_value_no_answer < 0.1
        )

    assert sum(claims) <= 4


def test_a_test_that_turns_dear_is_stopped_before_its_maximum():
    rows = catalogue()
    plan = plan_switchback(rows, LOOSE, precision=0.3)
    rows["units_per_week"] *= 12  # demand has multiplied since the plan was made
    observed, _ = lived(plan, rows, -6.0, 3, weeks=plan.block_weeks)

    assert evaluate_switchback(plan, observed).stop_because == "cost"


def test_a_test_says_why_it_is_not_proposed():
    few = plan_switchback(catalogue(12), LOOSE)
    closed = plan_switchback(catalogue(), PriceLimits(is_frozen=True))
    dear = plan_switchback(catalogue(), LOOSE, maximum_cost=0.01)
    vague = plan_switchback(catalogue(40), LOOSE, precision=0.05)

    assert few.abstained_because == "too_few_products"
    assert closed.abstained_because == "prices_frozen"
    assert dear.abstained_because == "cost_too_high"
    assert vague.abstained_because == "not_precise_enough" and vague.precision > 0.05


def test_before_anything_was_seen_the_prior_is_said():
    plan = plan_switchback(catalogue(), LOOSE)
    none = pd.DataFrame({"series_id": [], "week": [], "units": []})
    reading = evaluate_switchback(plan, none)

    assert reading.weeks_seen == 0 and reading.elasticity == plan.prior_mean
    assert reading.drawn_low is None and reading.stop_because is None


def test_plan_and_reading_go_through_json():
    rows = catalogue()
    plan = plan_switchback(rows, LOOSE)
    reading = evaluate_switchback(plan, lived(plan, rows, -2.0, 1)[0])

    assert plan_from(json.loads(json.dumps(asdict(plan), allow_nan=False))) == plan
    assert json.loads(json.dumps(asdict(reading), allow_nan=False))["stop_because"] == "finished"


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="lacks"):
        plan_switchback(catalogue().drop(columns="unit_cost"), LOOSE)
    with pytest.raises(ValueError, match="cost nothing"):
        plan_switchback(catalogue(), LOOSE, maximum_cost=0.0)
    with pytest.raises(ValueError, match="must be > 0"):
        plan_switchback(catalogue(), LOOSE, precision=0.0)
    plan = plan_switchback(catalogue(), LOOSE)
    with pytest.raises(ValueError, match="units"):
        evaluate_switchback(plan, pd.DataFrame({"series_id": ["p0"], "week": [0], "units": [-1.0]}))
