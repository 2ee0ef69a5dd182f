"""What was only hinted at is asked for until it came; what cannot be read holds nobody up; each shop asks for its own."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from shopify_app.db import orders, products, refetches
from shopify_app.db.connection import transaction
from shopify_app.domain.product import InventoryItem, InventoryLevel, Location, Product, Variant
from shopify_app.errors import ShopifyProgramError, TransientError
from shopify_app.usecases.inbox import refetch
from shopify_app.usecases.shops import access
from tests.factories import NOW, line_of, make_variant, order_of, refund_of, rows

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def shopify(monkeypatch):
    """Shopify's answers by kind and id: a noun, None (it shows none), or an error; and who asked for what."""

    class Shopify:
        def __init__(self):
            self.answers, self.asked = {}, []

        def of(self, kind):
            def answer(api, resource_id):
                self.asked.append((api, kind, resource_id))
                found = self.answers[kind, resource_id]
                if isinstance(found, Exception):
                    raise found
                return found

            return answer

    made = Shopify()
    monkeypatch.setattr(access, "with_api", lambda shop_id, work: work(shop_id))
    monkeypatch.setattr(refetch.orders_api, "order_with_refunds", made.of("order"))
    monkeypatch.setattr(refetch.catalogue_api, "product_with_variants", made.of("product"))
    monkeypatch.setattr(refetch.catalogue_api, "item_with_levels", made.of("inventory_item"))
    monkeypatch.setattr(refetch.catalogue_api, "location", made.of("location"))
    return made


def ask(shop, kind, *ids):
    with transaction(shop.shop_id) as conn:
        refetches.ask(conn, shop.shop_id, kind, ids)


def waiting(shop):
    return rows(
        shop,
        "SELECT kind, resource_id, attempts, due_at > now() FROM refetches ORDER BY kind, resource_id",
    )


def test_an_order_comes_with_its_refunds_and_both_days_are_counted_again(acme, shopify):
    order = order_of(1, line_of(1, 77, units=3), updated_at=LATER)
    refund = refund_of(5, 1, 1, at=NOW + timedelta(days=2))
    shopify.answers["order", 1] = (order, [refund])
    ask(acme, "order", 1)

    assert refetch.refetch_resources() == 1

    assert rows(acme, "SELECT o.id, r.id FROM orders o JOIN refunds r ON r.order_id = o.id") == [
        (1, 5)
    ]
    assert rows(acme, "SELECT sold_on::text FROM touched_days ORDER BY 1")[0] == ("2026-11-20",)
    assert waiting(acme) == [("ledger", 1, 0, False)]  # a refund wants Shopify's own sales


TOMBSTONES = (
    "SELECT count(*) FROM (SELECT deleted_at FROM orders UNION ALL SELECT deleted_at FROM products"
    " UNION ALL SELECT deleted_at FROM variants UNION ALL SELECT deleted_at FROM inventory_items"
    " UNION ALL SELECT deleted_at FROM locations) t WHERE deleted_at IS NOT NULL"
)


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("kind", ["order", "product", "inventory_item", "location"])
def test_what_shopify_does_not_show_stays_and_is_asked_for_a_few_times_more_then_left_with_a_word(
    acme, rival, shopify, kind, held
):
    make_variant(acme)
    ((product_id, item_id),) = rows(acme, "SELECT product_id, inventory_item_id FROM variants")
    with transaction(acme.shop_id) as conn:
        orders.upsert_many(conn, acme.shop_id, acme.zone, [order_of(1)])
    known = {
        "order": 1,
        "product": product_id,
        "inventory_item": item_id,
        "location": 7_000_000_001,
    }
    number = known[kind] if held else 404
    shopify.answers[kind, number] = None
    ask(acme, kind, number)

    with capture_logs() as logs:
        refetch.refetch_resources()
        assert waiting(acme) == [(kind, number, 1, True)]  # Shopify may lag behind its own news
        for _ in range(9):
            rows(acme, "UPDATE refetches SET due_at = now() RETURNING 1")
            refetch.refetch_resources()

    assert len(shopify.asked) == refetch.TRIES_UNSEEN
    assert waiting(acme) == []
    assert [(log["event"], log["kind"], log["id"], log["outcome"]) for log in logs] == [
        ("refetch_shows_nothing", kind, number, "not_visible")
    ]
    assert rows(acme, TOMBSTONES) == [(0,)]
    assert rows(acme, "SELECT id FROM orders") == [(1,)]
    assert rows(acme, "SELECT sold_on::text FROM touched_days") == []
    assert rows(rival, "SELECT count(*) FROM orders") == [(0,)]


@pytest.mark.parametrize(
    ("days", "sees_all", "tries", "outcome"),
    [(61, False, 1, "too_old"), (59, False, 4, "not_visible"), (61, True, 4, "not_visible")],
)
def test_an_order_older_than_our_scopes_show_is_asked_for_once_and_stays(
    acme, shopify, days, sees_all, tries, outcome
):
    if not sees_all:
        rows(acme, "UPDATE shops SET granted_scopes = '{read_orders}' RETURNING 1")
    placed = datetime.now(UTC) - timedelta(days=days)
    with transaction(acme.shop_id) as conn:
        orders.upsert_many(conn, acme.shop_id, acme.zone, [order_of(1, line_of(1), at=placed)])
    shopify.answers["order", 1] = None
    ask(acme, "order", 1)

    with capture_logs() as logs:
        for _ in range(9):
            refetch.refetch_resources()
            rows(acme, "UPDATE refetches SET due_at = now() RETURNING 1")

    assert (len(shopify.asked), [log["outcome"] for log in logs]) == (tries, [outcome])
    assert rows(acme, "SELECT deleted_at FROM orders") == [(None,)]


def test_a_location_and_the_shops_facts_are_asked_for_too(acme, rival, shopify, monkeypatch):
    shopify.answers["location", 9] = Location(9, "Warehouse", False, NOW)
    asked = []
    monkeypatch.setattr(refetch.install, "refresh_shop_facts", asked.append)
    ask(acme, "location", 9)
    ask(acme, "shop", 77)

    refetch.refetch_resources()

    assert rows(acme, "SELECT name, is_active FROM locations") == [("Warehouse", False)]
    assert asked == [acme.shop_id]
    assert waiting(acme) == []
    assert rows(rival, "SELECT count(*) FROM locations") == [(0,)]


def product_of(number, prices, *, at=LATER):
    """A product with a variant for each price, and their items."""
    made = Product(
        id=number, title="Mug", handle=None, status="ACTIVE", vendor=None, product_type=None, tags=[], is_gift_card=False,
        image_url=None, created_at=None, published_at=None, updated_at=at,
    )  # fmt: skip
    variants = [
        Variant(
            id=number * 10 + place, product_id=number, inventory_item_id=number * 100 + place, title="", sku=None,
            position=1, price=price, compare_at_price=None, inventory_policy="DENY", created_at=None, updated_at=at,
        )
        for place, price in enumerate(prices)
    ]  # fmt: skip
    items = [InventoryItem(one.inventory_item_id, True, None, at) for one in variants]
    return made, variants, items


def test_a_product_comes_whole_so_a_variant_that_is_not_in_it_is_gone_and_a_new_price_is_history(
    acme, shopify
):
    for prices, at in (([5, 6], LATER), ([7], LATER + timedelta(hours=1))):
        shopify.answers["product", 31] = product_of(31, prices, at=at)
        ask(acme, "product", 31)
        refetch.refetch_resources()

    assert rows(
        acme, "SELECT id, price::int, deleted_at IS NOT NULL FROM variants ORDER BY id"
    ) == [
        (310, 7, False),
        (311, 6, True),
    ]
    assert rows(
        acme, "SELECT price::int FROM price_history WHERE variant_id = 310 ORDER BY id"
    ) == [
        (5,),
        (7,),
    ]


def test_an_answer_older_than_what_came_meanwhile_changes_nothing(acme, shopify):
    shopify.answers["product", 31] = product_of(31, [5], at=LATER)
    newer = product_of(31, [9], at=LATER + timedelta(hours=1))
    with transaction(acme.shop_id) as conn:
        products.upsert_many(conn, acme.shop_id, [newer[0]])
        products.upsert_variants(conn, acme.shop_id, newer[1])

    assert refetch.refetch_product(acme, 31) == "stale"

    assert rows(acme, "SELECT price::int FROM variants") == [(9,)]


def test_an_item_comes_with_every_place_it_lies_at(acme, shopify):
    item = InventoryItem(5, True, None, LATER)
    levels = [InventoryLevel(5, place, units, 0, True, LATER) for place, units in ((9, 3), (10, 4))]
    shopify.answers["inventory_item", 5] = (item, levels)
    ask(acme, "inventory_item", 5)

    refetch.refetch_resources()

    assert rows(acme, "SELECT location_id, available_units FROM inventory_levels ORDER BY 1") == [
        (9, 3),
        (10, 4),
    ]


@pytest.mark.parametrize(
    "error", [TransientError("busy"), ShopifyProgramError("no such field"), KeyError("lineItems")]
)
def test_one_answer_that_cannot_be_read_holds_up_neither_its_neighbours_nor_another_shop(
    acme, rival, shopify, error
):
    shopify.answers |= {("order", 1): error, ("order", 2): (order_of(2), [])}
    ask(acme, "order", 1)
    ask(acme, "order", 2)
    ask(rival, "order", 2)

    refetch.refetch_resources()

    assert waiting(acme) == [("order", 1, 1, True)]
    assert waiting(rival) == []
    assert rows(acme, "SELECT id FROM orders") == [(2,)]

    shopify.answers["order", 1] = (order_of(1), [])  # mended
    ask(acme, "order", 1)
    refetch.refetch_resources()
    assert waiting(acme) == []


def test_a_shop_whose_token_is_dead_is_left_in_peace_with_its_tries_uncounted(acme):
    ask(acme, "order", 1, 2)  # no token was ever stored: only the merchant's next visit heals that

    assert refetch.refetch_resources() == 0

    assert [row[2:] for row in waiting(acme)] == [(0, False)] * 2
    assert refetch.refetch_resources() == 0  # it is not even due while the shop rests


def test_what_is_asked_again_while_its_answer_is_under_way_is_asked_again(acme, shopify):
    def changes_under_our_hands(api, order_id):
        ask(acme, "order", order_id)
        return order_of(1), []

    refetch.orders_api.order_with_refunds = changes_under_our_hands  # the fixture restores it
    ask(acme, "order", 1)

    refetch.refetch_resources()

    assert waiting(acme) == [("order", 1, 0, False)]


def test_each_shop_asks_with_its_own_token_and_keeps_its_own_answer(acme, rival, shopify):
    shopify.answers["order", 1] = (order_of(1), [])
    ask(rival, "order", 1)

    refetch.refetch_resources()

    assert shopify.asked == [(rival.shop_id, "order", 1)]
    assert rows(rival, "SELECT id FROM orders") == [(1,)]
    assert rows(acme, "SELECT count(*) FROM orders") == [(0,)]
