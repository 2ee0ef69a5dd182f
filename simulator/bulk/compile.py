"""A bulk query's text, checked by Shopify's rules and compiled to closures over SQLite rows.

graphql-core would take minutes for a shop's history; a compiled selection takes seconds. The
fields are those of `graphql.fields`, so a bulk line and a single answer say the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from simulator.graphql import scopes
from simulator.graphql.fields import RESOLVERS
from simulator.graphql.nodes import Connection, Context, Node, Resolver
from simulator.graphql.schema import checked, schema
from simulator.graphql.search import where
from simulator.store import iso

MOST_CONNECTIONS: Final = 5
ROOT_TABLES: Final = {
    "orders": ("Order", "orders"),
    "products": ("Product", "products"),
    "inventoryItems": ("InventoryItem", "inventory_items"),
}


class BulkRulesError(ValueError):
    """A query that Shopify would not run in bulk; the message is its own."""


Value = Callable[[Context, Node], Any]


@dataclass(slots=True)
class _Selection:
    """Compiled fields of a type, and its connections."""

    fields: list[tuple[str, Value]]
    connections: list[tuple[Resolver, dict[str, Any], "_Selection"]]
    of_kind: list[tuple[str, list[tuple[str, Value]]]] = field(default_factory=list)
    """What `... on Kind { … }` adds to a node of that kind."""

    def line(self, context: Context, node: Node) -> dict[str, Any]:
        """A node's own fields."""
        line = {name: value(context, node) for name, value in self.fields}
        for kind, fields in self.of_kind:
            if node["__typename"] == kind:
                line |= {name: value(context, node) for name, value in fields}
        return line


@dataclass(slots=True)
class BulkQuery:
    """A query that may run."""

    root: str
    search: str
    selection: _Selection

    def chunks(
        self, context: Context, granted: str, now: str, size: int, *, grouped: bool = True
    ) -> Iterator[tuple[bytes, int, int]]:
        """JSONL in chunks: (bytes, objects, root objects).

        Children stand behind their parent: right behind it when grouped, else behind all the
        parents of their chunk.
        """
        typename, table = ROOT_TABLES[self.root]
        clause, params = where(self.search)
        if table in ("orders", "products"):
            clause += " AND deleted_at IS NULL"
        else:
            clause += " AND EXISTS (SELECT 1 FROM variants v WHERE v.shop = inventory_items.shop AND v.inventory_item_id = inventory_items.id AND v.deleted_at IS NULL)"
        if table == "orders" and not scopes.grants(granted, "read_all_orders"):
            clause += " AND created_at >= ?"
            params.append(iso(datetime.fromisoformat(now) - timedelta(days=60)))
        order = "updated_at, id" if table == "orders" else "id"
        rows = context.conn.execute(
            f"SELECT * FROM {table} WHERE shop = ?{clause} ORDER BY {order}",
            (context.shop, *params),
        )
        levels: list[list[bytes]] = [[], [], []]
        roots = 0
        for row in rows:
            roots += 1
            family: list[tuple[int, bytes]] = []
            root = {"__typename": typename, **dict(row)}
            self._write(context, root, self.selection, None, family)
            for depth, line in family:
                levels[0 if grouped else depth].append(line)
            if sum(map(len, levels)) >= size:
                yield _chunk(levels, roots)
                levels, roots = [[], [], []], 0
        if levels[0]:
            yield _chunk(levels, roots)

    def _write(
        self,
        context: Context,
        node: Node,
        selection: _Selection,
        parent: str | None,
        family: list[tuple[int, bytes]],
        depth: int = 0,
    ) -> None:
        line = selection.line(context, node)
        if parent is not None:
            line["__parentId"] = parent
        family.append((depth, orjson.dumps(line)))
        for resolver, arguments, below in selection.connections:
            connection: Connection = resolver(context, node, arguments)
            for row in context.conn.execute(
                f"{connection.sql} ORDER BY {', '.join(connection.key)}", connection.params
            ):
                child = {"__typename": connection.typename, **dict(row)}
                self._write(context, child, below, line["id"], family, depth + 1)


def _chunk(levels: list[list[bytes]], roots: int) -> tuple[bytes, int, int]:
    """Lines of every depth, parents first: (bytes, objects, root objects)."""
    lines = [line for level in levels for line in level]
    return b"\n".join(lines) + b"\n", len(lines), roots


def compile_query(text: str) -> BulkQuery:
    """A bulk query's inner text, ready to run.

    Raises
    ------
    BulkRulesError
    """
    document, errors = checked(text)
    if document is None or errors:
        raise BulkRulesError(errors[0].message)
    operation = document.definitions[0]
    if (
        not isinstance(operation, OperationDefinitionNode)
        or len(operation.selection_set.selections) != 1
    ):
        raise BulkRulesError("Bulk queries must have one root connection.")
    root = operation.selection_set.selections[0]
    if not isinstance(root, FieldNode) or root.name.value not in ROOT_TABLES:
        raise BulkRulesError("The root of a bulk query must be a connection this simulator serves.")
    typename = ROOT_TABLES[root.name.value][0]
    query_type = schema().type_map[typename]
    if not isinstance(query_type, GraphQLObjectType):
        raise BulkRulesError("not an object")
    counter = [1]
    selection = _compile(_node_of(root), query_type, depth=1, counter=counter, inside_list=False)
    if counter[0] > MOST_CONNECTIONS:
        raise BulkRulesError(
            f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
        )
    search = _arguments(root).get("query") or ""
    return BulkQuery(root.name.value, str(search), selection)


def _compile(
    field: FieldNode | InlineFragmentNode,
    parent: GraphQLObjectType | GraphQLInterfaceType,
    *,
    depth: int,
    counter: list[int],
    inside_list: bool,
) -> _Selection:
    fields: list[tuple[str, Value]] = []
    connections: list[tuple[Resolver, dict[str, Any], _Selection]] = []
    for child in _fields(field):
        name, key = child.name.value, (child.alias or child.name).value
        if name == "__typename":
            fields.append((key, lambda _, n: n["__typename"]))
            continue
        declared = parent.fields[name].type
        named = get_named_type(declared)
        arguments = _arguments(child)
        if named.name.endswith("Connection"):
            if inside_list:
                raise BulkRulesError(
                    "Queries that contain a connection field within a list field are not currently supported."
                )
            if depth > 2:
                raise BulkRulesError("Bulk queries cannot nest connections deeper than two levels.")
            counter[0] += 1
            node_type = get_named_type(named.fields["nodes"].type)  # pyright: ignore[reportAttributeAccessIssue] -- a Connection has nodes
            below = _compile(
                _node_of(child), node_type, depth=depth + 1, counter=counter, inside_list=False
            )  # pyright: ignore[reportArgumentType] -- and they are objects
            connections.append((_resolver(parent.name, name), arguments, below))
            continue
        is_list = is_list_type(get_nullable_type(declared))
        if isinstance(named, GraphQLObjectType):
            nested = _compile(
                child, named, depth=depth, counter=counter, inside_list=inside_list or is_list
            )
            if nested.connections or nested.of_kind:
                raise BulkRulesError(
                    "Queries that contain a connection field within a list field are not currently supported."
                )
            fields.append((key, _object(_resolver(parent.name, name), arguments, nested.fields)))
        else:
            fields.append((key, _scalar(_resolver(parent.name, name), arguments)))
    of_kind = [
        (
            kind.name,
            _fields_of_kind(fragment, kind, depth=depth, counter=counter, inside_list=inside_list),
        )
        for fragment, kind in _fragments(field)
    ]
    return _Selection(fields, connections, of_kind)


def _fragments(
    node: FieldNode | InlineFragmentNode,
) -> list[tuple[InlineFragmentNode, GraphQLObjectType]]:
    """The `... on Kind { … }` of a selection."""
    found = []
    for child in node.selection_set.selections if node.selection_set else ():
        if isinstance(child, InlineFragmentNode) and child.type_condition:
            kind = schema().type_map[child.type_condition.name.value]
            if isinstance(kind, GraphQLObjectType):
                found.append((child, kind))
    return found


def _fields_of_kind(
    fragment: InlineFragmentNode,
    kind: GraphQLObjectType,
    *,
    depth: int,
    counter: list[int],
    inside_list: bool,
) -> list[tuple[str, Value]]:
    below = _compile(fragment, kind, depth=depth, counter=counter, inside_list=inside_list)
    if below.connections:
        raise BulkRulesError("Connections inside of a fragment are not served in bulk.")
    return below.fields


def _scalar(resolver: Resolver, arguments: dict[str, Any]) -> Value:
    return lambda c, n: resolver(c, n, arguments)


def _object(
    resolver: Resolver, arguments: dict[str, Any], fields: list[tuple[str, Value]]
) -> Value:
    def value(c: Context, n: Node) -> Any:
        found = resolver(c, n, arguments)
        if found is None:
            return None
        if isinstance(found, list):
            return [{name: read(c, one) for name, read in fields} for one in found]
        return {name: read(c, found) for name, read in fields}

    return value


def _resolver(typename: str, field: str) -> Resolver:
    table = RESOLVERS.get(typename, {})
    if field in table:
        return table[field]
    if typename in RESOLVERS:
        raise BulkRulesError(f"the simulator does not serve {typename}.{field}")
    return lambda _, n, __: n[field]


def _node_of(connection: FieldNode) -> FieldNode:
    """The `edges { node { … } }` of a connection, which must select its id."""
    edges = next((child for child in _fields(connection) if child.name.value == "edges"), None)
    node = (
        next((child for child in _fields(edges) if child.name.value == "node"), None)
        if edges
        else None
    )
    if node is None:
        raise BulkRulesError("Bulk queries must use edges { node { … } }.")
    if not any(child.name.value == "id" and child.alias is None for child in _fields(node)):
        raise BulkRulesError(
            "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of type 'ID!'."
        )
    return node


def _fields(field: FieldNode | InlineFragmentNode | None) -> list[FieldNode]:
    if field is None or field.selection_set is None:
        return []
    return [child for child in field.selection_set.selections if isinstance(child, FieldNode)]


def _arguments(field: FieldNode) -> dict[str, Any]:
    return {
        argument.name.value: value_from_ast_untyped(argument.value) for argument in field.arguments
    }
