"""Putting a catalogue with its stock and its hidden truth into the store."""

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from simulator.store import Store, iso


@dataclass(slots=True)
class VariantSpec:
    """A variant to be made, with what only the simulator knows of it."""

    sku: str | None
    title: str
    price: Decimal
    cost: Decimal | None
    available: int
    base_per_day: float
    elasticity: float = -2.0
    dispersion: float = 0.3
    lead_time_days_mean: float = 14.0
    lead_time_days_sd: float = 2.0
    pack: int = 1
    trend: list[dict[str, object]] = field(default_factory=list)
    """Changes of the rate: {"from": "YYYY-MM-DD", "factor": 2.0, "until": null}."""
    compare_at: Decimal | None = None
    is_tracked: bool = True
    second_location_units: int | None = None
    id: int = 0


@dataclass(slots=True)
class ProductSpec:
    """A product to be made."""

    title: str
    variants: list[VariantSpec]
    vendor: str | None = None
    product_type: str | None = None
    status: str = "ACTIVE"
    is_gift_card: bool = False
    tags: str = ""


def put(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    products: list[ProductSpec],
    *,
    created_at: datetime,
    updated_at: datetime,
) -> None:
    """Insert products, variants, items, levels at two locations, and the truth; ids are set on the specs."""
    first, stamp = iso(created_at), iso(updated_at)
    main, second = store.draw_ids(conn, shop), store.draw_ids(conn, shop)
    for place, name in ((main, "Main warehouse"), (second, "Shop floor")):
        conn.execute(
            "INSERT INTO locations (shop, id, name, is_active, fulfills_online_orders, country, created_at, updated_at)"
            " VALUES (?, ?, ?, 1, 1, 'GB', ?, ?)",
            (shop, place, name, first, first),
        )
    for product in products:
        product_id = store.draw_ids(conn, shop)
        handle = "-".join(product.title.lower().split())[:60] or str(product_id)
        conn.execute(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                shop,
                product_id,
                product.title,
                f"{handle}-{product_id}",
                product.status,
                product.vendor,
                product.product_type,
                product.tags,
                int(product.is_gift_card),
                first,
                stamp,
                first,
            ),
        )
        for position, spec in enumerate(product.variants, start=1):
            _put_variant(
                conn, store, shop, (main, second), product, product_id, position, spec, first, stamp
            )


def _put_variant(  # noqa: PLR0917 -- the parts of one row, in the order they were made
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    places: tuple[int, int],
    product: ProductSpec,
    product_id: int,
    position: int,
    spec: VariantSpec,
    first: str,
    stamp: str,
) -> None:
    spec.id = store.draw_ids(conn, shop, 4)
    item_id = spec.id + 1
    conn.execute(
        "INSERT INTO variants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'DENY', ?, ?, NULL)",
        (
            shop,
            spec.id,
            product_id,
            item_id,
            spec.title,
            spec.sku,
            position,
            str(spec.price),
            None if spec.compare_at is None else str(spec.compare_at),
            first,
            stamp,
        ),
    )
    conn.execute(
        "INSERT INTO inventory_items VALUES (?, ?, ?, ?, 1, ?, ?, ?)",
        (
            shop,
            item_id,
            spec.sku,
            int(spec.is_tracked),
            None if spec.cost is None else str(spec.cost),
            first,
            stamp,
        ),
    )
    stocked = [(places[0], spec.available, spec.id + 2)]
    if spec.second_location_units is not None:
        stocked.append((places[1], spec.second_location_units, spec.id + 3))
    for place, units, level_id in stocked:
        conn.execute(
            "INSERT INTO inventory_levels VALUES (?, ?, ?, ?, ?, 0, 0, 1, ?)",
            (shop, level_id, item_id, place, units, stamp),
        )
    conn.execute(
        "INSERT INTO truth VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            shop,
            spec.id,
            spec.base_per_day,
            str(spec.price),
            spec.elasticity,
            spec.dispersion,
            json.dumps(spec.trend),
            product.vendor or "",
            spec.lead_time_days_mean,
            spec.lead_time_days_sd,
            spec.pack,
        ),
    )
