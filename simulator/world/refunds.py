"""What is given back: refunds and cancellations.

The returned sales carry the full worth of what came back; the difference to the money that went back is an adjustment. Both roads meet:
an edit that takes units off is a refund of nothing, whose adjustment says what is still to be given back.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from simulator.minor_units import from_units, to_units
from simulator.sales import are_taxes_included
from simulator.store import Store, iso
from simulator.webhooks import events
from simulator.world import sales
from simulator.world.amounts import NOTHING, share
from simulator.world.orders import touch
from simulator.world.rows import order_of
from simulator.world.sales import Agreement
from simulator.world.stock import move_stock

RESTOCK: Final = ("return", "cancel", "no_restock", "legacy_restock")
PENDING: Final = "PENDING_REFUND_DISCREPANCY"
DISCREPANCY: Final = "REFUND_DISCREPANCY"


def refund_order(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    lines: Sequence[tuple[int, int]],
    *,
    restock_type: str = "return",
    at: datetime,
    amount: Decimal | None = None,
    shipping: Decimal | None = None,
) -> int:
    """Give back (line id, quantity) and of the shipping so much (with its tax); the refund's id.

    `amount` is the money that goes back, all in all: what that is worth unless told. Without lines it is goodwill, or what an edit left open.
    """
    order = order_of(conn, shop, order_id)
    if not lines and not amount and not shipping:
        raise ValueError("nothing is given back")
    refund_id = new_refund(conn, store, shop, order_id, 1 + len(lines), at=at)
    agreement = sales.open_agreement(
        conn, store, shop, order_id, "RefundAgreement", at=at, number=refund_id, refund_id=refund_id
    )
    before = sales.owed(conn, shop, order_id)
    put_back = return_lines(agreement, refund_id, lines, restock_type=restock_type)
    _return_shipping(agreement, to_units(shipping or Decimal(0), order["currency"]))
    money = None if amount is None else to_units(amount, order["currency"])
    settle(agreement, refund_id, before, money)
    finish(agreement, refund_id, put_back, at=at)
    return refund_id


def new_refund(
    conn: sqlite3.Connection, store: Store, shop: str, order_id: int, ids: int, *, at: datetime
) -> int:
    """A refund's row, of nothing so far; with the ids behind it for its lines."""
    refund_id = store.draw_ids(conn, shop, ids)
    sales.write_down(conn, shop, order_id)
    conn.execute(
        "INSERT INTO refunds (shop, id, order_id, created_at, processed_at, amount) VALUES (?, ?, ?, ?, ?, 0)",
        (shop, refund_id, order_id, iso(at), iso(at)),
    )
    return refund_id


def return_lines(
    agreement: Agreement, refund_id: int, lines: Sequence[tuple[int, int]], *, restock_type: str
) -> list[tuple[int, int]]:
    """Take units of lines back; (variant, units) that go on a shelf again."""
    if restock_type not in RESTOCK:
        raise ValueError(f"no such restock type: {restock_type}")
    conn, shop, order_id = agreement.conn, agreement.shop, agreement.order_id
    order = order_of(conn, shop, order_id)
    is_included = are_taxes_included(conn, shop, order)
    left = sales.left_of(conn, shop, order_id)
    put_back: list[tuple[int, int]] = []
    for number, (line_id, units) in enumerate(lines, start=refund_id + 1):
        part = left.get(line_id)
        if part is None or part.line_item_id is None:
            raise ValueError(f"the order has no line {line_id}")
        if not 0 < units <= part.quantity:
            raise ValueError(f"of line {line_id} {part.quantity} are left, not {units}")
        back = agreement.take_back(part, units)
        part.quantity -= units
        for name in ("total", "tax", "discount_before_tax", "discount_after_tax"):
            setattr(part, name, getattr(part, name) - getattr(back, name))
        for title, rate, tax in back.taxes:
            part.taxes[title, rate] -= tax
        subtotal = back.total if is_included else back.total - back.tax
        conn.execute(
            "INSERT INTO refund_lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(shop, refund_id, number, line_id, None, units, restock_type),
                *(
                    str(from_units(subtotal, order["currency"])),
                    str(from_units(back.tax, order["currency"])),
                ),
            ),
        )
        conn.execute(
            "UPDATE order_lines SET current_quantity = current_quantity - ? WHERE shop = ? AND order_id = ? AND id = ?",
            (units, shop, order_id, line_id),
        )
        if part.variant_id is not None and restock_type in ("return", "cancel"):
            put_back.append((part.variant_id, units))
    return put_back


def _return_shipping(agreement: Agreement, units: int) -> None:
    """Take back so much of the shipping, from the first of its lines on."""
    left = sales.left_of(agreement.conn, agreement.shop, agreement.order_id)
    shipping = [part for part in left.values() if part.line_type == "SHIPPING" and part.total]
    if units > sum(part.total for part in shipping):
        raise ValueError("more shipping is given back than was paid")
    for part in shipping:
        taken = min(units, part.total)
        if taken:
            back = share(part, taken, part.total)
            agreement.write("RETURN", NOTHING.less(back), part)
        units -= taken


def settle(agreement: Agreement, refund_id: int, before: int, money: int | None) -> None:
    """Give money back (None: what came back is worth) and adjust by what it differs; `before`: what was owed already."""
    conn, shop, order_id = agreement.conn, agreement.shop, agreement.order_id
    worth = sales.owed(conn, shop, order_id) - before
    money = worth if money is None else money
    paid = order_of(conn, shop, order_id)["paid"]
    if money < 0 or money > paid:
        raise ValueError(f"between nothing and what was paid is given back, not {money}")
    from_earlier = min(max(money - worth, 0), before)
    conn.execute(
        "UPDATE refunds SET amount = ? WHERE shop = ? AND id = ?", (money, shop, refund_id)
    )
    conn.execute(
        "UPDATE orders SET paid = paid - ? WHERE shop = ? AND id = ?", (money, shop, order_id)
    )
    is_pending = money == 0 and worth > 0
    agreement.adjust(worth + from_earlier - money, PENDING if is_pending else DISCREPANCY)


def finish(
    agreement: Agreement, refund_id: int, put_back: list[tuple[int, int]], *, at: datetime
) -> None:
    """Tell a refund, and put on the shelves what came back."""
    conn, store, shop, order_id = (
        agreement.conn,
        agreement.store,
        agreement.shop,
        agreement.order_id,
    )
    paid = conn.execute(
        "SELECT paid, financial_status FROM orders WHERE shop = ? AND id = ?", (shop, order_id)
    ).fetchone()
    given = conn.execute(
        "SELECT sum(amount) FROM refunds WHERE shop = ? AND order_id = ?", (shop, order_id)
    ).fetchone()[0]
    status = paid["financial_status"]
    if given:
        status = "partially_refunded" if paid["paid"] > 0 else "refunded"
    events.record(conn, store, shop, "refunds/create", refund_id)
    touch(conn, store, shop, order_id, at=at, financial_status=status)
    for variant_id, units in put_back:
        move_stock(conn, store, shop, variant_id, units, at=at)


def cancel_order(
    conn: sqlite3.Connection, store: Store, shop: str, order_id: int, *, at: datetime
) -> None:
    """Cancel an order: all that is left of it is given back and restocked."""
    order = order_of(conn, shop, order_id)
    if order["cancelled_at"] is not None:
        raise ValueError("the order is cancelled already")
    sales.write_down(conn, shop, order_id)
    left = sales.left_of(conn, shop, order_id)
    lines = [
        (key, part.quantity) for key, part in left.items() if part.line_item_id and part.quantity
    ]
    conn.execute(
        "UPDATE orders SET cancelled_at = ?, cancel_reason = 'customer', updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), iso(at), shop, order_id),
    )
    if any(part.total or part.quantity for part in left.values()):
        refund_id = new_refund(conn, store, shop, order_id, 1 + len(lines), at=at)
        agreement = sales.open_agreement(
            conn,
            store,
            shop,
            order_id,
            "RefundAgreement",
            at=at,
            number=refund_id,
            refund_id=refund_id,
        )
        before = sales.owed(conn, shop, order_id)
        put_back = return_lines(agreement, refund_id, lines, restock_type="cancel")
        for part in left.values():
            if part.charge_id is not None and part.total:
                agreement.take_back(part)
        settle(agreement, refund_id, before, None)
        if order["financial_status"] in ("pending", "authorized"):
            conn.execute(
                "UPDATE orders SET financial_status = 'voided' WHERE shop = ? AND id = ?",
                (shop, order_id),
            )
        finish(agreement, refund_id, put_back, at=at)
    events.record(conn, store, shop, "orders/cancelled", order_id)
