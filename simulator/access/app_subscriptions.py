"""What the app costs in a shop: the plans there are, and the one that was chosen (a stub of two plans).

New-style subscriptions send no webhook; `app_subscriptions/update` goes to an app that asked for it.
"""

import sqlite3
from typing import Any, Final

from simulator.state import Simulator
from simulator.store import iso
from simulator.webhooks import events

PLANS: Final = {"free": ("Free", "0.00"), "pro": ("Pro", "29.00")}
"""Handle -> name and price a month, in US dollars."""


def chosen_plan(conn: sqlite3.Connection, shop: str) -> str | None:
    """The handle of a shop's present plan."""
    row = conn.execute(
        "SELECT plan_handle FROM app_subscriptions WHERE shop = ? AND status = 'ACTIVE'", (shop,)
    ).fetchone()
    return row and row["plan_handle"]


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


def subscribe(sim: Simulator, conn: sqlite3.Connection, shop: str, plan: str) -> None:
    """Put a plan in place of the present one, and tell the app."""
    name, price = PLANS[plan]
    now, number = iso(sim.store.tick(conn, shop)), sim.store.draw_ids(conn, shop)
    conn.execute(
        "INSERT OR REPLACE INTO app_subscriptions (shop, id, plan_handle, name, price, status, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, 'ACTIVE', ?, ?)",
        (shop, number, plan, name, price, now, now),
    )
    shop_id = conn.execute("SELECT id FROM shops WHERE domain = ?", (shop,)).fetchone()["id"]
    body = {
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
    events.record(conn, sim.store, shop, "app_subscriptions/update", None, payload=body)
