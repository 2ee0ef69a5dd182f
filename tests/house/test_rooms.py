"""Every room says what is in it, every module has its tests, and no test leans on another."""

import ast
import re
import socket

import pytest

from launch.processes import ROOT

DOORS = [
    door
    for floor in ("advice", "analytics", "usecases", "web")
    for door in sorted((ROOT / "shopify_app" / floor).rglob("__init__.py"))
]
MODULES = [
    path
    for folder in ("shopify_app", "workers")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "__init__.py"
]

ELSEWHERE = {
    "tests/advice/test_demand.py": "advice.history advice.known_demand",
    "tests/advice/test_restock_orders.py": "advice.order_together",
    "tests/advice/test_shop_weeks.py": "usecases.suggestions.read_weeks",
    "tests/advice/test_lead_times.py": "usecases.decisions.order_receipts usecases.decisions.purchase_order_exports",
    "tests/analytics/demand/test_forecast.py": "analytics.demand.levels analytics.demand.pattern_correction",
    "tests/analytics/demand/test_state.py": "analytics.demand.forecast_rows",
    "tests/analytics/orders/test_replenishment.py": "analytics.orders.pipeline analytics.orders.stock_ahead analytics.orders.terms",
    "tests/analytics/outcomes/test_comparisons.py": "analytics.outcomes.placebo",
    "tests/analytics/price_tests/test_experiments.py": "analytics.price_tests.switchback analytics.price_tests.switchback_reading",
    "tests/analytics/prices/test_elasticity.py": "analytics.prices.evidence analytics.prices.noise",
    "tests/db/test_inventory.py": "domain.product",
    "tests/usecases/decisions/test_price_outbox.py": "shopify.prices_api",
    "tests/shopify/test_payloads.py": "shopify.payload_models",
    "tests/usecases/decisions/test_rollouts.py": "web.rollouts.routes web.rollouts.views",
    "tests/usecases/outcomes/test_outcomes.py": "usecases.outcomes.risk",
    "tests/usecases/shops/test_merchant_settings.py": "usecases.shops.settings_form",
    "tests/web/test_hostile_bodies.py": "web.posted web.request_models",
    "tests/usecases/history/test_market_prices.py": "shopify.markets_api",
    "tests/usecases/history/test_full_count.py": "db.full_counts",
    "tests/usecases/history/test_sales_report.py": "db.sales_reports shopify.reports_api",
    "tests/usecases/history/test_books.py": "web.books_words",
    "tests/usecases/inbox/test_ledgers.py": "shopify.agreements_api",
    "tests/usecases/inbox/test_money_of_orders.py": "usecases.history.local_days",
    "tests/usecases/history/test_reconcile.py": "shopify.catalogue_api",
    "tests/usecases/inbox/test_ingest_together.py": "shopify.nodes",
    "tests/usecases/price_tests/test_price_tests.py": "advice.price_test",
    "tests/usecases/shops/test_install.py": "shopify.shop_api",
    "tests/usecases/shops/test_simulated_days.py": "db.waiting_work web.simulated_days",
    "tests/usecases/test_operator.py": "cli_commands usecases.shops.writes",
    "tests/domain/test_documents.py": "db.json_documents",
    "tests/usecases/decisions/test_decide.py": "usecases.decisions.accepted_prices usecases.decisions.accepted_restocks"
    " usecases.decisions.carry_out usecases.decisions.unmeasured",
    "tests/web/cards/test_routes.py": "web.cards.kind web.cards.kinds web.cards.price"
    " web.cards.price_outcomes web.cards.restock web.cards.trend web.cards.views",
    "tests/web/price_tests/test_routes.py": "web.price_tests.terms",
    "tests/web/restock/test_routes.py": "web.cards.lead_time_words web.cards.move_words"
    " web.restock.budget_view web.demand_view",
    "tests/web/results/test_routes.py": "web.results.range_words web.results.views",
    "tests/web/test_auth.py": "web.headers",
    "tests/web/test_pages.py": "web.answers web.home web.pricing.routes web.pricing.view web.trends.routes web.welcome",
    "tests/workers/test_celery_app.py": "usecases.processes",
    "tests/workers/test_tasks.py": "workers.processes",
}
"""Test -> modules that it covers from outside: by the page, the act or the door's function they are parts of."""


def imported(path):
    """The dotted names that a file imports, modules and what is taken from them alike."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    "door", DOORS, ids=lambda door: ".".join(door.relative_to(ROOT).parts[1:-1])
)
def test_the_door_of_a_room_names_what_is_in_it_and_nothing_else(door):
    inside = {path.stem for path in door.parent.glob("*.py")} - {"__init__"}
    inside |= {path.parent.name for path in door.parent.glob("*/__init__.py")}
    _, _, listed = ast.get_docstring(ast.parse(door.read_text())).partition("\n")
    entries = re.findall(r"^ *([a-z_]+(?:, [a-z_]+)*) {2,}\S", listed, re.MULTILINE)

    assert {name for entry in entries for name in entry.split(", ")} == inside


def has_its_own_test(module):
    """Whether a test mirrors a module's path, or one of the same room asks it directly."""
    inside = module.relative_to(ROOT / "shopify_app" if "shopify_app" in module.parts else ROOT)
    room = ROOT / "tests" / inside.parent
    return (room / f"test_{module.name}").exists() or any(
        dotted(module) in set(imported(test)) for test in room.rglob("test_*.py")
    )


def dotted(module):
    return ".".join(module.relative_to(ROOT).with_suffix("").parts)


def does_something(module):
    return any(
        isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(module.read_text()))
    )


def test_every_module_has_its_tests():
    alone = {
        dotted(one).removeprefix("shopify_app.")
        for one in MODULES
        if does_something(one) and not has_its_own_test(one)
    }
    listed = {module for modules in ELSEWHERE.values() for module in modules.split()}

    assert sorted(alone - listed) == []
    assert sorted(listed - alone) == []  # has its own now, or is gone
    assert [test for test in ELSEWHERE if not (ROOT / test).exists()] == []


def test_no_test_imports_a_test():
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "tests").rglob("*.py")
        for name in imported(path)
        if re.match(r"tests\..*\btest_", name)
    ]
    assert found == []


def test_no_test_leaves_this_computer():
    with pytest.raises(UserWarning, match="tried to use socket"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
