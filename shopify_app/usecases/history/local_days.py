"""What follows when a shop's time zone or currency changes: its days are counted again.

Every order, refund and sale stands on its day in the shop's present zone, and demand is of the present
currency alone. A small shop is counted at once, a large one by a job of its own (`local_days`).
"""

from typing import Final

import structlog

from shopify_app.db import daily_sales, due_work, local_days, shops
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.shop import Shop

MOST_AT_ONCE: Final = 20_000
"""Orders moved within another's transaction: about a second's work."""

AGAIN_AFTER_SECONDS: Final = 300
"""Whoever was at work with the old zone has ended by then: what it wrote is put right."""

log = structlog.get_logger()


def follow(conn: Connection, before: Shop) -> None:
    """Count again what a shop's new zone or currency puts elsewhere; `before` is how we knew it."""
    shop = shops.by_id(conn, before.shop_id)
    if shop is None or (shop.timezone, shop.currency) == (before.timezone, before.currency):
        return
    if shop.currency != before.currency:
        daily_sales.touch_all(conn, shop.shop_id)
    if shop.timezone == before.timezone:
        return
    held = local_days.count_orders(conn, shop.shop_id, limit=MOST_AT_ONCE + 1)
    if held <= MOST_AT_ONCE:
        _move(conn, shop.shop_id)
    wait = AGAIN_AFTER_SECONDS if held <= MOST_AT_ONCE else 0
    due_work.ask(conn, shop.shop_id, "local_days", in_seconds=wait)


def move_days(shop_id: int) -> int:
    """Put everything of a shop on its day; how many rows stood on another."""
    with transaction(shop_id) as conn:
        return _move(conn, shop_id)


def _move(conn: Connection, shop_id: int) -> int:
    moved = local_days.move(conn, shop_id)
    if moved:
        daily_sales.touch_all(conn, shop_id)
        log.info("days_moved", shop_id=shop_id, rows=moved)
    return moved
