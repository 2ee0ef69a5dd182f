"""The app's tokens: given under an installation, alive until they expire, are revoked or the app is gone."""

import secrets
import sqlite3
import time
from typing import Final

from simulator.state import Simulator

ACCESS_SECONDS: Final = 3_600
ONLINE_SECONDS: Final = 86_399
REFRESH_SECONDS: Final = 7_776_000


def now(sim: Simulator) -> float:
    """The time by which tokens live: the real one, moved by a fault."""
    return time.time() + float(sim.faults.get("token_clock_offset_seconds", 0.0))


def find_access_token(sim: Simulator, shop: str, token: str) -> sqlite3.Row | None:
    """The row of a token that is alive; its `scopes` are those it was given with."""
    row = (
        sim.store.connection()
        .execute(
            "SELECT t.* FROM access_tokens t JOIN shops s ON s.domain = t.shop WHERE t.token = ? AND t.shop = ?"
            " AND t.install = s.install_count AND s.installed_at IS NOT NULL AND t.revoked_at IS NULL",
            (token, shop),
        )
        .fetchone()
    )
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= now(sim)):
        return None
    return row


def issue_access_token(
    sim: Simulator, conn: sqlite3.Connection, shop: sqlite3.Row, kind: str, life: int | None
) -> str:
    """A fresh token of a kind (`offline`, `online`) for `life` seconds, or for ever."""
    token, issued_at = f"shpat_{secrets.token_hex(16)}", now(sim)
    conn.execute(
        "INSERT INTO access_tokens (token, shop, install, kind, scopes, issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            token,
            shop["domain"],
            shop["install_count"],
            kind,
            shop["granted_scopes"],
            issued_at,
            None if life is None else issued_at + life,
        ),
    )
    return token


def end_old_token(sim: Simulator, shop: sqlite3.Row, token: str) -> bool:
    """Whether an offline token that does not expire was alive; now it is not."""
    with sim.store.transaction() as conn:
        ended = conn.execute(
            "UPDATE access_tokens SET revoked_at = ? WHERE token = ? AND shop = ? AND install = ?"
            " AND kind = 'offline' AND expires_at IS NULL AND revoked_at IS NULL",
            (now(sim), token, shop["domain"], shop["install_count"]),
        ).rowcount
    return bool(ended)


def is_good_refresh_token(sim: Simulator, shop: sqlite3.Row, token: str) -> bool:
    """Whether a refresh token may be used now."""
    found = (
        sim.store.connection()
        .execute(
            "SELECT * FROM refresh_tokens WHERE token = ? AND shop = ?", (token, shop["domain"])
        )
        .fetchone()
    )
    return (
        found is not None
        and found["install"] == shop["install_count"]
        and found["dead_at"] is None
        and found["expires_at"] > now(sim)
    )


def issue_pair(sim: Simulator, shop: sqlite3.Row, *, replaces: str | None) -> tuple[str, str]:
    """(an expiring access token, its refresh token), fresh or in place of the refresh token used.

    The refresh token used stays good until the new pair is first used: a reply may get lost.
    """
    domain = shop["domain"]
    with sim.store.transaction() as conn:
        issued_at = now(sim)
        if replaces is None:  # an exchange retires every refresh token of this app and shop
            conn.execute(
                "UPDATE refresh_tokens SET dead_at = ? WHERE shop = ? AND dead_at IS NULL",
                (issued_at, domain),
            )
        else:  # its use proves the pair arrived: what it replaced is dead from now on
            conn.execute(
                "UPDATE refresh_tokens SET dead_at = ? WHERE shop = ? AND replaced_by = ?",
                (issued_at, domain, replaces),
            )
        access = issue_access_token(sim, conn, shop, "offline", ACCESS_SECONDS)
        fresh = f"shprt_{secrets.token_hex(16)}"
        conn.execute(
            "INSERT INTO refresh_tokens (token, shop, install, issued_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            (fresh, domain, shop["install_count"], issued_at, issued_at + REFRESH_SECONDS),
        )
        if replaces is not None:
            conn.execute(
                "UPDATE refresh_tokens SET replaced_by = ?, first_used_at = coalesce(first_used_at, ?) WHERE token = ?",
                (fresh, issued_at, replaces),
            )
    return access, fresh


def end_all_tokens(conn: sqlite3.Connection, shop: str) -> None:
    """Revoke every access token of a shop."""
    conn.execute("UPDATE access_tokens SET revoked_at = 1 WHERE shop = ?", (shop,))
