"""The shop's own books: what the app's `keel facts` must equal, day by day, to the penny and unit."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from simulator.minor_units import smallest
from simulator.store import Store


def ledger(store: Store, shop: str, since: str | None, until: str | None) -> dict[str, Any]:
    """Days (shop-local, both ends included) with orders, units, gross, discounts, refunds, net; and the shelves."""
    conn = store.connection()
    settings = conn.execute(
        "SELECT currency, timezone FROM shops WHERE domain = ?", (shop,)
    ).fetchone()
    zone = ZoneInfo(settings["timezone"])
    day_of: dict[str, str] = {}

    def local_day(stamp: str) -> str:
        minute = stamp[:16]
        if minute not in day_of:
            day_of[minute] = datetime.fromisoformat(stamp).astimezone(zone).date().isoformat()
        return day_of[minute]

    days: dict[str, dict[str, Any]] = defaultdict(
        lambda: {
            "orders": 0,
            "units": 0,
            "gross": Decimal(0),
            "discounts": Decimal(0),
            "refunds": Decimal(0),
        }
    )
    order_days: dict[int, str] = {}
    for row in conn.execute(
        "SELECT id, processed_at FROM orders WHERE shop = ? AND test = 0 AND deleted_at IS NULL",
        (shop,),
    ):
        order_days[row["id"]] = local_day(row["processed_at"])
        days[order_days[row["id"]]]["orders"] += 1
    for order_id, quantity, price, discount in conn.execute(
        "SELECT order_id, quantity, price, discount FROM order_lines WHERE shop = ?", (shop,)
    ):
        day = order_days.get(order_id)
        if day is None:
            continue
        entry = days[day]
        entry["units"] += quantity
        entry["gross"] += Decimal(price) * quantity
        entry["discounts"] += Decimal(discount)
    for order_id, processed_at, subtotal in conn.execute(
        "SELECT r.order_id, r.processed_at, l.subtotal FROM refunds r JOIN refund_lines l ON l.shop = r.shop AND l.refund_id = r.id"
        " WHERE r.shop = ?",
        (shop,),
    ):
        if order_id in order_days:
            days[local_day(processed_at)]["refunds"] += Decimal(subtotal)
    unit = smallest(settings["currency"])
    return {
        "shop": shop,
        "currency": settings["currency"],
        "days": [
            _day(day, entry, unit)
            for day, entry in sorted(days.items())
            if (since is None or day >= since) and (until is None or day <= until)
        ],
        **_shelves(store, shop),
    }


def _day(day: str, entry: dict[str, Any], unit: Decimal) -> dict[str, Any]:
    net = entry["gross"] - entry["discounts"] - entry["refunds"]
    money = {name: str(entry[name].quantize(unit)) for name in ("gross", "discounts", "refunds")}
    return {
        "day": day,
        "orders": entry["orders"],
        "units": entry["units"],
        **money,
        "net": str(net.quantize(unit)),
    }


def _shelves(store: Store, shop: str) -> dict[str, Any]:
    conn = store.connection()
    products = conn.execute(
        "SELECT count(*) FROM products WHERE shop = ? AND deleted_at IS NULL", (shop,)
    ).fetchone()[0]
    variants, with_cost = conn.execute(
        "SELECT count(*), count(i.unit_cost) FROM variants v LEFT JOIN inventory_items i ON i.shop = v.shop AND i.id = v.inventory_item_id"
        " WHERE v.shop = ? AND v.deleted_at IS NULL",
        (shop,),
    ).fetchone()
    levels, units = conn.execute(
        "SELECT count(*), coalesce(sum(available), 0) FROM inventory_levels l WHERE shop = ? AND is_active = 1 AND EXISTS"
        " (SELECT 1 FROM variants v WHERE v.shop = l.shop AND v.inventory_item_id = l.inventory_item_id AND v.deleted_at IS NULL)",
        (shop,),
    ).fetchone()
    return {
        "catalogue": {"products": products, "variants": variants, "variants_with_cost": with_cost},
        "stock": {"levels": levels, "available_units": units},
    }
