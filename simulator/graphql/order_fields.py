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
    bag,
    col,
    const,
    flag,
    gid,
    money_bag,
    node,
    pointer,
    row_of,
    rows_of,
    tags,
    units_bag,
    upper,
)
from simulator.graphql.search import where
from simulator.minor_units import from_units, smallest

KINDS: Final = {
    "PRODUCT": "ProductSale",
    "SHIPPING": "ShippingLineSale",
    "TIP": "TipSale",
    "GIFT_CARD": "GiftCardSale",
    "DUTY": "DutySale",
    "FEE": "FeeSale",
    "ADDITIONAL_FEE": "AdditionalFeeSale",
    "ADJUSTMENT": "AdjustmentSale",
    "UNKNOWN": "UnknownSale",
}
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


def _currency(c: Context, n: Node) -> str:
    """The currency of a node that belongs to an order."""
    if "currency" not in n:
        n["currency"] = c.conn.execute(
            "SELECT currency FROM orders WHERE shop = ? AND id = ?", (c.shop, n["order_id"])
        ).fetchone()[0]
    return str(n["currency"])


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


def _agreements(c: Context, n: Node, arguments: Arguments) -> Connection:
    clause, params = where(arguments.get("query"))
    sql = (
        f"SELECT *, kind AS __typename FROM every_agreement WHERE shop = ? AND order_id = ?{clause}"
    )
    return Connection("", sql, (c.shop, n["id"], *params), ("happened_at", "id"))


def _sales_of(c: Context, n: Node, _: Arguments) -> Connection:
    kinds = " ".join(f"WHEN '{line}' THEN '{kind}'" for line, kind in KINDS.items())
    sql = (
        f"SELECT *, CASE line_type {kinds} END AS __typename FROM every_sale"
        " WHERE shop = ? AND order_id = ? AND agreement_id = ?"
    )
    return Connection("", sql, (c.shop, n["order_id"], n["id"]), ("id",))


def _units(column: str) -> Resolver:
    return lambda c, n, _: units_bag(n[column], _currency(c, n))


def _sale_taxes(c: Context, n: Node, _: Arguments) -> list[Node]:
    currency = _currency(c, n)
    return [
        {
            "__typename": "SaleTax",
            "id": f"gid://shopify/SaleTax/{n['id']}{number}",
            "amount": units_bag(tax["amount"], currency),
            "taxLine": _tax_line(
                tax["title"], tax["rate"], str(from_units(tax["amount"], currency)), currency
            ),
        }
        for number, tax in enumerate(sales.taxes_of(n))
    ]


def _tax_line(title: str, rate: str, price: str, currency: str) -> Node:
    return {
        "__typename": "TaxLine",
        "title": title,
        "rate": float(rate),
        "amount": price,
        "currency": currency,
    }


def _tax_lines(c: Context, n: Node, _: Arguments) -> list[Node]:
    currency = _currency(c, n)
    return [
        _tax_line(tax["title"], tax["rate"], tax["price"], currency) for tax in sales.tax_lines(n)
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
        _tax_line(title, rate, str(from_units(units, n["currency"])), n["currency"])
        for (title, rate), units in found.items()
    ]


def _allocations(c: Context, n: Node, _: Arguments) -> list[Node]:
    if not Decimal(n["discount"]):
        return []
    return [
        {
            "__typename": "DiscountAllocation",
            "amount": n["discount"],
            "currency": _currency(c, n),
        }
    ]


def _unit_after_discounts(c: Context, n: Node, _: Arguments) -> Node:
    currency = _currency(c, n)
    unit = Decimal(n["price"]) - (Decimal(n["discount"]) / n["quantity"] if n["quantity"] else 0)
    return money_bag(str(unit.quantize(smallest(currency))), currency)


def _own(column: str) -> Resolver:
    """A column of money of an order's part, in the order's currency."""
    return lambda c, n, _: money_bag(n[column], _currency(c, n))


def _discounted(c: Context, n: Node, _: Arguments) -> Node:
    return money_bag(str(Decimal(n["price"]) - Decimal(n["discount"])), _currency(c, n))


def _standing_charge(c: Context, n: Node, _: Arguments) -> Node:
    """What is left of a shipping line, as its price is meant."""
    part = sales.standing(sales.of_order(c.conn, c.shop, n["order_id"])).get(n["id"])
    return units_bag(part.total if part else 0, _currency(c, n))


def _charge_tax(c: Context, n: Node, _: Arguments) -> list[Node]:
    return _tax_lines(c, {**n, "tax": "0"}, {})


def _refund_sales(typename: str, line_type: str) -> Resolver:
    """The sales of one kind that a refund's agreement wrote."""
    sql = (
        "SELECT s.* FROM sale s JOIN agreement a ON a.shop = s.shop AND a.order_id = s.order_id AND a.id = s.agreement_id"
        f" WHERE s.shop = ? AND s.order_id = ? AND a.refund_id = ? AND s.action = 'RETURN' AND s.line_type = '{line_type}'"
    )
    return lambda c, n, _: Connection(
        typename, f"SELECT * FROM ({sql}) WHERE 1", (c.shop, n["order_id"], n["id"]), ("id",)
    )


def _refund_duties(c: Context, n: Node, _: Arguments) -> list[Node]:
    connection: Connection = _refund_sales("RefundDuty", "DUTY")(c, n, {})
    rows = c.conn.execute(connection.sql, connection.params).fetchall()
    return [
        {"__typename": "RefundDuty", "amountSet": units_bag(-row["total"], _currency(c, n))}
        for row in rows
    ]


def _transactions(c: Context, n: Node, _: Arguments) -> Connection:
    """The money that a refund moved: none where it is still to come."""
    units = sales.refund_amount(c.conn, c.shop, n)
    return Connection(
        "OrderTransaction",
        "SELECT id, order_id, processed_at, ? AS units FROM refunds WHERE ? <> 0 AND shop = ? AND id = ?",
        (units, units, c.shop, n["id"]),
        ("id",),
    )


def _minus(column: str) -> Resolver:
    return lambda c, n, _: units_bag(-n[column], _currency(c, n))


def _shipping_subtotal(c: Context, n: Node, _: Arguments) -> Node:
    """Refunded shipping as prices are meant: with its tax where they hold it."""
    order = c.conn.execute(
        "SELECT * FROM orders WHERE shop = ? AND id = ?", (c.shop, n["order_id"])
    ).fetchone()
    included = sales.are_taxes_included(c.conn, c.shop, order)
    return units_bag(-n["total"] + (0 if included else n["tax"]), order["currency"])


def _charge(typename: str) -> Resolver:
    """The charge of a sale; Shopify names none where shipping comes back."""

    def resolve(c: Context, n: Node, _: Arguments) -> Node | None:
        if typename == "ShippingLine" and n["action"] == "RETURN":
            return None
        row = c.conn.execute(
            "SELECT * FROM order_charges WHERE shop = ? AND order_id = ? AND id = ?",
            (c.shop, n["order_id"], n["charge_id"]),
        ).fetchone()
        return node(typename, row)

    return resolve


def _line(c: Context, n: Node, _: Arguments) -> Node | None:
    return node(
        "LineItem",
        c.conn.execute(
            "SELECT * FROM order_lines WHERE shop = ? AND order_id = ? AND id = ?",
            (c.shop, n["order_id"], n["line_item_id"]),
        ).fetchone(),
    )


def _order(c: Context, n: Node, _: Arguments) -> Node | None:
    row = c.conn.execute(
        "SELECT * FROM orders WHERE shop = ? AND id = ?", (c.shop, n["order_id"])
    ).fetchone()
    return node("Order", row)


AGREEMENT: Final[dict[str, Resolver]] = {
    "id": gid("SalesAgreement"),
    "happenedAt": col("happened_at"),
    "reason": col("reason"),
    "sales": _sales_of,
    "app": const(None),
    "user": const(None),
}
SALE: Final[dict[str, Resolver]] = {
    "id": gid("Sale"),
    "actionType": col("action"),
    "lineType": col("line_type"),
    "quantity": col("quantity"),
    "totalAmount": _units("total"),
    "totalTaxAmount": _units("tax"),
    "totalDiscountAmountBeforeTaxes": _units("discount_before_tax"),
    "totalDiscountAmountAfterTaxes": _units("discount_after_tax"),
    "taxes": _sale_taxes,
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
    "totalRefundedSet": _total(lambda t: t.refunded),
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
        "originalUnitPriceSet": _own("price"),
        "discountedUnitPriceAfterAllDiscountsSet": _unit_after_discounts,
        "totalDiscountSet": lambda c, n, _: money_bag("0", _currency(c, n)),
        "discountAllocations": _allocations,
        "taxLines": _tax_lines,
    },
    "DiscountAllocation": {"allocatedAmountSet": _own("amount")},
    "TaxLine": {
        "priceSet": _own("amount"),
        "rate": col("rate"),
        "title": col("title"),
        "ratePercentage": lambda _, n, __: n["rate"] * 100,
        "channelLiable": const(False),
    },
    "ShippingLine": {
        "id": gid("ShippingLine"),
        "title": col("title"),
        "originalPriceSet": _own("price"),
        "discountedPriceSet": _discounted,
        "currentDiscountedPriceSet": _standing_charge,
        "discountAllocations": _allocations,
        "isRemoved": const(False),
        "custom": const(False),
        "taxLines": _charge_tax,
    },
    "AdditionalFee": {
        "id": gid("AdditionalFee"),
        "name": col("title"),
        "price": _own("price"),
        "taxLines": _charge_tax,
    },
    "Duty": {"id": gid("Duty"), "price": _own("price"), "taxLines": _charge_tax},
    **dict.fromkeys(("SalesAgreement", "OrderEditAgreement", "ReturnAgreement"), AGREEMENT),
    "OrderAgreement": {**AGREEMENT, "order": _order},
    "RefundAgreement": {**AGREEMENT, "refund": row_of("Refund", "refunds", "refund_id")},
    "Sale": SALE,
    **dict.fromkeys(("FeeSale", "AdjustmentSale", "UnknownSale"), SALE),
    **{key: {**SALE, "lineItem": _line} for key in ("ProductSale", "GiftCardSale", "TipSale")},
    "ShippingLineSale": {**SALE, "shippingLine": _charge("ShippingLine")},
    "AdditionalFeeSale": {**SALE, "additionalFee": _charge("AdditionalFee")},
    "DutySale": {**SALE, "duty": _charge("Duty")},
    "Refund": {
        "id": gid("Refund"),
        "legacyResourceId": lambda _, n, __: str(n["id"]),
        "createdAt": col("created_at"),
        "processedAt": col("processed_at"),
        "updatedAt": col("processed_at"),
        "totalRefundedSet": lambda c, n, _: units_bag(
            sales.refund_amount(c.conn, c.shop, n), _currency(c, n)
        ),
        "order": row_of("Order", "orders", "order_id"),
        "refundLineItems": rows_of("RefundLineItem", "refund_lines", "", "refund_id"),
        "orderAdjustments": _refund_sales("OrderAdjustment", "ADJUSTMENT"),
        "refundShippingLines": _refund_sales("RefundShippingLine", "SHIPPING"),
        "duties": _refund_duties,
        "transactions": _transactions,
    },
    "RefundLineItem": {
        "id": gid("RefundLineItem"),
        "quantity": col("quantity"),
        "restockType": upper("restock_type"),
        "restocked": lambda _, n, __: n["restock_type"] != "no_restock",
        "lineItem": pointer("LineItem", "line_item_id"),
        "location": pointer("Location", "location_id"),
        "subtotalSet": bag("subtotal"),
        "totalTaxSet": bag("tax"),
    },
    "OrderAdjustment": {
        "id": gid("OrderAdjustment"),
        "reason": col("note"),
        "amountSet": lambda c, n, _: units_bag(n["total"] - n["tax"], _currency(c, n)),
        "taxAmountSet": _units("tax"),
    },
    "RefundShippingLine": {
        "id": gid("RefundShippingLine"),
        "subtotalAmountSet": _shipping_subtotal,
        "taxAmountSet": _minus("tax"),
    },
    "OrderTransaction": {
        "id": gid("OrderTransaction"),
        "kind": const("REFUND"),
        "status": const("SUCCESS"),
        "processedAt": col("processed_at"),
        "amountSet": _units("units"),
    },
}
