"""A shop's kill switch: while writes are paused no price leaves, whatever was decided."""

import structlog

from shopify_app.db import shops
from shopify_app.db.connection import transaction
from shopify_app.domain.shop import Shop
from shopify_app.errors import NotFoundError

log = structlog.get_logger()


def pause(shop_id: int) -> Shop:
    """The shop with its writes paused; those paused already stay so since then."""
    return _set(shop_id, paused=True)


def resume(shop_id: int) -> Shop:
    """The shop with its writes let go: changes that waited leave with the next beat of the pump."""
    return _set(shop_id, paused=False)


def _set(shop_id: int, *, paused: bool) -> Shop:
    with transaction(shop_id) as conn:
        shops.pause_writes(conn, shop_id, paused=paused)
        shop = shops.by_id(conn, shop_id)
    if shop is None:
        raise NotFoundError("shop")
    log.warning("writes_paused" if paused else "writes_resumed", shop_id=shop_id)
    return shop
