"""Orders against the textbook and against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from shopify_app.analytics.demand import SPANS, DemandForecast
from shopify_app.analytics.replenishment import critical_fractile, order_quantities


def forecast(*rates, dispersion=0.0, horizon=16):
    rates = np.array(rates, float)
    return DemandForecast(
        np.arange(len(rates)),
        np.repeat(rates[:, None], horizon, axis=1),
        np.full((len(rates), len(SPANS)), dispersion),
        np.ones(len(rates)),
    )


def plan(rates, **changed):
    n = len(np.atleast_1d(rates))
    given_ = {
        "on_hand": np.zeros(n),
        "incoming": np.zeros(n),
        "lead_time": 2,
        "review_periods": 2,
        "holding_cost": np.full(n, 0.1),
        "shortage_cost": np.full(n, 2.0),
    }
    dispersion = changed.pop("dispersion", 0.0)
    return order_quantities(
        forecast(*np.atleast_1d(rates), dispersion=dispersion), **{**given_, **changed}
    )


def test_the_newsvendor_of_the_textbook():
    """Snyder & Shen, Fundamentals of Supply Chain Theory, 2nd ed., example 4.3: holding 0.18, shortage 0.70 give .7955."""
    assert critical_fractile(np.array(0.70), np.array(0.18), np.array(1)) == pytest.approx(
        0.7955, abs=1e-4
    )
    found = order_quantities(
        forecast(50.0, horizon=4),
        on_hand=np.zeros(1),
        incoming=np.zeros(1),
        lead_time=0,
        review_periods=1,
        holding_cost=np.array([0.18]),
        shortage_cost=np.array([0.70]),
    )
    assert found.target_units[0] == stats.poisson(50).ppf(0.70 / 0.88)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.2, 12),
    st.floats(0, 1.5),
    st.integers(0, 30),
    st.sampled_from([1, 2, 5, 12]),
    st.integers(0, 24),
    st.floats(0.3, 5),
)
def test_what_is_ordered_costs_least_of_all_that_the_rules_allow(
    rate, dispersion, on_hand, pack, minimum, shortage
):
    found = plan(
        rate,
        dispersion=dispersion,
        on_hand=np.array([on_hand]),
        pack=pack,
        minimum=minimum,
        shortage_cost=np.array([shortage]),
    )
    mean = rate * 4
    demand = (
        stats.poisson(mean)
        if dispersion < 1e-6
        else stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean))
    )
    values = np.arange(0, int(demand.ppf(0.999999)) + 2)
    weights = demand.pmf(values)

    def cost(units):
        stock = on_hand + units
        return (
            weights
            * (shortage * np.maximum(values - stock, 0) + 0.2 * np.maximum(stock - values, 0))
        ).sum()

    allowed = [0, *(k for k in range(pack, 400, pack) if k >= minimum)]
    assert cost(found.units[0]) <= min(map(cost, allowed)) + 0.02 * max(cost(0), 1)
    assert found.units[0] in allowed


def test_more_stock_never_means_a_larger_order_and_a_dearer_shortage_never_a_smaller():
    by_stock = [plan(5.0, on_hand=np.array([stock])).units[0] for stock in range(0, 40, 4)]
    by_cost = [
        plan(5.0, dispersion=0.3, shortage_cost=np.array([cost])).units[0]
        for cost in (0.3, 1, 3, 10)
    ]

    assert by_stock == sorted(by_stock, reverse=True)
    assert by_cost == sorted(by_cost)


def test_what_is_on_its_way_counts_as_stock_and_waiting_costs_more_when_the_shelf_is_empty():
    assert plan(5.0, incoming=np.array([30.0])).units[0] == 0
    lost = plan([5.0, 5.0, 5.0], on_hand=np.array([0.0, 10.0, 40.0])).lost_by_waiting
    assert lost[0] == pytest.approx(5.0)
    assert lost[0] > lost[1] > lost[2]
    assert lost[2] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pack": 0}, "pack"),
        ({"review_periods": 0}, "review"),
        ({"lead_time": 20}, "reach"),
        ({"holding_cost": np.array([-1.0])}, "costs"),
        ({"on_hand": np.array([np.nan])}, "finite"),
    ],
)
def test_wrong_arguments_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        plan(1.0, **change)
