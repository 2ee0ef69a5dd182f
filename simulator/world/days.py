"""Days go by: shoppers buy by the model, goods come back, the merchant reorders, deliveries arrive.

Demand of a variant on a day is negative binomial with mean
    base x day of week x planted changes x (price / reference price) ** elasticity x shop-wide shock,
drawn from (seed, day, variant order) alone: the same acts and prices give the same world.
"""

import json
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from simulator.store import Store, from_iso, iso
from simulator.world import merchant

OPENING_HOUR: Final = 8
CLOSING_SECONDS: Final = 22 * 3_600
"""From this hour to that second of a day shoppers buy."""

DAY_OF_WEEK: Final = (1.15, 1.1, 1.05, 1.1, 1.0, 0.75, 0.85)
REFUND_SHARE: Final = 0.03
REORDER_COVER_DAYS: Final = 28


@dataclass(slots=True)
class _Shelf:
    """A variant as shoppers meet it today."""

    variant_id: int
    price: str
    mean: float
    dispersion: float
    available: int
    lead_time_days: float
    pack: int
    base: float


def advance(store: Store, shop: str, days: int) -> dict[str, Any]:
    """Live through `days` whole shop-local days, from the clock's day on; what happened."""
    total = {"days": 0, "orders": 0, "units": 0, "lost_units": 0}
    for _ in range(days):
        with store.transaction() as conn:
            row = conn.execute(
                "SELECT seed, timezone, now_at FROM shops WHERE domain = ?", (shop,)
            ).fetchone()
            zone = ZoneInfo(row["timezone"])
            today = from_iso(row["now_at"]).astimezone(zone)
            facts = _live(conn, store, shop, row["seed"], today)
            tomorrow = (today + timedelta(days=1)).replace(
                hour=0, minute=30, second=0, microsecond=0
            )
            conn.execute(
                "UPDATE shops SET now_at = max(now_at, ?) WHERE domain = ?", (iso(tomorrow), shop)
            )
        total["days"] += 1
        for name, value in facts.items():
            total[name] += value
    return total


def _live(
    conn: sqlite3.Connection, store: Store, shop: str, seed: int, today: datetime
) -> dict[str, int]:
    rng = np.random.default_rng([seed, today.date().toordinal()])
    opening = _receive(conn, store, shop, today)
    shelves = _shelves(conn, shop, today.date(), _shock(seed, today.date()))
    demand = _demand(shelves, rng)
    sold = np.minimum(demand, [max(shelf.available, 0) for shelf in shelves])
    _remember(conn, shop, today.date(), shelves, demand, sold)
    orders, closing = _sell(conn, store, shop, shelves, sold, rng, opening)
    _give_back(conn, store, shop, rng, closing)
    _reorder(conn, shop, shelves, rng, today)
    return {"orders": orders, "units": int(sold.sum()), "lost_units": int((demand - sold).sum())}


def _shock(seed: int, day: date) -> float:
    """The shop's AR(1) shock of a day, from the innovations of the last two months."""
    total = 0.0
    for back in range(60):
        total += 0.9**back * float(
            np.random.default_rng([seed, 7, day.toordinal() - back]).normal(0, 0.05)
        )
    return float(np.exp(total))


def _shelves(conn: sqlite3.Connection, shop: str, day: date, shock: float) -> list[_Shelf]:
    rows = conn.execute(
        "SELECT t.*, v.price, (SELECT coalesce(sum(l.available), 0) FROM inventory_levels l WHERE l.shop = v.shop"
        " AND l.inventory_item_id = v.inventory_item_id AND l.is_active = 1) AS available"
        " FROM truth t JOIN variants v ON v.shop = t.shop AND v.id = t.variant_id"
        " JOIN products p ON p.shop = v.shop AND p.id = v.product_id"
        " WHERE t.shop = ? AND v.deleted_at IS NULL AND p.status IN ('ACTIVE', 'UNLISTED') ORDER BY t.variant_id",
        (shop,),
    ).fetchall()
    factor = DAY_OF_WEEK[day.weekday()] * shock
    return [
        _Shelf(
            row["variant_id"],
            row["price"],
            row["base_per_day"]
            * factor
            * planted_factor(row["trend"], day)
            * price_factor(row["price"], row["reference_price"], row["elasticity"]),
            row["dispersion"],
            row["available"],
            row["lead_time_days_mean"],
            row["pack"],
            row["base_per_day"],
        )
        for row in rows
    ]


def planted_factor(trend: str, day: date) -> float:
    """What the planted changes come to on a day."""
    factor = 1.0
    for change in json.loads(trend):
        until = change.get("until")
        if change["from"] <= day.isoformat() and (until is None or day.isoformat() < until):
            factor *= change["factor"]
    return factor


def price_factor(price: str, reference: str, elasticity: float) -> float:
    """(price / reference) ** elasticity; a free thing sells as if it cost a cent."""
    return (max(float(price), 0.01) / max(float(reference), 0.01)) ** elasticity


def _demand(shelves: list[_Shelf], rng: np.random.Generator) -> np.ndarray:
    mean = np.array([shelf.mean for shelf in shelves])
    spread = np.maximum(np.array([shelf.dispersion for shelf in shelves]), 1e-6)
    return rng.poisson(rng.gamma(1 / spread, np.maximum(mean, 1e-12) * spread))


def _remember(
    conn: sqlite3.Connection,
    shop: str,
    day: date,
    shelves: list[_Shelf],
    demand: np.ndarray,
    sold: np.ndarray,
) -> None:
    conn.executemany(
        "INSERT OR REPLACE INTO truth_days VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                shop,
                day.isoformat(),
                shelf.variant_id,
                shelf.mean,
                int(wanted),
                int(got),
                int(wanted - got),
                shelf.price,
            )
            for shelf, wanted, got in zip(shelves, demand, sold, strict=True)
        ],
    )


def _sell(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    shelves: list[_Shelf],
    sold: np.ndarray,
    rng: np.random.Generator,
    opening: datetime,
) -> tuple[int, datetime]:
    """Group the units sold to baskets at random seconds of the opening hours; how many, and when the shop closes.

    What happens later has a later stamp, or the same one where two shoppers pay in one second.
    """
    lines: list[merchant.Item] = []
    for number in np.flatnonzero(sold):
        left = int(sold[number])
        while left > 0:
            units = int(min(left, rng.geometric(1 / max(2.0, min(12.0, shelves[number].base)))))
            lines.append(merchant.Item(shelves[number].variant_id, units))
            left -= units
    order = rng.permutation(len(lines))
    baskets: list[list[merchant.Item]] = []
    position = 0
    while position < len(order):
        size = int(rng.integers(1, max(9, len(lines) // 25)))
        merged: dict[int, int] = {}
        for which in order[position : position + size]:
            merged[lines[which].variant_id] = (
                merged.get(lines[which].variant_id, 0) + lines[which].quantity
            )
        baskets.append([merchant.Item(variant_id, units) for variant_id, units in merged.items()])
        position += size
    midnight = opening.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = int((opening - midnight).total_seconds())
    end = max(CLOSING_SECONDS, begin + 600)  # a day that is lived from late in the evening on
    for basket, second in zip(
        baskets, np.sort(rng.integers(begin, end, len(baskets))), strict=True
    ):
        at = midnight + timedelta(seconds=int(second))
        _clock(conn, shop, at)
        merchant.place_order(
            conn, store, shop, basket, at=at, customer_id=int(rng.integers(1, 5_000))
        )
    return len(baskets), midnight + timedelta(seconds=end)


def _clock(conn: sqlite3.Connection, shop: str, at: datetime) -> None:
    """What happens now is told with this time."""
    conn.execute("UPDATE shops SET now_at = max(now_at, ?) WHERE domain = ?", (iso(at), shop))


def _give_back(
    conn: sqlite3.Connection, store: Store, shop: str, rng: np.random.Generator, closing: datetime
) -> None:
    """Some of what was bought one to three weeks ago comes back, in part or whole; a few orders are cancelled."""
    first, last = closing - timedelta(days=21), closing - timedelta(days=7)
    rows = conn.execute(
        "SELECT o.id, l.id AS line_id, l.current_quantity FROM orders o JOIN order_lines l ON l.shop = o.shop AND l.order_id = o.id"
        " WHERE o.shop = ? AND o.processed_at BETWEEN ? AND ? AND l.current_quantity > 0 AND o.cancelled_at IS NULL"
        " AND l.variant_id IS NOT NULL ORDER BY o.id, l.id",
        (shop, iso(first), iso(last)),
    ).fetchall()
    evening = closing + timedelta(minutes=5)
    _clock(conn, shop, evening)
    seen: set[int] = set()
    for number in np.flatnonzero(rng.random(len(rows)) < REFUND_SHARE / 15):
        row = rows[number]
        if row["id"] in seen:
            continue
        seen.add(row["id"])
        at = evening + timedelta(seconds=len(seen))
        if rng.random() < 0.1:
            merchant.cancel_order(conn, store, shop, row["id"], at=at)
        else:
            units = int(rng.integers(1, row["current_quantity"] + 1))
            kind = "return" if rng.random() < 0.8 else "no_restock"
            merchant.refund_order(
                conn, store, shop, row["id"], [(row["line_id"], units)], restock_type=kind, at=at
            )


def _receive(conn: sqlite3.Connection, store: Store, shop: str, today: datetime) -> datetime:
    """Deliveries that are due come in before the shop opens; when that is: never before the clock."""
    due = conn.execute(
        "SELECT * FROM purchase_orders WHERE shop = ? AND received_at IS NULL AND arrives_at <= ? ORDER BY id",
        (shop, iso(today)),
    ).fetchall()
    begin = today.replace(hour=7, minute=0, second=0, microsecond=0)
    at = max(begin, today + timedelta(seconds=1))
    for row in due:
        _clock(conn, shop, at)
        conn.execute(
            "UPDATE purchase_orders SET received_at = ? WHERE id = ?", (iso(at), row["id"])
        )
        merchant.move_stock(conn, store, shop, row["variant_id"], row["units"], at=at)
        at += timedelta(seconds=1)
    return max(at, today.replace(hour=OPENING_HOUR, minute=0, second=0, microsecond=0))


def _reorder(
    conn: sqlite3.Connection,
    shop: str,
    shelves: list[_Shelf],
    rng: np.random.Generator,
    today: datetime,
) -> None:
    """The merchant's own habit: once a week, top up what is below the lead time's average demand."""
    if today.weekday() != 0:
        return
    waiting = dict(
        conn.execute(
            "SELECT variant_id, sum(units) FROM purchase_orders WHERE shop = ? AND received_at IS NULL GROUP BY variant_id",
            (shop,),
        ).fetchall()
    )
    for shelf in shelves:
        position = shelf.available + waiting.get(shelf.variant_id, 0)
        if (
            shelf.base > 0.05
            and position < shelf.base * shelf.lead_time_days
            and rng.random() < 0.7
        ):
            units = -(-int(shelf.base * REORDER_COVER_DAYS + 1) // shelf.pack) * shelf.pack
            place_purchase_order(conn, shop, shelf.variant_id, units, at=today, rng=rng)


def place_purchase_order(
    conn: sqlite3.Connection,
    shop: str,
    variant_id: int,
    units: int,
    *,
    at: datetime,
    rng: np.random.Generator | None = None,
    placed_by: str = "merchant",
) -> datetime:
    """Order units of a variant's vendor; when they will arrive (only the simulator knows)."""
    truth = merchant.one(
        conn, "SELECT * FROM truth WHERE shop = ? AND variant_id = ?", shop, variant_id
    )
    rng = rng or np.random.default_rng([variant_id, int(at.timestamp())])
    days = max(1.0, float(rng.normal(truth["lead_time_days_mean"], truth["lead_time_days_sd"])))
    arrives = at + timedelta(days=days)
    place = conn.execute(
        "SELECT l.location_id FROM inventory_levels l JOIN variants v ON v.shop = l.shop AND v.inventory_item_id = l.inventory_item_id"
        " WHERE v.shop = ? AND v.id = ? ORDER BY l.location_id LIMIT 1",
        (shop, variant_id),
    ).fetchone()[0]
    conn.execute(
        "INSERT INTO purchase_orders (shop, variant_id, location_id, units, placed_at, arrives_at, placed_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (shop, variant_id, place, units, iso(at), iso(arrives), placed_by),
    )
    return arrives
