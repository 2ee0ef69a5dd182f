"""What a merchant and Shopify do to an installed app: scopes, a frozen shop."""

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator import events
from simulator.state import Simulator, simulator
from simulator.store import iso

bp = Blueprint("lifecycle", __name__, url_prefix="/_sim")


def set_scopes(sim: Any, conn: sqlite3.Connection, shop: str, granted: list[str]) -> None:
    """Grant exactly these, and tell the app what was and what is."""
    row = conn.execute("SELECT id, granted_scopes FROM shops WHERE domain = ?", (shop,)).fetchone()
    conn.execute("UPDATE shops SET granted_scopes = ? WHERE domain = ?", (",".join(granted), shop))
    body = {
        "id": row["id"],
        "previous": [scope for scope in row["granted_scopes"].split(",") if scope],
        "current": granted,
        "updated_at": iso(sim.store.now(shop)),
        "shop_id": row["id"],
    }
    events.record(conn, sim.store, shop, "app/scopes_update", None, payload=body)


@bp.post("/<shop>/scopes")
def change_scopes(shop: str) -> Response | tuple[Response, int]:
    """The merchant grants or takes back: `granted` is all of them, `grant` and `revoke` change some."""
    sim: Simulator = simulator()
    body: dict[str, Any] = request.get_json(silent=True) or {}
    with sim.store.transaction() as conn:
        row = conn.execute("SELECT granted_scopes FROM shops WHERE domain = ?", (shop,)).fetchone()
        if row is None:
            return jsonify(error=f"no such shop: {shop}"), 404
        if not body.keys() & {"granted", "grant", "revoke"}:
            return jsonify(error="KeyError: granted, grant or revoke"), 400
        had = [scope for scope in row["granted_scopes"].split(",") if scope]
        wanted = list(body.get("granted", had))
        wanted = [scope for scope in wanted if scope not in body.get("revoke", [])]
        wanted += [scope for scope in body.get("grant", []) if scope not in wanted]
        set_scopes(sim, conn, shop, wanted)
    return jsonify(granted=wanted)


@bp.post("/<shop>/block")
def block(shop: str) -> Response | tuple[Response, int]:
    """Shopify freezes the shop (402), locks it (423), or answers for it again (0)."""
    status = int((request.get_json(silent=True) or {}).get("status", 402))
    if status not in (0, 402, 403, 404, 423):
        return jsonify(error=f"no such refusal: {status}"), 400
    changed = (
        simulator()
        .store.connection()
        .execute("UPDATE shops SET access_blocked = ? WHERE domain = ?", (status, shop))
        .rowcount
    )
    return jsonify(status=status) if changed else (jsonify(error=f"no such shop: {shop}"), 404)
