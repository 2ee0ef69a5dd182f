"""Tokens that last: used before they die, moved to the newest key, never another install's."""

import pytest

from shopify_app import config
from shopify_app.db import offline_tokens
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.shop import ShopState
from shopify_app.errors import NotFoundError, ShopUnavailableError, TransientError
from shopify_app.shopify import shop_api
from shopify_app.shopify.tokens import TokenPair
from shopify_app.usecases.shops import access
from tests.conftest import CLIENT_SECRET, TOKEN_KEY


def pair(name="a"):
    return TokenPair(f"shpat_{name}", f"shprt_{name}", 3_600, 7_776_000, ["read_orders"])


def keep(shop, name="a"):
    with transaction(shop.shop_id) as conn:
        access.store_pair(conn, shop, pair(name))


def stored(shop):
    with transaction(shop.shop_id) as conn:
        return offline_tokens.of_shop(conn, shop.shop_id)


def age(shop, days):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE offline_tokens SET refreshed_at = now() - make_interval(days => %s), expires_at = now() - interval '1 day'",
            (days,),
        )


@pytest.fixture
def refreshed(monkeypatch):
    """The refresh tokens that were sent to Shopify."""
    sent = []

    def refresh(domain, token):
        sent.append((domain, token))
        return pair(f"new{len(sent)}")

    monkeypatch.setattr(access.tokens, "refresh", refresh)
    return sent


def test_a_fresh_token_is_used_without_asking_anybody(acme, refreshed):
    keep(acme)

    assert access.admin_api(acme.shop_id).access_token == "shpat_a"
    assert refreshed == []


def test_a_token_with_less_than_ten_minutes_is_replaced_before_work_begins(acme, refreshed):
    keep(acme)
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE offline_tokens SET expires_at = now() + interval '9 minutes'")

    assert access.admin_api(acme.shop_id).access_token == "shpat_new1"
    assert refreshed == [(acme.domain, "shprt_a")]
    assert stored(acme).generation == 2


def test_quiet_shops_tokens_are_used_once_a_month_and_busy_ones_are_left(acme, rival, refreshed):
    keep(acme)
    keep(rival, "b")
    age(acme, 31)

    assert access.refresh_idle_tokens() == 1
    assert refreshed == [(acme.domain, "shprt_a")]


def test_one_dead_quiet_token_stops_none_of_the_others(acme, rival, monkeypatch):
    keep(acme)
    keep(rival, "b")
    age(acme, 31)
    age(rival, 31)

    def refresh(domain, token):
        if domain == acme.domain:
            raise access.tokens.TokenRefusedError("invalid_request")
        return pair("new")

    monkeypatch.setattr(access.tokens, "refresh", refresh)
    assert access.refresh_idle_tokens() == 1
    assert stored(rival).access_token == "shpat_new"


def test_a_busy_token_endpoint_stops_none_of_the_others_either(acme, rival, monkeypatch):
    keep(acme)
    keep(rival, "b")
    age(acme, 31)
    age(rival, 31)

    def refresh(domain, token):
        if domain == acme.domain:
            raise TransientError("token endpoint answered 503")
        return pair("new")

    monkeypatch.setattr(access.tokens, "refresh", refresh)
    assert access.refresh_idle_tokens() == 1


def test_a_shop_without_a_token_or_uninstalled_or_unknown_is_said_so(acme):
    with pytest.raises(ShopUnavailableError, match="needs_open"):
        access.admin_api(acme.shop_id)
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT state FROM shops WHERE shop_id = %s", (acme.shop_id,))
        assert cur.fetchone()[0] == ShopState.NEEDS_OPEN
        cur.execute("UPDATE shops SET state = 'uninstalled', uninstalled_at = now()")
    with pytest.raises(ShopUnavailableError, match="uninstalled"):
        access.admin_api(acme.shop_id)
    with pytest.raises(NotFoundError):
        access.admin_api(999_999)


def test_a_token_of_an_earlier_install_is_not_used(acme, refreshed):
    keep(acme)
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET install_epoch = 2 WHERE shop_id = %s", (acme.shop_id,))

    with pytest.raises(ShopUnavailableError, match="needs_open"):
        access.admin_api(acme.shop_id)
    assert refreshed == []


def test_keys_rotate_old_reads_new_writes_all_moved_old_key_gone(acme, rival, monkeypatch):
    keep(acme)
    newer = "k2:" + "MTEx" * 10 + "MTE="
    monkeypatch.setenv("TOKEN_KEYS", f"{newer},{TOKEN_KEY}")
    config.settings.cache_clear()
    assert stored(acme).access_token == "shpat_a"  # the old key still opens it
    keep(rival, "b")  # written under the new one

    assert access.re_encrypt_tokens() == 1
    assert access.re_encrypt_tokens() == 0

    monkeypatch.setenv("TOKEN_KEYS", newer)
    config.settings.cache_clear()
    assert (stored(acme).access_token, stored(rival).access_token) == ("shpat_a", "shpat_b")
    assert stored(acme).refresh_token == "shprt_a"


def test_during_a_rotation_of_the_client_secret_either_serves_the_token_endpoint(
    world, monkeypatch
):
    """Deployed with both: the simulator knows only the old one yet."""
    monkeypatch.setenv("SHOPIFY_API_SECRET", "shpss_" + "7" * 32)
    monkeypatch.setenv("SHOPIFY_OLD_API_SECRET", CLIENT_SECRET)
    config.settings.cache_clear()
    world.control("install")

    assert world.open_app().status_code == 200
    assert access.with_api(world.shop().shop_id, shop_api.shop_info).name == "Tiny"


def test_a_token_that_never_expires_is_not_what_we_ask_for(world):
    world.control("install")
    world.open_app()
    kinds = world.sim.store.connection().execute(
        "SELECT DISTINCT kind, expires_at IS NULL AS for_ever FROM access_tokens"
    )

    assert [tuple(row) for row in kinds] == [("offline", 0)]
