"""The pump: rings for what is due and for nothing else, survives Redis and Postgres, does the work itself if told."""

import threading

import pytest

from shopify_app import queue
from shopify_app.db import refresh_requests
from shopify_app.db.connection import transaction
from shopify_app.errors import TransientError
from shopify_app.usecases import housekeeping
from tests.price_change_rows import undo
from tests.webhooks import record
from workers import pump


@pytest.fixture
def rung(monkeypatch):
    heard = []
    monkeypatch.setattr(queue, "ring", lambda task, **_: heard.append(task) or True)
    return heard


def test_a_quiet_house_rings_nothing(acme, rung):
    assert pump.pump_once(inline=False) == rung == []


def test_what_is_due_is_rung_and_what_a_merchant_waits_for_comes_first(acme, rung):
    record(acme)
    undo(acme)
    with transaction(acme.shop_id) as conn:
        refresh_requests.ask(conn, acme.shop_id)
    housekeeping.make_sure_of_schedules()

    pump.pump_once(inline=False)

    assert rung == [
        "workers.prices.send_price_changes",
        "workers.webhooks.drain_inbox",
        "workers.decisions.refresh_suggestions",
        "workers.housekeeping.keep_house",
    ]


def test_redis_gone_costs_the_pump_nothing(acme):
    record(acme)

    assert pump.pump_once(inline=False) == [
        "workers.webhooks.drain_inbox"
    ]  # nobody is at Redis' port
    assert not queue.ring("workers.webhooks.drain_inbox")


def test_inline_the_work_is_done_here(acme):
    record(acme, body=b'{"id": 1}', topic="made/up")

    assert pump.pump_once(inline=True) == ["workers.webhooks.drain_inbox"]
    assert pump.pump_once(inline=True) == []


def test_every_doorbell_that_the_pump_rings_can_be_done_inline(acme, rung):
    assert set(pump.INLINE) <= set(queue.DOORBELLS)


def test_a_database_that_is_away_is_waited_for(monkeypatch):
    turns, stop = [], threading.Event()

    def away(*, inline, **_):
        turns.append(inline)
        if len(turns) == 3:
            stop.set()
        raise TransientError("database: OperationalError")

    monkeypatch.setattr(pump, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(pump, "pump_once", away)
    monkeypatch.setattr(pump.housekeeping, "make_sure_of_schedules", lambda: None)
    pump.run(stop)

    assert turns == [False] * 3
