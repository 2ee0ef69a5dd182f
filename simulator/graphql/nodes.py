"""What fields are made of: nodes, connections, and resolvers of a column.

A node is a dict with `__typename` and the columns of its row. A row that says its own `__typename` is that: kinds of an interface.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from simulator.minor_units import from_units

Node = dict[str, Any]
Arguments = Mapping[str, Any]


@dataclass(slots=True)
class Context:
    """Whose data, under which grant."""

    conn: sqlite3.Connection
    shop: str
    currency: str
    currencies: dict[int, str] = field(default_factory=dict)
    """Of the orders whose lines were asked for."""


Resolver = Callable[[Context, Node, Arguments], Any]


@dataclass(slots=True)
class Connection:
    """Rows of a connection: an SQL text with its parameters, the node's type, and how rows are ordered.

    `key` are the columns of the order, of which a cursor is made: together they must be unique.
    """

    typename: str
    sql: str
    params: tuple[Any, ...]
    key: tuple[str, ...]


def node(typename: str, row: sqlite3.Row | None) -> Node | None:
    """A row as a node."""
    return None if row is None else {"__typename": typename, **dict(row)}


def gid(kind: str, column: str = "id") -> Resolver:
    """A gid from a column."""
    return lambda _, n, __: f"gid://shopify/{kind}/{n[column]}"


def col(column: str) -> Resolver:
    """A column as it is."""
    return lambda _, n, __: n[column]


def flag(column: str) -> Resolver:
    """A column as a boolean."""
    return lambda _, n, __: bool(n[column])


def const(value: Any) -> Resolver:
    """The same for every node."""
    return lambda _, __, ___: value


@lru_cache(maxsize=65_536)
def amount(text: str | None) -> str:
    """A Decimal as MoneyV2 writes it: 10.0, 664.95."""
    value = f"{Decimal(text or '0'):f}"
    whole, _, cents = value.partition(".")
    return f"{whole}.{cents.rstrip('0') or '0'}"


def money_bag(text: str | None, currency: str) -> Node:
    """Shop and presentment money."""
    money = {"__typename": "MoneyV2", "amount": amount(text), "currencyCode": currency}
    return {"__typename": "MoneyBag", "shopMoney": money, "presentmentMoney": money}


def bag(column: str) -> Resolver:
    """A column as a MoneyBag."""
    return lambda c, n, _: money_bag(n[column], c.currency)


def row_of(typename: str, table: str, column: str) -> Resolver:
    """The node that a column points to, or null."""
    query = f"SELECT * FROM {table} WHERE shop = ? AND id = ?"

    def resolve(c: Context, n: Node, _: Arguments) -> Node | None:
        return (
            None
            if n[column] is None
            else node(typename, c.conn.execute(query, (c.shop, n[column])).fetchone())
        )

    return resolve


def pointer(typename: str, column: str) -> Resolver:
    """A node of which only the id is known yet; its other fields are looked up when asked."""
    return lambda _, n, __: None if n[column] is None else {"__typename": typename, "id": n[column]}


def units_bag(units: int, currency: str) -> Node:
    """Smallest units as a MoneyBag."""
    return money_bag(str(from_units(units, currency)), currency)


def rows_of(
    typename: str, table: str, more: str, column: str, key: tuple[str, ...] = ("id",)
) -> Resolver:
    """A connection of the rows whose column is this node's id."""
    sql = f"SELECT * FROM {table} WHERE shop = ? AND {column} = ?{more}"
    return lambda c, n, _: Connection(typename, sql, (c.shop, n["id"]), key)


def tags(_: Context, n: Node, __: Arguments) -> list[str]:
    """The tags of a comma list."""
    return [tag.strip() for tag in n["tags"].split(",") if tag.strip()]


def upper(column: str) -> Resolver:
    """A column in capitals, as enums are."""
    return lambda _, n, __: n[column].upper() if n[column] else None
