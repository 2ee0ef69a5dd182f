"""Sixteen months of a real UK gift e-tailer as a Shopify shop's history (kind `uk-gifts`).

Invoices become orders, cancellations become refunds of the same customer's earlier lines at the
same price; lines that are no product become lines of no variant. Stock codes that share digits
become variants of one product. Dates are shifted so that the last day is yesterday.
"""

import re
import sqlite3
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from simulator.store import Store
from simulator.world import catalogue, pack

ZONE: Final = ZoneInfo("Europe/London")
VENDORS: Final = (
    "Northmill",
    "Harbour & Pine",
    "Oakley Works",
    "Penrose Trading",
    "Silverdale",
    "Blue Gate",
    "Marlow Imports",
    "Field & Fold",
    "Castle Row",
    "Tern Supplies",
    "Ashby Brothers",
    "Green Lantern",
)
KINDS: Final = (
    "BAG",
    "MUG",
    "CANDLE",
    "LIGHT",
    "CARD",
    "CUSHION",
    "CLOCK",
    "SIGN",
    "BOX",
    "TIN",
    "JAR",
    "BOWL",
    "PLATE",
    "TOY",
    "DOLL",
    "FRAME",
    "MIRROR",
    "NAPKIN",
    "HANGER",
    "NECKLACE",
    "BRACELET",
    "EARRINGS",
    "RING",
    "CHRISTMAS",
    "HEART",
    "GARDEN",
    "NOTEBOOK",
    "TOWEL",
    "APRON",
    "CAKE",
    "LUNCH",
    "DRAWER",
    "WRAP",
    "STICKER",
    "RIBBON",
    "UMBRELLA",
    "BOTTLE",
    "TRAY",
    "BASKET",
    "BLOCK",
)


@dataclass(frozen=True, slots=True)
class History:
    """What was put in."""

    orders: int
    lines: int
    refunds: int
    unmatched_cancellations: int


def put(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    *,
    seed: int,
    now: datetime,
    last_days: int | None = None,
) -> History:
    """Fill an empty shop with the real history up to yesterday; `last_days` keeps only the end of it."""
    lines = pack.lines()
    local_midnight = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    shift_days = (
        local_midnight.date()
        - (pack.START + np.timedelta64(int(lines.minute[-1]), "m")).astype("datetime64[D]").item()
    ).days - 1
    keep = np.ones(len(lines.minute), bool)
    if last_days is not None:
        keep = lines.minute // 1440 > lines.minute[-1] // 1440 - last_days
    rng = np.random.default_rng([seed, 1])
    variant_of = _put_catalogue(conn, store, shop, lines, keep, rng, shift_days=shift_days, now=now)
    stamps = _Stamps(shift_days)
    sale = keep & ~lines.is_cancel
    orders, placed = _put_orders(conn, store, shop, lines, np.flatnonzero(sale), variant_of, stamps)
    refunds, unmatched = _put_refunds(
        conn, store, shop, lines, np.flatnonzero(keep & lines.is_cancel), placed, stamps
    )
    return History(orders, int(sale.sum()), refunds, unmatched)


class _Stamps:
    """Shifted UTC stamps of local minutes."""

    def __init__(self, shift_days: int) -> None:
        start = datetime(2009, 12, 1, tzinfo=UTC).replace(tzinfo=None)
        self._start = start + timedelta(days=shift_days)
        self._offsets: dict[int, timedelta] = {}

    def at(self, minute: int) -> str:
        local = self._start + timedelta(minutes=minute)
        day = minute // 1440
        if day not in self._offsets:  # no orders are placed at the hour in which the clocks change
            self._offsets[day] = local.replace(hour=12, tzinfo=ZONE).utcoffset() or timedelta()
        return (local - self._offsets[day]).strftime("%Y-%m-%dT%H:%M:%SZ")


def _put_catalogue(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    lines: pack.Lines,
    keep: np.ndarray,
    rng: np.random.Generator,
    *,
    shift_days: int,
    now: datetime,
) -> dict[int, catalogue.VariantSpec]:
    """Products with stock, cost and truth from what was sold; stock index -> variant."""
    sold = keep & lines.is_product & ~lines.is_cancel
    days = lines.minute // 1440
    last_day = int(lines.minute[-1] // 1440)
    recent = sold & (days > last_day - 91)
    rate = (
        np.bincount(
            lines.stock[recent],
            np.minimum(lines.quantity[recent], 48),
            minlength=len(lines.stock_codes),
        )
        / 91
    )
    families: dict[str, list[int]] = defaultdict(list)
    for stock in np.unique(lines.stock[sold]):
        code = lines.stock_codes[stock]
        match = re.fullmatch(r"(\d{5})[A-Z]{0,2}", code.upper())
        families[match[1] if match else code].append(int(stock))
    specs: dict[int, catalogue.VariantSpec] = {}
    products: list[catalogue.ProductSpec] = []
    order = np.argsort(lines.stock[sold], kind="stable")
    bounds = np.searchsorted(lines.stock[sold][order], np.arange(len(lines.stock_codes) + 1))
    prices = lines.price_pence[sold][order]
    for members in families.values():
        product_type = _type_of(lines.titles[members[0]])
        vendor = VENDORS[sum(map(ord, product_type)) % len(VENDORS)]
        lead = 7.0 + 7.0 * (sum(map(ord, vendor)) % 4)
        made: list[catalogue.VariantSpec] = []
        for stock in members:
            last_prices = prices[bounds[stock] : bounds[stock + 1]][-60:]
            values, counts = np.unique(last_prices, return_counts=True)
            price = Decimal(int(values[counts.argmax()])) / 100
            made.append(_variant(lines, stock, price, float(rate[stock]), lead, rng, now=now))
            specs[stock] = made[-1]
        if len(made) == 1:
            made[0].title = "Default Title"
        titles = [lines.titles[stock] for stock in members]
        products.append(
            catalogue.ProductSpec(_common_title(titles), made, vendor, product_type.title())
        )
    catalogue.put(
        conn,
        store,
        shop,
        products,
        created_at=datetime(2009, 12, 1, 8, tzinfo=UTC) + timedelta(days=shift_days - 30),
        updated_at=now - timedelta(days=1),
    )
    return specs


def _variant(
    lines: pack.Lines,
    stock: int,
    price: Decimal,
    rate: float,
    lead: float,
    rng: np.random.Generator,
    *,
    now: datetime,
) -> catalogue.VariantSpec:
    """One variant: unknown cost for one in twenty, cover from none to half a year, a few planted changes."""
    share = rng.uniform(0.35, 0.65)
    cover_days = rng.choice(
        [0, 5, 12, 25, 45, 90, 180], p=[0.06, 0.12, 0.18, 0.22, 0.2, 0.14, 0.08]
    )
    trend: list[dict[str, object]] = []
    if rng.random() < 0.06:
        factor = float(rng.choice([0.4, 0.5, 2.0, 2.5]))
        start = now.date() + timedelta(days=int(rng.integers(3, 45)))
        until = start + timedelta(days=int(rng.integers(21, 60))) if rng.random() < 0.4 else None
        trend.append(
            {"from": start.isoformat(), "factor": factor, "until": until and until.isoformat()}
        )
    available = int(rng.poisson(max(rate, 0.02) * float(cover_days)))
    return catalogue.VariantSpec(
        sku=lines.stock_codes[stock],
        title=lines.titles[stock],
        price=price,
        cost=None
        if rng.random() < 0.05
        else max(
            Decimal("0.01"), (price * Decimal(str(round(share, 3)))).quantize(Decimal("0.01"))
        ),
        available=available,
        base_per_day=rate,
        elasticity=float(np.clip(rng.normal(-2.2, 0.7), -4.5, -0.5)),
        dispersion=0.6,
        lead_time_days_mean=lead,
        lead_time_days_sd=lead * 0.15,
        pack=int(rng.choice([1, 6, 12])),
        trend=trend,
        second_location_units=int(rng.poisson(3)) if rng.random() < 0.15 else None,
    )


def _type_of(title: str) -> str:
    """The product type that a title names, or the last word of it."""
    words = re.findall(r"[A-Z]+", title.upper())
    for kind in KINDS:
        if any(word.startswith(kind) for word in words):
            return kind
    return "OTHER"


def _common_title(titles: list[str]) -> str:
    """What all the titles of a family share, or the first of them."""
    if len(titles) == 1:
        return titles[0]
    shared = [word for word in titles[0].split() if all(word in title.split() for title in titles)]
    return " ".join(shared) if len(shared) >= 2 else titles[0]


def _put_orders(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    lines: pack.Lines,
    index: np.ndarray,
    variant_of: dict[int, catalogue.VariantSpec],
    stamps: _Stamps,
) -> tuple[int, dict[tuple[int, int, int], deque[list[int]]]]:
    """Insert orders with lines. Also (customer, stock, price) -> [order, line, left, minute, quantity], oldest first."""
    product_of = dict(
        conn.execute("SELECT id, product_id FROM variants WHERE shop = ?", (shop,)).fetchall()
    )
    titles = {
        row[0]: (row[1], row[2])
        for row in conn.execute("SELECT id, title, vendor FROM products WHERE shop = ?", (shop,))
    }
    invoices = lines.invoice[index]
    order = np.argsort(invoices, kind="stable")
    index = index[order]
    starts = np.flatnonzero(np.r_[True, np.diff(lines.invoice[index]) != 0])
    first_id = store.draw_ids(conn, shop, len(starts) + len(index))
    placed: dict[tuple[int, int, int], deque[list[int]]] = defaultdict(deque)
    order_rows: list[tuple[object, ...]] = []
    line_rows: list[tuple[object, ...]] = []
    by_time = np.argsort(lines.minute[index[starts]], kind="stable")
    ends = np.r_[starts[1:], len(index)]
    next_id = first_id
    for number, which in enumerate(by_time):
        rows = index[starts[which] : ends[which]]
        order_id, next_id = next_id, next_id + 1
        stamp = stamps.at(int(lines.minute[rows[0]]))
        customer = int(lines.customer[rows[0]])
        order_rows.append(
            (
                shop,
                order_id,
                f"#{1001 + number}",
                stamp,
                stamp,
                stamp,
                customer,
                f"shopper{customer}@example.com",
            )
        )
        for row in rows.tolist():
            stock, quantity, pence = (
                int(lines.stock[row]),
                int(lines.quantity[row]),
                int(lines.price_pence[row]),
            )
            spec = variant_of.get(stock) if lines.is_product[row] else None
            product_id = product_of[spec.id] if spec else None
            title, vendor = titles[product_id] if product_id else (lines.titles[stock], None)
            price = f"{pence // 100}.{pence % 100:02d}"
            tax = round(pence * quantity / 6)
            line_rows.append(
                (
                    shop,
                    order_id,
                    next_id,
                    product_id,
                    spec.id if spec else None,
                    spec.sku if spec else None,
                    title,
                    spec.title if spec else None,
                    vendor,
                    quantity,
                    quantity,
                    price,
                    f"{tax // 100}.{tax % 100:02d}",
                )
            )
            if spec:
                placed[customer, stock, pence].append(
                    [order_id, next_id, quantity, int(lines.minute[row]), quantity]
                )
            next_id += 1
    conn.executemany(
        "INSERT INTO orders (shop, id, name, created_at, processed_at, updated_at, currency, financial_status, fulfillment_status,"
        " customer_id, customer_email) VALUES (?, ?, ?, ?, ?, ?, 'GBP', 'paid', 'fulfilled', ?, ?)",
        order_rows,
    )
    conn.executemany(
        "INSERT INTO order_lines (shop, order_id, id, product_id, variant_id, sku, title, variant_title, vendor, quantity,"
        " current_quantity, price, tax) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        line_rows,
    )
    return len(order_rows), placed


def _put_refunds(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    lines: pack.Lines,
    index: np.ndarray,
    placed: dict[tuple[int, int, int], deque[list[int]]],
    stamps: _Stamps,
) -> tuple[int, int]:
    """Match cancelled lines to the nearest earlier sale lines with something left; (refunds, lines unmatched)."""
    by_refund: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    unmatched = 0
    for row in index.tolist():
        minute, pence = int(lines.minute[row]), int(lines.price_pence[row])
        wanted = -int(lines.quantity[row])
        for sale in reversed(
            placed.get((int(lines.customer[row]), int(lines.stock[row]), pence), deque())
        ):
            if wanted == 0:
                break
            if sale[3] <= minute and sale[2] > 0:
                units = min(wanted, sale[2])
                sale[2] -= units
                wanted -= units
                by_refund[sale[0], minute].append((sale[1], units, pence))
        unmatched += wanted > 0
    refund_rows: list[tuple[object, ...]] = []
    line_rows: list[tuple[object, ...]] = []
    next_id = store.draw_ids(conn, shop, len(by_refund) + sum(map(len, by_refund.values())))
    for (order_id, minute), taken in sorted(by_refund.items()):
        refund_id, next_id, stamp = next_id, next_id + 1, stamps.at(minute)
        refund_rows.append((shop, refund_id, order_id, stamp, stamp))
        merged: dict[int, list[int]] = {}
        for line_id, units, pence in taken:
            merged.setdefault(line_id, [0, pence])[0] += units
        for line_id, (units, pence) in merged.items():
            tax = round(pence * units / 6)
            line_rows.append(
                (
                    shop,
                    refund_id,
                    next_id,
                    line_id,
                    units,
                    f"{pence * units // 100}.{pence * units % 100:02d}",
                    f"{tax // 100}.{tax % 100:02d}",
                )
            )
            next_id += 1
            conn.execute(
                "UPDATE order_lines SET current_quantity = current_quantity - ? WHERE shop = ? AND order_id = ? AND id = ?",
                (units, shop, order_id, line_id),
            )
        conn.execute(
            "UPDATE orders SET updated_at = max(updated_at, ?), financial_status = 'partially_refunded' WHERE shop = ? AND id = ?",
            (stamp, shop, order_id),
        )
    conn.executemany(
        "INSERT INTO refunds (shop, id, order_id, created_at, processed_at) VALUES (?, ?, ?, ?, ?)",
        refund_rows,
    )
    conn.executemany(
        "INSERT INTO refund_lines (shop, refund_id, id, line_item_id, quantity, restock_type, subtotal, tax)"
        " VALUES (?, ?, ?, ?, ?, 'return', ?, ?)",
        line_rows,
    )
    return len(refund_rows), unmatched
