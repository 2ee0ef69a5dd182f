"""The comparison looks far enough back, by Shopify's clock; what fails in one kind or shop hides no other's."""

from datetime import UTC, datetime, timedelta

import pytest

from shopify_app.db import backfills, orders, products, reconciliations
from shopify_app.db.connection import RECONCILE_LOCK, transaction, try_shop_lock
from shopify_app.domain.product import InventoryLevel, Location
from shopify_app.errors import TransientError
from shopify_app.shopify.orders_api import ChangedOrder
from shopify_app.usecases import housekeeping
from shopify_app.usecases.history import reconcile
from shopify_app.usecases.inbox import refetch
from shopify_app.usecases.shops import access
from tests.factories import MUG, NOW, elsewhere, line_of, order_of, rows

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def shopify(monkeypatch):
    """A Shopify in which nothing changed but what a test says; `looks` are the moments asked from."""

    class Shopify:
        def __init__(self):
            self.orders, self.levels, self.looks = [], [], []
            self.error = None

        def changed_orders(self, api, since):
            self.looks.append((api, since))
            if self.error:
                raise self.error
            return self.orders

    made = Shopify()
    monkeypatch.setattr(access, "with_api", lambda shop_id, work: work(shop_id))
    monkeypatch.setattr(reconcile.orders_api, "changed_orders", made.changed_orders)
    monkeypatch.setattr(reconcile.catalogue_api, "changed_product_ids", lambda api, since: [])
    monkeypatch.setattr(
        reconcile.catalogue_api, "locations", lambda api: [Location(9, "Warehouse", True, NOW)]
    )
    monkeypatch.setattr(
        reconcile.catalogue_api, "changed_levels", lambda api, place, since: made.levels
    )
    monkeypatch.setattr(
        refetch.orders_api,
        "order_with_refunds",
        lambda api, number: (order_of(number, line_of(number), updated_at=LATER), []),
    )
    return made


def kept(shop):
    return rows(
        shop, "SELECT kind, checked_rows, healed_rows, error FROM reconciliations ORDER BY id"
    )


def cursor(shop, kind="orders"):
    with transaction(shop.shop_id) as conn:
        return reconciliations.seen_until(conn, shop.shop_id, kind)


def test_the_first_look_goes_two_days_back_and_the_next_begins_before_the_newest_stamp_of_shopify(
    acme, shopify
):
    shopify.orders = [ChangedOrder(1, LATER, (), False), ChangedOrder(2, NOW, (), False)]
    reconcile.reconcile_shop(acme)
    assert cursor(acme) == LATER  # not our clock
    reconcile.reconcile_shop(acme)

    (_, first), (_, second) = shopify.looks
    assert abs(datetime.now(UTC) - reconcile.FIRST_LOOK - first) < timedelta(hours=1)
    assert second == LATER - reconcile.LOOK_BACK


def test_after_an_outage_the_operator_widens_the_look(acme, shopify):
    reconcile.reconcile_shop(acme, since=NOW - timedelta(days=9))

    assert shopify.looks[0][1] == NOW - timedelta(days=9)


def test_a_quiet_shop_keeps_its_cursor_and_an_older_stamp_never_moves_it_back(acme, shopify):
    shopify.orders = [ChangedOrder(1, LATER, (), False)]
    reconcile.reconcile_shop(acme)
    shopify.orders = [ChangedOrder(2, NOW, (), False)]
    reconcile.reconcile_shop(acme)
    shopify.orders = []
    reconcile.reconcile_shop(acme)

    assert cursor(acme) == LATER


def test_what_was_lost_is_mended_and_counted_and_what_we_have_is_not(acme, shopify):
    with transaction(acme.shop_id) as conn:
        orders.upsert_many(conn, acme.shop_id, acme.zone, [order_of(1, updated_at=LATER)])
    shopify.orders = [ChangedOrder(1, LATER, (), False), ChangedOrder(2, LATER, (), False)]
    shopify.levels = [InventoryLevel(5, 9, 3, 0, True, NOW)]

    assert reconcile.reconcile_shop(acme) == {"orders": 1, "products": 0, "inventory": 1}
    assert reconcile.reconcile_shop(acme) == {"orders": 0, "products": 0, "inventory": 0}

    assert rows(acme, "SELECT id FROM orders ORDER BY id") == [(1,), (2,)]
    assert rows(acme, "SELECT available_units FROM inventory_levels") == [(3,)]
    assert kept(acme)[:3] == [
        ("orders", 2, 1, None),
        ("products", 0, 0, None),
        ("inventory", 1, 1, None),
    ]


def test_what_shopify_lists_and_then_does_not_show_is_not_buried_and_not_counted_as_mended(
    acme, shopify, monkeypatch
):
    with transaction(acme.shop_id) as conn:
        orders.upsert_many(conn, acme.shop_id, acme.zone, [order_of(1, line_of(1))])
        products.upsert_many(conn, acme.shop_id, [MUG])
    shopify.orders = [ChangedOrder(1, LATER, (), False)]
    monkeypatch.setattr(refetch.orders_api, "order_with_refunds", lambda *_: None)
    monkeypatch.setattr(
        reconcile.catalogue_api, "changed_product_ids", lambda api, since: [(MUG.id, LATER)]
    )
    monkeypatch.setattr(refetch.catalogue_api, "product_with_variants", lambda *_: None)

    assert reconcile.reconcile_shop(acme) == {"orders": 0, "products": 0, "inventory": 0}

    assert rows(
        acme, "SELECT deleted_at FROM orders UNION ALL SELECT deleted_at FROM products"
    ) == [
        (None,),
        (None,),
    ]


def test_a_buried_order_that_shopify_shows_changed_since_is_back(acme, shopify):
    with transaction(acme.shop_id) as conn:
        orders.bury(conn, acme.shop_id, 1, at=NOW)
    shopify.orders = [ChangedOrder(1, LATER, (), False)]

    assert reconcile.reconcile_shop(acme)["orders"] == 1

    assert rows(acme, "SELECT deleted_at FROM orders") == [(None,)]


@pytest.mark.parametrize("error", [TransientError("HTTP 502"), KeyError("updatedAt")])
def test_a_kind_that_cannot_be_compared_says_so_keeps_its_cursor_and_hides_no_other(
    acme, shopify, error
):
    shopify.error = error
    shopify.levels = [InventoryLevel(5, 9, 3, 0, True, NOW)]

    assert reconcile.reconcile_shop(acme) == {"products": 0, "inventory": 1}

    assert cursor(acme) is None
    (first, *others) = kept(acme)
    assert first[:3] == ("orders", 0, 0)
    assert type(error).__name__ in first[3]
    assert [row[3] for row in others] == [None, None]


def test_a_shop_that_cannot_be_compared_stops_no_other(acme, rival, shopify, monkeypatch):
    def only_the_rivals_answer_can_be_read(api, since):
        if api == acme.shop_id:
            raise ValueError("not a gid")
        return [ChangedOrder(1, LATER, (), False)]

    monkeypatch.setattr(reconcile.orders_api, "changed_orders", only_the_rivals_answer_can_be_read)

    assert reconcile.reconcile_shops() == 1

    assert rows(rival, "SELECT id FROM orders") == [(1,)]
    assert rows(acme, "SELECT count(*) FROM orders") == [(0,)]


def test_two_comparisons_of_a_shop_are_not_made_at_once(acme, shopify):
    with transaction(acme.shop_id) as conn:
        assert try_shop_lock(conn, acme.shop_id, RECONCILE_LOCK)
        found = elsewhere(reconcile.reconcile_shop, acme)

    assert found == {"orders": 0, "products": 0, "inventory": 0}
    assert (shopify.looks, kept(acme)) == ([], [])


@pytest.mark.parametrize(("state", "looked"), [("failed", 1), ("waiting", 0), ("done", 1)])
def test_a_history_that_will_never_be_whole_is_compared_and_one_that_comes_in_is_not(
    acme, shopify, state, looked
):
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        backfills.start(conn, acme.shop_id, install_epoch=1)
        cur.execute("UPDATE backfills SET state = 'done' WHERE position < 4")
        cur.execute("UPDATE backfills SET state = %s WHERE position >= 4", (state,))

    reconcile.reconcile_shops()
    assert len(shopify.looks) == looked

    housekeeping.reconcile_wide()  # the import's calls need the shop's points
    assert len(shopify.looks) == 2 * looked


def test_a_shop_that_is_gone_is_not_asked_about_and_the_rivals_rows_are_not_ours(
    acme, rival, shopify
):
    rows(rival, "UPDATE shops SET state = 'uninstalled', uninstalled_at = now() RETURNING 1")
    shopify.orders = [ChangedOrder(1, LATER, (), False)]

    assert reconcile.reconcile_shops() == 1

    assert [api for api, _ in shopify.looks] == [acme.shop_id]
    assert (kept(rival), cursor(rival)) == ([], None)
    assert rows(rival, "SELECT count(*) FROM locations") == [(0,)]
