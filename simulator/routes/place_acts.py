"""The merchant's acts on places and shelves, at the shop's present time."""

from flask import Response, jsonify

from simulator.routes.act_bodies import act
from simulator.routes.control_blueprint import control_blueprint, request_body
from simulator.state import simulator
from simulator.world import places

bp = control_blueprint("place_acts")


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
