"""A round over shops: one that fails, or was killed, costs no other its turn, in any doorbell."""

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from shopify_app.db import daily_sales, due_work, shops
from shopify_app.db.connection import transaction
from shopify_app.domain.shop import ShopState
from shopify_app.usecases import housekeeping, rounds
from shopify_app.usecases.decisions import price_outbox
from shopify_app.usecases.history import backfill, reconcile, sales
from shopify_app.usecases.inbox import drain, refetch
from shopify_app.usecases.price_tests import carry_on
from shopify_app.usecases.rounds import ShopWork, each
from shopify_app.usecases.shops import access
from tests.factories import rows

WORK = ShopWork("errand", needs_history=False, lease_seconds=60)


def ask(*some):
    for shop in some:
        with transaction(shop.shop_id) as conn:
            due_work.ask(conn, shop.shop_id, "errand")


def spoilt_for(shop, done, error=KeyError):
    def do(shop_id):
        if shop_id == shop.shop_id:
            raise error("spoilt")
        done.append(shop_id)
        return 1

    return do


def test_each_sums_and_goes_on_after_a_failure(acme, rival):
    done = []
    assert each([acme.shop_id, rival.shop_id], spoilt_for(acme, done), of="x") == 1
    assert done == [rival.shop_id]


def test_the_end_of_a_tasks_time_is_no_shops_failure(acme, rival):
    done = []
    with pytest.raises(SoftTimeLimitExceeded):
        each([acme.shop_id, rival.shop_id], spoilt_for(acme, done, SoftTimeLimitExceeded), of="x")
    assert done == []


def test_due_work_that_fails_is_kept_with_its_shop_and_done_for_the_others(acme, rival):
    ask(acme, rival)
    done = []

    assert WORK.work_through(spoilt_for(acme, done)) == 1
    assert WORK.work_through(done.append) == 0  # not again at once

    assert done == [rival.shop_id]
    assert rows(acme, "SELECT attempts, error_type, lease_until FROM due_work") == [
        (1, "KeyError", None)
    ]
    assert rows(rival, "SELECT count(*) FROM due_work") == [(0,)]


class Killed(BaseException):
    """What no code catches, as a kill."""


def test_a_kill_between_claim_and_finish_is_healed_when_the_lease_ends(acme, rival):
    ask(acme)
    with pytest.raises(Killed):
        WORK.work_through(spoilt_for(acme, [], Killed))
    ask(rival)
    done = []
    assert WORK.work_through(done.append) == 1
    assert done == [rival.shop_id]

    rows(acme, "UPDATE due_work SET lease_until = now() - interval '1 second' RETURNING 1")
    assert WORK.work_through(done.append) == 1
    assert done == [rival.shop_id, acme.shop_id]


def test_a_long_round_leaves_the_rest_to_the_next(acme, rival, monkeypatch):
    ask(acme, rival)
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 0)
    assert WORK.work_through(lambda _: None) == 0

    monkeypatch.setattr(rounds, "ROUND_SECONDS", 60)
    assert WORK.work_through(lambda _: None) == 2


def ids(*some):
    return lambda *_, **__: [shop.shop_id for shop in some]


ROUNDS = {
    "prices": (price_outbox, "price_changes", "send_shop_price_changes", price_outbox.send_price_changes),
    "price tests": (carry_on, "price_tests", "_carry_on_claimed", carry_on.carry_on_due),
    "back-fills": (backfill, "backfills", "step_shop", backfill.step_backfills),
    "refetches": (refetch, "refetches", "_refetch_shop", refetch.refetch_resources),
}  # fmt: skip


@pytest.mark.parametrize("name", list(ROUNDS))
def test_one_shops_failure_ends_no_round(acme, rival, monkeypatch, name):
    module, table, function, do = ROUNDS[name]
    done = []
    monkeypatch.setattr(getattr(module, table), "due_shops", ids(acme, rival))
    monkeypatch.setattr(module, function, spoilt_for(acme, done))

    assert do() == 1
    assert done == [rival.shop_id]


def test_one_shops_failure_ends_no_round_of_the_sales(acme, rival, monkeypatch):
    done = []
    monkeypatch.setattr(daily_sales, "touched_shops", ids(acme, rival))
    monkeypatch.setattr(sales, "roll_up_shop", spoilt_for(acme, done))

    assert sales.roll_up_sales() == 1
    assert done == [rival.shop_id]


def test_one_shops_failure_ends_no_round_of_the_inbox(acme, rival, monkeypatch):
    done = []

    def drained(domain):
        if domain == acme.domain:
            raise KeyError("spoilt")
        done.append(domain)
        return len(done) == 1

    monkeypatch.setattr(drain.webhook_inbox, "due_domains", lambda _: [acme.domain, rival.domain])
    monkeypatch.setattr(drain, "_drain_domain", drained)

    assert drain.drain_inbox() == 1
    assert set(done) == {rival.domain}


@pytest.mark.parametrize("name", ["_forget_unused_inputs", "_ask_for_suggestions"])
def test_one_shops_failure_ends_no_round_of_housekeeping(acme, rival, monkeypatch, name):
    done = []
    spoilt = spoilt_for(acme, done)
    monkeypatch.setattr(housekeeping, name, lambda shop: spoilt(shop.shop_id))
    housekeeping.retain()
    housekeeping.ask_for_daily_suggestions()

    assert done == [rival.shop_id]


def test_one_shops_failure_ends_no_round_of_comparing_and_of_tokens(acme, rival, monkeypatch):
    done = []
    spoilt = spoilt_for(acme, done)
    monkeypatch.setattr(reconcile, "_reconcile_ready", lambda shop, _: spoilt(shop.shop_id))
    assert reconcile.reconcile_shops() == 1
    monkeypatch.setattr(access.offline_tokens, "idle_shops", ids(acme, rival))
    monkeypatch.setattr(access, "_renew", spoilt)
    assert access.refresh_idle_tokens() == 1
    monkeypatch.setattr(access, "_thaw", lambda shop: spoilt(shop.shop_id))
    for shop in (acme, rival):
        with transaction(shop.shop_id) as conn:
            shops.set_state(conn, shop.shop_id, ShopState.FROZEN)
    assert access.thaw_frozen_shops() == 1

    assert done == [rival.shop_id] * 3


def test_one_shops_failure_ends_no_watch_over_silence(acme, rival, monkeypatch):
    done = []
    spoilt = spoilt_for(acme, done)
    monkeypatch.setattr(
        housekeeping.webhook_silence,
        "newest_order_change",
        lambda _, shop_id: spoilt(shop_id) and None,
    )

    assert housekeeping.watch_silence() == []
    assert done == [rival.shop_id]
