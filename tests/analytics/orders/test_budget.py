"""A budget against every plan there is."""

import itertools

import numpy as np
import pytest

from shopify_app.analytics.orders import budget
from shopify_app.analytics.orders.rules import Choices


def lines(rng, count, most):
    """Random concave lines with packs, minimums and prices."""
    units, value, money = np.zeros((3, count, most + 1))
    for line in range(count):
        pack, least = rng.integers(1, 7), rng.integers(0, 3)
        steps = np.arange(1, most + 1) + least
        units[line, 1:] = pack * steps
        gains = np.sort(rng.exponential(10, most + least) - 2)[::-1]
        value[line, 1:] = gains.cumsum()[steps - 1]
        money[line] = units[line] * rng.uniform(0.5, 30)
    return Choices(units, value, money)


def test_a_hundred_small_cases_are_within_two_percent_of_the_best_of_all_plans():
    rng = np.random.default_rng(11)
    for _ in range(100):
        choices = lines(rng, count=5, most=5)
        purse = rng.uniform(0.1, 0.9) * choices.at(choices.best(), choices.money).sum()

        chosen = budget.within_budget(choices, purse)

        best = _best_of_all(choices, purse)
        assert choices.at(chosen, choices.money).sum() <= purse + 1e-6
        assert choices.at(chosen, choices.value).sum() >= 0.98 * best - 1e-9


def _best_of_all(choices, purse):
    every = np.array(list(itertools.product(range(choices.units.shape[1]), repeat=5)))
    row = np.arange(5)
    money, value = choices.money[row, every].sum(axis=1), choices.value[row, every].sum(axis=1)
    return value[money <= purse + 1e-9].max()


def test_many_lines_come_within_a_percent_of_the_relaxation():
    choices = lines(np.random.default_rng(3), count=400, most=8)
    purse = 0.4 * choices.at(choices.best(), choices.money).sum()

    chosen = budget.within_budget(choices, purse)

    assert choices.at(chosen, choices.money).sum() <= purse + 1e-6
    value = choices.at(chosen, choices.value).sum()
    assert 0.99 * budget.curve(choices).at(purse) <= value <= budget.curve(choices).at(purse) + 1e-6


def test_the_next_money_never_earns_more_than_the_money_before():
    curve = budget.curve(lines(np.random.default_rng(5), count=60, most=8))

    earned = [curve.next_money(spent, 500.0) for spent in np.arange(0, curve.money[-1], 500.0)]

    assert earned == sorted(earned, reverse=True)
    assert curve.at(0.0) == 0.0


def test_a_vendor_out_of_the_purses_reach_leaves_its_money_to_the_others():
    choices = lines(np.random.default_rng(8), count=6, most=5)
    vendor = np.array([0, 0, 0, 1, 1, 1])
    purse = 0.5 * choices.at(choices.best(), choices.money).sum()

    chosen = budget.within_rules(
        choices,
        budget=purse,
        vendor=vendor,
        minimum=np.where(vendor == 1, purse * 2, 0.0),
    )

    money = choices.at(chosen, choices.money)
    assert money[vendor == 1].sum() == 0
    assert 0 < money.sum() <= purse + 1e-6


def test_an_empty_purse_buys_nothing_and_a_negative_one_is_refused():
    choices = lines(np.random.default_rng(1), count=4, most=3)

    assert not budget.within_budget(choices, 0.0).any()
    with pytest.raises(ValueError, match="budget"):
        budget.within_budget(choices, -1.0)
