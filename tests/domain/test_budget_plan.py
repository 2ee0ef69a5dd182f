"""A budget buys the plan that earns most within it; what other money would earn is read off the curve."""

from decimal import Decimal

import pytest

from shopify_app.domain.budget_plan import BudgetPlan, round_amount

PLAN = BudgetPlan(
    units={7: 5},
    cost=Decimal(100),
    gain=50.0,
    all_cost=Decimal(1000),
    all_gain=200.0,
    unpriced=1,
    curve=[(Decimal(0), 0.0), (Decimal(100), 50.0), (Decimal(300), 90.0), (Decimal(1000), 200.0)],
)


@pytest.mark.parametrize(
    ("money", "amount"),
    [("0.2", 1), ("1.99", 1), ("4", 2), ("7", 5), ("10", 10), ("499.99", 200), ("84000", 50_000)],
)
def test_a_round_amount_is_the_greatest_of_1_2_and_5_that_is_not_above(money, amount):
    assert round_amount(Decimal(money)) == amount


@pytest.mark.parametrize(("money", "earned"), [(0, 0), (50, 25), (100, 50), (200, 70), (5000, 200)])
def test_what_money_earns_lies_on_the_line_between_two_plans(money, earned):
    assert PLAN.earned_by(Decimal(money)) == pytest.approx(earned)


def test_the_next_money_is_a_round_amount_and_earns_the_rise_of_the_curve():
    more, gain = PLAN.next_money(Decimal(100))

    assert more == 100
    assert gain == pytest.approx(20)  # from 50 at 100 to 70 at 200


def test_there_is_no_next_money_where_everything_is_bought():
    assert PLAN.next_money(Decimal(1000)) is None
    assert PLAN.picked == {7}
