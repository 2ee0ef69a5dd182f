"""The merchant's acts on places and shelves, at the shop's present time."""

from typing import Final

from flask import Response, jsonify

from simulator.routes.control_blueprint import control_blueprint, request_body
from simulator.routes.merchant_acts import act
from simulator.state import simulator
from simulator.world import places

bp = control_blueprint("place_acts")

STATUSES: Final = ("ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED")


@bp.get("/<shop>/locations")
def locations(shop: str) -> Response:
    """The shop's locations."""
    rows = (
        simulator()
        .store.connection()
        .execute(
            "SELECT id, name, is_active AS active FROM locations WHERE shop = ? ORDER BY id",
            (shop,),
        )
    )
    return jsonify([dict(row) for row in rows])


@bp.post("/<shop>/locations/<int:location_id>/deactivate")
def deactivate(shop: str, location_id: int) -> Response:
    """The merchant closes a location."""
    destination = int(request_body()["destination"])
    return act(
        shop,
        lambda conn, sim, at: places.close_location(
            conn, sim.store, shop, location_id, destination, at=at
        ),
    )


@bp.post("/<shop>/locations/<int:location_id>/activate")
def activate(shop: str, location_id: int) -> Response:
    """The merchant opens a location again."""
    return act(
        shop,
        lambda conn, sim, at: places.open_location(conn, sim.store, shop, location_id, at=at),
    )


@bp.post("/<shop>/products")
def product(shop: str) -> Response:
    """The merchant makes a product."""
    body = request_body()
    return act(
        shop,
        lambda conn, sim, at: places.add_product(
            conn, sim.store, shop, str(body["title"]), str(body["price"]), at=at
        ),
    )


@bp.post("/<shop>/products/<int:product_id>/status")
def status(shop: str, product_id: int) -> Response:
    """The merchant shows, hides or unlists a product."""
    wanted = str(request_body()["status"]).upper()
    if wanted not in STATUSES:
        raise ValueError(f"not a status: {wanted}")
    return act(
        shop,
        lambda conn, sim, at: places.set_status(conn, sim.store, shop, product_id, wanted, at=at),
    )


@bp.post("/<shop>/orders/<int:order_id>/delete")
def delete_order(shop: str, order_id: int) -> Response:
    """The merchant deletes an order."""
    return act(
        shop, lambda conn, sim, at: places.delete_order(conn, sim.store, shop, order_id, at=at)
    )
