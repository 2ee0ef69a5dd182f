"""The life of the app in a shop: installed, given and taken scopes, uninstalled; each told to the app."""

import sqlite3

from simulator import app_toml
from simulator.access import access_tokens
from simulator.state import Simulator
from simulator.store import iso
from simulator.webhooks import events


def install(sim: Simulator, shop: str, scopes: list[str] | None = None) -> None:
    """Grant scopes (all that the TOML names, optional ones as approved, unless told which)."""
    toml = app_toml.read(sim.config.app_toml)
    granted = scopes or [*toml.scopes, *toml.optional_scopes]
    with sim.store.transaction() as conn:
        conn.execute(
            "UPDATE shops SET installed_at = now_at, granted_scopes = ?, install_count = install_count + 1 WHERE domain = ? AND installed_at IS NULL",
            (",".join(granted), shop),
        )


def uninstall(sim: Simulator, shop: str) -> None:
    """Tell the app, then end its tokens, scopes and subscriptions."""
    with sim.store.transaction() as conn:
        events.record(conn, sim.store, shop, "app/uninstalled", None, even_if_gone=True)
        conn.execute(
            "UPDATE shops SET installed_at = NULL, granted_scopes = '' WHERE domain = ?", (shop,)
        )
        access_tokens.end_all_tokens(conn, shop)
        conn.execute(
            "UPDATE webhook_subscriptions SET deleted_at = ? WHERE shop = ? AND deleted_at IS NULL",
            (iso(sim.store.now(shop)), shop),
        )


def granted_scopes(conn: sqlite3.Connection, shop: str) -> list[str]:
    """The scopes that the app has in a shop now."""
    row = conn.execute("SELECT granted_scopes FROM shops WHERE domain = ?", (shop,)).fetchone()
    return [scope for scope in row["granted_scopes"].split(",") if scope]


def set_scopes(sim: Simulator, conn: sqlite3.Connection, shop: str, granted: list[str]) -> None:
    """Grant exactly these, and tell the app what was and what is."""
    previous = granted_scopes(conn, shop)
    number = conn.execute("SELECT id FROM shops WHERE domain = ?", (shop,)).fetchone()["id"]
    conn.execute("UPDATE shops SET granted_scopes = ? WHERE domain = ?", (",".join(granted), shop))
    body = {
        "id": number,
        "previous": previous,
        "current": granted,
        "updated_at": iso(sim.store.now(shop)),
        "shop_id": number,
    }
    events.record(conn, sim.store, shop, "app/scopes_update", None, payload=body)


def block(sim: Simulator, shop: str, status: int) -> None:
    """Let the Admin API refuse a shop with this HTTP status; 0 lets it answer again."""
    sim.store.connection().execute(
        "UPDATE shops SET access_blocked = ? WHERE domain = ?", (status, shop)
    )
