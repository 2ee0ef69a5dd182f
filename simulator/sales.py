"""What the sales ledger says of an order: what stands of each of its parts, and its totals.

Everything that Shopify tells of an order's money (its totals, its refunds' adjustments) is read from the ledger, never kept beside it.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = sqlite3.Row
SALES = "SELECT * FROM every_sale WHERE shop = ? AND order_id = ?"


@dataclass(slots=True)
class Standing:
    """What is left of one line or charge, in smallest units."""

    line_type: str
    line_item_id: int | None
    charge_id: int | None
    product_id: int | None
    variant_id: int | None
    quantity: int = 0
    total: int = 0
    tax: int = 0
    discount_before_tax: int = 0
    discount_after_tax: int = 0
    taxes: dict[tuple[str, str], int] = field(default_factory=dict)
    """(title, rate) -> amount."""


def of_order(conn: sqlite3.Connection, shop: str, order_id: int) -> list[Row]:
    """An order's sales, in the order in which they happened."""
    return conn.execute(f"{SALES} ORDER BY happened_at, id", (shop, order_id)).fetchall()


def taxes_of(row: Any) -> list[dict[str, Any]]:
    """A sale's taxes by title and rate; one VAT where the history does not tell."""
    if row["taxes"] is not None:
        return list(json.loads(row["taxes"]))
    return [{"title": "VAT", "rate": "0.2", "amount": row["tax"]}] if row["tax"] else []


def tax_lines(line: Any) -> list[dict[str, Any]]:
    """A line's taxes: [{"title", "rate", "price"}]; one VAT where the history does not tell."""
    if line["tax_lines"] is not None:
        return list(json.loads(line["tax_lines"]))
    is_taxed = float(line["tax"]) != 0
    return [{"title": "VAT", "rate": "0.2", "price": line["tax"]}] if is_taxed else []


def standing(sales: Iterable[Row]) -> dict[int, Standing]:
    """What is left, by the id of the line or charge."""
    found: dict[int, Standing] = {}
    for row in sales:
        key = row["line_item_id"] or row["charge_id"]
        if key is None:
            continue
        one = found.setdefault(
            key,
            Standing(
                row["line_type"],
                row["line_item_id"],
                row["charge_id"],
                row["product_id"],
                row["variant_id"],
            ),
        )
        one.quantity += row["quantity"] or 0
        for name in ("total", "tax", "discount_before_tax", "discount_after_tax"):
            setattr(one, name, getattr(one, name) + row[name])
        for tax in taxes_of(row):
            name_and_rate = (tax["title"], tax["rate"])
            one.taxes[name_and_rate] = one.taxes.get(name_and_rate, 0) + tax["amount"]
    return found


@dataclass(frozen=True, slots=True)
class Totals:
    """An order's money, in smallest units. `original`: as ordered; `total`: with edits, before returns; `current`: as it stands."""

    original: int
    total: int
    current: int
    current_subtotal: int
    total_tax: int
    current_tax: int
    discounts: int
    current_discounts: int
    shipping: int
    duties: int
    additional_fees: int
    tips: int
    discrepancy: int
    paid: int

    @property
    def outstanding(self) -> int:
        """What is still to be paid (below zero: owed to the customer)."""
        return self.current + self.discrepancy - self.paid


UNPAID = ("pending", "authorized", "voided", "expired")


def totals(conn: sqlite3.Connection, shop: str, order: Any) -> Totals:
    """The totals of an order's row."""
    sales = of_order(conn, shop, order["id"])
    included = are_taxes_included(conn, shop, order)
    discount = "discount_after_tax" if included else "discount_before_tax"
    kept = [row for row in sales if row["line_type"] != "ADJUSTMENT"]
    given = [row for row in kept if row["action"] != "RETURN"]
    goods = [row for row in kept if row["line_type"] in ("PRODUCT", "GIFT_CARD")]
    worth = sum(row["total"] for row in sales)
    paid = order["paid"]
    if paid is None:
        paid = 0 if order["financial_status"] in UNPAID else worth

    def total(name: str, rows: Sequence[Row]) -> int:
        return int(sum(row[name] for row in rows))

    def of(*line_types: str) -> int:
        rows = [row for row in kept if row["line_type"] in line_types]
        return total("total", rows) - (0 if included else total("tax", rows))

    return Totals(
        original=total("total", [row for row in kept if row["agreement_id"] == order["id"]]),
        total=total("total", given),
        current=total("total", kept),
        current_subtotal=total("total", goods) - (0 if included else total("tax", goods)),
        total_tax=total("tax", given),
        current_tax=total("tax", kept),
        discounts=total(discount, given),
        current_discounts=total(discount, kept),
        shipping=of("SHIPPING"),
        duties=of("DUTY"),
        additional_fees=of("ADDITIONAL_FEE"),
        tips=of("TIP"),
        discrepancy=worth - total("total", kept),
        paid=paid,
    )


def are_taxes_included(conn: sqlite3.Connection, shop: str, order: Any) -> bool:
    """Whether an order's prices hold its taxes: its own word, else the shop's."""
    if order["taxes_included"] is not None:
        return bool(order["taxes_included"])
    row = conn.execute("SELECT taxes_included FROM shops WHERE domain = ?", (shop,)).fetchone()
    return bool(row[0])


def refund_amount(conn: sqlite3.Connection, shop: str, refund: Any) -> int:
    """What a refund gave back; of a mass-made history its lines' worth."""
    if refund["amount"] is not None:
        return int(refund["amount"])
    rows = conn.execute(
        f"SELECT total FROM ({SALES}) WHERE agreement_id = ?",
        (shop, refund["order_id"], refund["id"]),
    ).fetchall()
    return -sum(row[0] for row in rows)
