"""A full count finds what no news told: after it the shop is as Shopify has it, and nothing that lives is buried."""

from datetime import timedelta

import pytest

from shopify_app.db import due_work, full_counts, products
from shopify_app.db.connection import transaction
from shopify_app.shopify import bulk_operations, catalogue_api
from shopify_app.usecases.history import facts
from shopify_app.usecases.shops import access
from tests.factories import make_variant, rows


def count(world):
    """The count that is due now, to its end; its row."""
    shop = world.shop()
    with transaction(shop.shop_id) as conn:
        due_work.again(conn, shop.shop_id, "full_count", in_seconds=0)
    world.work()
    return rows(
        shop,
        "SELECT healed_rows, buried_rows, left_rows, error FROM reconciliations WHERE kind = 'full_count' ORDER BY id DESC LIMIT 1",
    )[0]


def shelves_differ(world):
    ours, theirs = facts.facts(world.shop().shop_id), world.look("ledger")
    return {
        part: (ours[part], theirs[part])
        for part in ("catalogue", "stock")
        if ours[part] != theirs[part]
    }


@pytest.fixture
def shop(home, rival):
    """Our simulated shop, installed; a rival keeps a product of its own beside it."""
    make_variant(rival)
    return home


def test_lost_news_of_a_cost_a_price_a_deletion_and_a_closed_location_is_mended_by_one_count(
    world, shop, rival
):
    kept, cheap, gone = (
        world.look("variants")[0],
        world.look("variants")[1],
        world.look("variants")[-1],
    )
    first, second = (place["id"] for place in world.look("locations"))
    ((gone_product,),) = rows(shop, f"SELECT product_id FROM variants WHERE id = {gone['id']}")
    before = rows(rival, "SELECT * FROM products")
    world.faults(webhook_drop=1.0)
    world.control(f"variants/{kept['id']}/cost", cost="19.00")
    world.control(f"variants/{cheap['id']}/price", price="3.21")
    world.control(f"products/{gone_product}/delete")
    world.control(f"locations/{first}/deactivate", destination_id=second)
    world.deliver()
    assert shelves_differ(world) != {}

    healed, buried, left, error = count(world)

    assert shelves_differ(world) == {}
    assert (left, error) == (0, None)
    assert healed > 0
    assert buried >= 2  # the product and its item; its variants go with it
    assert rows(
        shop,
        "SELECT i.unit_cost::text FROM variants v JOIN inventory_items i ON i.id = v.inventory_item_id"
        f" WHERE v.id = {kept['id']}",
    ) == [("19.0000",)]
    assert rows(shop, f"SELECT price::text FROM variants WHERE id = {cheap['id']}") == [("3.2100",)]
    assert rows(shop, f"SELECT deleted_at IS NULL FROM products WHERE id = {gone_product}") == [
        (False,)
    ]
    assert rows(
        shop, f"SELECT count(*) FROM inventory_levels WHERE is_active AND location_id = {first}"
    ) == [(0,)]
    assert rows(rival, "SELECT * FROM products") == before
    assert rows(rival, "SELECT count(*) FROM reconciliations") == [(0,)]


def test_a_second_count_finds_nothing_and_the_next_is_due_in_a_week(world, shop):
    count(world)

    assert count(world) == (0, 0, 0, None)
    assert rows(
        shop,
        "SELECT due_at BETWEEN now() + interval '6 days 23 hours' AND now() + interval '7 days' FROM due_work"
        " WHERE what = 'full_count'",
    ) == [(True,)]


def test_a_count_whose_file_is_cut_short_buries_nothing_and_says_so(world, shop, monkeypatch):
    real = bulk_operations.result_lines

    def half(url, **more):
        lines = list(real(url, **more))
        yield from lines[: len(lines) // 2]

    monkeypatch.setattr(bulk_operations, "result_lines", half)
    _, buried, _, error = count(world)

    assert buried == 0
    assert "of" in error
    assert "objects" in error
    assert rows(shop, "SELECT count(*) FROM products WHERE deleted_at IS NOT NULL") == [(0,)]
    assert shelves_differ(world) == {}


def test_what_a_list_leaves_out_and_shopify_shows_by_its_id_stays_and_is_told(
    world, shop, monkeypatch
):
    real = bulk_operations.bulk_operation

    def without_its_last_product(url, **more):
        lines = list(bulk_operations_lines(url, **more))
        last = max(n for n, (line, _) in enumerate(lines) if "__parentId" not in line)
        yield from lines[:last]

    bulk_operations_lines = bulk_operations.result_lines
    monkeypatch.setattr(bulk_operations, "result_lines", without_its_last_product)

    def counted_so(api, number):
        found = real(api, number)
        return found and type(found)(
            found.id,
            found.status,
            found.error_code,
            0,
            found.file_bytes,
            found.url,
            found.created_at,
        )

    monkeypatch.setattr(bulk_operations, "bulk_operation", counted_so)

    _, buried, left, error = count(world)

    assert (buried, error) == (0, None)
    assert left >= 2  # the product and its item at least
    assert shelves_differ(world) == {}


def test_a_product_made_while_the_count_runs_is_not_buried(world, shop):
    world.faults(bulk_delay_seconds=0.0)
    with transaction(shop.shop_id) as conn:
        full_counts.begin(conn, shop.shop_id, install_epoch=shop.install_epoch)
    started = access.with_api(
        shop.shop_id,
        lambda api: bulk_operations.run_bulk_query(api, catalogue_api.BULK_PRODUCTS),
    )
    with transaction(shop.shop_id) as conn:
        full_counts.note_operation(conn, shop.shop_id, started)
    made = world.control("products", title="Made meanwhile", price="5.00")["result"]
    world.deliver()

    _, buried, _, error = count(world)

    assert (buried, error) == (0, None)
    assert rows(shop, f"SELECT deleted_at FROM products WHERE id = {made}") == [(None,)]
    assert shelves_differ(world) == {}


def test_an_order_whose_deletion_was_lost_is_buried_where_all_orders_are_visible(world, shop):
    ((order_id,),) = rows(shop, "SELECT id FROM orders ORDER BY created_at LIMIT 1")
    world.faults(webhook_drop=1.0)
    world.control(f"orders/{order_id}/delete")
    world.deliver()

    assert count(world)[1] == 1
    assert rows(shop, "SELECT id FROM orders WHERE deleted_at IS NOT NULL") == [(order_id,)]


def test_orders_are_not_buried_while_only_sixty_days_are_visible(world, shop):
    world.control("scopes", revoke=["read_all_orders"])
    world.deliver()
    ((order_id,),) = rows(shop, "SELECT id FROM orders ORDER BY created_at DESC LIMIT 1")
    world.faults(webhook_drop=1.0)
    world.control(f"orders/{order_id}/delete")
    world.deliver()

    assert count(world)[1:3] == (0, 0)
    assert rows(shop, "SELECT count(*) FROM orders WHERE deleted_at IS NOT NULL") == [(0,)]


def test_a_count_waits_while_shopify_runs_others_of_ours_and_fails_with_its_query(world, shop):
    world.faults(bulk_fail=True)
    assert "INTERNAL_SERVER_ERROR" in count(world)[3]
    assert rows(shop, "SELECT attempts FROM due_work WHERE what = 'full_count'") == [(1,)]
    assert shelves_differ(world) == {}


def test_a_tombstone_of_what_the_count_lists_and_shopify_shows_is_lifted(world, shop):
    ((product_id, updated_at),) = rows(
        shop, "SELECT id, updated_at FROM products ORDER BY id LIMIT 1"
    )
    with transaction(shop.shop_id) as conn:
        assert products.bury(conn, shop.shop_id, product_id, at=updated_at + timedelta(seconds=1))
    assert shelves_differ(world) != {}

    assert count(world)[2] == 0

    assert shelves_differ(world) == {}


def test_a_location_that_opens_again_brings_its_stock_back(world, shop):
    first, second = (place["id"] for place in world.look("locations"))
    world.control(f"locations/{first}/deactivate", destination_id=second)
    world.deliver()
    assert shelves_differ(world) == {}

    world.control(f"locations/{first}/activate")
    world.deliver()

    assert shelves_differ(world) == {}
    assert rows(
        shop,
        f"SELECT count(*) > 0 FROM inventory_levels WHERE is_active AND location_id = {first}",
    ) == [(True,)]
