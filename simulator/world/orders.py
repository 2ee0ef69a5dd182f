"""Orders are placed, paid, deleted. What an order may hold is `Item`, `Charge` and `Terms`."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from simulator.minor_units import smallest
from simulator.sales import UNPAID, Standing, are_taxes_included, totals
from simulator.store import Store, iso
from simulator.webhooks import events
from simulator.world import sales
from simulator.world.amounts import Amounts, Tax, of_price, tax_lines_text
from simulator.world.rows import one, order_of
from simulator.world.stock import move_stock

USUAL_TAX: Final = Tax(Decimal("0.2"))
"""What a shop whose prices hold their taxes takes, where an order does not say."""

STATUSES: Final = (*UNPAID, "paid", "partially_paid", "partially_refunded", "refunded")
CHARGES: Final = ("SHIPPING", "DUTY", "ADDITIONAL_FEE", "FEE")


@dataclass(frozen=True, slots=True)
class Item:
    """A line to be ordered. Without a variant it is a custom line, a gift card or a tip, which need a title and a price."""

    variant_id: int | None
    quantity: int
    discount: Decimal = Decimal(0)
    price: Decimal | None = None
    taxes: tuple[Tax, ...] | None = None
    title: str | None = None
    is_gift_card: bool = False
    is_tip: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """Shipping, a duty, a fee."""

    kind: str
    price: Decimal
    discount: Decimal = Decimal(0)
    taxes: tuple[Tax, ...] | None = None
    title: str = "Standard"


@dataclass(frozen=True, slots=True)
class Terms:
    """How an order was placed."""

    taxes_included: bool | None = None
    charges: tuple[Charge, ...] = ()
    tip: Decimal = Decimal(0)
    source_name: str = "web"
    is_company: bool = False
    financial_status: str = "paid"
    processed_at: datetime | None = None
    currency: str | None = None


USUAL: Final = Terms()


@dataclass(slots=True)
class Counter:
    """An order being written: where, how its prices are meant, in which currency."""

    conn: sqlite3.Connection
    store: Store
    shop: str
    order_id: int
    currency: str
    is_included: bool

    def taxes(self, asked: tuple[Tax, ...] | None) -> tuple[Tax, ...]:
        """The taxes that were asked for, or the usual ones."""
        if asked is not None:
            return asked
        return (USUAL_TAX,) if self.is_included else ()

    def put_line(self, item: Item, number: int) -> tuple[Standing, Amounts]:
        """Write a line; what is sold by it."""
        known = self._what(item)
        price = known["price"] if item.price is None else str(item.price)
        is_free_of_tax = bool(known["is_gift_card"]) or item.is_tip
        sold = of_price(
            Decimal(price) * item.quantity,
            item.discount,
            () if is_free_of_tax else self.taxes(item.taxes),
            included=self.is_included,
            currency=self.currency,
        )
        unit = smallest(self.currency)
        self.conn.execute(
            "INSERT INTO order_lines (shop, order_id, id, product_id, variant_id, sku, title, variant_title, vendor, quantity,"
            " current_quantity, price, discount, tax, gift_card, tip, tax_lines, requires_shipping, taxable)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self.shop, self.order_id, number, known["product_id"], item.variant_id),
                *(known["sku"], known["product_title"], known["title"], known["vendor"]),
                *(item.quantity, item.quantity, price, str(item.discount.quantize(unit))),
                *(str(unit * sold.tax), int(known["is_gift_card"]), int(item.is_tip)),
                *(tax_lines_text(sold, self.currency), int(not is_free_of_tax)),
                int(not is_free_of_tax),
            ),
        )
        line_type = "TIP" if item.is_tip else "GIFT_CARD" if known["is_gift_card"] else "PRODUCT"
        part = Standing(line_type, number, None, known["product_id"], item.variant_id)
        return part, sold

    def put_charge(self, charge: Charge, number: int) -> tuple[Standing, Amounts]:
        """Write a charge; what is sold by it."""
        if charge.kind not in CHARGES:
            raise ValueError(f"no such charge: {charge.kind}")
        taxed = self.taxes(charge.taxes) if charge.kind == "SHIPPING" else charge.taxes or ()
        sold = of_price(
            charge.price,
            charge.discount,
            taxed,
            included=self.is_included,
            currency=self.currency,
        )
        unit = smallest(self.currency)
        self.conn.execute(
            "INSERT INTO order_charges (shop, order_id, id, kind, title, price, discount, tax_lines) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self.shop, self.order_id, number, charge.kind, charge.title),
                *(str(charge.price.quantize(unit)), str(charge.discount.quantize(unit))),
                tax_lines_text(sold, self.currency),
            ),
        )
        return Standing(charge.kind, None, number, None, None), sold

    def _what(self, item: Item) -> dict[str, Any]:
        """What a line says of the thing that is sold."""
        if item.variant_id is not None:
            row = one(
                self.conn,
                "SELECT v.*, p.title AS product_title, p.vendor, p.is_gift_card FROM variants v"
                " JOIN products p ON p.shop = v.shop AND p.id = v.product_id WHERE v.shop = ? AND v.id = ?",
                self.shop,
                item.variant_id,
            )
            return dict(row)
        if item.title is None or item.price is None:
            raise ValueError("a line without a variant has a title and a price")
        return {
            **dict.fromkeys(("product_id", "sku", "vendor", "title")),
            "product_title": item.title,
            "price": str(item.price),
            "is_gift_card": item.is_gift_card,
        }


def counter_of(conn: sqlite3.Connection, store: Store, shop: str, order: sqlite3.Row) -> Counter:
    """The counter at which an order that is there gets further lines."""
    included = are_taxes_included(conn, shop, order)
    return Counter(conn, store, shop, order["id"], order["currency"], included)


def place_order(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    items: Sequence[Item],
    *,
    at: datetime,
    customer_id: int | None = None,
    test: bool = False,
    terms: Terms = USUAL,
) -> int:
    """Sell items now; the order's id, its first line's is the next. Stock goes down, also below zero (the caller asks what is there)."""
    if terms.financial_status not in STATUSES:
        raise ValueError(f"no such financial status: {terms.financial_status}")
    if not items and not terms.charges:
        raise ValueError("nothing is ordered")
    lines = [*items]
    if terms.tip:
        lines.append(Item(None, 1, price=terms.tip, title="Tip", is_tip=True))
    order_id = store.draw_ids(conn, shop, 1 + len(lines) + len(terms.charges))
    counter = _put_order(conn, store, shop, order_id, customer_id, terms, at=at, test=test)
    agreement = sales.open_agreement(
        conn,
        store,
        shop,
        order_id,
        "OrderAgreement",
        at=terms.processed_at or at,
        number=order_id,
    )
    paid = _sell(counter, agreement, lines, terms.charges)
    if terms.financial_status not in UNPAID:
        conn.execute("UPDATE orders SET paid = ? WHERE shop = ? AND id = ?", (paid, shop, order_id))
    events.record(conn, store, shop, "orders/create", order_id)
    for item in items:
        if item.variant_id is not None:
            move_stock(conn, store, shop, item.variant_id, -item.quantity, at=at)
    return order_id


def _sell(
    counter: Counter, agreement: sales.Agreement, lines: Sequence[Item], charges: Sequence[Charge]
) -> int:
    """Write an order's lines and charges with their sales; what they come to."""
    worth, number = 0, counter.order_id
    for item in lines:
        number += 1
        part, sold = counter.put_line(item, number)
        agreement.write("ORDER", sold, part, quantity=item.quantity, number=number)
        worth += sold.total
    for charge in charges:
        number += 1
        part, sold = counter.put_charge(charge, number)
        agreement.write("ORDER", sold, part, number=number)
        worth += sold.total
    return worth


def _put_order(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    customer_id: int | None,
    terms: Terms,
    *,
    at: datetime,
    test: bool,
) -> Counter:
    """Write the order itself."""
    settings = one(conn, "SELECT currency, taxes_included FROM shops WHERE domain = ?", shop)
    number = (
        conn.execute("SELECT count(*) FROM orders WHERE shop = ?", (shop,)).fetchone()[0] + 1001
    )
    currency = terms.currency or settings["currency"]
    included = bool(
        settings["taxes_included"] if terms.taxes_included is None else terms.taxes_included
    )
    conn.execute(
        "INSERT INTO orders (shop, id, name, created_at, processed_at, updated_at, test, currency, financial_status,"
        " customer_id, customer_email, source_name, taxes_included, company_id, has_sales, paid)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0)",
        (
            *(shop, order_id, f"#{number}", iso(at), iso(terms.processed_at or at), iso(at)),
            *(int(test), currency, terms.financial_status, customer_id),
            *(f"shopper{customer_id or order_id}@example.com", terms.source_name, int(included)),
            order_id if terms.is_company else None,
        ),
    )
    return Counter(conn, store, shop, order_id, currency, included)


def set_payment(
    conn: sqlite3.Connection, store: Store, shop: str, order_id: int, status: str, *, at: datetime
) -> None:
    """What became of an order's payment: `paid` settles what is open; voided and expired are money that never came."""
    if status not in (*UNPAID, "paid"):
        raise ValueError(f"a payment becomes paid, {', '.join(UNPAID)}; not {status}")
    sales.write_down(conn, shop, order_id)
    order = order_of(conn, shop, order_id)
    state = totals(conn, shop, order)
    if status != "paid" and state.paid:
        raise ValueError("what is paid is refunded, not taken back")
    paid = state.paid + max(0, state.outstanding) if status == "paid" else 0
    touch(conn, store, shop, order_id, at=at, financial_status=status, paid=paid)


def delete_order(
    conn: sqlite3.Connection, store: Store, shop: str, order_id: int, *, at: datetime
) -> None:
    """Delete an order: no report counts it any more."""
    order_of(conn, shop, order_id)
    conn.execute(
        "UPDATE orders SET deleted_at = ?, updated_at = ? WHERE shop = ? AND id = ?",
        (iso(at), iso(at), shop, order_id),
    )
    events.record(conn, store, shop, "orders/delete", order_id, payload={"id": order_id})


def touch(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    order_id: int,
    *,
    at: datetime,
    **columns: object,
) -> None:
    """Note that an order changed, and tell it."""
    assignments = "".join(f", {name} = ?" for name in columns)
    conn.execute(
        f"UPDATE orders SET updated_at = ?{assignments} WHERE shop = ? AND id = ?",
        (iso(at), *columns.values(), shop, order_id),
    )
    events.record(conn, store, shop, "orders/updated", order_id)
