"""The simulator itself, for tests, benchmarks and the demo: shops, days, misbehaviour, deliveries."""

from flask import Response, jsonify, request

from simulator.routes.control_blueprint import control_blueprint, request_body
from simulator.state import simulator
from simulator.world import days, kinds, merchant

bp = control_blueprint("control")


@bp.get("/health")
def health() -> Response:
    """Up."""
    return jsonify(ok=True)


@bp.post("/shops")
def create_shop() -> Response:
    """Make a shop of a kind."""
    body = request_body()
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
    """Clock, zone and currency, install, pending deliveries."""
    sim = simulator()
    row = merchant.one(sim.store.connection(), "SELECT * FROM shops WHERE domain = ?", shop)
    return jsonify(
        now=row["now_at"],
        timezone=row["timezone"],
        currency=row["currency"],
        installed_at=row["installed_at"],
        scopes=row["granted_scopes"],
        pending=sim.emitter.pending(),
    )


@bp.post("/<shop>/advance")
def advance(shop: str) -> Response:
    """Days go by."""
    store, before = simulator().store, _last_delivery()
    facts = days.advance(store, shop, int(request_body().get("days", 1)))
    made = store.connection().execute(
        "SELECT count(*) FROM deliveries WHERE seq > ? AND shop = ?", (before, shop)
    )
    return jsonify(facts | {"deliveries": made.fetchone()[0]})


@bp.post("/<shop>/days")
def walk(shop: str) -> tuple[Response, int]:
    """Days go by one after the other, the app at work between them; 409 while others do."""
    walk = simulator().walks.begin(shop, int(request_body().get("days", 1)))
    return (jsonify(error="days are going by"), 409) if walk is None else (jsonify(walk), 202)


@bp.get("/<shop>/days")
def walked(shop: str) -> Response:
    """How far the days that were last asked for have gone by."""
    return jsonify(simulator().walks.progress(shop))


@bp.route("/faults", methods=["GET", "PUT", "DELETE"])
def faults() -> Response:
    """Misbehave, or behave again."""
    sim = simulator()
    if request.method == "PUT":
        sim.faults.set(request_body())
    elif request.method == "DELETE":
        sim.faults.clear()
    return jsonify(sim.faults.all())


@bp.post("/flush")
def flush() -> Response:
    """Wait until every delivery has come to its end."""
    return jsonify(
        pending=simulator().emitter.flush(float(request_body().get("timeout_seconds", 30)))
    )


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


def _last_delivery() -> int:
    conn = simulator().store.connection()
    return int(conn.execute("SELECT coalesce(max(seq), 0) FROM deliveries").fetchone()[0])
