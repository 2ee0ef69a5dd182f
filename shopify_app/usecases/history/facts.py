"""What we hold, in the words and to the penny of the shop's own books (`keel facts`)."""

from datetime import date
from decimal import Decimal
from typing import Any

from shopify_app.db import books, order_facts, shops
from shopify_app.db.books import BookDay, BookLine
from shopify_app.db.connection import transaction
from shopify_app.domain.currency import exponent, rounded
from shopify_app.errors import NotFoundError


def facts(
    shop_id: int,
    *,
    since: date | None = None,
    until: date | None = None,
    with_variants: bool = False,
) -> dict[str, Any]:
    """Days with orders, units and money as decimal strings, a row a day and currency, and the shelves.

    Refunds and discounts are above nothing; net is gross less both: Shopify's net sales. All but taxes, total and
    tips is without tax. `with_variants` adds what each day brought of each variant.
    """
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        if shop is None:
            raise NotFoundError(f"shop {shop_id}")
        days = books.by_day(conn, shop_id, since=since, until=until)
        lines = books.by_variant(conn, shop_id, since=since, until=until) if with_variants else []
        shelf = order_facts.shelf_counts(conn, shop_id)
    found = {
        "shop": shop.domain,
        "currency": shop.currency,
        "timezone": shop.timezone,
        "days": [_day(row) for row in days],
        "catalogue": {
            "products": shelf.products,
            "variants": shelf.variants,
            "variants_with_cost": shelf.variants_with_cost,
        },
        "stock": {"levels": shelf.levels, "available_units": shelf.available_units},
    }
    return {**found, "variants": [_line(row) for row in lines]} if with_variants else found


def _money(currency: str, **amounts: Decimal) -> dict[str, str]:
    """Amounts with the decimals of their currency."""
    digits = exponent(currency)
    return {name: str(rounded(amount, digits)) for name, amount in amounts.items()}


def _day(row: BookDay) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(),
        "currency": row.currency,
        "orders": row.orders,
        "units": row.units,
        "returned_units": row.returned_units,
        **_money(
            row.currency,
            gross=row.gross,
            discounts=row.discounts,
            refunds=row.refunds,
            net=row.gross - row.discounts - row.refunds,
            taxes=row.taxes,
            shipping=row.shipping,
            fees=row.fees,
            duties=row.duties,
            total=row.total,
            tips=row.tips,
            gift_cards=row.gift_cards,
            unknown=row.unknown,
        ),
    }


def _line(row: BookLine) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(),
        "currency": row.currency,
        "variant_id": row.variant_id,
        "product_id": row.product_id,
        "units": row.units,
        "returned_units": row.returned_units,
        **_money(
            row.currency,
            gross=row.gross,
            discounts=row.discounts,
            refunds=row.refunds,
            net=row.gross - row.discounts - row.refunds,
            taxes=row.taxes,
        ),
    }
