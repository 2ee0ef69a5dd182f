"""The Admin API's address: tokens and HTTP refusals here, the document's answer from `admin_api.execution`."""

import sqlite3
import time
import uuid
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from simulator.access.access_tokens import find_access_token
from simulator.admin_api.execution import Asked, answer
from simulator.graphql.schema import VERSION
from simulator.state import Simulator, simulator

bp = Blueprint("admin_api", __name__)

NEVER_EXPIRES: Final = (
    "[API] Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline tokens:"
    " https://shopify.dev/docs/apps/build/authentication-authorization"
)


@bp.post("/<shop>/admin/api/<version>/graphql.json")
def graphql(shop: str, version: str) -> Response | tuple[Response, int]:
    """Answer one document."""
    del version  # an unknown version falls forward to ours
    sim = simulator()
    token = find_access_token(sim, shop, request.headers.get("X-Shopify-Access-Token", ""))
    refused = _refuse(sim, shop, token)
    if refused is not None or token is None:
        return refused or (jsonify(errors="Unauthorized"), 401)
    time.sleep(float(sim.faults.get("graphql_latency_seconds", 0.0)))
    body: dict[str, Any] = request.get_json(silent=True) or {}
    asked = Asked(
        str(body.get("query", "")), body.get("variables") or {}, body.get("operationName")
    )
    answered = answer(sim, shop, asked, token["scopes"])
    if answered.is_lost:
        return jsonify(errors="Bad gateway"), 502
    response = jsonify(answered.body)
    response.headers["X-Shopify-API-Version"] = VERSION
    response.headers["X-Request-Id"] = str(uuid.uuid4())
    return response


def _refuse(sim: Simulator, shop: str, token: sqlite3.Row | None) -> tuple[Response, int] | None:
    """HTTP refusals: token, frozen shop, faults."""
    row = (
        sim.store.connection()
        .execute("SELECT access_blocked FROM shops WHERE domain = ?", (shop,))
        .fetchone()
    )
    if row is None:
        return jsonify(errors="Not Found"), 404
    if token is None:
        return jsonify(
            errors="[API] Invalid API key or access token (unrecognized login or wrong password)"
        ), 401
    if token["expires_at"] is None:
        return jsonify(errors=NEVER_EXPIRES), 403
    if row["access_blocked"]:
        return jsonify(errors="Unavailable Shop"), row["access_blocked"]
    if sim.faults.get("graphql_http_status") and sim.faults.hit("graphql_http_share"):
        answered = jsonify(errors="Exceeded")
        answered.headers["Retry-After"] = "0.5"
        return answered, int(sim.faults.get("graphql_http_status"))
    return None
