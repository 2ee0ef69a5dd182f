"""The registry: what is due is found in the order in which merchants wait for it, and done by the line that names it."""

import pytest

from shopify_app.db import due_work
from shopify_app.db.connection import transaction
from shopify_app.usecases import doorbells
from shopify_app.usecases.doorbells import DOORBELLS, Doorbell, function_of


def named(bells):
    return [bell.name for bell in bells]


def ask(shop, *whats):
    with transaction(shop.shop_id) as conn:
        for what in whats:
            due_work.ask(conn, shop.shop_id, what)


def test_prices_come_first_and_the_house_last():
    queues = [bell.queue for bell in DOORBELLS]

    assert queues[:3] == ["prices", "prices", "webhooks"]
    assert DOORBELLS[-1].name == "workers.housekeeping.keep_house"


def test_a_quiet_house_has_nothing_due_and_what_shops_have_due_is_found_in_order(acme):
    assert doorbells.due_doorbells() == []

    ask(acme, "replay", "ledger", "suggestions")
    assert named(doorbells.due_doorbells()) == [
        "workers.decisions.refresh_suggestions",
        "workers.decisions.judge_outcomes",
        "workers.decisions.replay_years",
    ]


def test_the_ledger_goes_on_where_suggestions_wait_for_the_history(acme):
    ask(acme, "replay", "ledger", "suggestions")
    with transaction(acme.shop_id) as conn:
        doorbells.backfills.start(conn, acme.shop_id, install_epoch=1)

    assert "workers.decisions.judge_outcomes" in named(doorbells.due_doorbells())
    assert "workers.decisions.refresh_suggestions" not in named(doorbells.due_doorbells())


def test_one_more_job_is_one_line_and_its_function(acme, monkeypatch):
    """A throw-away job: it is found, done, and due no more, with nothing else said of it anywhere."""
    line = Doorbell(
        "workers.x.errand", "history", doorbells.ShopWork("errand"), "inbox.drain:errand"
    )
    done = []
    monkeypatch.setattr("shopify_app.usecases.inbox.drain.errand", done.append, raising=False)
    monkeypatch.setattr(doorbells, "DOORBELLS", (*DOORBELLS, line))
    ask(acme, "errand")
    assert doorbells.due_doorbells() == [line]

    line.work()

    assert done == [acme.shop_id]
    assert doorbells.due_doorbells() == []


def test_a_function_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError):
        function_of("inbox.drain:not_there")
