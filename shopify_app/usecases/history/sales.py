"""Touched days are counted again, and the suggestions that rest on them are asked for."""

from typing import Final

from shopify_app.db import daily_sales, due_work
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases.rounds import each

DAYS_AT_ONCE: Final = 60
"""Days counted in one transaction; a history of years takes several."""

REFRESH_AFTER_SECONDS: Final = 600
"""News is gathered that long before suggestions are worked out anew."""


def roll_up_sales() -> int:
    """Count every shop's touched days; how many days were counted."""
    with sweep_transaction() as conn:
        touched = daily_sales.touched_shops(conn)
    return each(touched, roll_up_shop, of="sales")


def roll_up_shop(shop_id: int) -> int:
    """Count one shop's touched days until none is left; how many were counted."""
    counted = 0
    while True:
        with transaction(shop_id) as conn:
            days = daily_sales.recount(conn, shop_id, limit_days=DAYS_AT_ONCE)
            if days:
                due_work.ask(conn, shop_id, "suggestions", in_seconds=REFRESH_AFTER_SECONDS)
        counted += days
        if days < DAYS_AT_ONCE:
            return counted
