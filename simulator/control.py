"""Control and truth, for tests, benchmarks and the demo: everything under /_sim/."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator import events, launch_url, markets, subscriptions
from simulator.state import Simulator, simulator
from simulator.store import iso
from simulator.world import days, kinds, merchant
from simulator.world.ledger import ledger

bp = Blueprint("control", __name__, url_prefix="/_sim")


@bp.errorhandler(merchant.NotThereError)
@bp.errorhandler(KeyError)
@bp.errorhandler(ValueError)
def refused(error: Exception) -> tuple[Response, int]:
    """A wrong request, said plainly."""
    return jsonify(error=f"{type(error).__name__}: {error}"), 400


@bp.before_request
def is_a_shop_of_ours() -> tuple[Response, int] | None:
    """Nothing is done in, or told of, a shop that was never made."""
    shop = (request.view_args or {}).get("shop")
    known = (
        simulator()
        .store.connection()
        .execute("SELECT 1 FROM shops WHERE domain = ?", (shop,))
        .fetchone()
    )
    return None if shop is None or known else (jsonify(error=f"no such shop: {shop}"), 404)


@bp.get("/health")
def health() -> Response:
    """Up."""
    return jsonify(ok=True)


@bp.post("/shops")
def create_shop() -> Response:
    """Make a shop of a kind."""
    body = _body()
    return jsonify(
        kinds.create_shop(
            simulator().store,
            body["kind"],
            int(body.get("seed", 0)),
            domain=body.get("domain"),
            last_days=body.get("last_days"),
        )
    )


@bp.get("/shops")
def list_shops() -> Response:
    """Every shop."""
    rows = (
        simulator()
        .store.connection()
        .execute("SELECT domain, kind, seed, currency, now_at, installed_at FROM shops ORDER BY id")
    )
    return jsonify([dict(row) for row in rows])


@bp.get("/<shop>/state")
def state(shop: str) -> Response:
    """Clock, install, pending deliveries."""
    sim = simulator()
    row = merchant.one(sim.store.connection(), "SELECT * FROM shops WHERE domain = ?", shop)
    return jsonify(
        now=row["now_at"],
        installed_at=row["installed_at"],
        scopes=row["granted_scopes"],
        pending=sim.emitter.pending(),
    )


@bp.post("/<shop>/install")
def install_app(shop: str) -> Response:
    """The merchant presses Install on Shopify's grant screen."""
    return jsonify(launch_url=install(simulator(), shop, _body().get("scopes")))


def install(sim: Simulator, shop: str, scopes: list[str] | None) -> str:
    """Grant scopes (the TOML's, and read_all_orders as approved) and say where the admin goes next."""
    toml = subscriptions.read(sim.config.app_toml)
    granted = scopes or [*toml.scopes, *toml.optional_scopes]
    with sim.store.transaction() as conn:
        conn.execute(
            "UPDATE shops SET installed_at = now_at, granted_scopes = ?, install_count = install_count + 1 WHERE domain = ? AND installed_at IS NULL",
            (",".join(granted), shop),
        )
    return launch_url.launch_url(
        sim.config,
        merchant.one(sim.store.connection(), "SELECT * FROM shops WHERE domain = ?", shop),
    )


@bp.get("/<shop>/launch-url")
def fresh_launch_url(shop: str) -> Response:
    """What the admin would put into the frame now."""
    sim = simulator()
    row = merchant.one(sim.store.connection(), "SELECT * FROM shops WHERE domain = ?", shop)
    return jsonify(
        url=launch_url.launch_url(
            sim.config,
            row,
            path=request.args.get("path", "/"),
            locale=request.args.get("locale", "en"),
        )
    )


@bp.post("/<shop>/id-token")
def fresh_id_token(shop: str) -> Response:
    """A signed ID token."""
    body = _body()
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
    sim = simulator()
    with sim.store.transaction() as conn:
        events.record(conn, sim.store, shop, "app/uninstalled", None, even_if_gone=True)
        conn.execute(
            "UPDATE shops SET installed_at = NULL, granted_scopes = '' WHERE domain = ?", (shop,)
        )
        conn.execute("UPDATE access_tokens SET revoked_at = 1 WHERE shop = ?", (shop,))
        conn.execute(
            "UPDATE webhook_subscriptions SET deleted_at = ? WHERE shop = ? AND deleted_at IS NULL",
            (iso(sim.store.now(shop)), shop),
        )
    return jsonify(ok=True)


@bp.post("/<shop>/redact")
def redact(shop: str) -> Response:
    """shop/redact, as 48 hours after an uninstall."""
    return _tell(shop, "shop/redact", {"shop_id": _shop_id(shop), "shop_domain": shop})


@bp.post("/<shop>/customers-redact")
def customers_redact(shop: str) -> Response:
    """customers/redact for some orders."""
    body = _body()
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
    body = _body()
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


def _tell(shop: str, topic: str, payload: dict[str, Any]) -> Response:
    sim = simulator()
    with sim.store.transaction() as conn:
        return jsonify(
            deliveries=events.record(
                conn, sim.store, shop, topic, None, payload=payload, even_if_gone=True
            )
        )


@bp.post("/<shop>/advance")
def advance(shop: str) -> Response:
    """Days go by."""
    store, before = simulator().store, _last_delivery()
    facts = days.advance(store, shop, int(_body().get("days", 1)))
    made = store.connection().execute(
        "SELECT count(*) FROM deliveries WHERE seq > ? AND shop = ?", (before, shop)
    )
    return jsonify(facts | {"deliveries": made.fetchone()[0]})


@bp.get("/<shop>/ledger")
def shop_ledger(shop: str) -> Response:
    """The shop's own books."""
    return jsonify(
        ledger(simulator().store, shop, request.args.get("since"), request.args.get("until"))
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


def _act(shop: str, act: Callable[[Any, Simulator, datetime], Any]) -> Response:
    """Do something in a shop at its present time."""
    sim = simulator()
    with sim.store.transaction() as conn:
        result = act(conn, sim, sim.store.tick(conn, shop))
    return jsonify(ok=True, result=result)


@bp.post("/<shop>/variants/<int:variant_id>/price")
def edit_price(shop: str, variant_id: int) -> Response:
    """The merchant changes a price."""
    body = _body()
    price, compare_at = _money(body["price"]), body.get("compare_at_price")
    return _act(
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
    body = _body()
    price = None if body.get("price") is None else _money(body["price"])
    return _act(
        shop,
        lambda conn, sim, _: markets.set_fixed_price(
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
    available = int(_body()["available"])

    def act(conn: Any, sim: Simulator, at: datetime) -> None:
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

    return _act(shop, act)


@bp.post("/<shop>/variants/<int:variant_id>/cost")
def edit_cost(shop: str, variant_id: int) -> Response:
    """The merchant enters a cost."""
    cost = _body().get("cost")
    kept = None if cost is None else _money(cost)
    return _act(
        shop,
        lambda conn, sim, at: merchant.set_cost(conn, sim.store, shop, variant_id, kept, at=at),
    )


@bp.post("/<shop>/orders")
def order(shop: str) -> Response:
    """Someone buys."""
    body = _body()
    items = [
        merchant.Item(
            int(line["variant_id"]),
            _units(line["quantity"]),
            Decimal(_money(line.get("discount", 0))),
        )
        for line in body["lines"]
    ]
    return _act(
        shop,
        lambda conn, sim, at: merchant.place_order(
            conn, sim.store, shop, items, at=at, test=bool(body.get("test"))
        ),
    )


@bp.post("/<shop>/orders/<int:order_id>/refund")
def refund(shop: str, order_id: int) -> Response:
    """The merchant gives back."""
    body = _body()
    lines = [(int(line["line_id"]), _units(line["quantity"])) for line in body["lines"]]
    kind = str(body.get("restock_type", "return"))
    return _act(
        shop,
        lambda conn, sim, at: merchant.refund_order(
            conn, sim.store, shop, order_id, lines, restock_type=kind, at=at
        ),
    )


@bp.post("/<shop>/orders/<int:order_id>/cancel")
def cancel(shop: str, order_id: int) -> Response:
    """The merchant cancels."""
    return _act(
        shop, lambda conn, sim, at: merchant.cancel_order(conn, sim.store, shop, order_id, at=at)
    )


@bp.post("/<shop>/orders/<int:order_id>/edit")
def edit(shop: str, order_id: int) -> Response:
    """The merchant takes units off an order."""
    body = _body()
    return _act(
        shop,
        lambda conn, sim, at: merchant.edit_order(
            conn, sim.store, shop, order_id, int(body["line_id"]), int(body["delta"]), at=at
        ),
    )


@bp.post("/<shop>/products/<int:product_id>/delete")
def delete_product(shop: str, product_id: int) -> Response:
    """The merchant deletes a product."""

    def act(conn: Any, sim: Simulator, at: datetime) -> None:
        merchant.one(
            conn,
            "SELECT 1 FROM products WHERE shop = ? AND id = ? AND deleted_at IS NULL",
            shop,
            product_id,
        )
        merchant.delete_product(conn, sim.store, shop, product_id, at=at)

    return _act(shop, act)


@bp.post("/<shop>/purchase-orders")
def purchase_order(shop: str) -> Response:
    """The merchant orders from a supplier."""
    body = _body()
    return _act(
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


@bp.route("/faults", methods=["GET", "PUT", "DELETE"])
def faults() -> Response:
    """Misbehave, or behave again."""
    sim = simulator()
    if request.method == "PUT":
        sim.faults.set(_body())
    elif request.method == "DELETE":
        sim.faults.clear()
    return jsonify(sim.faults.all())


@bp.post("/flush")
def flush() -> Response:
    """Wait until every delivery has come to its end."""
    return jsonify(pending=simulator().emitter.flush(float(_body().get("timeout_seconds", 30))))


@bp.get("/deliveries")
def deliveries() -> Response:
    """What was sent, without bodies."""
    args = request.args
    rows = (
        simulator()
        .store.connection()
        .execute(
            "SELECT seq, shop, topic, uri, webhook_id, event_id, triggered_at, attempts, state, last_status FROM deliveries"
            " WHERE (? IS NULL OR shop = ?) AND (? IS NULL OR topic = ?) AND (? IS NULL OR state = ?) ORDER BY seq DESC LIMIT 1000",
            (
                args.get("shop"),
                args.get("shop"),
                args.get("topic"),
                args.get("topic"),
                args.get("state"),
                args.get("state"),
            ),
        )
    )
    return jsonify([dict(row) for row in rows])


def _body() -> dict[str, Any]:
    return request.get_json(silent=True) or {}


def _shop_id(shop: str) -> int:
    conn = simulator().store.connection()
    return int(merchant.one(conn, "SELECT id FROM shops WHERE domain = ?", shop)["id"])


def _last_delivery() -> int:
    conn = simulator().store.connection()
    return int(conn.execute("SELECT coalesce(max(seq), 0) FROM deliveries").fetchone()[0])


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
