"""Whether this process lives, and whether it can serve."""

from typing import Any

import redis
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from shopify_app.config import settings
from shopify_app.db.migrate import pending_migrations
from shopify_app.errors import AppError
from shopify_app.web.auth import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers; nothing else is asked."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """200 if Postgres answers and is migrated. Redis is told, not required: doorbells may be lost."""
    database, pending = _database()
    ready = database == "ok" and not pending
    state: dict[str, Any] = {"database": database, "pending_migrations": pending, "redis": _redis()}
    return jsonify(status="ready" if ready else "not ready", **state), 200 if ready else 503


def _database() -> tuple[str, list[str]]:
    try:
        return "ok", pending_migrations()
    except AppError:
        return "unreachable", []


def _redis() -> str:
    client = redis.Redis.from_url(
        settings().redis_url, socket_connect_timeout=0.5, socket_timeout=0.5
    )
    try:
        client.ping()
    except (RedisError, OSError):
        return "unreachable"
    finally:
        client.close()
    return "ok"
