"""Tokens at rest."""

import pytest

from shopify_app.db import offline_tokens
from shopify_app.db.connection import transaction
from shopify_app.db.token_cipher import TokenUnreadableError, decrypt, encrypt, key_id_of

OLD, NEW = ("k1", b"1" * 32), ("k2", b"2" * 32)


def test_a_token_opens_for_its_own_shop_under_any_known_key():
    stored = encrypt("shpat_secret", 7, [OLD])

    assert decrypt(stored, 7, [NEW, OLD]) == "shpat_secret"
    assert b"shpat" not in stored
    assert key_id_of(encrypt("x", 7, [NEW, OLD])) == "k2"


@pytest.mark.parametrize(("shop_id", "keys"), [(8, [OLD]), (7, [NEW]), (7, [("k1", b"3" * 32)])])
def test_a_token_does_not_open_for_another_shop_or_without_its_key(shop_id, keys):
    with pytest.raises(TokenUnreadableError):
        decrypt(encrypt("shpat_secret", 7, [OLD]), shop_id, keys)


def test_swapped_ciphertexts_of_two_shops_fail_closed_and_a_dump_shows_no_token(acme, rival):
    for shop in (acme, rival):
        with transaction(shop.shop_id) as conn:
            offline_tokens.store(
                conn,
                shop.shop_id,
                access_token=f"shpat_{shop.domain}",
                refresh_token="shprt_x",
                expires_in_seconds=60,
                refresh_expires_in_seconds=600,
                install_epoch=1,
            )
    with transaction(rival.shop_id) as conn, conn.cursor() as cur:
        cur.execute("SELECT access_token FROM offline_tokens")
        stolen = bytes(cur.fetchone()[0])
    assert b"shpat" not in stolen
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE offline_tokens SET access_token = %s WHERE shop_id = %s", (stolen, acme.shop_id)
        )
    with transaction(acme.shop_id) as conn, pytest.raises(TokenUnreadableError):
        offline_tokens.of_shop(conn, acme.shop_id)
