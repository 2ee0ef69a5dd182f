"""The products under a price test as a page shows them, and a test as JSON."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from flask_babel import lazy_gettext as later
from flask_babel import ngettext

from shopify_app.db.pages import StorePrice
from shopify_app.domain.price_test import LeftReason, PriceTest, PriceUnderTest, TestedSeries
from shopify_app.web import formats
from shopify_app.web.json_twin import as_json, picked
from shopify_app.web.price_tests.answers import could_tell, guess
from shopify_app.web.price_tests.words import PriceTestView
from shopify_app.web.wording import thing

LEFT: Final = {
    LeftReason.EDITED: later("You changed it, so it stays as you set it."),
    LeftReason.CONFLICT: later("It was not the price we knew, so we left it as it is."),
    LeftReason.UNKNOWN: later("We do not know what our last change did. Check it in Shopify."),
    LeftReason.FAILED: later("Shopify refused a change. Check the price in Shopify."),
    LeftReason.GONE: later("It is no longer on sale."),
}
"""Why a price left a test."""


@dataclass(frozen=True, slots=True)
class ProductUnderTest:
    """A line of the table: a product, what it cost before, its two prices, what it costs now."""

    product_id: int
    product_title: str
    image_url: str | None
    note: str
    regular: str
    low: str
    high: str
    now: str


@dataclass(frozen=True, slots=True)
class LeftPrice:
    """A price that the test did not, or will not, put back: what it was, is, and why."""

    thing: str
    regular: str
    now: str
    why: str


def product_lines(
    test: PriceTest, under_test: Sequence[PriceUnderTest], store: Sequence[StorePrice]
) -> list[ProductUnderTest]:
    """A line for each product of the test that is still on sale or was when it began, by title."""
    on_sale: dict[int, list[StorePrice]] = defaultdict(list)
    for price in store:
        on_sale[price.product_id].append(price)
    kept: dict[int, list[PriceUnderTest]] = defaultdict(list)
    for row in under_test:
        kept[row.product_id].append(row)
    lines = [
        _line(test, series, kept[series.product_id], on_sale[series.product_id])
        for series in test.plan.series
        if series.product_id in kept.keys() | on_sale.keys()
    ]
    return sorted((line for line in lines if line), key=lambda line: line.product_title)


def _line(
    test: PriceTest,
    series: TestedSeries,
    kept: Sequence[PriceUnderTest],
    on_sale: Sequence[StorePrice],
) -> ProductUnderTest | None:
    known = [*kept, *on_sale]
    if not known:
        return None
    variants = max(len(kept), len(on_sale))
    regular = [row.regular_price for row in kept] or [Decimal(str(series.old_price))]
    return ProductUnderTest(
        product_id=series.product_id,
        product_title=known[0].product_title,
        image_url=on_sale[0].image_url if on_sale else None,
        note=ngettext("%(num)s variant", "%(num)s variants", variants) if variants > 1 else "",
        regular=_prices(regular, test.currency),
        low=formats.price(series.low_price, test.currency),
        high=formats.price(series.high_price, test.currency),
        now=_prices([price.price for price in on_sale], test.currency),
    )


def _prices(amounts: Sequence[Decimal], currency: str) -> str:
    if not amounts:
        return "–"
    if min(amounts) == max(amounts):
        return formats.price(amounts[0], currency)
    return formats.between(
        min(amounts), max(amounts), lambda amount: formats.price(amount, currency)
    )


def left_prices(
    test: PriceTest, under_test: Sequence[PriceUnderTest], store: Sequence[StorePrice]
) -> list[LeftPrice]:
    """The prices that left the test, each with its reason."""
    now = {price.variant_id: price.price for price in store}
    return [
        LeftPrice(
            thing=thing(row.product_title, row.variant_title),
            regular=formats.price(row.regular_price, test.currency),
            now=_prices([now[row.variant_id]] if row.variant_id in now else [], test.currency),
            why=str(LEFT[row.left_because]),
        )
        for row in under_test
        if row.left_because is not None
    ]


@as_json.register
def price_test_json(view: PriceTestView) -> dict[str, Any]:
    """A test, as JSON; ranges are 80 %, `cost_high` holds in 9 of 10 cases."""
    test = view.test
    low, high = guess(test)
    return {
        **picked(test, "id", "state"),
        "title": view.title,
        "words": view.brief,
        **picked(test, "proposed_at", "decided_at", "first_on", "last_on"),
        "products": len(test.plan.series),
        **picked(test, "weeks", "block_weeks", "maximum_cost", "expected_cost", "currency"),
        "guess": {"low": low, "high": high},
        "precision": test.plan.precision,
        "weeks_read": test.weeks_read,
        "reading": _reading_json(test),
        **picked(test, "stop_because", "stopped_at", "ended_at"),
    }


def _reading_json(test: PriceTest) -> dict[str, Any] | None:
    reading = test.reading
    if reading is None:
        return None
    return {
        "elasticity": reading.elasticity,
        "low": reading.low,
        "high": reading.high,
        "p_value": reading.p_value_no_answer,
        "could_tell": could_tell(test),
        "cost_so_far": f"{reading.cost_so_far:.2f}",
        "cost_high": f"{reading.cost_high:.2f}",
    }


@dataclass(frozen=True, slots=True)
class TestedPrice:
    """A variant under a test, or one that would be."""

    product_id: int
    variant_id: int
    product_title: str
    variant_title: str
    regular_price: Decimal
    low_price: Decimal
    high_price: Decimal
    current_price: Decimal | None
    left_because: LeftReason | None
    returned_at: datetime | None


def tested_prices(
    test: PriceTest, under_test: Sequence[PriceUnderTest], store: Sequence[StorePrice]
) -> list[TestedPrice]:
    """The variants under a test, or those that would be."""
    now = {price.variant_id: price.price for price in store}
    series = {one.product_id: one for one in test.plan.series}
    return [
        _tested_price(row, series[row.product_id], now.get(row.variant_id))
        for row in under_test or store
    ]


def _tested_price(
    row: PriceUnderTest | StorePrice, series: TestedSeries, now: Decimal | None
) -> TestedPrice:
    kept = row if isinstance(row, PriceUnderTest) else None
    return TestedPrice(
        product_id=row.product_id,
        variant_id=row.variant_id,
        product_title=row.product_title,
        variant_title=row.variant_title,
        regular_price=kept.regular_price if kept else Decimal(str(series.old_price)),
        low_price=Decimal(str(series.low_price)),
        high_price=Decimal(str(series.high_price)),
        current_price=now,
        left_because=kept and kept.left_because,
        returned_at=kept and kept.returned_at,
    )
