"""A look at the past is asked for once, taken once, and due again later; each shop has its own."""

import pytest

from shopify_app.db import look_backs
from shopify_app.db.connection import sweep_transaction, transaction
from tests.factories import make_shop, rows


def act(shop, call, *given, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given, **named)


def due(what="replay"):
    with sweep_transaction() as conn:
        return look_backs.due_shops(conn, what)


def test_what_is_due_is_taken_once_and_is_due_again_after_its_time(acme):
    act(acme, look_backs.make_sure_of, "replay")
    assert due() == [acme.shop_id]
    assert due("ranges") == []

    assert act(acme, look_backs.claim, "replay", lease_seconds=60)
    assert not act(acme, look_backs.claim, "replay", lease_seconds=60)
    assert due() == []

    act(acme, look_backs.finish, "replay", again_in_days=7)
    act(acme, look_backs.make_sure_of, "replay")  # it has its time already
    assert due() == []
    assert rows(acme, "SELECT due_at > now() + interval '6 days', lease_until FROM look_backs") == [
        (True, None)
    ]


def test_a_lease_that_was_left_behind_runs_out(acme):
    act(acme, look_backs.make_sure_of, "replay")
    act(acme, look_backs.claim, "replay", lease_seconds=-1)

    assert due() == [acme.shop_id]
    assert act(acme, look_backs.claim, "replay", lease_seconds=60)


@pytest.mark.parametrize("state", ["uninstalled", "frozen", "needs_open"])
def test_a_shop_that_is_not_there_waits(database, state):
    shop = make_shop("gone.myshopify.com", state=state)
    act(shop, look_backs.make_sure_of, "replay")

    assert due() == []


def test_a_shop_whose_history_is_still_read_waits(acme):
    act(acme, look_backs.make_sure_of, "replay")
    rows(
        acme,
        "INSERT INTO backfills (shop_id, state, step, position, install_epoch) VALUES (%(shop_id)s, 'running', 'orders', 1, 1) RETURNING 1",
        shop_id=acme.shop_id,
    )

    assert due() == []


def test_the_rival_neither_takes_nor_ends_ours(acme, rival):
    act(acme, look_backs.make_sure_of, "replay")

    assert not act(rival, look_backs.claim, "replay", lease_seconds=60)
    assert not act(rival, look_backs.claim, "replay", shop_id=acme.shop_id, lease_seconds=60)
    act(rival, look_backs.finish, "replay", again_in_days=7)
    assert due() == [acme.shop_id]
