"""Made-up histories: Poisson sales at known rates along known price paths."""

import sqlite3
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from simulator.store import Store, iso
from simulator.world.catalogue import ProductSpec, VariantSpec


def product(
    title: str,
    product_type: str,
    price: str,
    cost: str | None,
    base_per_day: float,
    available: int,
    *,
    elasticity: float = -2.0,
) -> ProductSpec:
    """A product of one variant."""
    spec = VariantSpec(
        sku=f"{product_type[:2].upper()}-{abs(hash_of(title)) % 10_000:04d}",
        title="Default Title",
        price=Decimal(price),
        cost=None if cost is None else Decimal(cost),
        available=available,
        base_per_day=base_per_day,
        elasticity=elasticity,
        dispersion=0.2,
        lead_time_days_mean=14,
        lead_time_days_sd=2,
    )
    return ProductSpec(title, [spec], "Northmill", product_type)


def hash_of(text: str) -> int:
    """A number of a text that is the same in every process."""
    return sum((n + 1) * ord(letter) for n, letter in enumerate(text))


def sell(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    products: list[ProductSpec],
    rng: np.random.Generator,
    *,
    now: datetime,
    days: int,
    price_paths: dict[int, list[tuple[str, float]]] | None = None,
    seasonal: float = 0.0,
) -> dict[str, Any]:
    """Sell for `days` days up to yesterday. `price_paths[product]` is [(price, until this share of the days)]."""
    currency, vendor_titles = _facts(conn, shop)
    orders: list[tuple[object, ...]] = []
    rows: list[tuple[object, ...]] = []
    next_id = store.draw_ids(conn, shop, 1)
    drawn = next_id
    for number in range(days):
        day = (now - timedelta(days=days - number)).replace(hour=9, minute=0, second=0)
        sold = _day_of_sales(products, rng, number / days, price_paths or {}, seasonal, day)
        rng.shuffle(sold)
        while sold:
            size = int(rng.integers(1, 4))
            basket, sold = sold[:size], sold[size:]
            order_id, next_id = next_id, next_id + 1
            stamp = iso(day + timedelta(minutes=int(rng.integers(0, 600))))
            orders.append((shop, order_id, f"#{1001 + len(orders)}", stamp, stamp, stamp, currency))
            for spec, quantity, price in basket:
                product_id, title, vendor = vendor_titles[spec.id]
                rows.append(
                    (
                        shop,
                        order_id,
                        next_id,
                        product_id,
                        spec.id,
                        spec.sku,
                        title,
                        spec.title,
                        vendor,
                        quantity,
                        quantity,
                        price,
                    )
                )
                next_id += 1
    store.draw_ids(conn, shop, next_id - drawn)
    conn.executemany(
        "INSERT INTO orders (shop, id, name, created_at, processed_at, updated_at, currency, financial_status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'paid')",
        orders,
    )
    conn.executemany(
        "INSERT INTO order_lines (shop, order_id, id, product_id, variant_id, sku, title, variant_title, vendor, quantity,"
        " current_quantity, price) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return {}


def _facts(conn: sqlite3.Connection, shop: str) -> tuple[str, dict[int, tuple[int, str, str]]]:
    currency = conn.execute("SELECT currency FROM shops WHERE domain = ?", (shop,)).fetchone()[0]
    rows = conn.execute(
        "SELECT v.id, p.id, p.title, p.vendor FROM variants v JOIN products p ON p.shop = v.shop AND p.id = v.product_id WHERE v.shop = ?",
        (shop,),
    )
    return currency, {row[0]: (row[1], row[2], row[3]) for row in rows}


def _day_of_sales(
    products: list[ProductSpec],
    rng: np.random.Generator,
    share: float,
    paths: dict[int, list[tuple[str, float]]],
    seasonal: float,
    day: datetime,
) -> list[tuple[VariantSpec, int, str]]:
    """Lines sold on one day: (variant, quantity, price)."""
    season = 1 + seasonal * np.sin(2 * np.pi * day.timetuple().tm_yday / 365.25)
    sold: list[tuple[VariantSpec, int, str]] = []
    for number, spec in enumerate(products):
        path = paths.get(number, [])
        for variant in spec.variants:
            price = next((price for price, until in path if share < until), str(variant.price))
            ratio = float(Decimal(price) / variant.price) if variant.price else 1.0
            units = int(rng.poisson(variant.base_per_day * season * ratio**variant.elasticity))
            sold += [(variant, 1, price)] * min(units, 40)
    return sold
