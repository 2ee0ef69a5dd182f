"""Blueprints below /_sim/: an unknown shop is a 404, a wrong request a 400 that says what is wrong."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.state import simulator
from simulator.world.rows import NotThereError


def control_blueprint(name: str) -> Blueprint:
    """A blueprint whose routes may name a shop (`<shop>`), which is looked up first."""
    bp = Blueprint(name, __name__, url_prefix="/_sim")
    for kind in (NotThereError, KeyError, ValueError):
        bp.register_error_handler(kind, _refused)
    bp.before_request(_refuse_unknown_shop)
    return bp


def request_body() -> dict[str, Any]:
    """The request's JSON; an empty one if there is none."""
    return request.get_json(silent=True) or {}


def _refused(error: Exception) -> tuple[Response, int]:
    """A wrong request, said plainly."""
    return jsonify(error=f"{type(error).__name__}: {error}"), 400


def _refuse_unknown_shop() -> tuple[Response, int] | None:
    """Nothing is done in, or told of, a shop that was never made."""
    shop = (request.view_args or {}).get("shop")
    if shop is None:
        return None
    known = (
        simulator()
        .store.connection()
        .execute("SELECT 1 FROM shops WHERE domain = ?", (shop,))
        .fetchone()
    )
    return None if known else (jsonify(error=f"no such shop: {shop}"), 404)
