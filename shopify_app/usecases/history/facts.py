"""What we hold, in the words and to the penny of the shop's own books (`keel facts`)."""

from datetime import date
from decimal import Decimal
from typing import Any

from shopify_app.db import order_facts, shops
from shopify_app.db.connection import transaction
from shopify_app.domain.currency import exponent, rounded
from shopify_app.errors import NotFoundError


def facts(shop_id: int, *, since: date | None = None, until: date | None = None) -> dict[str, Any]:
    """Days with orders, units, gross, discounts, refunds and net as decimal strings, and the shelves."""
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        if shop is None:
            raise NotFoundError(f"shop {shop_id}")
        days = order_facts.by_day(conn, shop_id, since=since, until=until)
        shelf = order_facts.shelf_counts(conn, shop_id)
    digits = exponent(shop.currency)

    def amount(value: Decimal) -> str:
        return str(rounded(value, digits))

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
