"""One clock a shop: it follows the days that pass in the simulator, never back, and moves nobody else's."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from shopify_app import clock, config
from shopify_app.config import read_settings
from shopify_app.db import due_work, price_changes, shops, waiting_work
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.rollout import When
from shopify_app.errors import InvalidSettingsError, NotFoundError
from shopify_app.usecases.shops import simulated_days
from shopify_app.web import create_app
from tests.conftest import CLIENT_SECRET
from tests.factories import make_suggestion, make_variant
from tests.house.test_house import GOOD
from tests.price_change_rows import NEW, OLD, act

NOTHING = waiting_work.WaitingWork(0, 0, 0, 0, 0)
CLOSE = timedelta(seconds=30)


@pytest.fixture
def following(monkeypatch):
    monkeypatch.setenv("SHOP_CLOCK", "simulated")
    config.settings.cache_clear()


def now_in(shop):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        found = shops.by_id(conn, shop.shop_id)
        cur.execute("SELECT shop_now()")
        by_sql = cur.fetchone()[0]
    assert abs(clock.now(found) - by_sql) < CLOSE  # Python and SQL have one clock
    return by_sql


def in_days(days):
    return datetime.now(UTC) + timedelta(days=days)


def due_at(shop, what):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("SELECT due_at FROM due_work WHERE what = %s AND shop_id = %s", (what, shop.shop_id))  # fmt: skip
        row = cur.fetchone()
    return row and row[0]


def due_shops(what):
    with sweep_transaction() as conn:
        return due_work.due_shops(conn, what, states=["installed"], needs_history=False)


def test_a_shop_s_clock_is_the_machine_s_until_days_pass_in_it(acme):
    assert abs(now_in(acme) - datetime.now(UTC)) < CLOSE
    assert clock.today(acme) == datetime.now(acme.zone).date()


def test_thirty_days_pass_in_one_shop_and_none_in_the_other(acme, rival, following):
    simulated_days.follow(acme.domain, in_days(30))

    assert abs(now_in(acme) - in_days(30)) < CLOSE
    assert abs(now_in(rival) - in_days(0)) < CLOSE

    simulated_days.follow(rival.domain, in_days(2))
    assert abs(now_in(acme) - in_days(30)) < CLOSE
    assert abs(now_in(rival) - in_days(2)) < CLOSE


def test_the_clock_never_goes_back(acme, following):
    simulated_days.follow(acme.domain, in_days(30))
    for earlier in (in_days(29), in_days(0), in_days(-400)):
        simulated_days.follow(acme.domain, earlier)
        assert abs(now_in(acme) - in_days(30)) < CLOSE


def test_what_is_due_in_a_month_is_due_when_the_month_has_passed_and_the_rival_s_is_not(
    acme, rival, following
):
    for shop in (acme, rival):
        with transaction(shop.shop_id) as conn:
            due_work.ask(conn, shop.shop_id, "ledger", in_seconds=29 * 86_400)
    rivals = due_at(rival, "ledger")
    assert due_shops("ledger") == []

    waits = simulated_days.follow(acme.domain, in_days(30))

    assert due_shops("ledger") == [acme.shop_id]
    assert (waits.verdicts, waits.suggestions) == (1, 1)
    assert due_at(rival, "ledger") == rivals
    assert due_at(rival, "suggestions") is None
    with transaction(acme.shop_id) as conn:
        assert due_work.claim(conn, acme.shop_id, "ledger", lease_seconds=60)
    with transaction(rival.shop_id) as conn:
        assert due_work.claim(conn, rival.shop_id, "ledger", lease_seconds=60) is None


def test_a_planned_price_is_sent_on_its_day_of_the_shop_s_clock_and_not_before(
    acme, rival, following
):
    for shop in (acme, rival):
        variant_id = make_variant(shop)
        act(
            shop,
            price_changes.add,
            suggestion_id=make_suggestion(shop, variant_id, state="accepted"),
            undo_of=None,
            product_id=1,
            variant_id=variant_id,
            old=OLD,
            new=NEW,
            currency="GBP",
            click_key="click",
            approved_by="42",
            when=When(planned_for=in_days(10)),
        )
    with sweep_transaction() as conn:
        assert price_changes.due_shops(conn) == []

    assert simulated_days.follow(acme.domain, in_days(9)).prices == 0
    assert simulated_days.follow(acme.domain, in_days(11)).prices == 1
    with sweep_transaction() as conn:
        assert price_changes.due_shops(conn) == [acme.shop_id]


def test_a_lease_is_the_machine_s_however_many_days_pass(acme, following):
    with transaction(acme.shop_id) as conn:
        due_work.ask(conn, acme.shop_id, "ledger")
    with transaction(acme.shop_id) as conn:
        assert due_work.claim(conn, acme.shop_id, "ledger", lease_seconds=60)
    simulated_days.follow(acme.domain, in_days(30))
    assert due_shops("ledger") == []  # who works on it has it still


def test_what_a_day_has_daily_is_asked_for_once_a_day(acme, following):
    assert simulated_days.follow(acme.domain, in_days(0)) == NOTHING
    assert simulated_days.follow(acme.domain, in_days(1)).suggestions == 1


def test_a_service_that_follows_no_days_leaves_every_clock_alone(acme):
    with pytest.raises(NotFoundError):
        simulated_days.follow(acme.domain, in_days(30))
    assert abs(now_in(acme) - datetime.now(UTC)) < CLOSE


def test_production_refuses_to_follow_simulated_days():
    with pytest.raises(InvalidSettingsError, match="SHOP_CLOCK must be machine"):
        read_settings(GOOD | {"SHOP_CLOCK": "simulated"})
    assert not read_settings(GOOD).follows_simulated_days
    with pytest.raises(InvalidSettingsError, match="SHOP_CLOCK"):
        read_settings(GOOD | {"APP_ENV": "development", "SHOP_CLOCK": "mine"})


def post(body, secret=CLIENT_SECRET):
    raw = json.dumps(body).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).digest()
    return create_app().test_client().post(
        "/development/clock",
        data=raw,
        headers={
            "Content-Type": "application/json",
            "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        },
    )  # fmt: skip


def test_a_simulator_says_the_day_under_its_signature_and_hears_what_waits(acme, rival, following):
    told = post({"shop": acme.domain, "now": in_days(3).isoformat()})
    assert told.status_code == 200, told.text[:900]
    assert (told.status_code, told.json["suggestions"]) == (200, 1)
    assert abs(now_in(acme) - in_days(3)) < CLOSE
    assert post({"shop": acme.domain}).json["suggestions"] == 1

    assert post({"shop": acme.domain, "now": in_days(9).isoformat()}, "another").status_code == 401
    assert post({"shop": acme.domain, "now": "2026-01-01T00:00:00"}).status_code == 422
    assert post({"shop": "nobody.myshopify.com"}).status_code == 404
    assert abs(now_in(acme) - in_days(3)) < CLOSE
    assert abs(now_in(rival) - in_days(0)) < CLOSE


def test_where_days_are_real_there_is_no_such_route(acme):
    assert post({"shop": acme.domain, "now": in_days(3).isoformat()}).status_code == 404
