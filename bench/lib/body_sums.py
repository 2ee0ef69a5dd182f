"""What a shop's sales come to by day, worked out from webhook bodies alone: nothing of the app is asked.

By Shopify's definitions (help.shopify.com, "Sales reports"): gross sales are prices before taxes, shipping, discounts
and returns; net sales are gross less discounts less returns; gift cards and tips are not sales; test orders do not count.
Where prices include tax, it is taken out: a dress of 100.00 with 10 % in it is 90.91.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from bench.lib.public_bodies import Body, Found

NOTHING: Final = Decimal(0)
FIELDS: Final = (
    "orders",
    "units",
    "returned_units",
    "gross",
    "discounts",
    "refunds",
    "net",
    "taxes",
    "shipping",
    "tips",
    "gift_cards",
)
NO_DECIMALS: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THREE_DECIMALS: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])

Day = tuple[str, str]
"""(the shop's calendar day, currency)"""


def sums(
    found: Iterable[Found], zone: ZoneInfo, *, included: bool, currency: str
) -> dict[Day, dict[str, Decimal]]:
    """Each day's sums; `included`: whether prices hold tax where an order does not say, `currency`: the shop's.

    A refund of an order that is in no body counts by itself: its money left the shop on its day.
    """
    days: dict[Day, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(FIELDS, NOTHING))
    bodies = list(found)
    orders = {one.body["id"]: one.body for one in bodies if one.topic == "orders/updated"}
    refunds: dict[int, list[Body]] = defaultdict(list)
    for one in bodies:
        if one.topic == "refunds/create":
            refunds[one.body["order_id"]].append(one.body)
    for number, order in orders.items():
        if not order.get("test"):
            holds_tax = order.get("taxes_included")
            holds_tax = included if holds_tax is None else bool(holds_tax)
            _add_order(days, order, refunds[number], zone, holds_tax=holds_tax)
    for number in refunds.keys() - orders.keys():
        for refund in refunds[number]:
            key = (_day(_refunded_at(refund), zone), currency)
            _add_refund(days[key], refund, None, holds_tax=included)
    for day in days.values():
        day["net"] = day["gross"] - day["discounts"] - day["refunds"]
    return {key: day for key, day in days.items() if any(day.values())}


def _add_order(
    days: dict[Day, dict[str, Decimal]],
    order: Body,
    refunds: list[Body],
    zone: ZoneInfo,
    *,
    holds_tax: bool,
) -> None:
    currency = order["currency"]
    unit = smallest(currency)
    day = days[_day(order.get("processed_at") or order["created_at"], zone), currency]
    back: dict[int, int] = defaultdict(int)
    for refund in refunds:
        for line in refund.get("refund_line_items") or []:
            back[line["line_item_id"]] += line["quantity"]
    goods = [line for line in order.get("line_items") or [] if _is_goods(line)]
    day["orders"] += bool(goods)
    values: dict[int, Decimal] = {}
    for line in order.get("line_items") or []:
        x, tax, d, units = _line(line, back[line["id"]], unit, holds_tax=holds_tax)
        if line.get("gift_card"):
            day["gift_cards"] += x
        elif not _is_goods(line):
            day["tips"] += x + tax
        else:
            day["units"] += units
            day["gross"] += x + d
            day["discounts"] += d
            day["taxes"] += tax
            values[line["id"]] = x
    for line in order.get("shipping_lines") or []:
        tax = _sum(line.get("tax_lines"), "price")
        paid = _money(line.get("price")) - _sum(line.get("discount_allocations"), "amount")
        day["shipping"] += paid - tax if holds_tax else paid
        day["taxes"] += tax
    for refund in refunds:
        key = (_day(_refunded_at(refund), zone), currency)
        _add_refund(days[key], refund, set(values), holds_tax=holds_tax)


def _line(
    line: Body, back: int, unit: Decimal, *, holds_tax: bool
) -> tuple[Decimal, Decimal, Decimal, int]:
    """(after discount and before tax, tax, discount before tax, units) of what was sold of a line.

    What an edit took off, so that neither the line nor a refund holds it, was no sale.
    """
    quantity = line["quantity"]
    kept = line.get("current_quantity")
    sold = quantity if kept is None else min(quantity, kept + back)
    share = Decimal(sold) / quantity if quantity else NOTHING
    off = _sum(line.get("discount_allocations"), "amount") * share
    tax = _sum(line.get("tax_lines"), "price") * share
    paid = _money(line["price"]) * sold - off
    x = paid - tax if holds_tax else paid
    before_tax = off
    if holds_tax:
        rates = [
            _money(one["rate"])
            for one in line.get("tax_lines") or []
            if one.get("rate") is not None
        ]
        if rates:
            before_tax = off / (1 + sum(rates, NOTHING))
        elif tax and paid:
            before_tax = off * x / paid
    return _rounded(x, unit), _rounded(tax, unit), _rounded(before_tax, unit), sold


def _add_refund(
    day: dict[str, Decimal], refund: Body, goods: set[int] | None, *, holds_tax: bool
) -> None:
    for line in refund.get("refund_line_items") or []:
        if goods is not None and line["line_item_id"] not in goods:
            continue
        tax = _money(line.get("total_tax"))
        subtotal = _money(line["subtotal"])
        day["refunds"] += subtotal - tax if holds_tax else subtotal
        day["taxes"] -= tax
        day["returned_units"] += line["quantity"]
    shipped = refund.get("refund_shipping_lines") or []
    for line in shipped:
        tax = (
            _sum(line.get("tax_lines"), "price")
            if "tax_amount" not in line
            else _money(line["tax_amount"])
        )
        subtotal = _money(line.get("subtotal_amount") or line.get("subtotal"))
        day["shipping"] -= subtotal
        day["taxes"] -= tax
    for one in refund.get("order_adjustments") or []:
        if one.get("kind") == "shipping_refund":
            if not shipped:
                day["shipping"] += _money(one["amount"])
                day["taxes"] += _money(one.get("tax_amount"))
        else:
            day["refunds"] -= _money(one["amount"])
            day["taxes"] += _money(one.get("tax_amount"))


def _refunded_at(refund: Body) -> str:
    return str(refund.get("processed_at") or refund["created_at"])


def _is_goods(line: Body) -> bool:
    """Whether a line is a thing sold: no gift card and no tip."""
    is_tip = bool(
        line.get("tip_payment_gateway") or line.get("tip_payment_method") or line.get("tip")
    )
    is_called_tip = (
        line.get("product_id") is None
        and line.get("variant_id") is None
        and line.get("title") == "Tip"
    )
    return not line.get("gift_card") and not is_tip and not is_called_tip


def smallest(currency: str) -> Decimal:
    """A currency's smallest unit (ISO 4217)."""
    return Decimal(1).scaleb(
        0 if currency in NO_DECIMALS else -3 if currency in THREE_DECIMALS else -2
    )


def _rounded(amount: Decimal, unit: Decimal) -> Decimal:
    return amount.quantize(unit, ROUND_HALF_UP)


def _money(value: Any) -> Decimal:
    return Decimal(str(value)) if value is not None else NOTHING


def _sum(parts: list[Body] | None, name: str) -> Decimal:
    return sum((_money(one.get(name)) for one in parts or []), NOTHING)


def _day(stamp: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(stamp).astimezone(zone).date().isoformat()
