"""The shop's own books: what the app's `keel facts` must equal, day by day, to the penny and unit.

Added up by SQL from the sales ledger, by the definitions of Shopify's sales reports. A day is the shop's day of a sale, not of its
order. Refunds are what was taken back, positive; fees are those of returns and the additional ones; tips and gift cards stand beside.
"""

import sqlite3
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from simulator.minor_units import from_units
from simulator.store import Store

COUNTED: Final = (
    " FROM every_sale s JOIN orders o ON o.shop = s.shop AND o.id = s.order_id"
    " WHERE s.shop = :shop AND o.test = 0 AND o.deleted_at IS NULL"
)
PARTS: Final = ("order_id", "happened_at", "reason", "action", "line_type")
IS_FIRST: Final = (
    "line_type = 'PRODUCT' AND action = 'ORDER' AND reason NOT IN ('RETURN', 'ORDER_EDIT')"
)
X: Final = "total - tax"
SUMS: Final = {
    "gross": f"sum({X} + discount) FILTER (WHERE line_type = 'PRODUCT' AND action <> 'RETURN')",
    "discounts": "sum(discount) FILTER (WHERE line_type = 'PRODUCT' AND action <> 'RETURN')",
    "refunds": f"-sum({X}) FILTER (WHERE (line_type = 'PRODUCT' AND action = 'RETURN') OR line_type = 'ADJUSTMENT')",
    "net": f"sum({X}) FILTER (WHERE line_type IN ('PRODUCT', 'ADJUSTMENT'))",
    "shipping": f"sum({X}) FILTER (WHERE line_type = 'SHIPPING')",
    "duties": f"sum({X}) FILTER (WHERE line_type = 'DUTY')",
    "fees": f"sum({X}) FILTER (WHERE line_type IN ('FEE', 'ADDITIONAL_FEE'))",
    "taxes": "sum(tax) FILTER (WHERE line_type NOT IN ('TIP', 'GIFT_CARD'))",
    "total": "sum(total) FILTER (WHERE line_type NOT IN ('TIP', 'GIFT_CARD'))",
    "tips": "sum(total) FILTER (WHERE line_type = 'TIP')",
    "gift_cards": f"sum({X}) FILTER (WHERE line_type = 'GIFT_CARD')",
    "unknown": "sum(total) FILTER (WHERE line_type = 'UNKNOWN')",
}
COUNTS: Final = {
    "orders": f"count(DISTINCT order_id) FILTER (WHERE {IS_FIRST})",
    "units": f"sum(quantity) FILTER (WHERE {IS_FIRST})",
    "returned_units": "-sum(quantity) FILTER (WHERE line_type = 'PRODUCT' AND action = 'RETURN')",
}
BY_VARIANT: Final = ("gross", "discounts", "refunds", "net")


@lru_cache(maxsize=65_536)
def _day_of_minute(minute: str, zone: str) -> str:
    return datetime.fromisoformat(minute + "Z").astimezone(ZoneInfo(zone)).date().isoformat()


def local_day(stamp: str, zone: str) -> str:
    """The day of a stamp in a zone; no zone moves its clock within a minute."""
    return _day_of_minute(stamp[:16], zone)


def knows_days(conn: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, whose SQL can say `local_day(stamp, zone)`."""
    conn.create_function("local_day", 2, local_day, deterministic=True)
    return conn


def ledger(store: Store, shop: str, since: str | None, until: str | None) -> dict[str, Any]:
    """Days (shop-local, both ends included) and currencies with their sums; and the shelves."""
    conn = knows_days(store.connection())
    settings = _settings(conn, shop)
    names = {**COUNTS, **SUMS}
    columns = ", ".join(f"coalesce({sql}, 0) AS {name}" for name, sql in names.items())
    rows = conn.execute(
        f"SELECT day, currency, {columns} FROM ({_sales()}) WHERE {_between()} GROUP BY day, currency ORDER BY day, currency",
        {"shop": shop, "zone": settings["timezone"], "since": since, "until": until},
    )
    return {
        "shop": shop,
        "currency": settings["currency"],
        "days": [_with_money(row, SUMS) for row in rows],
        **_shelves(store, shop),
    }


def variants(store: Store, shop: str, since: str | None, until: str | None) -> dict[str, Any]:
    """Days and variants (none: custom lines) with gross, discounts, refunds, net and units. Adjustments have no variant."""
    conn = knows_days(store.connection())
    settings = _settings(conn, shop)
    names = {"units": COUNTS["units"], **{name: SUMS[name] for name in BY_VARIANT}}
    columns = ", ".join(f"coalesce({sql}, 0) AS {name}" for name, sql in names.items())
    rows = conn.execute(
        f"SELECT day, currency, variant_id, {columns} FROM ({_sales('variant_id')}) WHERE line_type = 'PRODUCT'"
        f" AND {_between()} GROUP BY day, currency, variant_id ORDER BY day, currency, variant_id",
        {"shop": shop, "zone": settings["timezone"], "since": since, "until": until},
    )
    return {
        "shop": shop,
        "currency": settings["currency"],
        "rows": [_with_money(row, BY_VARIANT) for row in rows],
    }


def _sales(*also: str) -> str:
    """The sales that count, with their day: those of an order in one second and of one kind are one row."""
    parts = ", ".join(f"s.{name}" for name in (*PARTS, *also))
    return (
        f"SELECT local_day(happened_at, :zone) AS day, * FROM (SELECT o.currency, {parts}, sum(s.quantity) AS quantity,"
        f" sum(s.total) AS total, sum(s.tax) AS tax, sum(s.discount_before_tax) AS discount{COUNTED} GROUP BY {parts})"
    )


def _between() -> str:
    return "(:since IS NULL OR day >= :since) AND (:until IS NULL OR day <= :until)"


def _settings(conn: sqlite3.Connection, shop: str) -> sqlite3.Row:
    row: sqlite3.Row = conn.execute(
        "SELECT currency, timezone FROM shops WHERE domain = ?", (shop,)
    ).fetchone()
    return row


def _with_money(row: sqlite3.Row, names: Any) -> dict[str, Any]:
    """A row whose sums are amounts of its currency."""
    return {
        name: str(from_units(value, row["currency"])) if name in names else value
        for name, value in dict(row).items()
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
