"""The sales ledger and refunds: what each of their fields is here."""

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
    gid,
    node,
    pointer,
    row_of,
    rows_of,
    units_bag,
    upper,
)
from simulator.graphql.order_fields import currency_of, tax_line
from simulator.minor_units import from_units

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


def _sales_of(c: Context, n: Node, _: Arguments) -> Connection:
    kinds = " ".join(f"WHEN '{line}' THEN '{kind}'" for line, kind in KINDS.items())
    sql = (
        f"SELECT *, CASE line_type {kinds} END AS __typename FROM every_sale"
        " WHERE shop = ? AND order_id = ? AND agreement_id = ?"
    )
    return Connection("", sql, (c.shop, n["order_id"], n["id"]), ("id",))


def _units(column: str) -> Resolver:
    return lambda c, n, _: units_bag(n[column], currency_of(c, n))


def _sale_taxes(c: Context, n: Node, _: Arguments) -> list[Node]:
    currency = currency_of(c, n)
    return [
        {
            "__typename": "SaleTax",
            "id": f"gid://shopify/SaleTax/{n['id']}{number}",
            "amount": units_bag(tax["amount"], currency),
            "taxLine": tax_line(
                tax["title"], tax["rate"], str(from_units(tax["amount"], currency)), currency
            ),
        }
        for number, tax in enumerate(sales.taxes_of(n))
    ]


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
        {"__typename": "RefundDuty", "amountSet": units_bag(-row["total"], currency_of(c, n))}
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
    return lambda c, n, _: units_bag(-n[column], currency_of(c, n))


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
TABLES: Final[dict[str, dict[str, Resolver]]] = {
    **dict.fromkeys(("SalesAgreement", "OrderEditAgreement", "ReturnAgreement"), AGREEMENT),
    "OrderAgreement": {**AGREEMENT, "order": _order},
    "RefundAgreement": {**AGREEMENT, "refund": row_of("Refund", "refunds", "refund_id")},
    "Sale": SALE,
    **dict.fromkeys(("FeeSale", "AdjustmentSale", "UnknownSale"), SALE),
    **{key: {**SALE, "lineItem": _line} for key in ("ProductSale", "GiftCardSale", "TipSale")},
    "ShippingLineSale": {**SALE, "shippingLine": _charge("ShippingLine")},
    "AdditionalFeeSale": {**SALE, "additionalFee": _charge("SaleAdditionalFee")},
    "DutySale": {**SALE, "duty": _charge("Duty")},
    "Refund": {
        "id": gid("Refund"),
        "legacyResourceId": lambda _, n, __: str(n["id"]),
        "createdAt": col("created_at"),
        "processedAt": col("processed_at"),
        "updatedAt": col("processed_at"),
        "totalRefundedSet": lambda c, n, _: units_bag(
            sales.refund_amount(c.conn, c.shop, n), currency_of(c, n)
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
        "amountSet": lambda c, n, _: units_bag(n["total"] - n["tax"], currency_of(c, n)),
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
