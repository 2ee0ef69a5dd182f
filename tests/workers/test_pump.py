"""The pump: rings for what is due and for nothing else, survives Redis and Postgres, does the work itself if told."""

import threading
from datetime import date

import pytest

from shopify_app import queue
from shopify_app.db import daily_sales, due_work, webhook_inbox
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.errors import TransientError
from shopify_app.usecases import housekeeping
from shopify_app.usecases.decisions import price_outbox
from tests.price_change_rows import undo
from tests.webhooks import record
from workers import pump


@pytest.fixture
def rung(monkeypatch):
    heard = []
    monkeypatch.setattr(queue, "ring", lambda task, *_, **__: heard.append(task) or True)
    return heard


def test_a_quiet_house_rings_nothing(acme, rung):
    assert pump.pump_once(inline=False) == rung == []


def test_what_is_due_is_rung_and_what_a_merchant_waits_for_comes_first(acme, rung):
    record(acme)
    undo(acme)
    with transaction(acme.shop_id) as conn:
        due_work.ask(conn, acme.shop_id, "suggestions")
    housekeeping.make_sure_of_jobs()

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
    assert not queue.ring("workers.webhooks.drain_inbox", "webhooks")


def test_inline_the_work_is_done_here(acme):
    record(acme, body=b'{"id": 1}', topic="made/up")

    assert pump.pump_once(inline=True) == ["workers.webhooks.drain_inbox"]
    assert pump.pump_once(inline=True) == []


def test_inline_what_fails_stops_nothing_else_and_is_told(acme, monkeypatch):
    record(acme, body=b'{"id": 1}', topic="made/up")
    undo(acme)

    def fails():
        raise KeyError("spoilt")

    monkeypatch.setattr(price_outbox, "send_price_changes", fails)
    with pytest.raises(ExceptionGroup) as told:
        pump.pump_once(inline=True)

    assert [type(error) for error in told.value.exceptions] == [KeyError]
    with sweep_transaction() as conn:
        assert webhook_inbox.due_domains(conn) == []


def test_work_that_fails_inline_does_not_end_the_pump(monkeypatch):
    turns, stop = [], threading.Event()

    def fails(**_):
        turns.append(1)
        if len(turns) == 3:
            stop.set()
        raise ExceptionGroup("work failed", [KeyError("spoilt")])

    monkeypatch.setattr(pump, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(pump, "pump_once", fails)
    monkeypatch.setattr(pump.housekeeping, "make_sure_of_jobs", lambda: None)
    pump.run(stop)

    assert len(turns) == 3


def test_what_a_burst_would_ring_for_twice_a_second_is_rung_for_less_often(acme, rung):
    with transaction(acme.shop_id) as conn:
        daily_sales.touch(conn, acme.shop_id, {date(2026, 1, 1)})
    heard = {}
    for _ in range(3):
        pump.pump_once(inline=False, rung=heard)

    assert rung == ["workers.sales.roll_up_sales"]


def test_a_database_that_is_away_is_waited_for(monkeypatch):
    turns, stop = [], threading.Event()

    def away(*, inline, **_):
        turns.append(inline)
        if len(turns) == 3:
            stop.set()
        raise TransientError("database: OperationalError")

    monkeypatch.setattr(pump, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(pump, "pump_once", away)
    monkeypatch.setattr(pump.housekeeping, "make_sure_of_jobs", lambda: None)
    pump.run(stop)

    assert turns == [False] * 3
