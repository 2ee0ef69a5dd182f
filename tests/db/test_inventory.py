"""Stock: the newest level stands, its changes are history, unknown cost is not zero, the rival's stay."""

import itertools
from datetime import timedelta
from decimal import Decimal

import pytest

from shopify_app.db import inventory
from shopify_app.db.connection import transaction
from shopify_app.domain.product import InventoryItem, InventoryLevel, Location
from tests.factories import NOW, rows


def level(available, hours=0, *, item=1, place=7, incoming=None, active=True):
    return InventoryLevel(item, place, available, incoming, active, NOW + timedelta(hours=hours))


def item(cost, hours=0, number=1):
    return InventoryItem(
        number, True, None if cost is None else Decimal(cost), NOW + timedelta(hours=hours)
    )


def put(shop, act, *made):
    with transaction(shop.shop_id) as conn:
        return act(conn, shop.shop_id, list(made))


def levels(shop):
    return rows(
        shop,
        "SELECT inventory_item_id, location_id, available_units, incoming_units, is_active FROM inventory_levels ORDER BY 1, 2",
    )


@pytest.mark.parametrize("turn", list(itertools.permutations(range(3))))
def test_levels_in_any_order_end_with_the_newest(acme, turn):
    news = [level(9, 0), level(4, 1), level(-2, 2)]  # oversold is a fact
    for number in (*turn, *turn):
        put(acme, inventory.upsert_levels, news[number])

    assert levels(acme) == [(1, 7, -2, 0, True)]


def test_a_batch_may_hold_a_level_several_times(acme):
    put(acme, inventory.upsert_levels, level(4, 1), level(9, 0), level(6, 2))

    assert levels(acme) == [(1, 7, 6, 0, True)]
    assert rows(acme, "SELECT available_units FROM inventory_history ORDER BY changed_at") == [
        (9,),
        (4,),
        (6,),
    ]


def test_a_road_that_does_not_say_what_is_incoming_leaves_it(acme):
    put(acme, inventory.upsert_levels, level(4, 0, incoming=30))
    put(acme, inventory.upsert_levels, level(3, 1))
    assert levels(acme) == [(1, 7, 3, 30, True)]

    put(acme, inventory.upsert_levels, level(3, 2, incoming=0))
    assert levels(acme) == [(1, 7, 3, 0, True)]


def test_an_unknown_cost_is_unknown_and_may_become_so_again(acme):
    put(acme, inventory.upsert_items, item("9.00"))
    put(acme, inventory.upsert_items, item(None, 1))
    assert rows(acme, "SELECT unit_cost FROM inventory_items") == [(None,)]
    assert put(acme, inventory.upsert_items, item("9.00")) == 0  # late


def test_a_products_word_makes_room_for_an_item_and_overrules_nothing(acme):
    with transaction(acme.shop_id) as conn:
        inventory.add_unknown_items(conn, acme.shop_id, {1: False, 2: True})
    put(acme, inventory.upsert_items, item("9.00"))
    with transaction(acme.shop_id) as conn:
        inventory.add_unknown_items(conn, acme.shop_id, {1: False})

    assert rows(acme, "SELECT id, unit_cost::text FROM inventory_items ORDER BY id") == [
        (1, "9.0000"),
        (2, None),
    ]


def test_a_deleted_item_stays_deleted_unless_it_was_seen_since(acme):
    with transaction(acme.shop_id) as conn:
        assert inventory.bury_item(conn, acme.shop_id, 1, at=NOW)
    assert put(acme, inventory.upsert_items, item("9.00", 0)) == 0
    assert put(acme, inventory.upsert_items, item("9.00", 5)) == 1
    with transaction(acme.shop_id) as conn:
        assert not inventory.bury_item(conn, acme.shop_id, 1, at=NOW)
        assert inventory.held_item(conn, acme.shop_id, 1) == (item("9.00", 5), None)
        assert inventory.held_item(conn, acme.shop_id, 2) is None


def test_a_closed_locations_stock_counts_no_more(acme):
    put(acme, inventory.upsert_locations, Location(7, "Shop", True, NOW))
    put(acme, inventory.upsert_levels, level(4))
    with transaction(acme.shop_id) as conn:
        inventory.bury_location(conn, acme.shop_id, 7, at=NOW)

    assert levels(acme) == [(1, 7, 4, 0, False)]
    put(acme, inventory.upsert_levels, level(9, -1))  # late
    assert levels(acme) == [(1, 7, 4, 0, False)]
    assert put(acme, inventory.upsert_locations, Location(7, "Shop", True, NOW)) == 0


def test_a_location_that_was_seen_after_its_deletion_is_there_and_so_is_its_stock(acme):
    seen = NOW + timedelta(days=1)
    put(acme, inventory.upsert_levels, level(4))
    with transaction(acme.shop_id) as conn:
        inventory.bury_location(conn, acme.shop_id, 7, at=NOW)
    assert put(acme, inventory.upsert_locations, Location(7, "Shop", True, seen)) == 1
    put(acme, inventory.upsert_levels, level(6, 24))

    with transaction(acme.shop_id) as conn:
        assert not inventory.bury_location(conn, acme.shop_id, 7, at=NOW)
        assert inventory.held_location(conn, acme.shop_id, 7) == (
            Location(7, "Shop", True, seen),
            None,
        )
    assert levels(acme) == [(1, 7, 6, 0, True)]


def test_an_item_taken_off_a_location_is_not_stock_there(acme):
    put(acme, inventory.upsert_levels, level(4))
    with transaction(acme.shop_id) as conn:
        inventory.disconnect(conn, acme.shop_id, 1, 7, at=NOW + timedelta(hours=1))

    assert [row[4] for row in levels(acme)] == [False]


def test_the_rivals_stock_of_the_same_ids_stays(acme, rival):
    put(rival, inventory.upsert_locations, Location(7, "Shop", True, NOW))
    put(rival, inventory.upsert_items, item("5.00"))
    put(rival, inventory.upsert_levels, level(4))
    put(acme, inventory.upsert_levels, level(99, 5))
    with transaction(acme.shop_id) as conn:
        inventory.bury_item(conn, acme.shop_id, 1, at=NOW)
        inventory.bury_location(conn, acme.shop_id, 7, at=NOW)
        inventory.disconnect(conn, acme.shop_id, 1, 7, at=NOW + timedelta(hours=9))

    assert levels(rival) == [(1, 7, 4, 0, True)]
    assert rows(rival, "SELECT unit_cost::text, deleted_at FROM inventory_items") == [
        ("5.0000", None)
    ]
    assert rows(rival, "SELECT available_units FROM inventory_history") == [(4,)]
