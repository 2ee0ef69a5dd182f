"""Offline tokens: one pair a shop, both halves in one statement, closed to the rival and to the sweeper."""

from datetime import UTC, datetime, timedelta

from shopify_app.db import offline_tokens
from shopify_app.db.connection import sweep_transaction, transaction
from tests.factories import rows


def act(shop, what, *args, **named):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, *args, **named)


def store(shop, name="a", life=3_600):
    return act(
        shop, offline_tokens.store, access_token=f"shpat_{name}", refresh_token=f"shprt_{name}", expires_in_seconds=life,
        refresh_expires_in_seconds=7_776_000, install_epoch=1,
    )  # fmt: skip


def of(shop):
    return act(shop, offline_tokens.of_shop)


def test_a_pair_takes_the_place_of_the_one_before(acme):
    store(acme)
    store(acme, "b")

    token = of(acme)
    assert (token.access_token, token.refresh_token, token.generation) == ("shpat_b", "shprt_b", 2)
    assert rows(acme, "SELECT count(*) FROM offline_tokens") == [(1,)]


def test_lives_are_counted_by_the_databases_clock(acme):
    expires = store(acme, life=900)

    assert timedelta(minutes=14) < expires - datetime.now(UTC) < timedelta(minutes=16)
    assert act(acme, offline_tokens.is_fresh, for_seconds=600)
    assert not act(acme, offline_tokens.is_fresh, for_seconds=1_000)


def test_a_retired_token_is_not_fresh_and_its_refresh_token_is_kept(acme):
    store(acme)
    act(acme, offline_tokens.retire)

    assert not act(acme, offline_tokens.is_fresh, for_seconds=0)
    assert of(acme).refresh_token == "shprt_a"


def test_a_forgotten_pair_is_gone(acme):
    store(acme)
    act(acme, offline_tokens.forget)

    assert of(acme) is None
    assert not act(acme, offline_tokens.is_fresh, for_seconds=0)
    assert not act(acme, offline_tokens.re_encrypt)


def test_quiet_shops_are_those_unused_for_days_and_installed(acme, rival):
    store(acme)
    store(rival)
    rows(acme, "UPDATE offline_tokens SET refreshed_at = now() - interval '31 days' RETURNING 1")
    with sweep_transaction() as conn, conn.cursor() as cur:
        assert offline_tokens.idle_shops(conn, idle_days=30) == [acme.shop_id]
        cur.execute("UPDATE shops SET state = 'needs_open'")
        assert offline_tokens.idle_shops(conn, idle_days=30) == []


def test_the_sweeper_sees_when_tokens_end_and_no_token(acme):
    store(acme)
    with sweep_transaction() as conn:
        (expiry,) = offline_tokens.expiries(conn)

    assert expiry.domain == acme.domain
    assert not any(
        "sh" in str(value)[:2] for value in (expiry.expires_at, expiry.refresh_expires_at)
    )


def test_the_rivals_pair_is_not_read_not_retired_and_not_forgotten(acme, rival):
    store(rival)
    with transaction(acme.shop_id) as conn:
        assert offline_tokens.of_shop(conn, rival.shop_id) is None
        assert not offline_tokens.is_fresh(conn, rival.shop_id, for_seconds=0)
        offline_tokens.retire(conn, rival.shop_id)
        offline_tokens.forget(conn, rival.shop_id)
    assert act(rival, offline_tokens.is_fresh, for_seconds=60)
