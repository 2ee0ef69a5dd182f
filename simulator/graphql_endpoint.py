"""The Admin GraphQL API: the real 2026-10 schema in front, the store behind, cost and refusals between."""

import base64
import gzip
import json
import sqlite3
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute,
    get_directive_values,
    parse,
    validate,
)

from simulator import graphql_mutations, graphql_roots, graphql_transfers, scopes
from simulator.cost_model import CostModel
from simulator.graphql_fields import Connection, Context, NotServedError, resolve
from simulator.oauth import find_access_token
from simulator.search import SearchError
from simulator.state import Simulator, simulator
from simulator.store import iso

bp = Blueprint("graphql", __name__)

VERSION: Final = "2026-10"
SCHEMA_FILE: Final = Path(__file__).with_name("admin-2026-10.graphql.gz")
HIGHEST_COST: Final = 1_000
NEVER_EXPIRES: Final = (
    "[API] Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline tokens:"
    " https://shopify.dev/docs/apps/build/authentication-authorization"
)
DENIED_DOCUMENTATION: Final = "https://shopify.dev/api/usage/access-scopes"
MUTATIONS: Final[dict[str, Callable[..., Any]]] = {
    **graphql_mutations.MUTATIONS,
    **graphql_transfers.MUTATIONS,
}
ROOTS: Final[dict[str, Callable[..., Any]]] = {**graphql_roots.ROOTS, **graphql_transfers.ROOTS}


@cache
def schema() -> GraphQLSchema:
    """Shopify's schema."""
    return build_schema(gzip.decompress(SCHEMA_FILE.read_bytes()).decode(), assume_valid=True)


@lru_cache(maxsize=256)
def checked(text: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """A document and what is wrong with it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, [error]
    return document, validate(schema(), document)


@bp.post("/<shop>/admin/api/<version>/graphql.json")
def graphql(shop: str, version: str) -> Response | tuple[Response, int]:
    """Answer one document."""
    sim = simulator()
    token = find_access_token(sim, shop, request.headers.get("X-Shopify-Access-Token", ""))
    refused = _refuse(sim, shop, token)
    if refused is not None or token is None:
        return refused or (jsonify(errors="Unauthorized"), 401)
    time.sleep(float(sim.faults.get("graphql_latency_seconds", 0.0)))
    body: dict[str, Any] = request.get_json(silent=True) or {}
    answer, lost = _answer(
        sim,
        shop,
        str(body.get("query", "")),
        body.get("variables") or {},
        body.get("operationName"),
        token["scopes"],
    )
    if lost:
        return jsonify(errors="Bad gateway"), 502
    response = jsonify(answer)
    response.headers["X-Shopify-API-Version"] = VERSION  # an unknown version falls forward to ours
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
        answer = jsonify(errors="Exceeded")
        answer.headers["Retry-After"] = "0.5"
        return answer, int(sim.faults.get("graphql_http_status"))
    return None


def _answer(
    sim: Simulator,
    shop: str,
    text: str,
    variables: dict[str, Any],
    operation: str | None,
    given: str,
) -> tuple[dict[str, Any], bool]:
    """(the body, whether it gets lost on its way)."""
    document, errors = checked(text)
    if document is None or errors:
        return {"errors": [error.formatted for error in errors]}, False
    cost = CostModel(schema()).cost(document, variables, operation)
    if cost > HIGHEST_COST:
        return {
            "errors": [
                {
                    "message": f"Query cost is {cost}",
                    "extensions": {"code": "MAX_COST_EXCEEDED", "cost": cost},
                }
            ]
        }, False
    if sim.faults.hit("graphql_throttle"):
        sim.throttle.empty(shop)
    if not sim.throttle.take(shop, cost):
        return {
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "extensions": _cost(sim, shop, cost, None),
        }, False
    is_mutation = text.lstrip().startswith("mutation")
    if not is_mutation and sim.faults.hit("graphql_internal_error"):
        return _internal_error(), False
    row = sim.store.connection().execute("SELECT * FROM shops WHERE domain = ?", (shop,)).fetchone()
    context = Context(sim.store.connection(), shop, row["currency"])
    run = _Run(sim, context, scopes.both(given, row["granted_scopes"]))
    result: Any = execute(
        schema(),
        document,
        root_value={},
        context_value=run,
        variable_values=variables,
        operation_name=operation,
        field_resolver=run.field,
        type_resolver=lambda value, *_: value["__typename"],
    )
    body: dict[str, Any] = {"data": result.data, "extensions": _cost(sim, shop, cost, cost)}
    if result.errors:
        body["errors"] = [_formatted(error) for error in result.errors]
    if is_mutation and sim.faults.hit("graphql_internal_error"):
        return _internal_error(), False
    return body, is_mutation and sim.faults.hit("graphql_lose_reply")


class _Run:
    """One execution: resolves fields, keeps scopes."""

    def __init__(self, sim: Simulator, context: Context, granted: str) -> None:
        self.sim, self.context, self.granted = sim, context, granted

    def field(self, source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Any field of any type."""
        typename, name = info.parent_type.name, info.field_name
        if typename in ("QueryRoot", "Mutation"):
            return self._root(typename, name, arguments, info)
        if isinstance(source, dict) and name in source and typename not in _SERVED:
            return source[name]
        try:
            value = resolve(self.context, source, typename, name, arguments)
        except NotServedError as error:
            raise GraphQLError(str(error), extensions={"code": "INTERNAL_SERVER_ERROR"}) from error
        return self._page(value, arguments) if isinstance(value, Connection) else value

    def _root(
        self, typename: str, name: str, arguments: dict[str, Any], info: GraphQLResolveInfo
    ) -> Any:
        self._refuse_without_scope(name, arguments)
        table = MUTATIONS if typename == "Mutation" else ROOTS
        if typename == "Mutation" and name in graphql_transfers.KEYED:
            arguments = {**arguments, graphql_transfers.KEY: self._idempotency_key(info)}
        if name not in table:
            raise GraphQLError(
                f"the simulator does not serve {typename}.{name}",
                extensions={"code": "INTERNAL_SERVER_ERROR"},
            )
        try:
            value = table[name](self.sim, self.context, self.granted, arguments)
        except SearchError as error:
            raise GraphQLError(str(error), extensions={"code": "BAD_REQUEST"}) from error
        return self._page(value, arguments) if isinstance(value, Connection) else value

    def _refuse_without_scope(self, name: str, arguments: dict[str, Any]) -> None:
        """A scope that is not granted, or protected customer data without its approval."""
        needed = scopes.NEEDED.get(name)
        if needed and not scopes.grants(self.granted, needed):
            raise GraphQLError(
                f"Access denied for {name} field. Required access: `{needed}` access scope.",
                extensions={
                    "code": "ACCESS_DENIED",
                    "documentation": DENIED_DOCUMENTATION,
                    "requiredAccess": f"`{needed}` access scope.",
                },
            )
        ids = arguments.get("ids") or []
        asks_for_orders = needed == "read_orders" or any(
            f"/{kind}/" in gid for gid in ids for kind in scopes.PROTECTED
        )
        if asks_for_orders and self.sim.faults.get("pcd_denied"):
            raise GraphQLError(
                "This app is not approved to access the Order object."
                " See https://shopify.dev/docs/apps/launch/protected-customer-data for more details.",
                extensions={
                    "code": "ACCESS_DENIED",
                    "documentation": "https://shopify.dev/docs/apps/launch/protected-customer-data",
                },
            )

    def _idempotency_key(self, info: GraphQLResolveInfo) -> str:
        """The key of `@idempotent(key:)`, without which these mutations are refused."""
        directive = schema().get_directive("idempotent")
        found = directive and get_directive_values(
            directive, info.field_nodes[0], info.variable_values
        )
        if not found or not found.get("key"):
            raise GraphQLError(
                "The @idempotent directive is required for this mutation but was not provided.",
                extensions={"code": "BAD_REQUEST"},
            )
        return str(found["key"])

    def _page(self, connection: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
        first = int(arguments.get("first") or arguments.get("last") or 0)
        if first > 250:
            raise GraphQLError(
                "The input array size is greater than the maximum allowed of 250.",
                extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
            )
        order = ", ".join(connection.key)
        sql, params = connection.sql, list(connection.params)
        if after := arguments.get("after"):
            sql += f" AND ({order}) > ({', '.join('?' * len(connection.key))})"
            params += _cursor_values(after)
        rows = self.context.conn.execute(
            f"{sql} ORDER BY {order} LIMIT ?", (*params, first + 1)
        ).fetchall()
        nodes = [{"__typename": connection.typename, **dict(row)} for row in rows[:first]]
        cursors = [_cursor([row[key] for key in connection.key]) for row in rows[:first]]
        return {
            "nodes": nodes,
            "edges": [
                {"node": node, "cursor": cursor}
                for node, cursor in zip(nodes, cursors, strict=True)
            ],
            "pageInfo": {
                "hasNextPage": len(rows) > first,
                "hasPreviousPage": bool(arguments.get("after")),
                "endCursor": cursors[-1] if cursors else None,
                "startCursor": cursors[0] if cursors else None,
            },
        }


_SERVED: Final = frozenset(
    {
        "Shop",
        "Order",
        "LineItem",
        "DiscountAllocation",
        "TaxLine",
        "Refund",
        "RefundLineItem",
        "Product",
        "ProductVariant",
        "InventoryItem",
        "InventoryLevel",
        "Location",
        "BulkOperation",
        "WebhookSubscription",
        "InventoryTransfer",
        "InventoryTransferLineItem",
    }
)


def _cursor(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def _cursor_values(cursor: str) -> list[Any]:
    try:
        return list(json.loads(base64.urlsafe_b64decode(cursor)))
    except ValueError as error:
        raise GraphQLError("Malformed cursor", extensions={"code": "BAD_REQUEST"}) from error


def _formatted(error: GraphQLError) -> dict[str, Any]:
    if error.original_error is not None and not error.extensions:
        return {
            "message": f"Internal error: {error.message}",
            "extensions": {"code": "INTERNAL_SERVER_ERROR"},
        }
    return dict(error.formatted)


def _internal_error() -> dict[str, Any]:
    request_id = str(uuid.uuid4())
    message = f"Internal error. Looks like something went wrong on our end.\nRequest ID: {request_id} (include this in support requests)."
    return {
        "data": None,
        "errors": [
            {
                "message": message,
                "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id},
            }
        ],
    }


def _cost(sim: Simulator, shop: str, requested: int, actual: int | None) -> dict[str, Any]:
    return {
        "cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": sim.throttle.status(shop),
        }
    }


def sixty_days_ago(sim: Simulator, shop: str) -> str:
    """The oldest order that may be read without read_all_orders."""
    return iso(sim.store.now(shop) - timedelta(days=60))
