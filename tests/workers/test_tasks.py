"""Each task is one call of its use case, in the queue that a process of the Procfile takes from."""

import importlib
import re

import pytest

from launch.keel import procfile
from shopify_app.db import due_work
from shopify_app.db.connection import transaction
from shopify_app.usecases import doorbells
from shopify_app.usecases.doorbells import DOORBELLS

CALLS = {
    "workers.webhooks.drain_inbox": "shopify_app.usecases.inbox.drain.drain_inbox",
    "workers.prices.send_price_changes": "shopify_app.usecases.decisions.price_outbox.send_price_changes",
    "workers.prices.carry_on_price_tests": "shopify_app.usecases.price_tests.carry_on.carry_on_due",
    "workers.history.step_backfills": "shopify_app.usecases.history.backfill.step_backfills",
    "workers.history.refetch_resources": "shopify_app.usecases.inbox.refetch.refetch_resources",
    "workers.history.confirm_uninstalls": "shopify_app.usecases.shops.uninstalls.confirm_uninstalls",
    "workers.history.reconcile_shops": "shopify_app.usecases.history.reconcile.reconcile_shops",
    "workers.sales.roll_up_sales": "shopify_app.usecases.history.sales.roll_up_sales",
    "workers.housekeeping.keep_house": "shopify_app.usecases.housekeeping.keep_house",
}


@pytest.fixture
def tasks(settings_env):
    from workers.celery_app import TASK_MODULES, celery

    for module in TASK_MODULES:
        importlib.import_module(module)
    return celery.tasks


@pytest.mark.parametrize("name", list(CALLS))
def test_a_task_calls_its_use_case_once_with_nothing(tasks, monkeypatch, name):
    module, function = CALLS[name].rsplit(".", 1)
    called = []
    monkeypatch.setattr(
        importlib.import_module(module),
        function,
        lambda *args, **named: called.append((args, named)),
    )

    tasks[name].run()

    assert called == [((), {})]


SHOP_CALLS = {
    "workers.decisions.refresh_suggestions": "shopify_app.usecases.suggestions.suggest.refresh_suggestions",
    "workers.decisions.judge_outcomes": "shopify_app.usecases.outcomes.judge.judge_shop",
    "workers.decisions.replay_years": "shopify_app.usecases.suggestions.replay.replay_shop",
}


@pytest.mark.parametrize("name", list(SHOP_CALLS))
def test_a_task_of_shops_calls_its_use_case_once_for_each_shop_that_is_due(
    tasks, acme, rival, monkeypatch, name
):
    what = next(bell for bell in doorbells.DOORBELLS if bell.name == name).due.what
    with transaction(acme.shop_id) as conn:
        due_work.ask(conn, acme.shop_id, what)
    module, function = SHOP_CALLS[name].rsplit(".", 1)
    called = []
    monkeypatch.setattr(importlib.import_module(module), function, called.append)

    tasks[name].run()
    tasks[name].run()

    assert called == [acme.shop_id]


def test_the_names_that_messages_on_their_way_bear_are_still_known(tasks):
    ours = {name for name in tasks if name.startswith("workers.")}

    assert set(CALLS) | set(SHOP_CALLS) <= ours
    assert [bell.name for bell in DOORBELLS] == sorted(
        ours, key=[bell.name for bell in DOORBELLS].index
    )


LIMITS = {"prices": (60, 90), "webhooks": (120, 150), "analytics": (850, 900)}


def test_each_task_has_the_time_that_its_queue_can_bear(tasks):
    for bell in DOORBELLS:
        given = (tasks[bell.name].soft_time_limit, tasks[bell.name].time_limit)
        assert given == LIMITS.get(bell.queue, given), bell.name
    longest = tasks["workers.history.step_backfills"]
    assert (longest.soft_time_limit, longest.time_limit) == (1_500, 1_600)


def test_every_queue_is_taken_from_and_no_other_is(tasks):
    taken = {
        queue
        for line in procfile().values()
        for found in re.findall(r"--queues (\S+)", line)
        for queue in found.split(",")
    }

    assert taken == {bell.queue for bell in DOORBELLS}


def test_prices_do_not_wait_behind_the_models(tasks):
    """What a merchant waits for shares no process with what takes minutes."""
    lines = [line for line in procfile().values() if "--queues" in line]
    together = [line for line in lines if "prices" in line and "analytics" in line]

    assert together == []
