"""The admin around the app: a frame, a menu, a title bar; buttons for what merchants and Shopify do."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, render_template, request, send_from_directory

from simulator import app_toml
from simulator.access.launch_url import id_token, launch_url
from simulator.access.lifecycle import install
from simulator.state import simulator

bp = Blueprint("admin", __name__)


@bp.get("/")
def shops() -> str:
    """Every shop of this simulator."""
    rows = simulator().store.connection().execute("SELECT * FROM shops ORDER BY id").fetchall()
    return render_template("shops.html", shops=rows)


@bp.get("/store/<handle>/apps/<app>")
@bp.get("/store/<handle>/apps/<app>/")
@bp.get("/store/<handle>/apps/<app>/<path:path>")
def app_frame(handle: str, app: str, path: str = "") -> Response:
    """The app, by its handle or client id, inside the admin; opening it may install it."""
    sim = simulator()
    if app not in ("keel", sim.config.client_id):
        abort(404)
    domain = f"{handle}.myshopify.com"
    row = (
        sim.store.connection().execute("SELECT * FROM shops WHERE domain = ?", (domain,)).fetchone()
    )
    if row is None:
        abort(404)
    if row["installed_at"] is None and request.args.get("install") == "1":
        install(sim, domain)
        row = (
            sim.store.connection()
            .execute("SELECT * FROM shops WHERE domain = ?", (domain,))
            .fetchone()
        )
    locale = "zh-CN" if request.args.get("locale", "").startswith("zh") else "en"
    granted = [scope for scope in row["granted_scopes"].split(",") if scope]
    newest = sim.store.connection().execute(
        "SELECT id FROM orders WHERE shop = ? ORDER BY processed_at DESC, id DESC LIMIT 2",
        (domain,),
    )
    query = request.query_string.decode()
    target = (
        launch_url(sim.config, row, path=f"/{path}", locale=locale) if row["installed_at"] else ""
    )
    html = render_template(
        "admin.html",
        shop=row,
        handle=handle,
        target=target,
        app_origin=sim.config.app_url,
        locale=locale,
        query=query,
        client_id=sim.config.client_id,
        granted=granted,
        optional_scopes=app_toml.read(sim.config.app_toml).optional_scopes,
        newest_orders=[order["id"] for order in newest],
    )
    return Response(html, headers={"Cache-Control": "no-store"})


@bp.post("/internal/token")
def token() -> Response | tuple[Response, int]:
    """A fresh ID token for the frame; only the admin's own page may ask."""
    sim = simulator()
    if (
        urlsplit(request.headers.get("Origin", "")).netloc
        != urlsplit(sim.config.admin_origin).netloc
    ):
        return jsonify(error="not the admin"), 403
    domain = str((request.get_json(silent=True) or {}).get("shop"))
    row = (
        sim.store.connection()
        .execute("SELECT 1 FROM shops WHERE domain = ? AND installed_at IS NOT NULL", (domain,))
        .fetchone()
    )
    if row is None:
        return jsonify(error="not installed"), 404
    return jsonify(id_token=id_token(sim.config, domain))


@bp.get("/app-bridge.js")
def app_bridge() -> Response:
    """The stand-in of Shopify's script."""
    answer = send_from_directory("static", "app-bridge.js", mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@bp.get("/shell/<path:name>")
def shell_file(name: str) -> Response:
    """The admin page's own files."""
    return send_from_directory("static", name)
