"""What we hold compared with what Shopify says: behind, unlike, lacking; the rival's rows are no rows of ours."""

from datetime import timedelta

from shopify_app.db import heal, inventory, orders, products, refunds
from shopify_app.db.connection import transaction
from shopify_app.domain.product import InventoryLevel
from tests.db.test_products import MUG
from tests.factories import NOW, line_of, order_of, refund_of

LATER = NOW + timedelta(hours=1)


def hold(shop):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, [order_of(1, line_of(11)), order_of(2)])
        orders.bury(conn, shop.shop_id, 3, at=NOW)
        refunds.upsert_many(conn, shop.shop_id, shop.zone, [refund_of(5, 1, 11)])
        products.upsert_many(conn, shop.shop_id, [MUG])
        inventory.upsert_levels(conn, shop.shop_id, [InventoryLevel(1, 7, 4, 0, True, NOW)])


def ask(shop, what, changed):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, changed)


CHANGED = [(1, NOW), (2, LATER), (3, LATER), (4, NOW)]


def test_an_order_is_behind_if_it_is_older_or_missing_but_not_if_it_was_deleted(acme):
    hold(acme)

    assert ask(acme, heal.orders_behind, CHANGED) == [2, 4]
    assert ask(acme, heal.orders_behind, []) == []


def test_a_refund_that_we_lack_names_its_order(acme):
    hold(acme)

    assert ask(acme, heal.orders_lacking_refunds, [(1, 5), (2, 6), (3, 7), (404, 8)]) == [2]


def test_a_product_is_behind_if_it_is_older_or_missing(acme):
    hold(acme)

    assert ask(acme, heal.products_behind, [(1, NOW)]) == []
    assert ask(acme, heal.products_behind, [(1, LATER), (2, NOW)]) == [1, 2]


def test_a_level_under_the_same_stamp_is_behind_if_it_says_otherwise(acme):
    hold(acme)
    same, other = InventoryLevel(1, 7, 4, 0, True, NOW), InventoryLevel(1, 7, 5, 0, True, NOW)
    older, new = (
        InventoryLevel(1, 7, 9, 0, True, NOW - timedelta(days=1)),
        InventoryLevel(2, 7, 1, 0, True, NOW),
    )

    assert ask(acme, heal.levels_behind, [same, other, older, new]) == [other, new]


def test_what_the_rival_holds_is_missing_here(acme, rival):
    hold(rival)

    assert ask(acme, heal.orders_behind, CHANGED) == [1, 2, 3, 4]
    assert ask(acme, heal.products_behind, [(1, NOW)]) == [1]
    assert ask(acme, heal.orders_lacking_refunds, [(1, 5)]) == []
    assert len(ask(acme, heal.levels_behind, [InventoryLevel(1, 7, 4, 0, True, NOW)])) == 1
