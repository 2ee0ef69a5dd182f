"""Periodic work: once by one pump, each job when it is due, alarms where there is reason."""

from datetime import timedelta

import pytest

from shopify_app.db import orders, redactions, schedules, webhook_inbox
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import NewDelivery
from shopify_app.domain.order import Order
from shopify_app.metrics import REDACTIONS_LATE, SHOPS_WITHOUT_WEBHOOKS
from shopify_app.usecases import housekeeping
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


def test_every_schedule_has_a_job_and_every_job_a_schedule():
    assert set(housekeeping.EVERY_SECONDS) == set(housekeeping.JOBS)


def test_a_due_job_is_done_once_and_then_waits_its_time(database, monkeypatch):
    done = []
    monkeypatch.setattr(
        housekeeping,
        "JOBS",
        {name: (lambda name=name: done.append(name)) for name in housekeeping.JOBS},
    )
    housekeeping.make_sure_of_schedules()

    assert sorted(housekeeping.keep_house()) == sorted(done) == sorted(housekeeping.EVERY_SECONDS)
    assert housekeeping.keep_house() == []
    with sweep_transaction() as conn:
        assert not schedules.any_due(conn)


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
        cur.execute("SELECT count(*) FROM refresh_requests")
        assert cur.fetchone() == (1,)
