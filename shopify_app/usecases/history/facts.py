"""What we hold, in the words and to the penny of the shop's own books (`keel facts`)."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from shopify_app.db import order_facts, shops
from shopify_app.db.connection import transaction
from shopify_app.errors import NotFoundError

MINOR_DIGITS: Final = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "ISK": 0,
    "KWD": 3,
    "BHD": 3,
    "OMR": 3,
    "JOD": 3,
    "TND": 3,
}
"""Currencies whose minor unit is not a hundredth (ISO 4217)."""


def facts(shop_id: int, *, since: date | None = None, until: date | None = None) -> dict[str, Any]:
    """Days with orders, units, gross, discounts, refunds and net as decimal strings, and the shelves."""
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        if shop is None:
            raise NotFoundError(f"shop {shop_id}")
        days = order_facts.by_day(conn, shop_id, since=since, until=until)
        shelf = order_facts.shelf_counts(conn, shop_id)
    unit = Decimal(1).scaleb(-MINOR_DIGITS.get(shop.currency, 2))

    def amount(value: Decimal) -> str:
        return str(value.quantize(unit))

    return {
        "shop": shop.domain,
        "currency": shop.currency,
        "timezone": shop.timezone,
        "days": [
            {
                "day": row.day.isoformat(),
                "orders": row.orders,
                "units": row.units,
                "gross": amount(row.gross),
                "discounts": amount(row.discounts),
                "refunds": amount(row.refunds),
                "net": amount(row.gross - row.discounts - row.refunds),
            }
            for row in days
        ],
        "catalogue": {
            "products": shelf.products,
            "variants": shelf.variants,
            "variants_with_cost": shelf.variants_with_cost,
        },
        "stock": {"levels": shelf.levels, "available_units": shelf.available_units},
    }
