"""What merchants and Shopify do to the app in a shop: install, open, end, privacy requests, scopes, a freeze."""

from typing import Any, Final

from flask import Response, jsonify, request

from simulator.access import launch_url, lifecycle
from simulator.routes.control_blueprint import control_blueprint, request_body
from simulator.state import Simulator, simulator
from simulator.webhooks import events
from simulator.world import merchant

bp = control_blueprint("app_life")

BLOCKS: Final = (0, 402, 403, 404, 423)
"""What the Admin API may answer for a shop: 402 frozen, 423 locked, 0 as always."""


@bp.post("/<shop>/install")
def install(shop: str) -> Response:
    """The merchant presses Install on Shopify's grant screen; where the admin goes next."""
    sim = simulator()
    lifecycle.install(sim, shop, request_body().get("scopes"))
    return jsonify(launch_url=launch_url.launch_url(sim.config, _row(sim, shop)))


@bp.get("/<shop>/launch-url")
def fresh_launch_url(shop: str) -> Response:
    """What the admin would put into the frame now."""
    sim = simulator()
    return jsonify(
        url=launch_url.launch_url(
            sim.config,
            _row(sim, shop),
            path=request.args.get("path", "/"),
            locale=request.args.get("locale", "en"),
        )
    )


@bp.post("/<shop>/id-token")
def fresh_id_token(shop: str) -> Response:
    """A signed ID token."""
    body = request_body()
    return jsonify(
        id_token=launch_url.id_token(
            simulator().config,
            shop,
            user_id=str(body.get("user_id", "42")),
            life_seconds=int(body.get("ttl", 60)),
        )
    )


@bp.post("/<shop>/uninstall")
def uninstall(shop: str) -> Response:
    """All tokens die; the app is told."""
    lifecycle.uninstall(simulator(), shop)
    return jsonify(ok=True)


@bp.post("/<shop>/redact")
def redact(shop: str) -> Response:
    """shop/redact, as 48 hours after an uninstall."""
    return _tell(shop, "shop/redact", {"shop_id": _shop_id(shop), "shop_domain": shop})


@bp.post("/<shop>/customers-redact")
def customers_redact(shop: str) -> Response:
    """customers/redact for some orders."""
    body = request_body()
    person = {
        "id": body.get("customer_id", 1),
        "email": "sam@example.com",
        "phone": "+447700900123",
    }
    return _tell(
        shop,
        "customers/redact",
        {
            "shop_id": _shop_id(shop),
            "shop_domain": shop,
            "customer": person,
            "orders_to_redact": body.get("order_ids", []),
        },
    )


@bp.post("/<shop>/data-request")
def data_request(shop: str) -> Response:
    """customers/data_request for some orders."""
    body = request_body()
    person = {"id": body.get("customer_id", 1), "email": "sam@example.com", "phone": None}
    return _tell(
        shop,
        "customers/data_request",
        {
            "shop_id": _shop_id(shop),
            "shop_domain": shop,
            "orders_requested": body.get("order_ids", []),
            "customer": person,
            "data_request": {"id": int(body.get("data_request_id", 9999))},
        },
    )


@bp.post("/<shop>/scopes")
def change_scopes(shop: str) -> Response | tuple[Response, int]:
    """The merchant grants or takes back: `granted` is all of them, `grant` and `revoke` change some."""
    sim, body = simulator(), request_body()
    if not body.keys() & {"granted", "grant", "revoke"}:
        return jsonify(error="KeyError: granted, grant or revoke"), 400
    with sim.store.transaction() as conn:
        wanted = list(body.get("granted", lifecycle.granted_scopes(conn, shop)))
        wanted = [scope for scope in wanted if scope not in body.get("revoke", [])]
        wanted += [scope for scope in body.get("grant", []) if scope not in wanted]
        lifecycle.set_scopes(sim, conn, shop, wanted)
    return jsonify(granted=wanted)


@bp.post("/<shop>/block")
def block(shop: str) -> Response | tuple[Response, int]:
    """Shopify freezes the shop (402), locks it (423), or answers for it again (0)."""
    status = int(request_body().get("status", 402))
    if status not in BLOCKS:
        return jsonify(error=f"no such refusal: {status}"), 400
    lifecycle.block(simulator(), shop, status)
    return jsonify(status=status)


def _tell(shop: str, topic: str, payload: dict[str, Any]) -> Response:
    sim = simulator()
    with sim.store.transaction() as conn:
        return jsonify(
            deliveries=events.record(
                conn, sim.store, shop, topic, None, payload=payload, even_if_gone=True
            )
        )


def _shop_id(shop: str) -> int:
    return int(_row(simulator(), shop)["id"])


def _row(sim: Simulator, shop: str) -> Any:
    return merchant.one(sim.store.connection(), "SELECT * FROM shops WHERE domain = ?", shop)
