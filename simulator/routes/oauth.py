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

from simulator import app_toml
from simulator.access import launch_url
from simulator.access.access_tokens import (
    ACCESS_SECONDS,
    ONLINE_SECONDS,
    REFRESH_SECONDS,
    end_old_token,
    is_good_refresh_token,
    issue_access_token,
    issue_pair,
    now,
)
from simulator.access.lifecycle import install
from simulator.state import Simulator, simulator

bp = Blueprint("oauth", __name__)

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 -- the name of a kind
OFFLINE: Final = "urn:shopify:params:oauth:token-type:offline-access-token"
ONLINE: Final = "urn:shopify:params:oauth:token-type:online-access-token"
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
    install(sim, shop)
    code = secrets.token_hex(16)
    sim.store.connection().execute(
        "INSERT INTO oauth_codes (code, shop, issued_at) VALUES (?, ?, ?)", (code, shop, now(sim))
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
    paths = {urlsplit(url).path for url in app_toml.read(sim.config.app_toml).redirect_urls}
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
        return _exchange(sim, row, body)
    if grant == "refresh_token":
        return _refresh(sim, row, str(body.get("refresh_token")))
    if grant is None and "code" in body:
        return _code(sim, row, body)
    return jsonify(error="unsupported_grant_type"), 400


def _exchange(sim: Simulator, row: sqlite3.Row, body: dict[str, Any]) -> Answer:
    subject, wanted = str(body.get("subject_token", "")), body.get("requested_token_type")
    if body.get("subject_token_type") == OFFLINE:
        return _migrate(sim, row, subject, body)
    if body.get("subject_token_type") != ID_TOKEN or wanted not in (OFFLINE, ONLINE):
        return jsonify(error="invalid_request"), 400
    if not _is_good_id_token(sim, row["domain"], subject):
        return jsonify(error="invalid_subject_token"), 400
    if wanted == ONLINE:
        return _online(sim, row)
    return _offline(sim, row, body)


def _offline(sim: Simulator, row: sqlite3.Row, body: dict[str, Any]) -> Answer:
    """An expiring pair if asked for, else what the Admin API will refuse."""
    if str(body.get("expiring", "0")) != "1":
        token = issue_access_token(sim, sim.store.connection(), row, "offline", None)
        return jsonify(access_token=token, scope=row["granted_scopes"])
    return _pair(sim, row, replaces=None)


def _online(sim: Simulator, row: sqlite3.Row) -> Answer:
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
        access_token=issue_access_token(sim, sim.store.connection(), row, "online", ONLINE_SECONDS),
        scope=row["granted_scopes"],
        expires_in=ONLINE_SECONDS,
        associated_user_scope=row["granted_scopes"],
        associated_user=user,
    )


def _migrate(sim: Simulator, row: sqlite3.Row, token: str, body: dict[str, Any]) -> Answer:
    """A pair for an old token that does not expire; the old one ends."""
    was_alive = end_old_token(sim, row, token)
    if not was_alive or str(body.get("expiring", "0")) != "1":
        return jsonify(error="invalid_subject_token"), 400
    return _pair(sim, row, replaces=None)


def _code(sim: Simulator, row: sqlite3.Row, body: dict[str, Any]) -> Answer:
    """A code serves once, and for a minute."""
    with sim.store.transaction() as conn:
        used = conn.execute(
            "DELETE FROM oauth_codes WHERE code = ? AND shop = ? RETURNING issued_at",
            (str(body["code"]), row["domain"]),
        ).fetchone()
    if used is None or used["issued_at"] < now(sim) - CODE_SECONDS:
        return jsonify(error="invalid_request"), 400
    return _offline(sim, row, body)


def _refresh(sim: Simulator, row: sqlite3.Row, token: str) -> Answer:
    """Rotate; the refresh token used stays good until the new pair is first used."""
    if not is_good_refresh_token(sim, row, token):
        return jsonify(error="invalid_request"), 401
    return _pair(sim, row, replaces=token)


def _pair(sim: Simulator, row: sqlite3.Row, *, replaces: str | None) -> Answer:
    access, refresh = issue_pair(sim, row, replaces=replaces)
    if sim.faults.hit("oauth_lose_reply"):
        return jsonify(error="lost"), 502
    return jsonify(
        access_token=access,
        scope=row["granted_scopes"],
        expires_in=ACCESS_SECONDS,
        refresh_token=refresh,
        refresh_token_expires_in=REFRESH_SECONDS,
    )


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
