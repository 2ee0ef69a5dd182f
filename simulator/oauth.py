"""The token endpoint and the grant screen: every grant, rotation, and every refusal in Shopify's words.

token exchange       an ID token for an offline (expiring or not) or an online token
migration            an old offline token that does not expire for a pair, one way
refresh              a new pair; the token used stays good until the new one is first used
authorization code   /admin/oauth/authorize gives a code, once, to the app's own redirect address
"""

import secrets
import sqlite3
import time
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from simulator import launch_url, subscriptions
from simulator.state import Simulator, simulator

bp = Blueprint("oauth", __name__)

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 -- the name of a kind
OFFLINE: Final = "urn:shopify:params:oauth:token-type:offline-access-token"
ONLINE: Final = "urn:shopify:params:oauth:token-type:online-access-token"
ACCESS_SECONDS: Final = 3_600
ONLINE_SECONDS: Final = 86_399
REFRESH_SECONDS: Final = 7_776_000
CODE_SECONDS: Final = 60

Answer = tuple[Response, int] | Response


@bp.get("/<shop>/admin/oauth/authorize")
def authorize(shop: str) -> tuple[Response, int] | AnyResponse:
    """The grant screen, granted at once: the app is installed, its address gets a code."""
    sim = simulator()
    row = sim.store.connection().execute("SELECT * FROM shops WHERE domain = ?", (shop,)).fetchone()
    if row is None:
        return jsonify(error="not found"), 404
    back = request.args.get("redirect_uri", "")
    if request.args.get("client_id") != sim.config.client_id or not _is_registered(sim, back):
        return jsonify(error="invalid_request", error_description="redirect_uri"), 400
    from simulator.control import install  # noqa: PLC0415 -- control stands above

    install(sim, shop, None)
    code = secrets.token_hex(16)
    sim.store.connection().execute(
        "INSERT INTO oauth_codes (code, shop, issued_at) VALUES (?, ?, ?)", (code, shop, _now(sim))
    )
    query = {
        "code": code,
        "host": launch_url.host_of(shop),
        "shop": shop,
        "state": request.args.get("state", ""),
        "timestamp": str(int(time.time())),
    }
    return redirect(f"{back}?{launch_url.signed_query(sim.config, query)}")


def _is_registered(sim: Simulator, address: str) -> bool:
    """Whether an address is one of shopify.app.toml's (at the place where the app runs here)."""
    paths = {urlsplit(url).path for url in subscriptions.read(sim.config.app_toml).redirect_urls}
    return any(address == f"{sim.config.app_url}{path}" for path in paths)


@bp.post("/<shop>/admin/oauth/access_token")
def access_token(shop: str) -> Answer:
    """Give a token for an ID token, a refresh token, a code or an old token."""
    sim = simulator()
    if sim.faults.hit("oauth_429"):
        answer = jsonify(error="throttled")
        answer.headers["Retry-After"] = str(sim.faults.get("oauth_retry_after", "2.0"))
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
    if grant is None and "code" in body:
        return _code(sim, shop, row, body)
    return jsonify(error="unsupported_grant_type"), 400


def _exchange(sim: Simulator, shop: str, row: sqlite3.Row, body: dict[str, Any]) -> Answer:
    subject, wanted = str(body.get("subject_token", "")), body.get("requested_token_type")
    if body.get("subject_token_type") == OFFLINE:
        return _migrate(sim, shop, row, subject, body)
    if body.get("subject_token_type") != ID_TOKEN or wanted not in (OFFLINE, ONLINE):
        return jsonify(error="invalid_request"), 400
    if not _is_good_id_token(sim, shop, subject):
        return jsonify(error="invalid_subject_token"), 400
    if wanted == ONLINE:
        return _online(sim, shop, row)
    return _offline(sim, shop, row, body)


def _offline(sim: Simulator, shop: str, row: sqlite3.Row, body: dict[str, Any]) -> Answer:
    """An expiring pair if asked for, else what the Admin API will refuse."""
    if str(body.get("expiring", "0")) != "1":
        token = _issue(sim, shop, row, "offline", None)
        return jsonify(access_token=token, scope=row["granted_scopes"])
    return _pair(sim, shop, row, replaces=None)


def _online(sim: Simulator, shop: str, row: sqlite3.Row) -> Answer:
    """A user's token: a day long, without a refresh token."""
    user = {
        "id": 42,
        "first_name": "Olive",
        "last_name": "Owner",
        "email": row["email"],
        "email_verified": True,
        "account_owner": True,
        "locale": "en",
        "collaborator": False,
    }
    return jsonify(
        access_token=_issue(sim, shop, row, "online", ONLINE_SECONDS),
        scope=row["granted_scopes"],
        expires_in=ONLINE_SECONDS,
        associated_user_scope=row["granted_scopes"],
        associated_user=user,
    )


def _migrate(
    sim: Simulator, shop: str, row: sqlite3.Row, token: str, body: dict[str, Any]
) -> Answer:
    """A pair for an old token that does not expire; the old one ends."""
    with sim.store.transaction() as conn:
        ended = conn.execute(
            "UPDATE access_tokens SET revoked_at = ? WHERE token = ? AND shop = ? AND install = ?"
            " AND kind = 'offline' AND expires_at IS NULL AND revoked_at IS NULL",
            (_now(sim), token, shop, row["install_count"]),
        ).rowcount
    if not ended or str(body.get("expiring", "0")) != "1":
        return jsonify(error="invalid_subject_token"), 400
    return _pair(sim, shop, row, replaces=None)


def _code(sim: Simulator, shop: str, row: sqlite3.Row, body: dict[str, Any]) -> Answer:
    """A code serves once, and for a minute."""
    with sim.store.transaction() as conn:
        used = conn.execute(
            "DELETE FROM oauth_codes WHERE code = ? AND shop = ? RETURNING issued_at",
            (str(body["code"]), shop),
        ).fetchone()
    if used is None or used["issued_at"] < _now(sim) - CODE_SECONDS:
        return jsonify(error="invalid_request"), 400
    return _offline(sim, shop, row, body)


def _refresh(sim: Simulator, shop: str, row: sqlite3.Row, token: str) -> Answer:
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


def _pair(sim: Simulator, shop: str, row: sqlite3.Row, *, replaces: str | None) -> Answer:
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
        access = _issue(sim, shop, row, "offline", ACCESS_SECONDS, conn)
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
) -> str:
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
    return token


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
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= _now(sim)):
        return None
    return row


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
