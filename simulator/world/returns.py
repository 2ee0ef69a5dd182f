"""Goods on their way back: a return is asked for, approved, and counts when it is processed; something else may go out for them."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from simulator.minor_units import to_units
from simulator.store import Store, iso
from simulator.webhooks import events
from simulator.world import sales
from simulator.world.orders import Charge, Item, counter_of, touch
from simulator.world.refunds import finish, new_refund, return_lines, settle
from simulator.world.rows import one, order_of
from simulator.world.sales import Agreement
from simulator.world.stock import move_stock


def request_return(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    lines: Sequence[tuple[int, int]],
    *,
    at: datetime,
) -> int:
    """A shopper wants to give (line id, quantity) back; the return's id. No money moves, no sale is written."""
    order_of(conn, shop, order_id)
    left = sales.left_of(conn, shop, order_id)
    for line_id, units in lines:
        part = left.get(line_id)
        if part is None or part.line_item_id is None or not 0 < units <= part.quantity:
            raise ValueError(f"line {line_id} has not {units} units to be returned")
    if not lines:
        raise ValueError("nothing is returned")
    return_id = store.draw_ids(conn, shop, 1 + len(lines))
    conn.execute(
        "INSERT INTO returns (shop, id, order_id, status, created_at) VALUES (?, ?, ?, 'REQUESTED', ?)",
        (shop, return_id, order_id, iso(at)),
    )
    for number, (line_id, units) in enumerate(lines, start=return_id + 1):
        conn.execute(
            "INSERT INTO return_lines VALUES (?, ?, ?, ?, ?)",
            (shop, return_id, number, line_id, units),
        )
    _tell(conn, store, shop, return_id, "returns/request", at=at)
    return return_id


def approve_return(
    conn: sqlite3.Connection, store: Store, shop: str, return_id: int, *, at: datetime
) -> None:
    """The merchant lets the goods come."""
    _step(conn, store, shop, return_id, "REQUESTED", "OPEN", "returns/approve", at=at)


def decline_return(
    conn: sqlite3.Connection, store: Store, shop: str, return_id: int, *, at: datetime
) -> None:
    """The merchant refuses."""
    _step(conn, store, shop, return_id, "REQUESTED", "DECLINED", "returns/decline", at=at)


def process_return(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    return_id: int,
    *,
    at: datetime,
    items: Sequence[Item] = (),
    fee: Decimal = Decimal(0),
    amount: Decimal | None = None,
    restock_type: str = "return",
) -> int:
    """The goods are here: they count as returned, `items` go out for them, a restocking fee is kept; the refund's id."""
    row = _return_of(conn, shop, return_id)
    if row["status"] != "OPEN":
        raise ValueError(f"the return is {row['status']}, not OPEN")
    order_id = row["order_id"]
    lines = [
        (line["line_item_id"], line["quantity"])
        for line in conn.execute(
            "SELECT * FROM return_lines WHERE shop = ? AND return_id = ? ORDER BY id",
            (shop, return_id),
        )
    ]
    refund_id = new_refund(conn, store, shop, order_id, 1 + len(lines), at=at)
    agreement = sales.open_agreement(
        *(conn, store, shop, order_id, "ReturnAgreement"),
        at=at,
        refund_id=refund_id,
        return_id=return_id,
    )
    before = sales.owed(conn, shop, order_id)
    put_back = return_lines(agreement, refund_id, lines, restock_type=restock_type)
    _send_out(agreement, items, fee, at=at)
    money = None
    if amount is not None:
        money = to_units(amount, order_of(conn, shop, order_id)["currency"])
    settle(agreement, refund_id, before, money)
    conn.execute(
        "UPDATE refunds SET return_id = ? WHERE shop = ? AND id = ?", (return_id, shop, refund_id)
    )
    finish(agreement, refund_id, put_back, at=at)
    _step(conn, store, shop, return_id, "OPEN", "CLOSED", "returns/process", at=at)
    return refund_id


def exchange(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    lines: Sequence[tuple[int, int]],
    items: Sequence[Item],
    *,
    at: datetime,
    fee: Decimal = Decimal(0),
) -> int:
    """Goods come back and others go out, at once; the return's id."""
    return_id = request_return(conn, store, shop, order_id, lines, at=at)
    approve_return(conn, store, shop, return_id, at=at)
    process_return(conn, store, shop, return_id, at=at, items=items, fee=fee)
    return return_id


def _send_out(agreement: Agreement, items: Sequence[Item], fee: Decimal, *, at: datetime) -> None:
    """Write what goes out in an exchange, and the fee that is kept."""
    conn, store, shop = agreement.conn, agreement.store, agreement.shop
    counter = counter_of(conn, store, shop, order_of(conn, shop, agreement.order_id))
    for item in items:
        part, sold = counter.put_line(item, store.draw_ids(conn, shop))
        agreement.write("ORDER", sold, part, quantity=item.quantity)
        if item.variant_id is not None:
            move_stock(conn, store, shop, item.variant_id, -item.quantity, at=at)
    if fee:
        charge = Charge("FEE", fee, title="Restocking fee")
        part, sold = counter.put_charge(charge, store.draw_ids(conn, shop))
        agreement.write("ORDER", sold, part)


def _step(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    return_id: int,
    before: str,
    after: str,
    topic: str,
    *,
    at: datetime,
) -> None:
    """Take a return from one state to the next, and tell it."""
    row = _return_of(conn, shop, return_id)
    if row["status"] != before:
        raise ValueError(f"the return is {row['status']}, not {before}")
    closed = iso(at) if after == "CLOSED" else None
    conn.execute(
        "UPDATE returns SET status = ?, closed_at = ? WHERE shop = ? AND id = ?",
        (after, closed, shop, return_id),
    )
    _tell(conn, store, shop, return_id, topic, at=at)


def _tell(
    conn: sqlite3.Connection, store: Store, shop: str, return_id: int, topic: str, *, at: datetime
) -> None:
    row = _return_of(conn, shop, return_id)
    count = conn.execute(
        "SELECT sum(quantity) FROM return_lines WHERE shop = ? AND return_id = ?", (shop, return_id)
    ).fetchone()[0]
    body: dict[str, Any] = {
        "id": return_id,
        "admin_graphql_api_id": f"gid://shopify/Return/{return_id}",
        "status": row["status"].lower(),
        "order": {
            "id": row["order_id"],
            "admin_graphql_api_id": f"gid://shopify/Order/{row['order_id']}",
        },
        "total_return_line_items": count,
    }
    events.record(conn, store, shop, topic, return_id, payload=body)
    touch(conn, store, shop, row["order_id"], at=at)


def _return_of(conn: sqlite3.Connection, shop: str, return_id: int) -> sqlite3.Row:
    return one(conn, "SELECT * FROM returns WHERE shop = ? AND id = ?", shop, return_id)
