"""Orders, their lines, refunds, and the sales ledger: what each of their fields is here. Money is read from the ledger."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from simulator import sales
from simulator.graphql.nodes import (
    Arguments,
    Connection,
    Context,
    Node,
    Resolver,
    col,
    const,
    flag,
    gid,
    money_bag,
    node,
    pointer,
    rows_of,
    tags,
    units_bag,
    upper,
)
from simulator.graphql.search import where
from simulator.minor_units import from_units, smallest

CHANNELS: Final = {
    "web": "Online Store",
    "pos": "Point of Sale",
    "shopify_draft_order": "Draft Orders",
}
RETURN_STATUSES: Final = {
    "REQUESTED": "RETURN_REQUESTED",
    "OPEN": "IN_PROGRESS",
    "CLOSED": "RETURNED",
}


def currency_of(c: Context, n: Node) -> str:
    """The currency of a node that belongs to an order."""
    if "currency" in n:
        return str(n["currency"])
    order_id = n["order_id"]
    if order_id not in c.currencies:
        row = c.conn.execute(
            "SELECT currency FROM orders WHERE shop = ? AND id = ?", (c.shop, order_id)
        ).fetchone()
        c.currencies[order_id] = row[0]
    return c.currencies[order_id]


def _totals(c: Context, n: Node) -> sales.Totals:
    """An order's totals, added up once for all its fields."""
    if "_totals" not in n:
        n["_totals"] = sales.totals(c.conn, c.shop, n)
    found: sales.Totals = n["_totals"]
    return found


def _total(read: Callable[[sales.Totals], int]) -> Resolver:
    return lambda c, n, _: units_bag(read(_totals(c, n)), n["currency"])


def _total_if_any(read: Callable[[sales.Totals], int]) -> Resolver:
    """A total that is null where there is nothing of it."""
    return lambda c, n, _: (
        units_bag(read(_totals(c, n)), n["currency"]) if read(_totals(c, n)) else None
    )


def _shipping_price(c: Context, n: Node, _: Arguments) -> Node:
    """What shipping costs before its discounts."""
    rows = c.conn.execute(
        "SELECT price FROM order_charges WHERE shop = ? AND order_id = ? AND kind = 'SHIPPING'",
        (c.shop, n["id"]),
    ).fetchall()
    return money_bag(str(sum((Decimal(row[0]) for row in rows), Decimal(0))), n["currency"])


def _return_status(c: Context, n: Node, _: Arguments) -> str:
    row = c.conn.execute(
        "SELECT status FROM returns WHERE shop = ? AND order_id = ? AND status <> 'DECLINED' ORDER BY id DESC LIMIT 1",
        (c.shop, n["id"]),
    ).fetchone()
    return RETURN_STATUSES[row["status"]] if row else "NO_RETURN"


def _refunds(c: Context, n: Node, arguments: Arguments) -> list[Node | None]:
    rows = c.conn.execute(
        "SELECT * FROM refunds INDEXED BY refunds_order WHERE shop = ? AND order_id = ? ORDER BY id LIMIT ?",
        (c.shop, n["id"], arguments.get("first") or 250),
    )
    return [node("Refund", row) for row in rows]


def _refunded(c: Context, n: Node, _: Arguments) -> Node:
    """What went back; for most orders of a history there is nothing to add up."""
    rows = c.conn.execute(
        "SELECT * FROM refunds INDEXED BY refunds_order WHERE shop = ? AND order_id = ?",
        (c.shop, n["id"]),
    ).fetchall()
    units = sum(sales.refund_amount(c.conn, c.shop, row) for row in rows)
    return units_bag(units, n["currency"])


def _agreements(c: Context, n: Node, arguments: Arguments) -> Connection:
    clause, params = where(arguments.get("query"))
    sql = (
        f"SELECT *, kind AS __typename FROM every_agreement WHERE shop = ? AND order_id = ?{clause}"
    )
    return Connection("", sql, (c.shop, n["id"], *params), ("happened_at", "id"))


def tax_line(title: str, rate: str, price: str, currency: str) -> Node:
    """A tax by its title, rate and amount."""
    return {
        "__typename": "TaxLine",
        "title": title,
        "rate": float(rate),
        "amount": price,
        "currency": currency,
    }


def _tax_lines(c: Context, n: Node, _: Arguments) -> list[Node]:
    currency = currency_of(c, n)
    return [
        tax_line(tax["title"], tax["rate"], tax["price"], currency) for tax in sales.tax_lines(n)
    ]


def _order_tax_lines(c: Context, n: Node, _: Arguments) -> list[Node]:
    """An order's taxes by title and rate, over lines and shipping."""
    found: dict[tuple[str, str], int] = {}
    for sale in sales.of_order(c.conn, c.shop, n["id"]):
        if sale["action"] != "RETURN":
            for tax in sales.taxes_of(sale):
                key = (tax["title"], tax["rate"])
                found[key] = found.get(key, 0) + tax["amount"]
    return [
        tax_line(title, rate, str(from_units(units, n["currency"])), n["currency"])
        for (title, rate), units in found.items()
    ]


def _allocations(c: Context, n: Node, _: Arguments) -> list[Node]:
    if not Decimal(n["discount"]):
        return []
    return [
        {
            "__typename": "DiscountAllocation",
            "amount": n["discount"],
            "currency": currency_of(c, n),
        }
    ]


def _unit_after_discounts(c: Context, n: Node, _: Arguments) -> Node:
    currency = currency_of(c, n)
    unit = Decimal(n["price"]) - (Decimal(n["discount"]) / n["quantity"] if n["quantity"] else 0)
    return money_bag(str(unit.quantize(smallest(currency))), currency)


def own(column: str) -> Resolver:
    """A column of money of an order's part, in the order's currency."""
    return lambda c, n, _: money_bag(n[column], currency_of(c, n))


def _discounted(c: Context, n: Node, _: Arguments) -> Node:
    return money_bag(str(Decimal(n["price"]) - Decimal(n["discount"])), currency_of(c, n))


def _standing_charge(c: Context, n: Node, _: Arguments) -> Node:
    """What is left of a shipping line, as its price is meant."""
    part = sales.standing(sales.of_order(c.conn, c.shop, n["order_id"])).get(n["id"])
    return units_bag(part.total if part else 0, currency_of(c, n))


def _charge_taxes(c: Context, n: Node, _: Arguments) -> list[Node]:
    return _tax_lines(c, {**n, "tax": "0"}, {})


FEE: Final[dict[str, Resolver]] = {
    "name": col("title"),
    "price": own("price"),
    "taxLines": _charge_taxes,
}
ORDER: Final[dict[str, Resolver]] = {
    "id": gid("Order"),
    "legacyResourceId": lambda _, n, __: str(n["id"]),
    "name": col("name"),
    "createdAt": col("created_at"),
    "processedAt": col("processed_at"),
    "updatedAt": col("updated_at"),
    "cancelledAt": col("cancelled_at"),
    "cancelReason": upper("cancel_reason"),
    "closedAt": col("closed_at"),
    "test": flag("test"),
    "edited": flag("edited"),
    "confirmed": const(True),
    "sourceName": col("source_name"),
    "app": lambda _, n, __: {
        "__typename": "App",
        "name": CHANNELS.get(n["source_name"], n["source_name"]),
    },
    "purchasingEntity": lambda _, n, __: _company(n),
    "currencyCode": col("currency"),
    "presentmentCurrencyCode": col("currency"),
    "taxesIncluded": lambda c, n, _: sales.are_taxes_included(c.conn, c.shop, n),
    "dutiesIncluded": const(False),
    "displayFinancialStatus": upper("financial_status"),
    "displayFulfillmentStatus": lambda _, n, __: (n["fulfillment_status"] or "unfulfilled").upper(),
    "returnStatus": _return_status,
    "tags": tags,
    "retailLocation": const(None),
    "originalTotalPriceSet": _total(lambda t: t.original),
    "totalPriceSet": _total(lambda t: t.total),
    "currentTotalPriceSet": _total(lambda t: t.current),
    "currentSubtotalPriceSet": _total(lambda t: t.current_subtotal),
    "totalTaxSet": _total(lambda t: t.total_tax),
    "currentTotalTaxSet": _total(lambda t: t.current_tax),
    "totalDiscountsSet": _total(lambda t: t.discounts),
    "currentTotalDiscountsSet": _total(lambda t: t.current_discounts),
    "totalShippingPriceSet": _shipping_price,
    "currentShippingPriceSet": _total(lambda t: t.shipping),
    "currentTotalDutiesSet": _total_if_any(lambda t: t.duties),
    "currentTotalAdditionalFeesSet": _total_if_any(lambda t: t.additional_fees),
    "totalTipReceivedSet": _total(lambda t: t.tips),
    "totalRefundedSet": _refunded,
    "totalOutstandingSet": _total(lambda t: t.outstanding),
    "refundDiscrepancySet": _total(lambda t: t.discrepancy),
    "netPaymentSet": _total(lambda t: t.paid),
    "taxLines": _order_tax_lines,
    "additionalFees": lambda c, n, _: [
        node("AdditionalFee", row)
        for row in c.conn.execute(
            "SELECT * FROM order_charges WHERE shop = ? AND order_id = ? AND kind = 'ADDITIONAL_FEE' ORDER BY id",
            (c.shop, n["id"]),
        )
    ],
    "shippingLines": rows_of("ShippingLine", "order_charges", " AND kind = 'SHIPPING'", "order_id"),
    "agreements": _agreements,
    "refunds": _refunds,
    "lineItems": rows_of("LineItem", "order_lines", "", "order_id"),
}


def _company(n: Node) -> Node | None:
    """Who bought: a company, or a customer of whom nothing is served."""
    if n["company_id"] is None:
        return None
    company = {"__typename": "Company", "id": f"gid://shopify/Company/{n['company_id']}"}
    return {"__typename": "PurchasingCompany", "company": company}


TABLES: Final[dict[str, dict[str, Resolver]]] = {
    "Order": ORDER,
    "LineItem": {
        "id": gid("LineItem"),
        "quantity": col("quantity"),
        "currentQuantity": col("current_quantity"),
        "refundableQuantity": col("current_quantity"),
        "isGiftCard": flag("gift_card"),
        "requiresShipping": flag("requires_shipping"),
        "taxable": flag("taxable"),
        "sku": col("sku"),
        "title": col("title"),
        "variantTitle": col("variant_title"),
        "vendor": col("vendor"),
        "product": pointer("Product", "product_id"),
        "variant": pointer("ProductVariant", "variant_id"),
        "originalUnitPriceSet": own("price"),
        "discountedUnitPriceAfterAllDiscountsSet": _unit_after_discounts,
        "totalDiscountSet": lambda c, n, _: money_bag("0", currency_of(c, n)),
        "discountAllocations": _allocations,
        "taxLines": _tax_lines,
    },
    "DiscountAllocation": {"allocatedAmountSet": own("amount")},
    "TaxLine": {
        "priceSet": own("amount"),
        "rate": col("rate"),
        "title": col("title"),
        "ratePercentage": lambda _, n, __: n["rate"] * 100,
        "channelLiable": const(False),
    },
    "ShippingLine": {
        "id": gid("ShippingLine"),
        "title": col("title"),
        "originalPriceSet": own("price"),
        "discountedPriceSet": _discounted,
        "currentDiscountedPriceSet": _standing_charge,
        "discountAllocations": _allocations,
        "isRemoved": const(False),
        "custom": const(False),
        "taxLines": _charge_taxes,
    },
    "AdditionalFee": {"id": gid("AdditionalFee"), **FEE},
    "SaleAdditionalFee": {"id": gid("SaleAdditionalFee"), **FEE},
    "Duty": {"id": gid("Duty"), "price": own("price"), "taxLines": _charge_taxes},
}
