"""What price changes may lose in all, what they may lose now, and how much of the sales they hold."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from shopify_app.db import exposure, measuring_settings, price_tests, registrations
from shopify_app.db.connection import Connection

CAP_DAYS: Final = 90
CAP_SHARE: Final = Decimal("0.01")
"""Without a choice of the merchant's, price changes may lose a hundredth of ninety days' sales in all."""
EXPOSURE_DAYS: Final = 90
"""Over which it is looked at how much of the sales some products make up."""
LEAST_CAP: Final = Decimal(25)
"""Even a shop without sales needs a cap above zero."""
MONTHS_MEASURED: Final = Decimal("1.4")
"""How long a price stands before it is judged: six weeks."""


def loss_cap(conn: Connection, shop_id: int, today: date) -> Decimal:
    """What price changes may lose in all: the merchant's word, else a hundredth of ninety days' sales."""
    chosen = measuring_settings.of_shop(conn, shop_id).loss_cap
    if chosen is not None:
        return chosen
    sales = exposure.all_sales(conn, shop_id, today - timedelta(days=CAP_DAYS))
    return max(LEAST_CAP, (sales * CAP_SHARE).quantize(Decimal("0.01")))


def shares_of_sales(conn: Connection, shop_id: int, today: date) -> dict[int, float]:
    """Product -> its share of the shop's sales of late; empty where nothing sold."""
    since = today - timedelta(days=EXPOSURE_DAYS)
    sales = exposure.all_sales(conn, shop_id, since)
    found = exposure.sales_by_product(conn, shop_id, since) if sales else {}
    return {product: float(each / sales) for product, each in found.items()}


def share_of_sales(
    conn: Connection, shop_id: int, variant_ids: Iterable[int], today: date
) -> Decimal:
    """What some variants made up of the shop's sales of late."""
    since = today - timedelta(days=EXPOSURE_DAYS)
    sales = exposure.all_sales(conn, shop_id, since)
    mine = exposure.sales_of(conn, shop_id, sorted(set(variant_ids)), since)
    return mine / sales if sales else Decimal(0)


def at_risk(conn: Connection, shop_id: int, worst_a_month: Decimal) -> Decimal:
    """What prices under change, waiting to be written, under a test and now asked for may lose before they are judged (>= 0).

    `worst_a_month` is the low end of the ones asked for, below zero where they may lose.
    """
    waiting = exposure.waiting_worst(conn, shop_id) + max(Decimal(0), -worst_a_month)
    tested = price_tests.open_cost(conn, shop_id)
    return registrations.open_risk(conn, shop_id) + tested + waiting * MONTHS_MEASURED
