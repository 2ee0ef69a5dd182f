"""The plan page: where Shopify lets a merchant choose what an app costs (a stub of two plans).

New-style subscriptions send no webhook; `app_subscriptions/update` goes to an app that asked for it.
"""

import sqlite3
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulator import events
from simulator.state import simulator
from simulator.store import iso

bp = Blueprint("plans", __name__, template_folder="templates")

PLANS: Final = {"free": ("Free", "0.00"), "pro": ("Pro", "29.00")}
"""Handle -> name and price a month, in US dollars."""


@bp.get("/store/<handle>/charges/<app>/pricing_plans")
def plan_page(handle: str, app: str) -> Response:
    """The plans, the present one marked."""
    if app not in ("keel", simulator().config.client_id):
        abort(404)
    conn = simulator().store.connection()
    row = conn.execute(
        "SELECT * FROM shops WHERE domain = ?", (f"{handle}.myshopify.com",)
    ).fetchone()
    if row is None:
        abort(404)
    chosen = conn.execute(
        "SELECT plan_handle FROM app_subscriptions WHERE shop = ? AND status = 'ACTIVE'",
        (row["domain"],),
    ).fetchone()
    html = render_template(
        "plans.html", shop=row, plans=PLANS, chosen=chosen and chosen["plan_handle"]
    )
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
        row = conn.execute(
            "SELECT id, installed_at FROM shops WHERE domain = ?", (domain,)
        ).fetchone()
        if row is None or row["installed_at"] is None:
            abort(404)
        body = _subscribe(sim.store, conn, domain, wanted)
        events.record(conn, sim.store, domain, "app_subscriptions/update", None, payload=body)
    query = urlencode({"plan_handle": wanted, "shop": domain})
    return redirect(f"/store/{handle}/apps/{app}/welcome?{query}")


def active(conn: sqlite3.Connection, shop: str) -> list[dict[str, Any]]:
    """`currentAppInstallation.activeSubscriptions`."""
    rows = conn.execute(
        "SELECT * FROM app_subscriptions WHERE shop = ? AND status = 'ACTIVE'", (shop,)
    )
    return [
        {
            "__typename": "AppSubscription",
            "id": f"gid://shopify/AppSubscription/{row['id']}",
            "name": row["name"],
            "status": row["status"],
            "test": True,
            "trialDays": 0,
            "createdAt": row["created_at"],
            "currentPeriodEnd": None,
        }
        for row in rows
    ]


def _subscribe(store: Any, conn: sqlite3.Connection, shop: str, plan: str) -> dict[str, Any]:
    """Put a plan in place of the present one; the webhook's body."""
    name, price = PLANS[plan]
    now, number = iso(store.tick(conn, shop)), store.draw_ids(conn, shop)
    conn.execute(
        "INSERT OR REPLACE INTO app_subscriptions (shop, id, plan_handle, name, price, status, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, 'ACTIVE', ?, ?)",
        (shop, number, plan, name, price, now, now),
    )
    shop_id = conn.execute("SELECT id FROM shops WHERE domain = ?", (shop,)).fetchone()["id"]
    return {
        "app_subscription": {
            "admin_graphql_api_id": f"gid://shopify/AppSubscription/{number}",
            "name": name,
            "status": "ACTIVE",
            "admin_graphql_api_shop_id": f"gid://shopify/Shop/{shop_id}",
            "created_at": now,
            "updated_at": now,
            "currency": "USD",
            "capped_amount": None,
            "price": price,
            "interval": "every_30_days",
            "plan_handle": plan,
        }
    }
