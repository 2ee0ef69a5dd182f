"""Shopify's own sales of orders whose lines alone do not tell their money: asked for, and kept.

    news of an order --note--> wanted --a minute later, ten orders a call--> read --> kept
                                                                        └── not shown: what is derived stays

A minute, because news comes in bursts: an edit, its payment and the parcel are one reading.
"""

from collections.abc import Sequence
from functools import partial

import structlog

from shopify_app.config import settings
from shopify_app.db import daily_sales, refetches, sales
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.sale import OrderLedger
from shopify_app.domain.shop import Shop
from shopify_app.metrics import SALES_CHANGED
from shopify_app.shopify import agreements_api
from shopify_app.usecases.shops import access

log = structlog.get_logger()


def note(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> None:
    """Have the sales of those of these orders asked for that need it."""
    if order_ids:
        ask(conn, shop_id, sales.note_wanted(conn, shop_id, order_ids))


def want(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> None:
    """Have the sales of these orders asked for, whatever their lines say."""
    if order_ids:
        sales.want(conn, shop_id, order_ids)
        ask(conn, shop_id, order_ids)


def ask(conn: Connection, shop_id: int, order_ids: Sequence[int]) -> None:
    """Have the sales of these orders asked for, once the burst of news is over."""
    wait = settings().ledger_wait_seconds
    refetches.ask(conn, shop_id, "ledger", order_ids, in_seconds=wait)


def read(shop: Shop, order_ids: Sequence[int]) -> set[int]:
    """Ask Shopify for the sales of at most `agreements_api.LARGEST_BATCH` orders; which of them it showed."""
    call = partial(agreements_api.ledgers_of_orders, order_ids=order_ids)
    found = access.with_api(shop.shop_id, call)
    with transaction(shop.shop_id) as conn:
        book(conn, shop, found)
    return {one.order_id for one in found}


def book(conn: Connection, shop: Shop, found: Sequence[OrderLedger]) -> None:
    """Keep sales that were read; a row that came back otherwise is told of."""
    booked = sales.replace(conn, shop.shop_id, shop.zone, found)
    daily_sales.touch(conn, shop.shop_id, booked.days)
    behind = sales.lines_behind(conn, shop.shop_id, [one.order_id for one in found])
    refetches.ask(conn, shop.shop_id, "order", behind)
    if booked.changed:
        sales.note_changed(conn, shop.shop_id, len(booked.changed))
        SALES_CHANGED.inc(len(booked.changed))
        log.error("sales_changed", shop_id=shop.shop_id, sales=booked.changed[:20])
