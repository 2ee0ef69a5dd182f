"""The examples in the docstrings of analytics run and say what they say; no door is without one."""

import doctest
import importlib
import pkgutil

import pytest

from shopify_app import analytics
from shopify_app.analytics import demand, negative_binomial, outcomes, panel, replay, trends
from shopify_app.analytics.demand import calibration, lost_sales, state
from shopify_app.analytics.orders import (
    budget,
    budget_ladder,
    lead_times,
    replenishment,
    transfers,
)
from shopify_app.analytics.outcomes import brake
from shopify_app.analytics.price_tests import experiments
from shopify_app.analytics.prices import elasticity, pricing, profit, rules, standing_price

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(analytics.__path__, f"{analytics.__name__}.")
]
DOORS = [
    panel.as_panel,
    negative_binomial.cdf,
    negative_binomial.quantile,
    negative_binomial.expected_shortage,
    demand.DemandForecast,
    demand.forecast_demand,
    demand.fit,
    state.close_period,
    calibration.correction,
    lost_sales.lost_demand,
    replenishment.order_quantities,
    replenishment.critical_fractile,
    budget.within_budget,
    budget.curve,
    budget_ladder.ladder,
    lead_times.learn_lead_times,
    transfers.transfers_before_purchases,
    trends.detect_trends,
    elasticity.fit_price_response,
    pricing.suggest_prices,
    profit.monthly_profit,
    rules.lawful_compare_at,
    standing_price.standing_prices,
    experiments.plan_switchback,
    experiments.evaluate_switchback,
    outcomes.register,
    outcomes.judge,
    outcomes.judge_portfolio,
    outcomes.hold_back,
    brake.judge_kind,
    brake.boundary,
    brake.worst_loss,
    replay.replay,
]
"""What the rooms hand out, and what advice asks of them."""


@pytest.mark.parametrize(
    "module", MODULES, ids=lambda module: module.__name__.split("analytics.")[1]
)
def test_the_examples_of_a_module_come_out_as_written(module):
    found = doctest.testmod(module, optionflags=doctest.FAIL_FAST)
    assert found.failed == 0, f"run `python -m doctest {module.__file__}`"


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_a_door_shows_an_example_with_what_comes_back(door):
    examples = doctest.DocTestParser().get_examples(door.__doc__)
    assert any(example.want for example in examples)
