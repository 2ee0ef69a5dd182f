"""The outbox: one write a click and a variant at a time, claimed with a fence, ended by who claimed it."""

import pytest

from shopify_app.db import price_changes
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.suggestion import PriceChangeState
from tests.factories import NOW, make_variant, rows
from tests.price_change_rows import NEW, act, add, undo


def claim(shop, limit=50):
    return act(shop, price_changes.claim, limit=limit, lease_seconds=60)


def state(shop, change_id):
    return rows(shop, "SELECT state FROM price_changes WHERE id = %(id)s", id=change_id)[0][0]


def lease_runs_out(shop):
    rows(
        shop,
        "UPDATE price_changes SET lease_until = now() - interval '1 second' WHERE state = 'sending' RETURNING 1",
    )


def test_a_click_and_a_variant_have_one_write_under_way(acme):
    variant_id = make_variant(acme)

    assert add(acme, variant_id=variant_id, click="same") is not None
    assert add(acme, click="same") is None
    assert add(acme, variant_id=variant_id) is None  # another click, the same variant


def test_a_claimed_write_is_nobody_elses_until_its_lease_runs_out(acme):
    change_id = undo(acme)
    first = [c for c in claim(acme) if c.id == change_id]
    assert [c.attempts for c in first] == [1]
    assert [c.id for c in claim(acme)] == []

    lease_runs_out(acme)
    assert [c.attempts for c in claim(acme) if c.id == change_id] == [2]


def test_only_the_attempt_that_claimed_may_end_it(acme):
    undo(acme)
    stale = claim(acme)[0]
    lease_runs_out(acme)
    mine = claim(acme)[0]

    assert not act(acme, price_changes.finish, stale, PriceChangeState.APPLIED)
    assert not act(acme, price_changes.put_back, stale, in_seconds=0, error="")
    assert (
        act(
            acme, price_changes.mark_sent, [stale], lease_seconds=60, stamps={stale.variant_id: NOW}
        )
        == set()
    )
    assert act(
        acme, price_changes.mark_sent, [mine], lease_seconds=60, stamps={mine.variant_id: NOW}
    ) == {mine.id}
    assert act(acme, price_changes.finish, mine, PriceChangeState.APPLIED, seen=NEW)
    assert not act(acme, price_changes.finish, mine, PriceChangeState.FAILED)


@pytest.mark.parametrize(
    "stop",
    [
        "state = 'uninstalled', uninstalled_at = now()",
        "state = 'frozen'",
        "writes_paused_at = now()",
        "install_epoch = 2",
    ],
)
def test_nothing_leaves_a_shop_that_is_gone_frozen_paused_or_installed_anew(acme, stop):
    undo(acme)
    mine = claim(acme)[0]
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(f"UPDATE shops SET {stop} WHERE shop_id = %s", (acme.shop_id,))

    assert (
        act(acme, price_changes.mark_sent, [mine], lease_seconds=60, stamps={mine.variant_id: NOW})
        == set()
    )


def test_a_paused_shop_has_nothing_due(acme, rival):
    undo(acme)
    undo(rival)
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET writes_paused_at = now() WHERE shop_id = %s", (acme.shop_id,))
        assert price_changes.due_shops(conn) == [rival.shop_id]


def test_what_has_left_can_be_neither_withdrawn_nor_cancelled(acme):
    waits, left = undo(acme), undo(acme)
    for change in claim(acme):
        if change.id == left:
            act(
                acme,
                price_changes.mark_sent,
                [change],
                lease_seconds=60,
                stamps={change.variant_id: NOW},
            )
        act(acme, price_changes.put_back, change, in_seconds=60, error="")

    assert not act(acme, price_changes.withdraw, left)
    assert act(acme, price_changes.withdraw, waits)
    act(acme, price_changes.cancel_waiting, error_code="uninstalled")
    assert (state(acme, waits), state(acme, left)) == ("undone", "approved")


def test_the_rivals_writes_are_not_ours_to_take_to_end_or_to_see(acme, rival):
    theirs = undo(rival)

    assert claim(acme) == []
    with transaction(acme.shop_id) as conn:
        assert price_changes.claim(conn, rival.shop_id, limit=9, lease_seconds=60) == []
        assert price_changes.by_id(conn, rival.shop_id, theirs) is None
        assert price_changes.by_id(conn, acme.shop_id, theirs) is None
        assert not price_changes.withdraw(conn, rival.shop_id, theirs)
        assert price_changes.cancel_waiting(conn, rival.shop_id, error_code="x") == 0
    assert state(rival, theirs) == "approved"
