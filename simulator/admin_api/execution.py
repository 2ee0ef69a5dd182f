"""The answer to one document: held to the real schema, charged for, executed over roots and mutations."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    execute,
    get_directive_values,
)

from simulator.admin_api import mutations, roots, transfers
from simulator.admin_api.pages import page
from simulator.graphql import scopes
from simulator.graphql.cost_model import requested_cost
from simulator.graphql.fields import RESOLVERS, NotServedError, resolve
from simulator.graphql.nodes import Connection, Context
from simulator.graphql.schema import checked, schema
from simulator.graphql.search import SearchError
from simulator.state import Simulator

HIGHEST_COST: Final = 1_000
SCOPES_DOCUMENTATION: Final = "https://shopify.dev/api/usage/access-scopes"
PROTECTED_DOCUMENTATION: Final = "https://shopify.dev/docs/apps/launch/protected-customer-data"
MUTATIONS: Final[dict[str, Callable[..., Any]]] = {**mutations.MUTATIONS, **transfers.MUTATIONS}
ROOTS: Final[dict[str, Callable[..., Any]]] = {**roots.ROOTS, **transfers.ROOTS}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request to the Admin API holds."""

    text: str
    variables: dict[str, Any]
    operation_name: str | None


class Answer(NamedTuple):
    """A response's body; `is_lost` when it never reaches the app though the work was done."""

    body: dict[str, Any]
    is_lost: bool = False


def answer(sim: Simulator, shop: str, asked: Asked, token_scopes: str) -> Answer:
    """The body for a document, under a token that was given these scopes."""
    document, errors = checked(asked.text)
    if document is None or errors:
        return Answer({"errors": [error.formatted for error in errors]})
    cost = requested_cost(schema(), document, asked.variables, asked.operation_name)
    if cost > HIGHEST_COST:
        extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost}
        return Answer({"errors": [{"message": f"Query cost is {cost}", "extensions": extensions}]})
    if sim.faults.hit("graphql_throttle"):
        sim.throttle.empty(shop)
    if not sim.throttle.take(shop, cost):
        throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return Answer({"errors": [throttled], "extensions": _cost(sim, shop, cost, None)})
    is_mutation = asked.text.lstrip().startswith("mutation")
    if not is_mutation and sim.faults.hit("graphql_internal_error"):
        return Answer(_internal_error())
    result = _execute(sim, shop, document, asked, token_scopes)
    body: dict[str, Any] = {"data": result.data, "extensions": _cost(sim, shop, cost, cost)}
    if result.errors:
        body["errors"] = [_formatted(error) for error in result.errors]
    if is_mutation and sim.faults.hit("graphql_internal_error"):
        return Answer(_internal_error())
    return Answer(body, is_lost=is_mutation and sim.faults.hit("graphql_lose_reply"))


def _execute(
    sim: Simulator, shop: str, document: DocumentNode, asked: Asked, token_scopes: str
) -> ExecutionResult:
    conn = sim.store.connection()
    row = conn.execute("SELECT * FROM shops WHERE domain = ?", (shop,)).fetchone()
    context = Context(conn, shop, row["currency"])
    run = _Run(sim, context, scopes.both(token_scopes, row["granted_scopes"]))
    result: Any = execute(
        schema(),
        document,
        root_value={},
        context_value=run,
        variable_values=asked.variables,
        operation_name=asked.operation_name,
        field_resolver=run.field,
        type_resolver=lambda value, *_: value["__typename"],
    )
    return result


class _Run:
    """One execution: resolves fields, keeps scopes."""

    def __init__(self, sim: Simulator, context: Context, granted: str) -> None:
        self.sim, self.context, self.granted = sim, context, granted

    def field(self, source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Any field of any type."""
        typename, name = info.parent_type.name, info.field_name
        if typename in ("QueryRoot", "Mutation"):
            return self._root(typename, name, arguments, info)
        if isinstance(source, dict) and name in source and typename not in RESOLVERS:
            return source[name]
        try:
            value = resolve(self.context, source, typename, name, arguments)
        except NotServedError as error:
            raise GraphQLError(str(error), extensions={"code": "INTERNAL_SERVER_ERROR"}) from error
        return self._shown(value, arguments)

    def _root(
        self, typename: str, name: str, arguments: dict[str, Any], info: GraphQLResolveInfo
    ) -> Any:
        self._refuse_without_scope(name, arguments)
        table = MUTATIONS if typename == "Mutation" else ROOTS
        if typename == "Mutation" and name in transfers.KEYED:
            arguments = {**arguments, transfers.KEY: _idempotency_key(info)}
        if name not in table:
            raise GraphQLError(
                f"the simulator does not serve {typename}.{name}",
                extensions={"code": "INTERNAL_SERVER_ERROR"},
            )
        try:
            value = table[name](self.sim, self.context, self.granted, arguments)
        except SearchError as error:
            raise GraphQLError(str(error), extensions={"code": "BAD_REQUEST"}) from error
        return self._shown(value, arguments)

    def _shown(self, value: Any, arguments: dict[str, Any]) -> Any:
        """A field's value; of a connection the page that was asked for."""
        return page(self.context, value, arguments) if isinstance(value, Connection) else value

    def _refuse_without_scope(self, name: str, arguments: dict[str, Any]) -> None:
        """A scope that is not granted, or protected customer data without its approval."""
        needed = scopes.NEEDED.get(name)
        if needed and not scopes.grants(self.granted, needed):
            raise GraphQLError(
                f"Access denied for {name} field. Required access: `{needed}` access scope.",
                extensions={
                    "code": "ACCESS_DENIED",
                    "documentation": SCOPES_DOCUMENTATION,
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
                f" See {PROTECTED_DOCUMENTATION} for more details.",
                extensions={"code": "ACCESS_DENIED", "documentation": PROTECTED_DOCUMENTATION},
            )


def _idempotency_key(info: GraphQLResolveInfo) -> str:
    """The key of `@idempotent(key:)`, without which such mutations are refused."""
    directive = schema().get_directive("idempotent")
    found = directive and get_directive_values(directive, info.field_nodes[0], info.variable_values)
    if not found or not found.get("key"):
        raise GraphQLError(
            "The @idempotent directive is required for this mutation but was not provided.",
            extensions={"code": "BAD_REQUEST"},
        )
    return str(found["key"])


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
    extensions = {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id}
    return {"data": None, "errors": [{"message": message, "extensions": extensions}]}


def _cost(sim: Simulator, shop: str, requested: int, actual: int | None) -> dict[str, Any]:
    """`extensions.cost` of an answer; nothing was used (None) when it was refused."""
    return {
        "cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": sim.throttle.status(shop),
        }
    }
