"""Offline tokens (table `offline_tokens`), encrypted. Every query names its shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shopify_app.config import settings
from shopify_app.db.connection import Connection, rows_as
from shopify_app.db.token_cipher import decrypt, encrypt, key_id_of
from shopify_app.domain.shop import OfflineToken


def of_shop(conn: Connection, shop_id: int) -> OfflineToken | None:
    """The current pair, decrypted; None if the shop has none."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT access_token, refresh_token, expires_at, refresh_expires_at, install_epoch, generation
              FROM offline_tokens
             WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id},
        )
        row = cur.fetchone()
    if row is None:
        return None
    keys = settings().token_keys
    return OfflineToken(
        access_token=decrypt(bytes(row[0]), shop_id, keys),
        refresh_token=decrypt(bytes(row[1]), shop_id, keys) if row[1] else None,
        expires_at=row[2],
        refresh_expires_at=row[3],
        install_epoch=row[4],
        generation=row[5],
    )


def store(
    conn: Connection,
    shop_id: int,
    *,
    access_token: str,
    refresh_token: str | None,
    expires_in_seconds: int,
    refresh_expires_in_seconds: int | None,
    install_epoch: int,
) -> datetime:
    """Put a pair in place of the old one, in one statement; when the access token expires.

    Lives are counted by the database's clock, as every due time is.
    """
    keys = settings().token_keys
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO offline_tokens (shop_id, install_epoch, access_token, refresh_token, expires_at, refresh_expires_at)
            VALUES (%(shop_id)s, %(epoch)s, %(access)s, %(refresh)s, now() + make_interval(secs => %(life)s),
                    now() + make_interval(secs => %(refresh_life)s))
                ON CONFLICT (shop_id) DO UPDATE
               SET install_epoch = excluded.install_epoch, access_token = excluded.access_token,
                   refresh_token = excluded.refresh_token, expires_at = excluded.expires_at,
                   refresh_expires_at = excluded.refresh_expires_at, refreshed_at = now(),
                   generation = offline_tokens.generation + 1
            RETURNING expires_at
            """,
            {
                "shop_id": shop_id,
                "epoch": install_epoch,
                "access": encrypt(access_token, shop_id, keys),
                "refresh": encrypt(refresh_token, shop_id, keys) if refresh_token else None,
                "life": expires_in_seconds,
                "refresh_life": refresh_expires_in_seconds,
            },
        )
        return _one(cur.fetchone())


def is_fresh(conn: Connection, shop_id: int, *, for_seconds: int) -> bool:
    """Whether the access token lives that much longer (by the database's clock)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT expires_at > now() + make_interval(secs => %(seconds)s)
              FROM offline_tokens
             WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id, "seconds": for_seconds},
        )
        row = cur.fetchone()
        return bool(row and row[0])


def retire(conn: Connection, shop_id: int) -> None:
    """Have the access token replaced on its next use: its scopes are no longer what is granted."""
    with conn.cursor() as cur:
        cur.execute(
            "UPDATE offline_tokens SET expires_at = now() WHERE shop_id = %(shop_id)s",
            {"shop_id": shop_id},
        )


def forget(conn: Connection, shop_id: int) -> None:
    """Delete the pair (uninstalled)."""
    with conn.cursor() as cur:
        cur.execute("DELETE FROM offline_tokens WHERE shop_id = %(shop_id)s", {"shop_id": shop_id})


def re_encrypt(conn: Connection, shop_id: int) -> bool:
    """Put the pair under the newest key; False if it is already, or there is none."""
    keys = settings().token_keys
    with conn.cursor() as cur:
        cur.execute(
            "SELECT access_token, refresh_token FROM offline_tokens WHERE shop_id = %(shop_id)s FOR UPDATE",
            {"shop_id": shop_id},
        )
        row = cur.fetchone()
        if row is None or key_id_of(bytes(row[0])) == keys[0][0]:
            return False
        access, refresh = (
            value and encrypt(decrypt(bytes(value), shop_id, keys), shop_id, keys) for value in row
        )
        cur.execute(
            """
            UPDATE offline_tokens SET access_token = %(access)s, refresh_token = %(refresh)s
             WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id, "access": access, "refresh": refresh},
        )
    return True


def idle_shops(conn: Connection, *, idle_days: int) -> list[int]:
    """Shops whose refresh token was not used for so long that it might die (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT t.shop_id FROM offline_tokens t JOIN shops s USING (shop_id)
             WHERE t.refreshed_at < now() - make_interval(days => %(days)s) AND s.state = 'installed'
            """,
            {"days": idle_days},
        )
        return [int(row[0]) for row in cur.fetchall()]


def _one(row: Sequence[Any] | None) -> Any:
    assert row is not None, "RETURNING gives a row"  # noqa: S101 -- for the type checker
    return row[0]


@dataclass(frozen=True, slots=True)
class TokenExpiry:
    """When a shop's tokens end."""

    shop_id: int
    domain: str
    expires_at: datetime
    refresh_expires_at: datetime | None
    refreshed_at: datetime


def expiries(conn: Connection) -> list[TokenExpiry]:
    """Every shop's expiries, without the tokens (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT t.shop_id, s.domain, t.expires_at, t.refresh_expires_at, t.refreshed_at
              FROM offline_tokens t JOIN shops s USING (shop_id)
             ORDER BY t.shop_id
            """
        )
        return rows_as(TokenExpiry, cur)
