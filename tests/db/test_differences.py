"""What we hold compared with what Shopify says: behind, unlike, lacking; the rival's rows are no rows of ours."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shopify_app.db import differences, inventory, orders, products, refunds
from shopify_app.db.connection import transaction
from shopify_app.domain.product import InventoryLevel
from tests.factories import BLUE, MUG, NOW, RED, line_of, order_of, refund_of

LATER = NOW + timedelta(hours=1)


def hold(shop):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, [order_of(1, line_of(11)), order_of(2)])
        orders.bury(conn, shop.shop_id, 3, at=LATER)
        refunds.upsert_many(conn, shop.shop_id, shop.zone, [refund_of(5, 1, 11)])
        products.upsert_many(conn, shop.shop_id, [MUG])
        inventory.upsert_levels(conn, shop.shop_id, [InventoryLevel(1, 7, 4, 0, True, NOW)])


def ask(shop, what, changed):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, changed)


CHANGED = [(1, NOW), (2, LATER), (3, LATER), (4, NOW)]


def test_an_order_is_behind_if_it_is_older_or_missing_but_not_if_it_was_deleted_since(acme):
    hold(acme)

    assert ask(acme, differences.orders_behind, CHANGED) == [2, 4]
    assert ask(acme, differences.orders_behind, [(3, LATER + timedelta(seconds=1))]) == [3]
    assert ask(acme, differences.orders_behind, []) == []


def test_a_refund_that_we_lack_names_its_order(acme):
    hold(acme)

    assert ask(acme, differences.orders_lacking_refunds, [(1, 5), (2, 6), (3, 7), (404, 8)]) == [2]


def test_a_product_is_behind_if_it_is_older_or_missing(acme):
    hold(acme)

    assert ask(acme, differences.products_behind, [(1, NOW)]) == []
    assert ask(acme, differences.products_behind, [(1, LATER), (2, NOW)]) == [1, 2]

    with transaction(acme.shop_id) as conn:
        products.bury(conn, acme.shop_id, 1, at=LATER)
    assert ask(acme, differences.products_behind, [(1, LATER)]) == []
    assert ask(acme, differences.products_behind, [(1, LATER + timedelta(seconds=1))]) == [1]


@pytest.mark.parametrize(
    ("changed", "listed", "is_whole", "differs"),
    [
        ({}, [RED, BLUE], True, False),
        ({"tags": ["b", "a"], "image_url": "x"}, [BLUE, RED], True, False),
        ({}, [replace(RED, inventory_item_id=None), BLUE], True, False),
        ({}, [RED], False, False),
        ({"title": "Cup"}, [RED, BLUE], True, True),
        ({"status": "DRAFT"}, [RED, BLUE], True, True),
        ({}, [RED], True, True),
        ({}, [RED, replace(BLUE, price=Decimal("11.00"))], True, True),
        ({}, [RED, replace(BLUE, compare_at_price=Decimal("20.00"))], False, True),
        ({}, [RED, BLUE, replace(RED, id=12)], True, True),
    ],
)
def test_a_product_is_unlike_if_it_or_a_variant_of_it_is_told_otherwise(
    acme, rival, changed, listed, is_whole, differs
):
    with transaction(acme.shop_id) as conn:
        products.upsert_many(conn, acme.shop_id, [replace(MUG, tags=["a", "b"])])
        products.upsert_variants(conn, acme.shop_id, [RED, BLUE])
    news = [(replace(MUG, **({"tags": ["a", "b"]} | changed)), listed, is_whole)]

    assert ask(acme, differences.products_unlike, news) == ({1} if differs else set())
    assert ask(rival, differences.products_unlike, news) == {1}
    assert ask(acme, differences.products_unlike, []) == set()


def test_an_order_is_unlike_if_it_is_paid_otherwise(acme):
    hold(acme)

    pending = order_of(1, line_of(11), financial_status="pending")
    assert ask(acme, differences.orders_unlike, [order_of(1, line_of(11))]) == set()
    assert ask(acme, differences.orders_unlike, [pending]) == {1}


def test_a_level_under_the_same_stamp_is_behind_if_it_says_otherwise(acme):
    hold(acme)
    same, other = InventoryLevel(1, 7, 4, 0, True, NOW), InventoryLevel(1, 7, 5, 0, True, NOW)
    older, new = (
        InventoryLevel(1, 7, 9, 0, True, NOW - timedelta(days=1)),
        InventoryLevel(2, 7, 1, 0, True, NOW),
    )

    assert ask(acme, differences.levels_behind, [same, other, older, new]) == [other, new]


def test_what_the_rival_holds_is_missing_here(acme, rival):
    hold(rival)

    assert ask(acme, differences.orders_behind, CHANGED) == [1, 2, 3, 4]
    assert ask(acme, differences.products_behind, [(1, NOW)]) == [1]
    assert ask(acme, differences.orders_lacking_refunds, [(1, 5)]) == []
    assert len(ask(acme, differences.levels_behind, [InventoryLevel(1, 7, 4, 0, True, NOW)])) == 1
