"""Orders against the textbook, against brute force and against themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from shopify_app.analytics.orders.lead_times import LeadTimes
from shopify_app.analytics.orders.replenishment import critical_fractile, order_quantities
from tests.analytics.forecasts import level_forecast
from tests.analytics.lost_sales import cost_of_each_order


def plan(rates, **changed):
    rates = np.atleast_1d(np.asarray(rates, float))
    n = len(rates)
    forecast = level_forecast(
        rates, dispersion=changed.pop("dispersion", 0.0), horizon=changed.pop("horizon", 16)
    )
    terms = {
        "on_hand": np.zeros(n),
        "incoming": np.zeros(n),
        "lead_time": 2,
        "review_periods": 2,
        "holding_cost": np.full(n, 0.1),
        "shortage_cost": np.full(n, 2.0),
    }
    return order_quantities(forecast, **{**terms, **changed})


def test_the_newsvendor_of_the_textbook():
    """Snyder & Shen, Fundamentals of Supply Chain Theory, 2nd ed., example 4.3: holding 0.18, shortage 0.70 give .7955."""
    assert critical_fractile(np.array(0.70), np.array(0.18), np.array(1)) == pytest.approx(
        0.7955, abs=1e-4
    )
    found = plan(50.0, lead_time=0, review_periods=1, holding_cost=0.18, shortage_cost=0.70)
    assert found.target_units[0] == stats.poisson(50).ppf(0.70 / 0.88)
    assert found.critical_fractile[0] == pytest.approx(0.7955, abs=1e-4)


def test_a_thousand_newsvendors_cost_what_the_best_of_all_orders_costs():
    rng = np.random.default_rng(7)
    n = 1_000
    rates, spread = np.exp(rng.uniform(-2, 4.5, n)), rng.choice([0.0, 0.2, 1.0, 3.0], n)
    shortage, holding = np.exp(rng.uniform(-1, 4, n)), np.exp(rng.uniform(-3, 0, n))
    on_hand = rng.integers(0, 20, n)

    found = plan(
        rates,
        dispersion=spread[:, None],
        on_hand=on_hand,
        lead_time=0,
        review_periods=1,
        holding_cost=holding,
        shortage_cost=shortage,
    )

    short = 0
    for row in range(n):
        cost = _newsvendor_costs(rates[row], spread[row], holding[row], shortage[row])
        chosen = cost[int(on_hand[row] + found.units[row])]
        short += chosen > cost[on_hand[row] :].min() * (1 + 1e-3)
    assert short == 0


def _newsvendor_costs(rate, spread, holding, shortage):
    """Expected cost of every stock from 0 on."""
    demand = (
        stats.poisson(rate) if spread == 0 else stats.nbinom(1 / spread, 1 / (1 + spread * rate))
    )
    stock = np.arange(int(demand.ppf(1 - 1e-9)) + 30)
    left = np.concatenate([[0.0], demand.cdf(stock).cumsum()[:-1]])
    return holding * left + shortage * (rate - stock + left)


def test_what_is_lost_before_the_order_lands_is_no_demand_on_it():
    """Brute force over the distribution of lost sales: every order's true cost, the best and ours."""
    rng = np.random.default_rng(3)
    for _ in range(120):
        rate, lead, review = rng.uniform(0.2, 8), int(rng.integers(0, 4)), int(rng.integers(1, 4))
        on_hand = int(rng.integers(0, rate * 4 + 2))
        arriving = rng.integers(0, int(rate) + 2, lead + 1) * (rng.random(lead + 1) < 0.4)
        shortage = rng.uniform(0.3, 5)

        found = plan(
            rate,
            on_hand=np.array([on_hand]),
            incoming=arriving[None, :],
            lead_time=lead,
            review_periods=review,
            shortage_cost=shortage,
        )

        cost = cost_of_each_order(
            rate, on_hand, arriving, lead, review, 0.1, shortage, most=int(found.units[0]) + 15
        )
        units = int(found.units[0])
        assert cost[units] <= cost.min() * (1 + 1e-3)
        assert found.value[0] == pytest.approx(cost[0] - cost[units], rel=0.01, abs=0.02)


def test_an_empty_shelf_orders_for_the_review_only_and_not_for_what_is_lost_meanwhile():
    lost = plan(6.0, lead_time=3, review_periods=1)
    covered = plan(6.0, lead_time=0, review_periods=1)

    assert lost.units[0] == covered.units[0]
    assert lost.lost_without[0] == pytest.approx(24.0, rel=1e-3)


def test_uncertainty_of_the_level_is_shared_by_all_periods():
    """With it, a shop that sold out before the landing must expect more after it: simulated."""
    rng = np.random.default_rng(5)
    level = rng.gamma(1 / 0.5, 0.5, 400_000)
    before, after = rng.poisson(4 * 2 * level), rng.poisson(4 * level)
    left = np.maximum(5 - before, 0)
    stock = np.arange(60)
    cost = [
        0.1 * np.maximum(left + q - after, 0).mean() + 2.0 * np.maximum(after - left - q, 0).mean()
        for q in stock
    ]

    found = plan(4.0, dispersion=0.5, on_hand=np.array([5]), review_periods=1)

    assert cost[int(found.units[0])] <= min(cost) * 1.003


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.2, 12),
    st.floats(0, 1.5),
    st.integers(0, 30),
    st.sampled_from([1, 2, 5, 12]),
    st.integers(0, 24),
    st.floats(0.3, 5),
)
def test_what_is_ordered_is_worth_most_of_all_that_pack_and_minimum_allow(
    rate, dispersion, on_hand, pack, minimum, shortage
):
    same = {"dispersion": dispersion, "on_hand": np.array([on_hand]), "shortage_cost": shortage}
    found = plan(rate, pack=pack, minimum=minimum, **same)

    assert found.units[0] % pack == 0
    assert found.units[0] == 0 or found.units[0] >= minimum
    assert found.value[0] >= 0
    assert found.value[0] <= plan(rate, **same).value[0] + 1e-9
    if found.units[0] > 0:
        assert found.value[0] >= max(found.less.value[0], found.more.value[0], 0) - 1e-9


def test_more_stock_never_means_a_larger_order_and_a_dearer_shortage_never_a_smaller():
    for dispersion in (0.0, 0.4, 2.0):
        by_stock = plan(np.full(40, 5.0), dispersion=dispersion, on_hand=np.arange(40)).units
        dear = np.linspace(0.2, 20, 30)
        by_cost = plan(np.full(30, 5.0), dispersion=dispersion, shortage_cost=dear).units
        by_holding = plan(np.full(30, 5.0), dispersion=dispersion, holding_cost=dear / 20).units

        assert (np.diff(by_stock) <= 0).all()
        assert (np.diff(by_cost) >= 0).all()
        assert (np.diff(by_holding) <= 0).all()


def test_what_arrives_before_the_order_counts_as_stock_and_what_arrives_after_the_next_does_not():
    soon, late = np.zeros((1, 8)), np.zeros((1, 8))
    soon[0, 1], late[0, 6] = 30, 30

    assert plan(5.0, incoming=np.array([30.0])).units[0] == 0
    assert plan(5.0, incoming=soon).units[0] < plan(5.0).units[0]
    assert plan(5.0, incoming=late).units[0] == plan(5.0).units[0]


def test_waiting_costs_more_the_emptier_the_shelf_and_is_free_where_it_is_full():
    found = plan([5.0, 5.0, 5.0], on_hand=np.array([0, 10, 40]))

    assert found.lost_by_waiting[0] == pytest.approx(5.0, rel=1e-2)
    assert found.lost_by_waiting[0] > found.lost_by_waiting[1] > found.lost_by_waiting[2]
    assert found.lost_by_waiting[2] == pytest.approx(0, abs=1e-6)
    assert found.periods_to_wait[0] == 0
    assert found.periods_to_wait[2] >= 2


def test_more_of_an_order_loses_less_and_risks_more_dead_stock():
    found = plan([5.0, 0.3, 40.0], on_hand=np.array([8, 0, 60]), dispersion=0.5)

    assert (found.less.lost >= found.lost_with).all()
    assert (found.lost_with >= found.more.lost).all()
    assert (found.less.dead_stock_risk <= found.dead_stock_risk).all()
    assert (found.dead_stock_risk <= found.more.dead_stock_risk).all()
    assert (found.lost_with <= found.lost_without).all()


def test_a_merchant_who_caps_the_fractile_gets_that_of_the_textbook():
    found = plan(20.0, lead_time=0, review_periods=1, service_level_cap=0.8, shortage_cost=50.0)

    assert found.critical_fractile[0] == pytest.approx(0.8)
    assert found.units[0] == stats.poisson(20).ppf(0.8)


def test_lead_times_that_vary_order_more_than_their_mean_and_a_sure_one_the_same():
    known = LeadTimes.fixed(np.array([2]))
    varied = LeadTimes(np.array([[0.0, 0.3, 0.4, 0.3]]))
    stock = {"on_hand": np.array([12]), "shortage_cost": 5.0}

    sure = plan(5.0, lead_time=known, **stock)

    assert sure.units[0] == plan(5.0, **stock).units[0]
    assert sure.value[0] == pytest.approx(plan(5.0, **stock).value[0])
    assert plan(5.0, lead_time=varied, **stock).units[0] > sure.units[0]


def test_a_leftover_that_no_smaller_next_order_makes_good_is_ordered_less():
    slow = {"rates": 0.2, "dispersion": 1.0, "shortage_cost": 20.0}

    assert plan(**slow, leftover_share=0.5).units[0] < plan(**slow).units[0]


def test_a_unit_too_many_counted_twice_is_the_textbooks_fractile_of_twice_the_holding():
    found = plan(
        50.0,
        lead_time=0,
        review_periods=1,
        holding_cost=0.18,
        shortage_cost=0.70,
        overage_reviews=2,
    )

    assert found.units[0] == stats.poisson(50).ppf(0.70 / (0.70 + 2 * 0.18))


def test_a_vendor_gets_its_least_order_or_none():
    rates, cost = np.array([5.0, 2.0, 4.0, 0.05]), np.array([3.0, 5.0, 2.0, 400.0])
    vendor = np.array(["far", "far", "near", "never"])
    asked = {
        "unit_cost": cost,
        "vendor": vendor,
        "shortage_cost": cost,
        "holding_cost": cost * 0.02,
    }
    free = plan(rates, **asked)
    far = float((free.units * cost)[:2].sum())

    found = plan(rates, vendor_minimum={"far": far + 12.0, "never": 50_000.0}, **asked)

    spent = found.units * cost
    assert spent[:2].sum() >= far + 12.0
    assert found.units[2] == free.units[2]
    assert found.units[3] == 0


def test_a_budget_is_kept_and_more_of_it_is_never_worth_less():
    rng = np.random.default_rng(2)
    rates, cost = rng.uniform(0.2, 9, 80), rng.uniform(1, 40, 80)
    asked = {
        "unit_cost": cost,
        "shortage_cost": cost,
        "holding_cost": cost * 0.02,
        "pack": rng.choice([1, 6], 80),
        "minimum": rng.choice([0, 10], 80),
    }
    whole = plan(rates, **asked)
    need = float((whole.units * cost).sum())
    values = []
    for share in (0.0, 0.2, 0.5, 0.8, 1.0):
        found = plan(rates, budget=share * need, **asked)
        assert (found.units * cost).sum() <= share * need + 1e-6
        assert (found.units % asked["pack"] == 0).all()
        assert ((found.units == 0) | (found.units >= asked["minimum"])).all()
        values.append(found.value.sum())

    assert values == sorted(values)
    assert values[-1] == pytest.approx(whole.value.sum())
    slopes = np.diff(whole.curve.value) / np.diff(whole.curve.money)
    assert (np.diff(slopes) <= 1e-9).all()


def test_orders_do_not_depend_on_the_company_they_keep():
    rates = np.exp(np.random.default_rng(0).uniform(-2, 4, 30))
    leads = np.arange(30) % 4

    together = plan(rates, lead_time=leads, on_hand=np.floor(rates), dispersion=0.4)
    alone = [
        plan(rate, lead_time=lead, on_hand=np.floor(rate), dispersion=0.4).units[0]
        for rate, lead in zip(rates, leads, strict=True)
    ]

    assert together.units.tolist() == alone


def test_nothing_to_order_for_no_series():
    assert plan(np.zeros(0)).units.shape == (0,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pack": 0}, "pack"),
        ({"review_periods": 0}, "review"),
        ({"lead_time": -1}, "lead_time"),
        ({"lead_time": 20}, "reach"),
        ({"holding_cost": np.array([-1.0])}, "costs"),
        ({"on_hand": np.array([np.nan])}, "finite"),
        ({"incoming": np.zeros((2, 3))}, "row for each"),
        ({"budget": 10.0}, "unit_cost"),
        ({"service_level_cap": 1.5}, "cap"),
        ({"leftover_share": 2.0}, "leftover"),
        ({"overage_reviews": 0.0}, "overage"),
    ],
)
def test_wrong_arguments_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        plan(1.0, **change)


# ---------------------------------------------------------------- owed to customers


@pytest.mark.parametrize("lead_time", [0, 2])
@pytest.mark.parametrize(
    ("on_hand", "incoming", "free", "on_top"),
    [
        (-320, 0, 0, 320),
        (-60, 60, 0, 0),  # all that comes is owed
        (-60, 20, 0, 40),
        (-10, 45, 35, 0),  # the rest of what comes is free
    ],
)
def test_what_is_owed_is_ordered_on_top_of_what_nobody_was_promised(
    on_hand, incoming, free, on_top, lead_time
):
    owing = plan(33.0, on_hand=[on_hand], incoming=[incoming], lead_time=lead_time)
    without = plan(33.0, on_hand=[0], incoming=[free], lead_time=lead_time)

    assert owing.units[0] == without.units[0] + on_top
    assert owing.target_units[0] == without.target_units[0]
    assert owing.lost_without[0] == pytest.approx(without.lost_without[0])
    assert owing.dead_stock_risk[0] == pytest.approx(without.dead_stock_risk[0])


def test_what_is_owed_brings_its_margin_and_cannot_wait():
    owing, without = plan(5.0, on_hand=[-12]), plan(5.0, on_hand=[0])

    assert owing.value[0] == pytest.approx(without.value[0] + 12 * 2.0)
    assert plan(0.001, on_hand=[-12]).periods_to_wait[0] == 0
    assert plan(0.001, on_hand=[-12]).units[0] == 12


def test_of_what_comes_week_by_week_the_first_goes_to_those_it_is_owed_to():
    owing = plan(8.0, on_hand=[-10], incoming=[[4, 9, 2]])
    without = plan(8.0, on_hand=[0], incoming=[[0, 3, 2]])

    assert owing.units[0] == without.units[0]


@given(
    on_hand=st.integers(-400, 0),
    incoming=st.integers(0, 500),
    rate=st.floats(0.5, 60),
    pack=st.sampled_from([1, 6, 24]),
)
@settings(max_examples=40, deadline=None)
def test_owing_more_never_orders_less(on_hand, incoming, rate, pack):
    more = plan(rate, on_hand=[on_hand - 7], incoming=[incoming], pack=pack)
    less = plan(rate, on_hand=[on_hand], incoming=[incoming], pack=pack)

    assert more.units[0] >= less.units[0]
    assert more.units[0] + on_hand - 7 + incoming >= 0 or more.units[0] > 0
