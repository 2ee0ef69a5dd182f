"""What only the simulator knows: the shop's own books, who set which price, true demand."""

import json

from flask import Response, jsonify, request

from simulator.routes.control_blueprint import control_blueprint
from simulator.state import simulator
from simulator.world.ledger import ledger
from simulator.world.ledger import variants as by_variant

bp = control_blueprint("truth")


@bp.get("/<shop>/ledger")
def shop_ledger(shop: str) -> Response:
    """The shop's own books, by day; `by=variant` by day and variant."""
    by = request.args.get("by", "day")
    if by not in ("day", "variant"):
        raise ValueError(f"the books are by day or by variant, not by {by}")
    books = by_variant if by == "variant" else ledger
    return jsonify(
        books(simulator().store, shop, request.args.get("since"), request.args.get("until"))
    )


@bp.get("/<shop>/price-writes")
def price_writes(shop: str) -> Response:
    """Who changed which price, when."""
    variant_id = request.args.get("variant_id")
    rows = (
        simulator()
        .store.connection()
        .execute(
            "SELECT * FROM price_writes WHERE shop = ? AND (? IS NULL OR variant_id = ?) ORDER BY seq",
            (shop, variant_id, variant_id),
        )
    )
    return jsonify([dict(row) for row in rows])


@bp.get("/<shop>/truth")
def truth(shop: str) -> Response:
    """What only the simulator knows of each variant."""
    rows = (
        simulator()
        .store.connection()
        .execute("SELECT * FROM truth WHERE shop = ? ORDER BY variant_id", (shop,))
    )
    return jsonify([{**dict(row), "trend": json.loads(row["trend"])} for row in rows])


@bp.get("/<shop>/truth/days")
def truth_days(shop: str) -> Response:
    """True demand, sales and lost sales per variant and day."""
    args = request.args
    rows = (
        simulator()
        .store.connection()
        .execute(
            "SELECT * FROM truth_days WHERE shop = ? AND day >= ? AND day <= ? AND (? IS NULL OR variant_id = ?) ORDER BY day, variant_id",
            (
                shop,
                args.get("since", ""),
                args.get("until", "9999"),
                args.get("variant_id"),
                args.get("variant_id"),
            ),
        )
    )
    return jsonify([dict(row) for row in rows])


@bp.get("/<shop>/variants")
def variants(shop: str) -> Response:
    """Variants with price, cost and stock."""
    rows = (
        simulator()
        .store.connection()
        .execute(
            "SELECT v.*, p.title AS product_title, i.unit_cost, (SELECT coalesce(sum(available), 0) FROM inventory_levels l WHERE l.shop = v.shop"
            " AND l.inventory_item_id = v.inventory_item_id) AS available FROM variants v JOIN products p ON p.shop = v.shop AND p.id = v.product_id"
            " JOIN inventory_items i ON i.shop = v.shop AND i.id = v.inventory_item_id WHERE v.shop = ? ORDER BY v.id LIMIT ?",
            (shop, int(request.args.get("limit", 1000))),
        )
    )
    return jsonify([dict(row) for row in rows])
