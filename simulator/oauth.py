"""The token endpoint: token exchange, refresh with rotation, and every refusal in Shopify's words."""

import secrets
import sqlite3
import time
from typing import Any

import jwt
from flask import Blueprint, Response, jsonify, request

from simulator.state import Simulator, simulator

bp = Blueprint("oauth", __name__)

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_SECONDS = 3_600
REFRESH_SECONDS = 7_776_000


@bp.post("/<shop>/admin/oauth/access_token")
def access_token(shop: str) -> tuple[Response, int] | Response:
    """Give a token for an ID token or a refresh token."""
    sim = simulator()
    if sim.faults.hit("oauth_429"):
        answer = jsonify(error="throttled")
        answer.headers["Retry-After"] = "0.3"
        return answer, 429
    if sim.faults.hit("oauth_503"):
        return jsonify(error="unavailable"), 503
    body: dict[str, Any] = request.get_json(silent=True) or {}
    row = sim.store.connection().execute("SELECT * FROM shops WHERE domain = ?", (shop,)).fetchone()
    known = (
        body.get("client_id") == sim.config.client_id
        and body.get("client_secret") in sim.config.secrets
    )
    if row is None or not known or row["installed_at"] is None:
        return jsonify(error="invalid_client"), 400
    grant = body.get("grant_type")
    if grant == EXCHANGE:
        return _exchange(sim, shop, row, body)
    if grant == "refresh_token":
        return _refresh(sim, shop, row, str(body.get("refresh_token")))
    return jsonify(error="unsupported_grant_type"), 400


def _exchange(
    sim: Simulator, shop: str, row: sqlite3.Row, body: dict[str, Any]
) -> tuple[Response, int] | Response:
    if not _is_good_id_token(sim, shop, str(body.get("subject_token", ""))):
        return jsonify(error="invalid_subject_token"), 400
    if (
        str(body.get("requested_token_type", "")).endswith("online-access-token")
        and "offline" not in body["requested_token_type"]
    ):
        return jsonify(
            access_token=_issue(sim, shop, row, "online", 86_399)[0],
            scope=row["granted_scopes"],
            expires_in=86_399,
        )
    if str(body.get("expiring", "0")) != "1":
        return jsonify(
            access_token=_issue(sim, shop, row, "offline", None)[0], scope=row["granted_scopes"]
        )
    return _pair(sim, shop, row, replaces=None)


def _refresh(
    sim: Simulator, shop: str, row: sqlite3.Row, token: str
) -> tuple[Response, int] | Response:
    """Rotate; the refresh token used stays good until the new pair is first used."""
    found = (
        sim.store.connection()
        .execute("SELECT * FROM refresh_tokens WHERE token = ? AND shop = ?", (token, shop))
        .fetchone()
    )
    good = (
        found is not None
        and found["install"] == row["install_count"]
        and found["dead_at"] is None
        and found["expires_at"] > _now(sim)
    )
    if not good:
        return jsonify(error="invalid_request"), 401
    return _pair(sim, shop, row, replaces=token)


def _pair(
    sim: Simulator, shop: str, row: sqlite3.Row, *, replaces: str | None
) -> tuple[Response, int] | Response:
    with sim.store.transaction() as conn:
        now = _now(sim)
        if replaces is None:  # an exchange retires every refresh token of this app and shop
            conn.execute(
                "UPDATE refresh_tokens SET dead_at = ? WHERE shop = ? AND dead_at IS NULL",
                (now, shop),
            )
        else:  # its use proves the pair arrived: what it replaced is dead from now on
            conn.execute(
                "UPDATE refresh_tokens SET dead_at = ? WHERE shop = ? AND replaced_by = ?",
                (now, shop, replaces),
            )
        access, _ = _issue(sim, shop, row, "offline", ACCESS_SECONDS, conn)
        fresh = f"shprt_{secrets.token_hex(16)}"
        conn.execute(
            "INSERT INTO refresh_tokens (token, shop, install, issued_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            (fresh, shop, row["install_count"], now, now + REFRESH_SECONDS),
        )
        if replaces is not None:
            conn.execute(
                "UPDATE refresh_tokens SET replaced_by = ?, first_used_at = coalesce(first_used_at, ?) WHERE token = ?",
                (fresh, now, replaces),
            )
    if sim.faults.hit("oauth_lose_reply"):
        return jsonify(error="lost"), 502
    return jsonify(
        access_token=access,
        scope=row["granted_scopes"],
        expires_in=ACCESS_SECONDS,
        refresh_token=fresh,
        refresh_token_expires_in=REFRESH_SECONDS,
    )


def _issue(
    sim: Simulator,
    shop: str,
    row: sqlite3.Row,
    kind: str,
    life: int | None,
    conn: sqlite3.Connection | None = None,
) -> tuple[str, float]:
    token, now = f"shpat_{secrets.token_hex(16)}", _now(sim)
    (conn or sim.store.connection()).execute(
        "INSERT INTO access_tokens (token, shop, install, kind, scopes, issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            token,
            shop,
            row["install_count"],
            kind,
            row["granted_scopes"],
            now,
            None if life is None else now + life,
        ),
    )
    return token, now


def is_good_access_token(sim: Simulator, shop: str, token: str) -> bool:
    """Whether the Admin API takes a token; using it retires the refresh token its pair replaced."""
    row = (
        sim.store.connection()
        .execute(
            "SELECT t.* FROM access_tokens t JOIN shops s ON s.domain = t.shop WHERE t.token = ? AND t.shop = ?"
            " AND t.install = s.install_count AND s.installed_at IS NOT NULL AND t.revoked_at IS NULL",
            (token, shop),
        )
        .fetchone()
    )
    return row is not None and (row["expires_at"] is None or row["expires_at"] > _now(sim))


def _is_good_id_token(sim: Simulator, shop: str, token: str) -> bool:
    for secret in sim.config.secrets:
        try:
            claims = jwt.decode(
                token, secret, algorithms=["HS256"], audience=sim.config.client_id, leeway=10
            )
        except jwt.InvalidTokenError:
            continue
        return claims.get("dest") == f"https://{shop}"
    return False


def _now(sim: Simulator) -> float:
    return time.time() + float(sim.faults.get("token_clock_offset_seconds", 0.0))
