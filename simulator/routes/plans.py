"""The plan page: where Shopify lets a merchant choose what an app costs."""

from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulator.access.app_subscriptions import PLANS, chosen_plan, subscribe
from simulator.state import simulator

bp = Blueprint("plans", __name__)


@bp.get("/store/<handle>/charges/<app>/pricing_plans")
def plan_page(handle: str, app: str) -> Response:
    """The plans, the present one marked."""
    if app not in ("keel", simulator().config.client_id):
        abort(404)
    conn, domain = simulator().store.connection(), f"{handle}.myshopify.com"
    row = conn.execute("SELECT * FROM shops WHERE domain = ?", (domain,)).fetchone()
    if row is None:
        abort(404)
    html = render_template("plans.html", shop=row, plans=PLANS, chosen=chosen_plan(conn, domain))
    return Response(html, headers={"Cache-Control": "no-store"})


@bp.post("/store/<handle>/charges/<app>/pricing_plans")
def choose_plan(handle: str, app: str) -> AnyResponse:
    """The merchant chooses, or declines: the app is told, and opened at its welcome page."""
    sim, domain = simulator(), f"{handle}.myshopify.com"
    wanted = request.form.get("plan", "")
    if wanted == "decline":
        return redirect(f"/store/{handle}/apps/{app}")
    if wanted not in PLANS:
        abort(400)
    with sim.store.transaction() as conn:
        row = conn.execute("SELECT installed_at FROM shops WHERE domain = ?", (domain,)).fetchone()
        if row is None or row["installed_at"] is None:
            abort(404)
        subscribe(sim, conn, domain, wanted)
    query = urlencode({"plan_handle": wanted, "shop": domain})
    return redirect(f"/store/{handle}/apps/{app}/welcome?{query}")
