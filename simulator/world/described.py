"""A shop is made from its description: facts, shelves, past prices, and everything it sold.

The shelves are set last: they are as described, whatever the sales before moved.
"""

import json
import sqlite3
from datetime import datetime, time, timedelta
from typing import Any, Final

from simulator.store import Store, iso
from simulator.world import kinds, market_prices, names
from simulator.world.described_orders import Scene, put_order, put_sales, sales_of
from simulator.world.description import Product, ShopDescription, Variant, named
from simulator.world.rows import NotThereError

KIND: Final = "described"
RECENT_DAYS: Final = 56
"""What a variant sold a day in the last of them is its rate when days go by."""


def make(store: Store, domain: str, told: ShopDescription) -> dict[str, Any]:
    """A shop as described, made once a domain; its domain, and how many orders and variants it has.

    Raises
    ------
    NotThereError
        If an order, a component or a price names what the shop has not.
    ValueError
        If an order cannot be: more is given back than was bought.
    """
    told = _of_its_kind(told)
    with store.transaction() as conn:
        known = conn.execute("SELECT 1 FROM shops WHERE domain = ?", (domain,)).fetchone()
        if known is None:
            _Maker(conn, store, domain, told).make()
    counts = {
        table: store.connection()
        .execute(f"SELECT count(*) FROM {table} WHERE shop = ?", (domain,))
        .fetchone()[0]
        for table in ("orders", "order_lines", "refunds", "variants")
    }
    return {"shop": domain, "is_new": known is None, **counts}


def _of_its_kind(told: ShopDescription) -> ShopDescription:
    """The same with the currency and zone of its kind, where it tells none of its own."""
    if told.kind is None:
        return told
    kind = kinds.KINDS.get(told.kind)
    if kind is None:
        raise NotThereError(f"there is no kind of shop “{told.kind}”")
    of_kind = {"currency": kind.currency, "timezone": kind.timezone}
    untold = {name: value for name, value in of_kind.items() if name not in told.model_fields_set}
    return told.model_copy(update=untold)


class _Maker:
    """The making of one shop, in one transaction."""

    def __init__(
        self, conn: sqlite3.Connection, store: Store, domain: str, told: ShopDescription
    ) -> None:
        self._conn, self._store, self._shop, self._told = conn, store, domain, told
        self._scene = Scene(conn, store, domain, told)
        self._variants = named(told.products)
        self._now = self._present()

    def make(self) -> None:
        """Everything, in the order in which it depends on each other."""
        self._put_shop()
        if self._told.kind is not None:
            fill = kinds.KINDS[self._told.kind].fill
            fill(self._conn, self._store, self._shop, self._told.seed, self._now, None)
        places = self._put_locations()
        for product in self._told.products:
            self._put_product(product)
        self._put_components()
        put_sales(self._scene)
        self._put_orders()
        self._put_levels(places)
        self._put_market_prices()
        self._conn.execute(
            "UPDATE shops SET now_at = ? WHERE domain = ?", (iso(self._now), self._shop)
        )

    def _put_orders(self) -> None:
        for number, order in sorted(
            enumerate(self._told.orders), key=lambda one: self._told.moment(one[1].at)
        ):
            try:
                put_order(self._scene, order)
            except (ValueError, NotThereError) as error:
                raise ValueError(f"orders[{number}]: {error}") from error

    def _present(self) -> datetime:
        """The shop's clock: the real one, or noon of the day that is told."""
        if self._told.as_of is not None:
            return datetime.combine(self._told.as_of, time(12), self._told.zone)
        return datetime.now(self._told.zone).replace(microsecond=0)

    def _first(self, product: Product) -> str:
        created = self._told.day(product.created)
        return iso(datetime.combine(created, time(0, 30), self._told.zone))

    def _put_shop(self) -> None:
        told = self._told
        number = self._conn.execute("SELECT count(*) FROM shops").fetchone()[0] + 1
        self._conn.execute(
            "INSERT INTO shops (domain, id, name, kind, seed, currency, timezone, taxes_included, country, email,"
            " created_at, updated_at, now_at, next_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._shop,
                names.FIRST_SHOP + number,
                self._shop.split(".")[0].replace("-", " ").title(),
                told.kind or KIND,
                told.seed,
                told.currency,
                told.timezone,
                int(told.taxes_included),
                told.country,
                "owner@example.com",
                iso(self._now - timedelta(days=900)),
                iso(self._now - timedelta(days=1)),
                iso(self._now),
                names.first_id(names.FIRST_SHOP + number),
            ),
        )

    def _put_locations(self) -> dict[str, int]:
        rows = self._conn.execute("SELECT name, id FROM locations WHERE shop = ?", (self._shop,))
        found: dict[str, int] = dict(rows.fetchall())
        first = iso(self._now - timedelta(days=900))
        for place in self._told.locations:
            if place.name in found:
                continue
            found[place.name] = self._store.draw_ids(self._conn, self._shop)
            self._conn.execute(
                "INSERT INTO locations (shop, id, name, is_active, fulfills_online_orders, country, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, 1, ?, ?, ?)",
                (
                    self._shop,
                    found[place.name],
                    place.name,
                    int(place.active),
                    place.country,
                    first,
                    first,
                ),
            )
        return found

    def _put_product(self, product: Product) -> None:
        product_id = self._store.draw_ids(self._conn, self._shop)
        first, stamp = self._first(product), iso(self._now - timedelta(days=1))
        handle = "-".join(product.title.lower().split())[:60]
        self._conn.execute(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                self._shop,
                product_id,
                product.title,
                f"{handle}-{product_id}",
                product.status.upper(),
                product.vendor,
                product.type,
                ", ".join(product.tags),
                int(product.gift_card),
                first,
                max(first, stamp),
                first,
            ),
        )
        for position, variant in enumerate(product.variants, start=1):
            self._put_variant(product, product_id, position, variant)

    def _put_variant(
        self, product: Product, product_id: int, position: int, variant: Variant
    ) -> None:
        number = self._store.draw_ids(self._conn, self._shop, 2)
        first, stamp = self._first(product), iso(self._now - timedelta(days=1))
        self._conn.execute(
            "INSERT INTO variants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                self._shop,
                number,
                product_id,
                number + 1,
                variant.title,
                variant.sku,
                position,
                str(variant.price),
                None if variant.compare_at is None else str(variant.compare_at),
                int(variant.taxable),
                variant.policy.upper(),
                first,
                max(first, stamp),
            ),
        )
        self._conn.execute(
            "INSERT INTO inventory_items VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._shop,
                number + 1,
                variant.sku,
                int(variant.tracked),
                int(variant.requires_shipping),
                None if variant.cost is None else str(variant.cost),
                first,
                max(first, stamp),
            ),
        )
        self._put_truth(product, number, variant)

    def _put_truth(self, product: Product, variant_id: int, variant: Variant) -> None:
        """The rate at which it sells when days go by: what it sold lately."""
        since = self._told.today - timedelta(days=RECENT_DAYS)
        name = f"{product.title} / {variant.title}"
        sold = sum(one.units for one in sales_of(self._told, name, variant) if one.on >= since)
        self._conn.execute(
            "INSERT INTO truth VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._shop,
                variant_id,
                sold / RECENT_DAYS,
                str(variant.price),
                -2.0,
                0.2,
                json.dumps([]),
                product.vendor or "",
                14.0,
                2.0,
                1,
            ),
        )

    def _put_components(self) -> None:
        for name, variant in self._variants.items():
            if "/" not in name:
                continue
            for part in variant.components:
                self._conn.execute(
                    "INSERT OR REPLACE INTO variant_components VALUES (?, ?, ?, ?)",
                    (self._shop, self._scene.id(name), self._scene.id(part.variant), part.quantity),
                )

    def _put_levels(self, places: dict[str, int]) -> None:
        """Shelves as described, with the stamp of yesterday."""
        stamp = iso(self._now - timedelta(days=1))
        for product in self._told.products:
            for variant in product.variants:
                item_id = self._scene.id(f"{product.title} / {variant.title}") + 1
                for place, told in self._levels(variant).items():
                    if place not in places:
                        raise NotThereError(f"the shop has no location “{place}”")
                    self._conn.execute(
                        "INSERT OR REPLACE INTO inventory_levels VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
                        (
                            self._shop,
                            self._store.draw_ids(self._conn, self._shop),
                            item_id,
                            places[place],
                            *told,
                            stamp,
                        ),
                    )

    def _levels(self, variant: Variant) -> dict[str, tuple[int, int, int]]:
        """Location -> available, committed, incoming."""
        if variant.levels:
            return {
                place: (level.available, level.committed, level.incoming)
                for place, level in variant.levels.items()
            }
        return {self._told.locations[0].name: (variant.available or 0, 0, variant.incoming)}

    def _put_market_prices(self) -> None:
        currencies = {market.name: market.currency for market in self._told.markets}
        for product in self._told.products:
            for variant in product.variants:
                for market, price in variant.market_prices.items():
                    if market not in currencies:
                        raise NotThereError(f"the shop has no market “{market}”")
                    market_prices.set_fixed_price(
                        self._conn,
                        self._store,
                        self._shop,
                        market=market,
                        currency=currencies[market],
                        variant_id=self._scene.id(f"{product.title} / {variant.title}"),
                        price=str(price),
                    )
