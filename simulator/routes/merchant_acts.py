"""The merchant's own acts: prices, stock, costs, orders, purchase orders; each at the shop's present time."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Response, jsonify

from simulator.routes.control_blueprint import control_blueprint, request_body
from simulator.state import Simulator, simulator
from simulator.store import iso
from simulator.world import days, market_prices, merchant

bp = control_blueprint("merchant_acts")


def act(shop: str, do: Callable[[Any, Simulator, datetime], Any]) -> Response:
    """Do something in a shop at its present time."""
    sim = simulator()
    with sim.store.transaction() as conn:
        result = do(conn, sim, sim.store.tick(conn, shop))
    return jsonify(ok=True, result=result)


@bp.post("/<shop>/variants/<int:variant_id>/price")
def edit_price(shop: str, variant_id: int) -> Response:
    """The merchant changes a price."""
    body = request_body()
    price, compare_at = _money(body["price"]), body.get("compare_at_price")
    return act(
        shop,
        lambda conn, sim, _: merchant.set_price(
            conn,
            sim.store,
            shop,
            variant_id,
            price,
            None if compare_at is None else _money(compare_at),
            actor="merchant",
        ),
    )


@bp.post("/<shop>/fixed-prices")
def fix_price(shop: str) -> Response:
    """The merchant fixes a price in a market's list, or lets it go (price null)."""
    body = request_body()
    price = None if body.get("price") is None else _money(body["price"])
    return act(
        shop,
        lambda conn, sim, _: market_prices.set_fixed_price(
            conn,
            sim.store,
            shop,
            market=str(body["market"]),
            currency=str(body["currency"]),
            variant_id=int(body["variant_id"]),
            price=price,
        ),
    )


@bp.post("/<shop>/variants/<int:variant_id>/stock")
def edit_stock(shop: str, variant_id: int) -> Response:
    """The merchant counts a shelf."""
    available = int(request_body()["available"])

    def do(conn: Any, sim: Simulator, at: datetime) -> None:
        level = merchant.one(
            conn,
            "SELECT l.* FROM inventory_levels l JOIN variants v ON v.shop = l.shop AND v.inventory_item_id = l.inventory_item_id"
            " WHERE v.shop = ? AND v.id = ? ORDER BY l.location_id LIMIT 1",
            shop,
            variant_id,
        )
        merchant.set_available(
            conn,
            sim.store,
            shop,
            level["inventory_item_id"],
            level["location_id"],
            available,
            at=at,
        )

    return act(shop, do)


@bp.post("/<shop>/variants/<int:variant_id>/cost")
def edit_cost(shop: str, variant_id: int) -> Response:
    """The merchant enters a cost."""
    cost = request_body().get("cost")
    kept = None if cost is None else _money(cost)
    return act(
        shop,
        lambda conn, sim, at: merchant.set_cost(conn, sim.store, shop, variant_id, kept, at=at),
    )


@bp.post("/<shop>/orders")
def order(shop: str) -> Response:
    """Someone buys."""
    body = request_body()
    items = [
        merchant.Item(
            int(line["variant_id"]),
            _units(line["quantity"]),
            Decimal(_money(line.get("discount", 0))),
        )
        for line in body["lines"]
    ]
    return act(
        shop,
        lambda conn, sim, at: merchant.place_order(
            conn, sim.store, shop, items, at=at, test=bool(body.get("test"))
        ),
    )


@bp.post("/<shop>/orders/<int:order_id>/refund")
def refund(shop: str, order_id: int) -> Response:
    """The merchant gives back."""
    body = request_body()
    lines = [(int(line["line_id"]), _units(line["quantity"])) for line in body["lines"]]
    kind = str(body.get("restock_type", "return"))
    return act(
        shop,
        lambda conn, sim, at: merchant.refund_order(
            conn, sim.store, shop, order_id, lines, restock_type=kind, at=at
        ),
    )


@bp.post("/<shop>/orders/<int:order_id>/cancel")
def cancel(shop: str, order_id: int) -> Response:
    """The merchant cancels."""
    return act(
        shop, lambda conn, sim, at: merchant.cancel_order(conn, sim.store, shop, order_id, at=at)
    )


@bp.post("/<shop>/orders/<int:order_id>/edit")
def edit(shop: str, order_id: int) -> Response:
    """The merchant takes units off an order."""
    body = request_body()
    return act(
        shop,
        lambda conn, sim, at: merchant.edit_order(
            conn, sim.store, shop, order_id, int(body["line_id"]), int(body["delta"]), at=at
        ),
    )


@bp.post("/<shop>/products/<int:product_id>/delete")
def delete_product(shop: str, product_id: int) -> Response:
    """The merchant deletes a product."""

    def do(conn: Any, sim: Simulator, at: datetime) -> None:
        merchant.one(
            conn,
            "SELECT 1 FROM products WHERE shop = ? AND id = ? AND deleted_at IS NULL",
            shop,
            product_id,
        )
        merchant.delete_product(conn, sim.store, shop, product_id, at=at)

    return act(shop, do)


@bp.post("/<shop>/purchase-orders")
def purchase_order(shop: str) -> Response:
    """The merchant orders from a vendor."""
    body = request_body()
    return act(
        shop,
        lambda conn, sim, at: iso(  # noqa: ARG005 -- acts share a signature
            days.place_purchase_order(
                conn,
                shop,
                int(body["variant_id"]),
                int(body["units"]),
                at=at,
                placed_by=str(body.get("placed_by", "merchant")),
            )
        ),
    )


def _money(value: object) -> str:
    """An amount as it came, if Shopify's admin would take it: "abc" in a price corrupts the shop."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {value}") from error
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"not an amount: {value}")
    return str(value)


def _units(value: object) -> int:
    units = int(str(value))
    if units < 1:
        raise ValueError(f"not a number of units: {value}")
    return units
