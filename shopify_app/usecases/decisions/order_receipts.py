"""Orders that were sent arrive: the merchant says so, or the shelf does.

How long each took is what lead times are learned from (`advice.lead_times`).
"""

from datetime import date, datetime, time
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.db import due_work, purchase_orders, shops
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.shop import Shop
from shopify_app.errors import InvalidInputError, NotFoundError

NOON: Final = time(12)
"""Of the day that the merchant names, in the shop's zone."""

log = structlog.get_logger()


def order_arrived(shop_id: int, vendor: str, sent_at: datetime, day: date | None = None) -> int:
    """A vendor's order that was sent at a moment is there since a day (None: now); how many lines were still open.

    Raises
    ------
    InvalidInputError
        If the day is to come, or before the order was sent.
    NotFoundError
        If there is no such shop.
    """
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        if shop is None:
            raise NotFoundError(f"shop {shop_id}")
        now = clock.now(shop)
        today = now.astimezone(shop.zone).date()
        if day is not None and not sent_at.astimezone(shop.zone).date() <= day <= today:
            raise InvalidInputError("the day must be between sending and today", field="day")
        at = now if day in (None, today) else datetime.combine(day, NOON, shop.zone)
        lines = purchase_orders.mark_arrived(conn, shop_id, vendor, sent_at, at=at)
        if lines:
            due_work.ask(conn, shop_id, "suggestions")
    return lines


def notice_arrivals(conn: Connection, shop: Shop) -> None:
    """Lines whose shelf rose by what was ordered are there; one line a day and variant is looked for."""
    if lines := purchase_orders.notice_arrivals(conn, shop.shop_id, shop.timezone):
        log.info("arrivals_noticed", shop_id=shop.shop_id, lines=lines)
