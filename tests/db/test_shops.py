"""Shops: each install has its epoch, old news ends nothing, a shop changes itself alone."""

from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from shopify_app.db import shops
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.shop import ShopState
from tests.factories import make_shop, make_variant, rows


def sweep(what, *args, **named):
    with sweep_transaction() as conn:
        return what(conn, *args, **named)


def find(shop):
    return sweep(shops.by_domain, shop.domain)


def now():
    return datetime.now(UTC)


def test_a_shop_comes_goes_and_comes_back_with_a_new_epoch(database):
    shop, is_new = sweep(shops.install, "acme.myshopify.com", scopes=["b", "a"])
    assert (shop.install_epoch, is_new, shop.granted_scopes) == (1, True, ["a", "b"])
    again, is_new = sweep(shops.install, "acme.myshopify.com", scopes=["a"])
    assert (again.install_epoch, is_new, again.installed_at) == (1, False, shop.installed_at)

    with transaction(shop.shop_id) as conn:
        assert shops.uninstall(conn, shop.shop_id, triggered_at=now() + timedelta(seconds=1))
    back, is_new = sweep(shops.install, "acme.myshopify.com", scopes=["a"])

    assert (back.shop_id, back.install_epoch, is_new, back.state) == (
        shop.shop_id,
        2,
        True,
        ShopState.INSTALLED,
    )
    assert back.uninstalled_at is None and back.installed_at > shop.installed_at


@pytest.mark.parametrize("state", ["needs_open", "frozen"])
def test_an_open_heals_a_resting_shop_without_a_new_install(database, state):
    shop = make_shop("acme.myshopify.com", state=state)
    back, is_new = sweep(shops.install, shop.domain, scopes=[])

    assert (back.state, back.install_epoch, is_new) == (ShopState.INSTALLED, 1, False)


def test_news_of_an_uninstall_from_before_the_install_or_its_last_proof_is_stale(acme):
    def uninstall(at):
        with transaction(acme.shop_id) as conn:
            return shops.uninstall(conn, acme.shop_id, triggered_at=at)

    assert not uninstall(acme.installed_at - timedelta(seconds=1))
    proved = acme.installed_at + timedelta(days=2)
    sweep(shops.prove, acme.domain, at=proved)
    sweep(
        shops.prove, acme.domain, at=proved - timedelta(days=1)
    )  # an older proof takes nothing back
    assert find(acme).last_proved_at == proved
    assert not uninstall(proved - timedelta(seconds=1))
    assert uninstall(proved + timedelta(seconds=1))
    assert not uninstall(proved + timedelta(seconds=2))  # once


def test_an_uninstalled_shop_is_not_woken_by_a_state(acme):
    with transaction(acme.shop_id) as conn:
        shops.uninstall(conn, acme.shop_id, triggered_at=now())
        for state in (ShopState.INSTALLED, ShopState.NEEDS_OPEN, ShopState.FROZEN):
            shops.set_state(conn, acme.shop_id, state)

    assert find(acme).state is ShopState.UNINSTALLED


def test_only_a_frozen_shop_thaws(acme):
    with transaction(acme.shop_id) as conn:
        assert not shops.thaw(conn, acme.shop_id)
        shops.set_state(conn, acme.shop_id, ShopState.FROZEN)
        assert shops.thaw(conn, acme.shop_id)

    assert find(acme).state is ShopState.INSTALLED


def test_the_kill_switch_is_thrown_and_lifted(acme):
    with transaction(acme.shop_id) as conn:
        shops.pause_writes(conn, acme.shop_id, paused=True)
    since = find(acme).writes_paused_at
    assert since is not None
    with transaction(acme.shop_id) as conn:
        shops.pause_writes(conn, acme.shop_id, paused=True)
    assert find(acme).writes_paused_at == since
    with transaction(acme.shop_id) as conn:
        shops.pause_writes(conn, acme.shop_id, paused=False)
    assert find(acme).writes_paused_at is None


def test_a_deleted_shop_takes_every_row_of_it_along(acme, rival):
    make_variant(acme)
    make_variant(rival)
    sweep(shops.delete, acme.shop_id)

    assert [shop.domain for shop in sweep(shops.every)] == [rival.domain]
    assert rows(acme, "SELECT count(*) FROM variants") == [(0,)]
    assert rows(rival, "SELECT count(*) FROM variants") == [(1,)]


@pytest.mark.parametrize(
    "domain", ["evil.com", "a.myshopify.com.evil.com", "A.myshopify.com", "a.myshopify.com\n", ""]
)
def test_the_table_itself_takes_no_domain_that_is_none(database, domain):
    with pytest.raises(psycopg2.errors.CheckViolation):
        sweep(shops.install, domain, scopes=[])


def test_a_shop_neither_sees_nor_changes_the_rival(acme, rival):
    with transaction(acme.shop_id) as conn:
        assert shops.by_id(conn, rival.shop_id) is None
        shops.set_state(conn, rival.shop_id, ShopState.FROZEN)
        shops.set_scopes(conn, rival.shop_id, [])
        shops.pause_writes(conn, rival.shop_id, paused=True)
        assert not shops.uninstall(conn, rival.shop_id, triggered_at=now())
        assert not shops.thaw(conn, rival.shop_id)
    assert find(rival) == rival
