"""A shop is made from its description: facts, shelves, past prices, and everything it sold.

Plain sales are written as rows; an order to which more happened goes through the merchant's own acts, each at its
own time. The shelves are set last: they are as described, whatever the sales before moved.
"""

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import numpy as np

from simulator.minor_units import smallest
from simulator.store import Store, iso
from simulator.world import kinds, market_prices, merchant, names
from simulator.world.description import (
    Line,
    Order,
    Product,
    Rate,
    ShopDescription,
    Sold,
    Variant,
    named,
)

KIND: Final = "described"
OPENING: Final = time(9)
OPEN_MINUTES: Final = 600
RECENT_DAYS: Final = 56
"""What a variant sold a day in the last of them is its rate when days go by."""


@dataclass(frozen=True, slots=True)
class Sale:
    """A plain order of one line."""

    on: date
    variant: str
    units: int
    price: Decimal
    discount: Decimal


def make(store: Store, domain: str, told: ShopDescription) -> dict[str, Any]:
    """A shop as described, made once a domain; its domain, and how many orders and variants it has.

    Raises
    ------
    NotThereError
        If an order, a component or a price names what the shop has not.
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
        raise merchant.NotThereError(f"there is no kind of shop “{told.kind}”")
    of_kind = {"currency": kind.currency, "timezone": kind.timezone}
    untold = {name: value for name, value in of_kind.items() if name not in told.model_fields_set}
    return told.model_copy(update=untold)


class _Maker:
    """The making of one shop, in one transaction."""

    def __init__(
        self, conn: sqlite3.Connection, store: Store, domain: str, told: ShopDescription
    ) -> None:
        self._conn, self._store, self._shop, self._told = conn, store, domain, told
        self._unit = smallest(told.currency)
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
        self._put_sales()
        for order in sorted(self._told.orders, key=lambda one: self._told.moment(one.at)):
            self._put_order(order)
        self._put_levels(places)
        self._put_market_prices()
        self._conn.execute(
            "UPDATE shops SET now_at = ? WHERE domain = ?", (iso(self._now), self._shop)
        )

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
                "INSERT INTO locations VALUES (?, ?, ?, ?, 1, ?, ?, ?)",
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
        sold = sum(one.units for one in self._sales_of(name, variant) if one.on >= since)
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
                    (self._shop, self._id(name), self._id(part.variant), part.quantity),
                )

    def _put_levels(self, places: dict[str, int]) -> None:
        """Shelves as described, with the stamp of yesterday."""
        stamp = iso(self._now - timedelta(days=1))
        for product in self._told.products:
            for variant in product.variants:
                item_id = self._id(f"{product.title} / {variant.title}") + 1
                for place, told in self._levels(variant).items():
                    if place not in places:
                        raise merchant.NotThereError(f"the shop has no location “{place}”")
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
                        raise merchant.NotThereError(f"the shop has no market “{market}”")
                    market_prices.set_fixed_price(
                        self._conn,
                        self._store,
                        self._shop,
                        market=market,
                        currency=currencies[market],
                        variant_id=self._id(f"{product.title} / {variant.title}"),
                        price=str(price),
                    )

    def _put_sales(self) -> None:
        """Plain orders of one line each, in the order of their times."""
        told: list[tuple[datetime, Sale]] = []
        for product in self._told.products:
            for variant in product.variants:
                name = f"{product.title} / {variant.title}"
                told += self._at_times(list(self._sales_of(name, variant)), name)
        told.sort(key=lambda one: one[0])
        for at, sale in told:
            line = Line(
                variant=sale.variant, units=sale.units, price=sale.price, discount=sale.discount
            )
            self._put_plain(Order(at=iso(at), lines=[line]))

    def _at_times(self, sales: list[Sale], name: str) -> list[tuple[datetime, Sale]]:
        rng = self._rng(name, 2)
        minutes = rng.integers(0, OPEN_MINUTES, len(sales))
        return [
            (
                datetime.combine(sale.on, OPENING, self._told.zone)
                + timedelta(minutes=int(minute)),
                sale,
            )
            for sale, minute in zip(sales, minutes, strict=True)
        ]

    def _rng(self, name: str, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self._told.seed, purpose, zlib.crc32(name.encode())])

    def _sales_of(self, name: str, variant: Variant) -> Iterator[Sale]:
        rng = self._rng(name, 1)
        for told in variant.sales:
            if isinstance(told, Sold):
                on = self._told.day(told.on)
                for _ in range(told.orders):
                    yield self._sale(name, variant, on, told.units, told)
            else:
                yield from self._at_rate(name, variant, told, rng)

    def _at_rate(
        self, name: str, variant: Variant, told: Rate, rng: np.random.Generator
    ) -> Iterator[Sale]:
        first, last = self._told.day(told.first), self._told.day(told.last)
        owed = 0.0
        for number in range((last - first).days + 1):
            on = first + timedelta(days=number)
            drawn = int(rng.poisson(told.per_day))
            owed += told.per_day
            units = drawn if told.draw == "poisson" else int(owed + 1e-9)
            owed -= int(owed + 1e-9)
            if self._is_closed(on):
                continue
            while units > 0:
                size = min(units, told.units_per_order)
                units -= size
                yield self._sale(name, variant, on, size, told)

    def _is_closed(self, on: date) -> bool:
        return any(
            self._told.day(one.first) <= on <= self._told.day(one.last) for one in self._told.closed
        )

    def _sale(self, name: str, variant: Variant, on: date, units: int, told: Rate | Sold) -> Sale:
        price = self._price_on(variant, on) if told.price is None else told.price
        return Sale(on, name, units, price, told.discount)

    def _price_on(self, variant: Variant, on: date) -> Decimal:
        """The price of a day: the last of the past ones that had begun; today's after the last has ended."""
        past = [one for one in variant.price_history if self._told.day(one.since) <= on]
        return past[-1].price if past else variant.price

    def _put_plain(self, order: Order) -> int:
        """An order as it was placed."""
        at = iso(self._told.moment(order.at))
        order_id = self._store.draw_ids(self._conn, self._shop, 1 + len(order.lines))
        count = self._conn.execute(
            "SELECT count(*) FROM orders WHERE shop = ?", (self._shop,)
        ).fetchone()[0]
        self._conn.execute(
            "INSERT INTO orders (shop, id, name, created_at, processed_at, updated_at, test, source_name, currency,"
            " financial_status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._shop,
                order_id,
                order.name or f"#{count + 1001}",
                at,
                at,
                at,
                int(order.test),
                order.channel,
                self._told.currency,
                order.financial_status or "paid",
            ),
        )
        for number, line in enumerate(order.lines, start=1):
            self._put_line(order_id, order_id + number, line)
        return order_id

    def _put_line(self, order_id: int, line_id: int, line: Line) -> None:
        known = self._known(line)
        price = line.price if line.price is not None else Decimal(known["price"])
        self._conn.execute(
            "INSERT INTO order_lines (shop, order_id, id, product_id, variant_id, sku, title, variant_title, vendor, quantity,"
            " current_quantity, price, discount, tax, gift_card) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._shop,
                order_id,
                line_id,
                known["product_id"],
                known["id"],
                known["sku"],
                line.title or known["product_title"],
                known["title"],
                known["vendor"],
                line.units,
                line.units,
                str(price),
                str(line.discount.quantize(self._unit)),
                str(self._tax(line, price)),
                known["is_gift_card"],
            ),
        )

    def _known(self, line: Line) -> Any:
        if line.variant is None:
            names_of = ("product_id", "id", "sku", "product_title", "title", "vendor")
            return {**dict.fromkeys(names_of), "is_gift_card": 0, "price": "0"}
        return merchant.one(
            self._conn,
            "SELECT v.*, p.title AS product_title, p.vendor, p.is_gift_card FROM variants v"
            " JOIN products p ON p.shop = v.shop AND p.id = v.product_id WHERE v.shop = ? AND v.id = ?",
            self._shop,
            self._id(line.variant),
        )

    def _tax(self, line: Line, price: Decimal) -> Decimal:
        rate = self._told.tax_rate if line.tax_rate is None else line.tax_rate
        paid = price * line.units - line.discount
        tax = paid * rate / (1 + rate) if self._told.taxes_included else paid * rate
        return tax.quantize(self._unit, ROUND_HALF_UP)

    def _put_order(self, order: Order) -> None:
        """An order, and what happened to it since, at the times of it."""
        order_id = self._put_plain(order)
        for at, act in sorted(self._later_acts(order, order_id), key=lambda one: one[0]):
            act(at)

    def _later_acts(
        self, order: Order, order_id: int
    ) -> Iterator[tuple[datetime, Callable[[datetime], object]]]:
        """What happened to an order, by when."""
        conn, store, shop = self._conn, self._store, self._shop
        for edit in order.edits:
            yield (
                self._told.moment(edit.at),
                lambda at, edit=edit: merchant.edit_order(
                    conn, store, shop, order_id, order_id + 1 + edit.line, -edit.remove, at=at
                ),
            )
        for refund in order.refunds:
            lines = [(order_id + 1 + one.line, one.units) for one in refund.lines]
            yield (
                self._told.moment(refund.at),
                lambda at, lines=lines: merchant.refund_order(
                    conn, store, shop, order_id, lines, at=at
                ),
            )
        if order.cancelled is not None:
            yield (
                self._told.moment(order.cancelled),
                lambda at: merchant.cancel_order(conn, store, shop, order_id, at=at),
            )

    def _id(self, name: str) -> int:
        return names.variant_id(self._conn, self._shop, name)
