"""A ladder of plans: whatever budget is named, one of them is nearly the best it can buy."""

import numpy as np
import pytest

from shopify_app.analytics.orders import budget, budget_ladder
from shopify_app.analytics.orders.rules import Choices


def lines(rng, count, most):
    units, value, money = np.zeros((3, count, most + 1))
    for line in range(count):
        units[line, 1:] = rng.integers(1, 7) * (np.arange(1, most + 1) + rng.integers(0, 3))
        value[line, 1:] = np.sort(rng.exponential(10, most) - 2)[::-1].cumsum()
        money[line] = units[line] * rng.uniform(0.5, 30)
    return Choices(units, value, money)


def test_any_budget_finds_a_rung_that_earns_nearly_what_its_own_plan_would():
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(20):
        choices = lines(rng, count=12, most=8)
        found = budget_ladder.ladder(choices, vendor=np.zeros(12, int))
        for share in rng.uniform(0.1, 1.0, 5):
            purse = share * found.money[-1]
            own = choices.at(budget.within_budget(choices, purse), choices.value).sum()
            rung = np.searchsorted(found.money, purse + 1e-9, side="right") - 1
            shares.append(found.value[rung] / own)

    assert min(shares) > 0.93
    assert np.mean(shares) > 0.985


def test_a_ladder_rises_from_nothing_to_all_and_its_curve_never_turns_up():
    choices = lines(np.random.default_rng(6), count=60, most=8)
    found = budget_ladder.ladder(choices, vendor=np.zeros(60, int))

    assert (found.plans[0] == 0).all()
    assert found.value[-1] == pytest.approx(choices.at(choices.best(), choices.value).sum())
    assert (np.diff(found.money) > 0).all()
    assert (np.diff(found.value) > 0).all()
    slopes = np.diff(found.curve.value) / np.diff(found.curve.money)
    assert (np.diff(slopes) < 0).all()


def test_no_rung_orders_less_of_a_vendor_than_its_least_order():
    rng = np.random.default_rng(7)
    choices = lines(rng, count=10, most=8)
    vendor = np.arange(10) % 2
    in_units = vendor == 1
    minimum = np.where(in_units, 60.0, 900.0)

    found = budget_ladder.ladder(choices, vendor=vendor, minimum=minimum, minimum_in_units=in_units)

    assert len(found.plans) > 3
    for plan in found.plans:
        money = choices.at(plan, choices.money)[vendor == 0].sum()
        units = choices.at(plan, choices.units)[vendor == 1].sum()
        assert money == 0 or money >= 900
        assert units == 0 or units >= 60


def test_no_lines_have_an_empty_ladder():
    found = budget_ladder.ladder(Choices(*np.zeros((3, 0, 1))), vendor=np.zeros(0, int))

    assert found.money.tolist() == [0.0]
