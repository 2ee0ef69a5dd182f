"""What requests to act in a shop hold: amounts, units, lines, taxes, terms; each is refused in words where it is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Response, jsonify

from simulator.state import Simulator, simulator
from simulator.world.amounts import Tax
from simulator.world.orders import Charge, Item, Terms

Body = dict[str, Any]


def act(shop: str, done: Callable[[Any, Simulator, datetime], Any]) -> Response:
    """Do something in a shop at its present time."""
    sim = simulator()
    with sim.store.transaction() as conn:
        result = done(conn, sim, sim.store.tick(conn, shop))
    return jsonify(ok=True, result=result)


def money(value: object) -> str:
    """An amount as it came, if Shopify's admin would take it: "abc" in a price corrupts the shop."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {value}") from error
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"not an amount: {value}")
    return str(value)


def decimal(body: Body, name: str) -> Decimal | None:
    """An amount of a body, or None where there is none."""
    return None if body.get(name) is None else Decimal(money(body[name]))


def units(value: object) -> int:
    """A number of units, at least one."""
    number = int(str(value))
    if number < 1:
        raise ValueError(f"not a number of units: {value}")
    return number


def moment(value: object) -> datetime | None:
    """A time with its offset (UTC where none is told)."""
    if value is None:
        return None
    found = datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def taxes(body: Body) -> tuple[Tax, ...] | None:
    """`tax_lines` [{"rate", "title"}] or one `tax_rate`; None: the usual ones."""
    if body.get("tax_lines") is not None:
        return tuple(
            Tax(Decimal(money(line["rate"])), str(line.get("title", "VAT")))
            for line in body["tax_lines"]
        )
    return None if body.get("tax_rate") is None else (Tax(Decimal(money(body["tax_rate"]))),)


def item(body: Body) -> Item:
    """A line to be ordered."""
    variant_id = body.get("variant_id")
    return Item(
        None if variant_id is None else int(variant_id),
        units(body.get("quantity", 1)),
        decimal(body, "discount") or Decimal(0),
        decimal(body, "price"),
        taxes(body),
        None if body.get("title") is None else str(body["title"]),
        bool(body.get("gift_card")),
    )


def lines(body: Body) -> list[tuple[int, int]]:
    """(line id, units) of a body."""
    return [(int(line["line_id"]), units(line["quantity"])) for line in body.get("lines") or ()]


def terms(body: Body) -> Terms:
    """How an order is placed."""
    charges = [
        Charge(
            kind,
            Decimal(money(charge["price"])),
            decimal(charge, "discount") or Decimal(0),
            taxes(charge),
            str(charge.get("title", title)),
        )
        for name, kind, title in (
            ("shipping", "SHIPPING", "Standard"),
            ("duties", "DUTY", "Duty"),
            ("additional_fees", "ADDITIONAL_FEE", "Additional fee"),
        )
        for charge in body.get(name) or ()
    ]
    included = body.get("taxes_included")
    return Terms(
        taxes_included=None if included is None else bool(included),
        charges=tuple(charges),
        tip=decimal(body, "tip") or Decimal(0),
        source_name=str(body.get("source_name", "web")),
        is_company=bool(body.get("company")),
        financial_status=str(body.get("financial_status", "paid")),
        processed_at=moment(body.get("processed_at")),
        currency=body.get("currency"),
    )
