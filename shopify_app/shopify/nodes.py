"""GraphQL nodes (bulk lines and query answers) -> our nouns. Persons are never selected."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shopify_app.domain.order import (
    Order,
    OrderLine,
    Refund,
    RefundLine,
    tip_of_no_line,
    with_tips,
)
from shopify_app.domain.product import InventoryItem, InventoryLevel, Location, Product, Variant
from shopify_app.domain.sale import Action, LineType, OrderLedger, Reason, Sale
from shopify_app.shopify.gid import from_gid
from shopify_app.shopify.payload_models import sum_of_told

Node = Mapping[str, Any]


def order(node: Node, lines: Sequence[Node], shipping: Sequence[Node]) -> Order:
    """An order with its line nodes and shipping line nodes."""
    status = node["displayFinancialStatus"]
    tip = _shop_money(node["totalTipReceivedSet"]) if node["totalTipReceivedSet"] else Decimal(0)
    found = with_tips([order_line(line) for line in lines], tip)
    return Order(
        id=from_gid(node["id"], "Order"),
        name=node["name"],
        source_name=node["sourceName"],
        currency=node["currencyCode"],
        financial_status=status and status.lower(),
        is_test=node["test"],
        processed_at=_moment(node["processedAt"]),
        created_at=_moment(node["createdAt"]),
        cancelled_at=_maybe_moment(node["cancelledAt"]),
        updated_at=_moment(node["updatedAt"]),
        lines=found,
        taxes_included=node["taxesIncluded"],
        shipping=sum((_shop_money(line["discountedPriceSet"]) for line in shipping), Decimal(0)),
        shipping_tax=sum((_taxes(line) for line in shipping), Decimal(0)),
        tip=tip_of_no_line(tip, found),
        total_price=_shop_money(node["totalPriceSet"]),
        current_total=_shop_money(node["currentTotalPriceSet"]),
        is_edited=node["edited"],
    )


def _taxes(line: Node) -> Decimal:
    return sum((_shop_money(part["priceSet"]) for part in line["taxLines"]), Decimal(0))


def _rate(tax: Node) -> Decimal | None:
    return None if tax["rate"] is None else Decimal(str(tax["rate"]))


def order_line(node: Node) -> OrderLine:
    """A line item; whether it is a tip, its order tells."""
    return OrderLine(
        id=from_gid(node["id"], "LineItem"),
        product_id=_id_of(node["product"]),
        variant_id=_id_of(node["variant"]),
        sku=node["sku"],
        title=node["title"],
        quantity=node["quantity"],
        current_quantity=node["currentQuantity"],
        unit_price=_shop_money(node["originalUnitPriceSet"]),
        discount=sum(
            (_shop_money(part["allocatedAmountSet"]) for part in node["discountAllocations"]),
            Decimal(0),
        ),
        tax=_taxes(node),
        is_gift_card=node["isGiftCard"],
        tax_rate=sum_of_told([_rate(part) for part in node["taxLines"]]),
    )


def refund(node: Node, order_id: int) -> Refund:
    """A refund with its lines."""
    return Refund(
        id=from_gid(node["id"], "Refund"),
        order_id=order_id,
        processed_at=_moment(node["processedAt"] or node["createdAt"]),
        lines=[
            RefundLine(
                id=from_gid(line["id"]),
                order_line_id=from_gid(line["lineItem"]["id"], "LineItem"),
                quantity=line["quantity"],
                restock_type=line["restockType"].lower(),
                subtotal=_shop_money(line["subtotalSet"]),
                tax=_shop_money(line["totalTaxSet"]),
            )
            for line in node["refundLineItems"]["nodes"]
        ],
        adjustment=_sum_of(node["orderAdjustments"]["nodes"], "amountSet"),
        adjustment_tax=_sum_of(node["orderAdjustments"]["nodes"], "taxAmountSet"),
        shipping=_sum_of(node["refundShippingLines"]["nodes"], "subtotalAmountSet"),
        shipping_tax=_sum_of(node["refundShippingLines"]["nodes"], "taxAmountSet"),
    )


def _sum_of(listed: Sequence[Node], name: str) -> Decimal:
    return sum((_shop_money(one[name]) for one in listed if one[name]), Decimal(0))


def order_ledger(node: Node, agreements: Sequence[Node]) -> OrderLedger:
    """An order's sales; each agreement node has all of its own under `sales.nodes`."""
    return OrderLedger(
        order_id=from_gid(node["id"], "Order"),
        updated_at=_moment(node["updatedAt"]),
        original_total=_shop_money(node["originalTotalPriceSet"]),
        current_total=_shop_money(node["currentTotalPriceSet"]),
        refund_discrepancy=_shop_money(node["refundDiscrepancySet"]),
        refund_ids=tuple(from_gid(one["id"], "Refund") for one in node["refunds"]),
        sales=[
            sale(one, agreement) for agreement in agreements for one in agreement["sales"]["nodes"]
        ],
    )


def sale(node: Node, agreement: Node) -> Sale:
    """A sale of an agreement. A kind that we do not know is UNKNOWN."""
    line = node.get("lineItem")
    refund = agreement.get("refund")
    return Sale(
        id=from_gid(node["id"], "Sale"),
        agreement_id=from_gid(agreement["id"], "SalesAgreement"),
        happened_at=_moment(agreement["happenedAt"]),
        reason=Reason(agreement["reason"]),
        action=Action(node["actionType"]),
        line_type=LineType(node["lineType"]),
        quantity=node["quantity"],
        total=_shop_money(node["totalAmount"]),
        tax=_shop_money(node["totalTaxAmount"]),
        discount=_shop_money(node["totalDiscountAmountBeforeTaxes"]),
        currency=node["totalAmount"]["shopMoney"]["currencyCode"],
        line_item_id=None if line is None else from_gid(line["id"], "LineItem"),
        refund_id=None if refund is None else from_gid(refund["id"], "Refund"),
    )


def product(node: Node) -> Product:
    """A product without its variants."""
    return Product(
        id=from_gid(node["id"], "Product"),
        title=node["title"],
        handle=node["handle"],
        status=node["status"],
        vendor=node["vendor"] or None,
        product_type=node["productType"] or None,
        tags=list(node["tags"]),
        is_gift_card=node["isGiftCard"],
        image_url=None,
        created_at=_maybe_moment(node["createdAt"]),
        published_at=_maybe_moment(node["publishedAt"]),
        updated_at=_moment(node["updatedAt"]),
    )


def variant(node: Node, product_id: int) -> Variant:
    """A variant."""
    return Variant(
        id=from_gid(node["id"], "ProductVariant"),
        product_id=product_id,
        inventory_item_id=_id_of(node["inventoryItem"]),
        title=node["title"],
        sku=node["sku"],
        position=node["position"],
        price=Decimal(node["price"]),
        compare_at_price=None
        if node["compareAtPrice"] is None
        else Decimal(node["compareAtPrice"]),
        inventory_policy=node["inventoryPolicy"],
        created_at=_maybe_moment(node["createdAt"]),
        updated_at=_moment(node["updatedAt"]),
    )


def inventory_item(node: Node) -> InventoryItem:
    """An item with its unit cost (null: unknown)."""
    cost = node["unitCost"]
    return InventoryItem(
        id=from_gid(node["id"], "InventoryItem"),
        is_tracked=node["tracked"],
        unit_cost=None if cost is None else Decimal(cost["amount"]),
        updated_at=_moment(node["updatedAt"]),
        requires_shipping=node.get("requiresShipping"),
    )


def inventory_level(node: Node, inventory_item_id: int) -> InventoryLevel:
    """A level with what is available and what is on its way."""
    units = {entry["name"]: entry["quantity"] for entry in node["quantities"]}
    return InventoryLevel(
        inventory_item_id=inventory_item_id,
        location_id=from_gid(node["location"]["id"], "Location"),
        available_units=units["available"],
        incoming_units=units["incoming"],
        is_active=node["isActive"],
        updated_at=_moment(node["updatedAt"]),
    )


def location(node: Node) -> Location:
    """A location."""
    return Location(
        id=from_gid(node["id"], "Location"),
        name=node["name"],
        is_active=node["isActive"],
        updated_at=_moment(node["updatedAt"]),
    )


def _id_of(node: Node | None) -> int | None:
    return None if node is None else from_gid(node["id"])


def _shop_money(money_bag: Node) -> Decimal:
    return Decimal(money_bag["shopMoney"]["amount"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe_moment(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)
