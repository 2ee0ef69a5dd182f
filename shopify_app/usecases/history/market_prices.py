"""Prices that markets hold fast are read once a day, if we may: a change of the base price does not move them."""

from datetime import timedelta
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.db import price_history, shops
from shopify_app.db.connection import transaction
from shopify_app.db.price_history import FixedPrice
from shopify_app.errors import AccessDeniedError, ShopUnavailableError, TransientError
from shopify_app.shopify import markets_api, scopes
from shopify_app.shopify.client import AdminApi
from shopify_app.usecases.shops import access

SCOPE: Final = "read_markets"
FRESH_HOURS: Final = 20

log = structlog.get_logger()


def read_market_prices(shop_id: int, *, even_if_fresh: bool = False) -> int | None:
    """Read a shop's fixed prices; how many, or None where the scope is not granted or they are fresh.

    Shopify being away leaves what we knew: the next run reads again.
    """
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        read_at = price_history.markets_read_at(conn, shop_id)
    if shop is None or not scopes.may(shop.granted_scopes, SCOPE):
        return None
    if read_at and not even_if_fresh and clock.now(shop) - read_at < timedelta(hours=FRESH_HOURS):
        return None
    try:
        lists, found = access.with_api(shop_id, _read)
    except (TransientError, ShopUnavailableError, AccessDeniedError) as error:
        log.warning("markets_not_read", shop_id=shop_id, error=str(error))
        return None
    with transaction(shop_id) as conn:
        return price_history.replace_fixed_prices(conn, shop_id, found, price_lists=lists)


def _read(api: AdminApi) -> tuple[int, list[FixedPrice]]:
    lists = markets_api.price_lists(api)
    found = [
        FixedPrice(p.variant_id, one.id, one.name, p.currency, p.price, p.compare_at_price)
        for one in lists
        for p in markets_api.fixed_prices(api, one.id)
    ]
    return len(lists), found
