"""What a described shop sold: plain sales as rows, an order to which more happened by the merchant's own acts."""

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from simulator.minor_units import from_units, smallest
from simulator.store import Store, iso
from simulator.world import edits, names, orders, refunds, returns
from simulator.world.amounts import Amounts, Tax, of_price, tax_lines_text
from simulator.world.description import Edit, Line, Order, Rate, ShopDescription, Sold, Variant
from simulator.world.orders import Charge, Item, Terms
from simulator.world.rows import one

OPENING: Final = time(9)
OPEN_MINUTES: Final = 600

ORDER_COLUMNS: Final = (
    "INSERT INTO orders (shop, id, name, created_at, processed_at, updated_at, currency, financial_status)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, 'paid')"
)
LINE_COLUMNS: Final = (
    "INSERT INTO order_lines (shop, order_id, id, product_id, variant_id, sku, title, variant_title, vendor, quantity,"
    " current_quantity, price, discount, tax, gift_card, tax_lines) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A shop being made from its description."""

    conn: sqlite3.Connection
    store: Store
    shop: str
    told: ShopDescription

    def id(self, name: str) -> int:
        """Of the variant that is called so."""
        return names.variant_id(self.conn, self.shop, name)


@dataclass(frozen=True, slots=True)
class Sale:
    """A plain order of one line."""

    on: date
    units: int
    price: Decimal
    discount: Decimal


def sales_of(told: ShopDescription, name: str, variant: Variant) -> list[Sale]:
    """Everything that a variant sold by its description, the same each time it is asked."""
    rng = _rng(told, name, 1)
    found: list[Sale] = []
    for one_of in variant.sales:
        if isinstance(one_of, Sold):
            on = told.day(one_of.on)
            found += [_sale(told, variant, on, one_of.units, one_of)] * one_of.orders
        else:
            found += _at_rate(told, variant, one_of, rng)
    return found


def put_sales(scene: Scene) -> None:
    """Write the plain sales of every variant, in the order of their times."""
    timed: list[tuple[datetime, str, Sale]] = []
    for product in scene.told.products:
        for variant in product.variants:
            name = f"{product.title} / {variant.title}"
            sales = sales_of(scene.told, name, variant)
            minutes = _rng(scene.told, name, 2).integers(0, OPEN_MINUTES, len(sales))
            timed += [
                (_opening(scene.told, sale.on) + timedelta(minutes=int(minute)), name, sale)
                for sale, minute in zip(sales, minutes, strict=True)
            ]
    timed.sort(key=lambda entry: entry[0])
    known = {name: _what_is_sold(scene, name) for name in {name for _, name, _ in timed}}
    first_id = scene.store.draw_ids(scene.conn, scene.shop, 2 * len(timed)) if timed else 0
    for number, (at, name, sale) in enumerate(timed):
        _put_plain(scene, first_id + 2 * number, f"#{1001 + number}", iso(at), known[name], sale)


def put_order(scene: Scene, told: Order) -> None:
    """An order, and what happened to it since, each at its own time.

    Raises
    ------
    ValueError
        If it cannot be: more is given back than was bought, a variant is not there.
    """
    at = scene.told.moment(told.at)
    order_id = orders.place_order(
        scene.conn,
        scene.store,
        scene.shop,
        [_item(scene, line) for line in told.lines],
        at=at,
        test=told.test,
        terms=_terms(scene, told),
    )
    if told.name:
        scene.conn.execute(
            "UPDATE orders SET name = ? WHERE shop = ? AND id = ?",
            (told.name, scene.shop, order_id),
        )
    for moment, act in sorted(_later(scene, told, order_id), key=lambda entry: entry[0]):
        act(moment)


def _rng(told: ShopDescription, name: str, purpose: int) -> np.random.Generator:
    return np.random.default_rng([told.seed, purpose, zlib.crc32(name.encode())])


def _opening(told: ShopDescription, on: date) -> datetime:
    return datetime.combine(on, OPENING, told.zone)


def _at_rate(
    told: ShopDescription, variant: Variant, rate: Rate, rng: np.random.Generator
) -> Iterator[Sale]:
    first, last = told.day(rate.first), told.day(rate.last)
    owed = 0.0
    for number in range((last - first).days + 1):
        on = first + timedelta(days=number)
        drawn = int(rng.poisson(rate.per_day))
        owed += rate.per_day
        even = int(owed + 1e-9)
        owed -= even
        units = drawn if rate.draw == "poisson" else even
        if any(told.day(shut.first) <= on <= told.day(shut.last) for shut in told.closed):
            continue
        for begun in range(0, units, rate.units_per_order):
            yield _sale(told, variant, on, min(rate.units_per_order, units - begun), rate)


def _sale(told: ShopDescription, variant: Variant, on: date, units: int, sold: Rate | Sold) -> Sale:
    price = _price_on(told, variant, on) if sold.price is None else sold.price
    return Sale(on, units, price, sold.discount)


def _price_on(told: ShopDescription, variant: Variant, on: date) -> Decimal:
    """The price of a day: of the past ones the last that had begun, or today's."""
    past = [was.price for was in variant.price_history if told.day(was.since) <= on]
    return past[-1] if past else variant.price


def _what_is_sold(scene: Scene, name: str) -> sqlite3.Row:
    return one(
        scene.conn,
        "SELECT v.*, p.title AS product_title, p.vendor, p.is_gift_card FROM variants v"
        " JOIN products p ON p.shop = v.shop AND p.id = v.product_id WHERE v.shop = ? AND v.id = ?",
        scene.shop,
        scene.id(name),
    )


def _put_plain(
    scene: Scene, order_id: int, order_name: str, at: str, known: sqlite3.Row, sale: Sale
) -> None:
    currency = scene.told.currency
    sold = _sold(scene, known, sale)
    unit = smallest(currency)
    scene.conn.execute(ORDER_COLUMNS, (scene.shop, order_id, order_name, at, at, at, currency))
    scene.conn.execute(
        LINE_COLUMNS,
        (
            *(scene.shop, order_id, order_id + 1, known["product_id"], known["id"], known["sku"]),
            *(known["product_title"], known["title"], known["vendor"], sale.units, sale.units),
            *(str(sale.price), str(sale.discount.quantize(unit))),
            *(str(from_units(sold.tax, currency)), known["is_gift_card"]),
            tax_lines_text(sold, currency) if sold.tax else None,
        ),
    )


def _sold(scene: Scene, known: sqlite3.Row, sale: Sale) -> Amounts:
    taxes = () if known["is_gift_card"] or not known["taxable"] else _taxes(scene, None)
    return of_price(
        sale.price * sale.units,
        sale.discount,
        taxes,
        included=scene.told.taxes_included,
        currency=scene.told.currency,
    )


def _taxes(scene: Scene, rate: Decimal | None) -> tuple[Tax, ...]:
    """The tax of a line, none at a rate of nothing."""
    rate = scene.told.tax_rate if rate is None else rate
    return (Tax(rate),) if rate else ()


def _item(scene: Scene, line: Line) -> Item:
    return Item(
        None if line.variant is None else scene.id(line.variant),
        line.units,
        line.discount,
        line.price,
        _taxes(scene, line.tax_rate),
        line.title,
    )


def _terms(scene: Scene, told: Order) -> Terms:
    taxes = _taxes(scene, None)
    charges = [
        Charge("SHIPPING", told.shipping, told.shipping_discount, taxes),
        Charge("DUTY", told.duty, title="Duty"),
        Charge("ADDITIONAL_FEE", told.fee, title="Additional fee"),
    ]
    return Terms(
        taxes_included=told.taxes_included,
        charges=tuple(charge for charge in charges if charge.price),
        tip=told.tip,
        source_name=told.channel,
        is_company=told.company,
        financial_status=told.financial_status,
        processed_at=None if told.processed is None else scene.told.moment(told.processed),
        currency=told.currency,
    )


Act = Callable[[datetime], Any]


def _later(scene: Scene, told: Order, order_id: int) -> Iterator[tuple[datetime, Act]]:
    """What happened to an order, and when."""
    where = (scene.conn, scene.store, scene.shop, order_id)
    for edit in told.edits:
        yield scene.told.moment(edit.at), _edit(scene, edit, order_id)
    for refund in told.refunds:
        yield (
            scene.told.moment(refund.at),
            lambda at, refund=refund: refunds.refund_order(
                *where,
                [(order_id + 1 + line.line, line.units) for line in refund.lines],
                restock_type=refund.restock,
                at=at,
                amount=refund.amount,
                shipping=refund.shipping,
            ),
        )
    for exchange in told.exchanges:
        yield (
            scene.told.moment(exchange.at),
            lambda at, exchange=exchange: returns.exchange(
                *where,
                [(order_id + 1 + line.line, line.units) for line in exchange.back],
                [_item(scene, line) for line in exchange.out],
                at=at,
                fee=exchange.fee,
            ),
        )
    if told.cancelled is not None:
        yield scene.told.moment(told.cancelled), lambda at: refunds.cancel_order(*where, at=at)


def _edit(scene: Scene, told: Edit, order_id: int) -> Act:
    where = (scene.conn, scene.store, scene.shop, order_id)
    added, line = told.add, told.line
    if added is not None:
        return lambda at: edits.add_line(*where, _item(scene, added), at=at)
    return lambda at: edits.edit_order(*where, order_id + 1 + (line or 0), -told.remove, at=at)
