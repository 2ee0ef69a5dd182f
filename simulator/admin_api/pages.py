"""Pages of a connection: a cursor is the sort key of a row, as JSON in base64."""

import base64
import json
from typing import Any, Final

from graphql import GraphQLError

from simulator.graphql.nodes import Arguments, Connection, Context, Node

MOST_NODES: Final = 250


def page(context: Context, connection: Connection, arguments: Arguments) -> Node:
    """One page of a connection, as `first` (or `last`) and `after` ask for it."""
    first = int(arguments.get("first") or arguments.get("last") or 0)
    if first > MOST_NODES:
        raise GraphQLError(
            f"The input array size is greater than the maximum allowed of {MOST_NODES}.",
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )
    order = ", ".join(connection.key)
    sql, params = connection.sql, list(connection.params)
    if after := arguments.get("after"):
        sql += f" AND ({order}) > ({', '.join('?' * len(connection.key))})"
        params += _key_of(after)
    rows = context.conn.execute(f"{sql} ORDER BY {order} LIMIT ?", (*params, first + 1)).fetchall()
    nodes = [{"__typename": connection.typename, **dict(row)} for row in rows[:first]]
    cursors = [_cursor([row[key] for key in connection.key]) for row in rows[:first]]
    return {
        "nodes": nodes,
        "edges": [
            {"node": node, "cursor": cursor} for node, cursor in zip(nodes, cursors, strict=True)
        ],
        "pageInfo": {
            "hasNextPage": len(rows) > first,
            "hasPreviousPage": bool(arguments.get("after")),
            "endCursor": cursors[-1] if cursors else None,
            "startCursor": cursors[0] if cursors else None,
        },
    }


def _cursor(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _key_of(cursor: str) -> list[Any]:
    try:
        return list(json.loads(base64.urlsafe_b64decode(cursor)))
    except ValueError as error:
        raise GraphQLError("Malformed cursor", extensions={"code": "BAD_REQUEST"}) from error
