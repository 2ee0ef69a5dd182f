"""An order is changed after it was placed: units off and on, further lines, other prices and discounts."""

import sqlite3
from datetime import datetime
from decimal import Decimal
from typing import Any

from simulator.minor_units import from_units, smallest, to_units
from simulator.sales import are_taxes_included, tax_lines
from simulator.store import Store, iso
from simulator.webhooks import events
from simulator.world import sales
from simulator.world.amounts import NOTHING, Amounts, Tax, of_price, tax_lines_text, whole
from simulator.world.orders import Item, counter_of, touch
from simulator.world.refunds import new_refund, return_lines, settle
from simulator.world.rows import one, order_of
from simulator.world.sales import Agreement
from simulator.world.stock import move_stock


def edit_order(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    line_id: int,
    delta: int,
    *,
    at: datetime,
) -> None:
    """Take units off a line, or add some. The ordered quantity stays where units go, as in Shopify."""
    if delta == 0:
        raise ValueError("nothing is changed")
    line = _line(conn, shop, order_id, line_id)
    if delta > 0:
        _add_units(conn, store, shop, line, delta, at=at)
        put_back = []
    else:
        refund_id = new_refund(conn, store, shop, order_id, 2, at=at)
        agreement = sales.open_agreement(
            conn, store, shop, order_id, "OrderEditAgreement", at=at, refund_id=refund_id
        )
        before = sales.owed(conn, shop, order_id)
        put_back = return_lines(agreement, refund_id, [(line_id, -delta)], restock_type="cancel")
        settle(agreement, refund_id, before, 0)
        events.record(conn, store, shop, "refunds/create", refund_id)
    kind = "additions" if delta > 0 else "removals"
    _tell_edit(conn, store, shop, order_id, {kind: [{"id": line_id, "delta": abs(delta)}]}, at=at)
    for variant_id, units in put_back:
        move_stock(conn, store, shop, variant_id, units, at=at)


def _add_units(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    line: sqlite3.Row,
    units: int,
    *,
    at: datetime,
) -> None:
    """More of a line, at its price and without a discount."""
    order_id = line["order_id"]
    agreement = sales.open_agreement(conn, store, shop, order_id, "OrderEditAgreement", at=at)
    order = order_of(conn, shop, order_id)
    part = sales.left_of(conn, shop, order_id)[line["id"]]
    sold = of_price(
        Decimal(line["price"]) * units,
        Decimal(0),
        tuple(Tax(Decimal(rate), title) for title, rate in part.taxes),
        included=are_taxes_included(conn, shop, order),
        currency=order["currency"],
    )
    agreement.write("ORDER", sold, part, quantity=units)
    _keep_line(agreement, line["id"], sold, order["currency"], units=units)
    if line["variant_id"]:
        move_stock(conn, store, shop, line["variant_id"], -units, at=at)


def add_line(
    conn: sqlite3.Connection, store: Store, shop: str, order_id: int, item: Item, *, at: datetime
) -> int:
    """Put a further line on an order; its id."""
    order = order_of(conn, shop, order_id)
    agreement = sales.open_agreement(conn, store, shop, order_id, "OrderEditAgreement", at=at)
    line_id = store.draw_ids(conn, shop)
    part, sold = counter_of(conn, store, shop, order).put_line(item, line_id)
    agreement.write("ORDER", sold, part, quantity=item.quantity)
    added = {"additions": [{"id": line_id, "delta": item.quantity}]}
    _tell_edit(conn, store, shop, order_id, added, at=at)
    if item.variant_id is not None:
        move_stock(conn, store, shop, item.variant_id, -item.quantity, at=at)
    return line_id


def change_line(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    line_id: int,
    *,
    price: Decimal | None = None,
    discount: Decimal | None = None,
    at: datetime,
) -> None:
    """Another price of a line, or another discount on all that is left of it, after it was sold."""
    line = _line(conn, shop, order_id, line_id)
    agreement = sales.open_agreement(conn, store, shop, order_id, "OrderEditAgreement", at=at)
    order = order_of(conn, shop, order_id)
    part = sales.left_of(conn, shop, order_id)[line_id]
    if not part.quantity or (price is None and discount is None):
        raise ValueError("nothing is changed")
    kept = from_units(part.discount_after_tax, order["currency"])
    if not are_taxes_included(conn, shop, order):
        kept = from_units(part.discount_before_tax, order["currency"])
    wanted = of_price(
        Decimal(line["price"] if price is None else price) * part.quantity,
        kept if discount is None else discount,
        tuple(Tax(Decimal(rate), title) for title, rate in part.taxes),
        included=are_taxes_included(conn, shop, order),
        currency=order["currency"],
    )
    change = wanted.less(whole(part))
    agreement.write("UPDATE", change, part)
    more = Decimal(0) if discount is None else discount - kept
    _keep_line(agreement, line_id, change, order["currency"], price=price, discount=more)
    _tell_edit(conn, store, shop, order_id, {}, at=at)


def _keep_line(
    agreement: Agreement,
    line_id: int,
    change: Amounts,
    currency: str,
    *,
    units: int = 0,
    price: Decimal | None = None,
    discount: Decimal = Decimal(0),
) -> None:
    """Write on a line what an edit changed of it."""
    conn, shop, order_id = agreement.conn, agreement.shop, agreement.order_id
    line = _line(conn, shop, order_id, line_id)
    unit = smallest(currency)
    known = Amounts(
        0,
        taxes=tuple(
            (tax["title"], tax["rate"], to_units(Decimal(tax["price"]), currency))
            for tax in tax_lines(line)
        ),
    )
    conn.execute(
        "UPDATE order_lines SET quantity = quantity + ?, current_quantity = current_quantity + ?, price = ?, discount = ?, tax = ?,"
        " tax_lines = ? WHERE shop = ? AND order_id = ? AND id = ?",
        (
            *(units, units, line["price"] if price is None else str(price)),
            str((Decimal(line["discount"]) + discount).quantize(unit)),
            str((Decimal(line["tax"]) + unit * change.tax).quantize(unit)),
            tax_lines_text(known.less(NOTHING.less(change)), currency),
            *(shop, order_id, line_id),
        ),
    )


def _line(conn: sqlite3.Connection, shop: str, order_id: int, line_id: int) -> sqlite3.Row:
    order_of(conn, shop, order_id)
    return one(
        conn,
        "SELECT * FROM order_lines WHERE shop = ? AND order_id = ? AND id = ?",
        shop,
        order_id,
        line_id,
    )


def _tell_edit(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    changed: dict[str, list[dict[str, int]]],
    *,
    at: datetime,
) -> None:
    """Tell an edit: what was added and taken off, and the order as it is now."""
    edit: dict[str, Any] = {
        "id": store.draw_ids(conn, shop),
        "created_at": iso(at),
        "order_id": order_id,
        "line_items": {"additions": [], "removals": [], **changed},
    }
    events.record(conn, store, shop, "orders/edited", order_id, payload={"order_edit": edit})
    touch(conn, store, shop, order_id, at=at, edited=1)
