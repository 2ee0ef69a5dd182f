"""`/_sim/`: shops from a description, and what a case sends and asks of them."""

from flask import Response, jsonify
from pydantic import ValidationError

from simulator.cases import sending
from simulator.cases.case import Webhook
from simulator.routes.control_blueprint import control_blueprint, request_body
from simulator.state import simulator
from simulator.world import described, names
from simulator.world.description import ShopDescription

bp = control_blueprint("cases")


@bp.errorhandler(ValidationError)
def refused(error: ValidationError) -> tuple[Response, int]:
    """A field that is wrong, by name."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    return jsonify(error=f"{path}: {first['msg']}"), 400


@bp.post("/described")
def describe() -> Response:
    """Make a shop from its description."""
    body = request_body()
    told = ShopDescription.model_validate(body["shop"])
    return jsonify(described.make(simulator().store, str(body["domain"]), told))


@bp.post("/<shop>/webhooks")
def send_webhook(shop: str) -> Response:
    """Send the app a delivery as it is told, after everything that waits; names in it are looked up."""
    sim, told = simulator(), Webhook.model_validate(request_body())
    sim.emitter.flush(30)
    with sim.store.transaction() as conn:
        queued = sending.queue(conn, sim.store, shop, told)
    return jsonify(deliveries=queued, pending=sim.emitter.flush(30))


@bp.post("/<shop>/names")
def look_up(shop: str) -> Response:
    """What is told with ids in the place of names."""
    conn = simulator().store.connection()
    return jsonify(told=names.resolved(conn, shop, request_body().get("told")))
