"""The books equal the shop's own, to the penny and unit: after history, and after webhooks that misbehave."""

import pytest

from shopify_app.db import backfills, pages, reconciliations
from shopify_app.db.connection import transaction
from shopify_app.usecases.history import backfill, facts, reconcile
from shopify_app.usecases.inbox import refetch
from tests.factories import rows
from tests.kept_worlds import installed
from tests.simulated import install


def books_differ(world):
    ours = facts.facts(world.shop().shop_id)
    theirs = world.look("ledger")
    ours_days, their_days = ({day["day"]: day for day in books["days"]} for books in (ours, theirs))
    different = {
        day: (ours_days.get(day), their_days.get(day))
        for day in ours_days | their_days
        if ours_days.get(day) != their_days.get(day)
    }
    different |= {
        part: (ours[part], theirs[part])
        for part in ("catalogue", "stock")
        if ours[part] != theirs[part]
    }
    return different


def test_after_the_history_every_day_equals_the_shops_own_books(world):
    shop = install(world)

    assert books_differ(world) == {}
    with transaction(shop.shop_id) as conn:
        assert [step.state for step in backfills.progress(conn, shop.shop_id)] == ["done"] * len(
            backfills.STEPS
        )
        assert reconciliations.seen_until(conn, shop.shop_id, "orders") is not None


def test_a_history_whose_worker_dies_half_way_goes_on_and_counts_nothing_twice(world, monkeypatch):
    monkeypatch.setattr(backfill, "ROWS_AT_ONCE", 500)
    world.control("install")
    world.open_app()
    real, calls = backfill.orders.upsert_many, []

    def dies_at_the_third_batch(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(backfill.orders, "upsert_many", dies_at_the_third_batch)
    with pytest.raises(KeyboardInterrupt):
        world.work()
    shop = world.shop()
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE backfills SET lease_until = now() WHERE shop_id = %s", (shop.shop_id,))
    world.work()

    assert books_differ(world) == {}


def test_without_the_scope_for_all_orders_only_sixty_days_are_read(world):
    world.control(
        "install", scopes=["read_orders", "write_products", "read_inventory", "read_locations"]
    )
    world.open_app()
    world.work()

    days = facts.facts(world.shop().shop_id)["days"]
    assert 55 <= len(days) <= 61


def test_an_order_that_is_edited_past_the_sixty_days_stays_though_shopify_does_not_show_it(world):
    world.control(
        "install", scopes=["read_orders", "write_products", "read_inventory", "read_locations"]
    )
    world.open_app()
    world.work()
    shop = world.shop()
    ((order_id, line_id, day),) = rows(
        shop,
        "SELECT o.id, l.id, o.processed_on::text FROM orders o JOIN order_lines l ON l.order_id = o.id"
        " WHERE l.current_quantity > 0 ORDER BY o.created_at, l.id LIMIT 1",
    )
    before = {one["day"]: one for one in facts.facts(shop.shop_id)["days"]}[day]
    world.control("advance", days=3)
    world.deliver()

    world.control(f"orders/{order_id}/edit", line_id=line_id, delta=-1)
    world.deliver()

    assert rows(shop, f"SELECT deleted_at FROM orders WHERE id = {order_id}") == [(None,)]
    after = {one["day"]: one for one in facts.facts(shop.shop_id)["days"]}[day]
    assert after["orders"] == before["orders"]


def test_thirty_days_of_duplicates_reordering_and_drops_come_out_equal_after_one_comparison(world):
    installed(world)
    world.faults(
        webhook_duplicate=0.1,
        webhook_reorder=0.2,
        webhook_reorder_seconds=1.0,
        webhook_drop=0.01,
        webhook_only_id=0.02,
    )

    world.control("advance", days=30)
    world.deliver()
    reconcile.reconcile_shop(world.shop())
    world.work()

    assert books_differ(world) == {}


def test_dropped_webhooks_are_mended_and_counted(world):
    shop = installed(world)
    world.faults(webhook_drop=1.0)
    world.control("advance", days=2)
    world.deliver()
    assert books_differ(world) != {}

    healed = reconcile.reconcile_shop(world.shop())
    world.work()

    assert healed["orders"] > 0
    assert books_differ(world) == {}
    assert reconcile.reconcile_shop(world.shop())["orders"] == 0
    assert shop.shop_id == world.shop().shop_id


def test_a_lost_refund_is_mended_though_news_of_its_order_came_through(world):
    shop = installed(world)
    variant = world.look("variants")[0]
    order = world.control("orders", lines=[{"variant_id": variant["id"], "quantity": 3}])["result"]
    world.deliver()
    world.faults(webhook_drop=1.0)
    world.control(f"orders/{order}/refund", lines=[{"line_id": order + 1, "quantity": 1}])
    world.deliver()
    refetch.refetch_order(shop, order)
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "DELETE FROM refunds WHERE shop_id = %s AND order_id = %s", (shop.shop_id, order)
        )
    # As after orders/updated alone: the order is the newest there is, its refund unknown.

    healed = reconcile.reconcile_shop(world.shop())
    world.work()

    assert healed["orders"] == 1
    assert books_differ(world) == {}


def test_refunds_cancellations_edits_and_deletions_are_followed(world):
    installed(world)
    variant = world.look("variants")[0]
    order = world.control(
        "orders", lines=[{"variant_id": variant["id"], "quantity": 3, "discount": "1.50"}]
    )["result"]
    world.control(f"orders/{order}/refund", lines=[{"line_id": order + 1, "quantity": 1}])
    second = world.control("orders", lines=[{"variant_id": variant["id"], "quantity": 2}])["result"]
    world.control(f"orders/{second}/cancel")
    third = world.control("orders", lines=[{"variant_id": variant["id"], "quantity": 4}])["result"]
    world.control(f"orders/{third}/edit", line_id=third + 1, delta=-1)
    world.control("orders", lines=[{"variant_id": variant["id"], "quantity": 9}], test=True)
    world.control(f"products/{world.look('variants')[-1]['product_id']}/delete")
    world.deliver()

    assert books_differ(world) == {}
    shop = world.shop()
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT sum(ordered_units), sum(returned_units) FROM daily_sales WHERE shop_id = %s AND variant_id = %s"
            " AND sold_on = (SELECT max(sold_on) FROM daily_sales WHERE shop_id = %s)",
            (shop.shop_id, variant["id"], shop.shop_id),
        )
        assert cur.fetchone() == (3 + 3, 1)


def test_no_trace_of_a_person_is_kept(world, postgres):
    install(world)
    world.control("advance", days=3)
    world.deliver()

    import psycopg2

    conn = psycopg2.connect(postgres.url)
    with conn.cursor() as cur:
        cur.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cur.fetchall():
            cur.execute(
                f"SELECT count(*) FROM {table} t WHERE t::text ~* 'sam|shopper|@example|7700900|high street|ring the bell'"
            )
            assert cur.fetchone()[0] == 0, table
            if table == "webhook_inbox":
                cur.execute(
                    "SELECT count(*) FROM webhook_inbox WHERE encode(body, 'escape') ~* 'shopper|@example|7700900|high street|ring the bell'"
                )
                assert cur.fetchone()[0] == 0
    conn.close()


def test_a_shelf_that_differs_under_the_same_stamp_is_mended(world):
    shop = installed(world)
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE inventory_levels SET available_units = available_units + 7 WHERE shop_id = %s"
            " AND updated_at = (SELECT max(updated_at) FROM inventory_levels WHERE shop_id = %s)",
            (shop.shop_id, shop.shop_id),
        )
        changed = cur.rowcount
    assert books_differ(world) != {}

    assert reconcile.reconcile_shop(shop)["inventory"] == changed
    assert books_differ(world) == {}


def test_a_shop_whose_history_is_still_coming_in_is_not_compared(world):
    world.control("install")
    world.open_app()
    assert reconcile.reconcile_shops() == 0
    shop = world.shop()
    with transaction(shop.shop_id) as conn:
        assert pages.data_health(conn, shop.shop_id).reconciled_at is None

    world.work()
    reconcile.reconcile_shops()
    with transaction(shop.shop_id) as conn:
        assert pages.data_health(conn, shop.shop_id).reconciled_at is not None
