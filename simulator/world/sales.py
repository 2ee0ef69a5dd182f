"""Writing the sales ledger: every act opens one agreement and writes its sales."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from simulator import sales
from simulator.sales import Standing
from simulator.store import Store, iso
from simulator.world.amounts import NOTHING, Amounts, share
from simulator.world.rows import order_of

REASONS: Final = {
    "OrderAgreement": "ORDER",
    "OrderEditAgreement": "ORDER_EDIT",
    "RefundAgreement": "REFUND",
    "ReturnAgreement": "RETURN",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """An open agreement of an order, to which sales are written."""

    conn: sqlite3.Connection
    store: Store
    shop: str
    order_id: int
    id: int
    happened_at: str
    reason: str

    def write(
        self,
        action: str,
        amounts: Amounts,
        part: Standing,
        *,
        quantity: int | None = None,
        number: int | None = None,
        note: str | None = None,
    ) -> None:
        """Write a sale of a line or charge; its id is drawn unless told."""
        number = number or self.store.draw_ids(self.conn, self.shop)
        self.conn.execute(
            "INSERT INTO sale VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self.shop, self.order_id, self.id, number, self.happened_at, self.reason, action),
                *(part.line_type, part.line_item_id, part.product_id, part.variant_id),
                *(part.charge_id, quantity, amounts.total, amounts.tax),
                *(amounts.discount_before_tax, amounts.discount_after_tax),
                *(amounts.taxes_text(), note),
            ),
        )

    def take_back(self, left: Standing, units: int | None = None) -> Amounts:
        """Write the return of units of a line (None: of all that a charge still is); what came back, positive."""
        part, of = (units, left.quantity) if units else (1, 1)
        back = share(left, part, of)
        quantity = -units if units else (-left.quantity or None)
        self.write("RETURN", NOTHING.less(back), left, quantity=quantity)
        return back

    def adjust(self, units: int, note: str) -> None:
        """Write the difference between what came back and what was given back, unless there is none."""
        if units:
            part = Standing("ADJUSTMENT", None, None, None, None)
            self.write("RETURN", Amounts(units), part, note=note)


def open_agreement(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    kind: str,
    *,
    at: datetime,
    number: int | None = None,
    refund_id: int | None = None,
    return_id: int | None = None,
) -> Agreement:
    """A new agreement of an order, whose ledger so far is written down first if it was only derived."""
    write_down(conn, shop, order_id)
    reason, stamp = REASONS[kind], iso(at)
    number = number or store.draw_ids(conn, shop)
    conn.execute(
        "INSERT INTO agreement VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (shop, order_id, number, stamp, kind, reason, refund_id, return_id),
    )
    return Agreement(conn, store, shop, order_id, number, stamp, reason)


def write_down(conn: sqlite3.Connection, shop: str, order_id: int) -> None:
    """Copy what the ledger derives of an order that nobody has acted on, before the order changes."""
    order = order_of(conn, shop, order_id)
    if order["has_sales"]:
        return
    paid = sales.totals(conn, shop, order).paid
    for table in ("agreement", "sale"):
        conn.execute(
            f"INSERT INTO {table} SELECT * FROM every_{table} WHERE shop = ? AND order_id = ?",
            (shop, order_id),
        )
    conn.execute(
        "UPDATE orders SET has_sales = 1, paid = ? WHERE shop = ? AND id = ?",
        (paid, shop, order_id),
    )


def left_of(conn: sqlite3.Connection, shop: str, order_id: int) -> dict[int, Standing]:
    """What is left of each line and charge of an order."""
    return sales.standing(sales.of_order(conn, shop, order_id))


def owed(conn: sqlite3.Connection, shop: str, order_id: int) -> int:
    """What a customer has paid above what the order is worth, less what was kept on purpose."""
    return max(0, -sales.totals(conn, shop, order_of(conn, shop, order_id)).outstanding)
