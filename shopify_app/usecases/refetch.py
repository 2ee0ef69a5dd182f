"""What a webhook only hinted at is asked of Shopify, and applied by the same road as a webhook.

An answer that cannot be read waits longer each time, as one that did not come; its neighbours go on.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from shopify_app.db import daily_sales, inventory, orders, products, refetches, refunds, shops
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.shop import Shop
from shopify_app.errors import AppError, NotFoundError, ShopUnavailableError
from shopify_app.shopify import catalogue_api, orders_api
from shopify_app.usecases import access
from shopify_app.usecases.poison import SPOILING

AT_ONCE: Final = 50

log = structlog.get_logger()


def refetch_resources() -> int:
    """Ask for what is due in every shop; how many resources were asked for."""
    with sweep_transaction() as conn:
        due = refetches.due_shops(conn)
    return sum(_refetch_shop(shop_id) for shop_id in due)


def _refetch_shop(shop_id: int) -> int:
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        due = refetches.due(conn, shop_id, limit=AT_ONCE)
    if shop is None:
        raise NotFoundError(f"shop {shop_id}")
    for kind, resource_id, asked_at in due:
        try:
            REFETCH[kind](shop, resource_id)
        except ShopUnavailableError:
            return 0
        except (AppError, *SPOILING) as error:
            log.warning(
                "refetch_failed",
                shop_id=shop_id,
                kind=kind,
                id=resource_id,
                error_type=type(error).__name__,
            )
            with transaction(shop_id) as conn:
                refetches.postpone(conn, shop_id, kind, resource_id)
        else:
            with transaction(shop_id) as conn:
                refetches.finish(conn, shop_id, kind, resource_id, asked_at)
    return len(due)


def refetch_order(shop: Shop, order_id: int) -> bool:
    """One order with its refunds; True if it was news."""
    found = access.with_api(shop.shop_id, lambda api: orders_api.order_with_refunds(api, order_id))
    with transaction(shop.shop_id) as conn:
        if found is None:
            daily_sales.touch(
                conn, shop.shop_id, orders.bury(conn, shop.shop_id, order_id, at=datetime.now(UTC))
            )
            return True
        order, given_back = found
        result = orders.upsert_many(conn, shop.shop_id, shop.zone, [order])
        days, _ = refunds.upsert_many(conn, shop.shop_id, shop.zone, given_back)
        daily_sales.touch(conn, shop.shop_id, result.days | days)
        return result.newer > 0


def refetch_product(shop: Shop, product_id: int) -> bool:
    """One product with all its variants; True if a price was news."""
    found = access.with_api(
        shop.shop_id, lambda api: catalogue_api.product_with_variants(api, product_id)
    )
    with transaction(shop.shop_id) as conn:
        if found is None:
            products.bury(conn, shop.shop_id, product_id, at=datetime.now(UTC))
            return True
        product, variants, items = found
        if product_id not in products.upsert_many(conn, shop.shop_id, [product]):
            return False
        changed = products.upsert_variants(conn, shop.shop_id, variants)
        products.add_price_history(conn, shop.shop_id, changed, source="merchant")
        inventory.upsert_items(conn, shop.shop_id, items)
        products.retire_missing(
            conn, shop.shop_id, product_id, [v.id for v in variants], at=product.updated_at
        )
        return bool(changed)


def refetch_item(shop: Shop, item_id: int) -> bool:
    """One inventory item with its levels; True if a level was news."""
    found = access.with_api(shop.shop_id, lambda api: catalogue_api.item_with_levels(api, item_id))
    with transaction(shop.shop_id) as conn:
        if found is None:
            inventory.bury_item(conn, shop.shop_id, item_id, at=datetime.now(UTC))
            return True
        item, levels = found
        inventory.upsert_items(conn, shop.shop_id, [item])
        return inventory.upsert_levels(conn, shop.shop_id, levels) > 0


REFETCH: Final[dict[str, Callable[[Shop, int], bool]]] = {
    "order": refetch_order,
    "product": refetch_product,
    "inventory_item": refetch_item,
}
