"""Periodic work: once by one pump, each job when it is due, alarms where there is reason."""

from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from shopify_app.db import orders, redactions, webhook_inbox
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import NewDelivery
from shopify_app.domain.order import Order
from shopify_app.metrics import REDACTIONS_LATE, SHOPS_WITHOUT_WEBHOOKS
from shopify_app.usecases import doorbells, housekeeping
from tests.factories import NOW


def order_changed(shop, at, number=1):
    made = Order(id=number, name=None, source_name="web", currency="GBP", financial_status="paid", is_test=False,
                 processed_at=at, created_at=at, cancelled_at=None, updated_at=at)  # fmt: skip
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, [made])


def webhook(shop, at, topic="orders/updated", body=b"{}"):
    with ingest_transaction() as conn:
        webhook_inbox.record(
            conn, NewDelivery(f"{shop.domain}{at}{topic}", None, shop.domain, topic, None, at, body)
        )


def value(gauge):
    return gauge.collect()[0].samples[0].value


JOBS = sorted(job.what for job in doorbells.PERIODIC_JOBS)
KEEP = "workers.housekeeping.keep_house"


class Begun(list):
    """Names of jobs; `fails` says which fail of what."""

    def __init__(self):
        super().__init__()
        self.fails = {}


@pytest.fixture
def done(database, monkeypatch):
    """The jobs that were begun, each doing nothing, or what `fails` says; they are due now."""
    begun = Begun()

    def function_of(do):
        def job():
            begun.append(what[do])
            raise_what(begun.fails.get(what[do]))

        return job

    what = {job.do: job.what for job in doorbells.PERIODIC_JOBS}
    monkeypatch.setattr(housekeeping, "function_of", function_of)
    housekeeping.make_sure_of_jobs()
    return begun


def raise_what(error):
    if error is not None:
        raise error


class Killed(BaseException):
    """What no code catches, as a kill."""


def is_due():
    return KEEP in [bell.name for bell in doorbells.due_doorbells()]


def pass_seconds(seconds):
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE due_work SET due_at = due_at - make_interval(secs => %(s)s), lease_until = lease_until - make_interval(secs => %(s)s),"
            " next_try_at = next_try_at - make_interval(secs => %(s)s) WHERE shop_id IS NULL",
            {"s": seconds},
        )


def test_a_due_job_is_done_once_and_then_waits_its_time(done):
    assert is_due()
    assert sorted(housekeeping.keep_house()) == sorted(done) == JOBS
    assert housekeeping.keep_house() == []
    assert not is_due()

    pass_seconds(901)
    assert housekeeping.keep_house() == ["reconcile"]
    pass_seconds(2_700)
    kept = set(housekeeping.keep_house())
    assert kept >= {"frozen_shops", "late_redactions", "reconcile", "retention", "webhook_silence"}
    assert not kept & {"daily_suggestions", "reconcile_wide", "idle_tokens"}


def test_a_job_that_fails_stops_no_other_and_is_tried_again_within_its_own_rhythm(done):
    done.fails = {"daily_suggestions": KeyError("x"), "reconcile": MemoryError()}

    assert sorted([*housekeeping.keep_house(), *done.fails]) == sorted(done) == JOBS
    assert not is_due()
    done.clear()
    for minutes in (
        15,
        15,
        15,
    ):  # as often as the table says: a quarter of an hour, then half an hour
        pass_seconds(minutes * 60 + 1)
        housekeeping.keep_house()
    assert done.count("reconcile") == 3
    assert done.count("daily_suggestions") == 2

    done.fails = {}
    pass_seconds(3_601)
    assert {"daily_suggestions", "reconcile"} <= set(housekeeping.keep_house())
    pass_seconds(86_400 - 60)
    assert "daily_suggestions" not in housekeeping.keep_house()
    pass_seconds(61)
    assert "daily_suggestions" in housekeeping.keep_house()


def test_a_kill_costs_the_job_under_way_a_quarter_of_an_hour_and_the_others_nothing(done):
    done.fails = {"daily_suggestions": Killed()}
    with pytest.raises(Killed):
        housekeeping.keep_house()
    done.fails = {}

    rest = housekeeping.keep_house()
    assert sorted(done) == sorted([*JOBS])
    assert "daily_suggestions" not in rest
    pass_seconds(901)
    assert "daily_suggestions" in housekeeping.keep_house()


def test_when_the_tasks_time_is_up_the_rest_is_left_to_the_next(done):
    done.fails = {"daily_suggestions": SoftTimeLimitExceeded()}
    with pytest.raises(SoftTimeLimitExceeded):
        housekeeping.keep_house()
    begun = list(done)
    assert begun[-1] == "daily_suggestions"

    done.fails = {}
    assert sorted([*housekeeping.keep_house(), *begun]) == JOBS


def test_a_shop_whose_orders_change_without_a_webhook_is_named(acme, rival):
    order_changed(acme, NOW)
    order_changed(rival, NOW)
    webhook(rival, NOW - timedelta(minutes=30))

    assert housekeeping.watch_silence() == [acme.shop_id]
    assert value(SHOPS_WITHOUT_WEBHOOKS) == 1

    webhook(acme, NOW)
    assert housekeeping.watch_silence() == []


def test_other_topics_break_no_silence_and_an_empty_shop_is_not_silent(acme, rival):
    order_changed(acme, NOW)
    webhook(acme, NOW, topic="products/update")

    assert housekeeping.watch_silence() == [acme.shop_id]


def test_orders_from_before_the_install_need_no_webhook(acme):
    order_changed(acme, acme.installed_at - timedelta(days=3))

    assert housekeeping.watch_silence() == []


def test_a_privacy_request_past_half_its_time_is_an_alarm(database):
    with sweep_transaction() as conn:
        for hours in (30, 40):
            redactions.record(
                conn,
                shop_domain="a.myshopify.com",
                topic="shop/redact",
                request={},
                received_at=NOW - timedelta(days=9),
            )
            with conn.cursor() as cur:
                cur.execute(
                    "UPDATE redactions SET received_at = now() - make_interval(hours => %s), due_at = now() + make_interval(hours => 72 - %s)"
                    " WHERE received_at < now() - interval '5 days'",
                    (hours, hours),
                )

    assert housekeeping.watch_redactions() == 1
    assert value(REDACTIONS_LATE) == 1


@pytest.mark.parametrize(("days", "kept"), [(6, True), (8, False)])
def test_bodies_are_emptied_after_a_week(acme, days, kept):
    webhook(acme, NOW, body=b'{"id": 1}')
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE webhook_inbox SET done_at = now() - make_interval(days => %s), outcome = 'applied'",
            (days,),
        )

    housekeeping.retain()

    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT length(body) > 0 FROM webhook_inbox")
        assert cur.fetchone() == (kept,)


def test_the_nightly_look_goes_back_two_days_whatever_the_cursor_says(acme, rival, monkeypatch):
    seen = []
    monkeypatch.setattr(
        housekeeping.reconcile,
        "reconcile_shop",
        lambda shop, *, since: seen.append((shop.shop_id, since)) or {"orders": 2},
    )

    assert housekeeping.reconcile_wide() == 4
    assert [shop_id for shop_id, _ in seen] == [acme.shop_id, rival.shop_id]
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT now() - interval '48 hours'")
        assert abs(seen[0][1] - cur.fetchone()[0]) < timedelta(minutes=1)


def test_a_quiet_shop_is_asked_for_suggestions_once_a_day(acme):
    housekeeping.ask_for_daily_suggestions()

    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("SELECT count(*) FROM due_work WHERE what = 'suggestions'")
        assert cur.fetchone() == (1,)
