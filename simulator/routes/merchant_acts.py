"""The merchant's own acts: prices, stock, costs, products, places, purchase orders; each at the shop's present time."""

from datetime import datetime
from typing import Any

from flask import Response

from simulator.routes.act_bodies import act, money
from simulator.routes.control_blueprint import control_blueprint, request_body
from simulator.state import Simulator
from simulator.store import iso
from simulator.world import days, market_prices, merchant

bp = control_blueprint("merchant_acts")


@bp.post("/<shop>/variants/<int:variant_id>/price")
def edit_price(shop: str, variant_id: int) -> Response:
    """The merchant changes a price."""
    body = request_body()
    price, compare_at = money(body["price"]), body.get("compare_at_price")
    return act(
        shop,
        lambda conn, sim, _: merchant.set_price(
            conn,
            sim.store,
            shop,
            variant_id,
            price,
            None if compare_at is None else money(compare_at),
            actor="merchant",
        ),
    )


@bp.post("/<shop>/fixed-prices")
def fix_price(shop: str) -> Response:
    """The merchant fixes a price in a market's list, or lets it go (price null)."""
    body = request_body()
    price = None if body.get("price") is None else money(body["price"])
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

    def done(conn: Any, sim: Simulator, at: datetime) -> None:
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

    return act(shop, done)


@bp.post("/<shop>/variants/<int:variant_id>/cost")
def edit_cost(shop: str, variant_id: int) -> Response:
    """The merchant enters a cost."""
    cost = request_body().get("cost")
    kept = None if cost is None else money(cost)
    return act(
        shop,
        lambda conn, sim, at: merchant.set_cost(conn, sim.store, shop, variant_id, kept, at=at),
    )


@bp.post("/<shop>/products/<int:product_id>/delete")
def delete_product(shop: str, product_id: int) -> Response:
    """The merchant deletes a product."""

    def done(conn: Any, sim: Simulator, at: datetime) -> None:
        merchant.one(
            conn,
            "SELECT 1 FROM products WHERE shop = ? AND id = ? AND deleted_at IS NULL",
            shop,
            product_id,
        )
        merchant.delete_product(conn, sim.store, shop, product_id, at=at)

    return act(shop, done)


@bp.post("/<shop>/products/<int:product_id>/status")
def set_product_status(shop: str, product_id: int) -> Response:
    """The merchant offers a product, hides it, or leaves it to those who know its address."""
    status = str(request_body()["status"])
    return act(
        shop,
        lambda conn, sim, at: merchant.set_status(conn, sim.store, shop, product_id, status, at=at),
    )


@bp.post("/<shop>/locations/<int:location_id>/deactivate")
def deactivate_location(shop: str, location_id: int) -> Response:
    """The merchant closes a place; its stock goes to another."""
    destination = int(request_body()["destination_id"])
    return act(
        shop,
        lambda conn, sim, at: merchant.deactivate_location(
            conn, sim.store, shop, location_id, destination, at=at
        ),
    )


@bp.post("/<shop>/locations/<int:location_id>/delete")
def delete_location(shop: str, location_id: int) -> Response:
    """The merchant deletes a closed place."""
    return act(
        shop,
        lambda conn, sim, at: merchant.delete_location(conn, sim.store, shop, location_id, at=at),
    )


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
