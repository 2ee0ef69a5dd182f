"""A row that must be there."""

import sqlite3


class NotThereError(LookupError):
    """The shop has no such thing."""


def one(conn: sqlite3.Connection, query: str, *params: object) -> sqlite3.Row:
    """The row; NotThereError if there is none."""
    row = conn.execute(query, params).fetchone()
    if row is None:
        raise NotThereError("the shop has no such thing")
    return row


def order_of(conn: sqlite3.Connection, shop: str, order_id: int) -> sqlite3.Row:
    """An order that was not deleted."""
    return one(
        conn,
        "SELECT * FROM orders WHERE shop = ? AND id = ? AND deleted_at IS NULL",
        shop,
        order_id,
    )
