"""Each topic does its one thing, whenever and however often it comes; what cannot be is parked; no other shop's."""

import json
from datetime import timedelta

import pytest

from shopify_app.db import backfills, frames, inventory, orders, webhook_inbox
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import Delivery, NewDelivery
from shopify_app.domain.product import Location
from shopify_app.errors import PoisonError
from shopify_app.usecases.inbox import drain, ingest
from tests.factories import NOW, make_variant, order_of, rows

WAREHOUSE = 7_000_000_001


def apply(shop, topic, body, *, at=NOW):
    """One delivery, as the inbox hands it over; what came of it."""
    delivery = Delivery(
        id=1,
        topic=topic,
        triggered_at=at,
        received_at=at,
        body=json.dumps(body).encode(),
        attempts=0,
    )
    with transaction(shop.shop_id) as conn:
        return ingest.apply(conn, shop, delivery)


def keep(shop, topic, body, name):
    """A delivery in the inbox."""
    made = NewDelivery(
        webhook_id=name,
        event_id=None,
        shop_domain=shop.domain,
        topic=topic,
        api_version="2026-10",
        triggered_at=NOW,
        body=json.dumps(body).encode(),
    )
    with ingest_transaction() as conn:
        webhook_inbox.record(conn, made)


def stamp(hours):
    return (NOW + timedelta(hours=hours)).isoformat()


def item_of(shop, variant_id):
    return rows(shop, "SELECT inventory_item_id FROM variants WHERE id = %(id)s", id=variant_id)[0][
        0
    ]


def asked(shop):
    """What Shopify is to be asked for."""
    return rows(shop, "SELECT kind, resource_id FROM refetches ORDER BY 1, 2")


def on_hand(shop):
    """What advice takes to be there, by variant."""
    with transaction(shop.shop_id) as conn:
        return frames.variants_on_sale(conn, shop.shop_id)["available_units"].tolist()


def test_an_edited_order_is_only_a_hint_and_shopify_is_asked_once(acme):
    body = {"order_edit": {"id": 9, "order_id": 5001}}

    assert [apply(acme, "orders/edited", body) for _ in range(2)] == ["refetch"] * 2

    assert rows(acme, "SELECT kind, resource_id FROM refetches ORDER BY kind") == [
        ("ledger", 5001),
        ("order", 5001),
    ]
    assert rows(acme, "SELECT count(*) FROM orders") == [(0,)]


def test_a_deleted_product_takes_its_variants_along_and_late_news_brings_none_back(acme):
    variant_id = make_variant(acme)
    ((product_id,),) = rows(acme, "SELECT product_id FROM variants")
    late = {
        "id": product_id,
        "title": "Linen apron",
        "updated_at": stamp(-1),
        "variants": [{"id": variant_id, "price": "24.00", "updated_at": stamp(-1)}],
    }

    assert apply(acme, "products/delete", {"id": product_id}, at=NOW + timedelta(hours=1)) == (
        "applied"
    )
    assert apply(acme, "products/update", late) == "stale"

    assert rows(acme, "SELECT deleted_at IS NOT NULL FROM products") == [(True,)]
    assert rows(acme, "SELECT deleted_at IS NOT NULL FROM variants") == [(True,)]


def test_a_new_cost_is_taken_an_older_one_is_not(acme):
    item = item_of(acme, make_variant(acme, cost="9.00"))
    news = [{"id": item, "tracked": True, "cost": c, "updated_at": stamp(h)} for c, h in
            (("9.50", 2), ("9.25", 1))]  # fmt: skip

    assert [apply(acme, "inventory_items/update", one) for one in news] == ["applied", "stale"]

    assert rows(acme, "SELECT unit_cost::float FROM inventory_items") == [(9.5,)]


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("inventory_levels/disconnect", {"location_id": WAREHOUSE}),
        ("locations/delete", {"id": WAREHOUSE}),
    ],
)
def test_stock_that_is_gone_from_a_place_is_no_stock_to_advise_on(acme, topic, body):
    item = item_of(acme, make_variant(acme, available=40))
    assert on_hand(acme) == [40]

    sent = {"inventory_item_id": item, **body}
    assert apply(acme, topic, sent, at=NOW + timedelta(hours=1)) == "applied"

    assert on_hand(acme) == [0]


def test_a_deleted_item_takes_no_late_cost_but_one_from_after_its_deletion(acme):
    item = item_of(acme, make_variant(acme, cost="9.00"))
    late, later = (
        {"id": item, "tracked": True, "cost": "1.00", "updated_at": stamp(hours)}
        for hours in (2, 4)
    )

    deleted_at = NOW + timedelta(hours=3)
    assert apply(acme, "inventory_items/delete", {"id": item}, at=deleted_at) == "applied"
    assert apply(acme, "inventory_items/update", late) == "stale"
    assert rows(acme, "SELECT unit_cost::float, deleted_at FROM inventory_items") == [
        (9.0, deleted_at)
    ]

    assert apply(acme, "inventory_items/update", later) == "applied"
    assert apply(acme, "inventory_items/delete", {"id": item}, at=deleted_at) == "stale"
    assert rows(acme, "SELECT unit_cost::float, deleted_at FROM inventory_items") == [(1.0, None)]


@pytest.mark.parametrize(
    ("told", "kept"),
    [({"tracked": False}, (False, 9.0)), ({"cost": None}, (True, None)), ({}, (True, 9.0))],
)
def test_what_an_items_body_leaves_out_stays(acme, told, kept):
    item = item_of(acme, make_variant(acme, cost="9.00"))

    body = {"id": item, "updated_at": stamp(1), **told}
    assert apply(acme, "inventory_items/update", body) == "applied"

    assert rows(acme, "SELECT is_tracked, unit_cost::float FROM inventory_items") == [kept]


def test_an_items_body_that_tells_too_little_is_a_hint(acme, rival):
    item = item_of(acme, make_variant(acme, cost="9.00"))

    assert apply(acme, "inventory_items/update", {"id": item}) == "refetch"
    unknown = {"id": 5, "tracked": True, "updated_at": stamp(1)}
    assert apply(acme, "inventory_items/update", unknown) == "refetch"

    assert asked(acme) == [("inventory_item", 5), ("inventory_item", item)]
    assert rows(acme, "SELECT id, unit_cost::float FROM inventory_items") == [(item, 9.0)]
    assert asked(rival) == []


def test_two_costs_under_one_stamp_are_asked_about_and_the_same_again_is_nothing(acme):
    item = item_of(acme, make_variant(acme, cost="9.00"))
    first = {"id": item, "tracked": True, "cost": "9.50", "updated_at": stamp(1)}

    assert apply(acme, "inventory_items/update", first) == "applied"
    assert apply(acme, "inventory_items/update", {**first, "cost": "9.5"}) == "stale"
    assert asked(acme) == []
    assert apply(acme, "inventory_items/update", {**first, "cost": "8.00"}) == "refetch"

    assert asked(acme) == [("inventory_item", item)]
    assert rows(acme, "SELECT unit_cost::float FROM inventory_items") == [(9.5,)]


def test_a_location_that_opens_and_closes_in_one_second_is_asked_about(acme):
    body = {"id": 12, "name": "Shop floor", "active": True, "updated_at": stamp(0)}

    assert apply(acme, "locations/activate", body) == "applied"
    assert apply(acme, "locations/activate", body) == "stale"
    assert apply(acme, "locations/deactivate", {**body, "active": False}) == "refetch"

    assert asked(acme) == [("location", 12)]


def test_a_location_seen_after_its_deletion_is_there_and_its_stock_is_asked_for(acme):
    make_variant(acme, available=40)
    body = {"id": WAREHOUSE, "name": "Warehouse", "active": True}
    apply(acme, "locations/delete", {"id": WAREHOUSE}, at=NOW + timedelta(hours=1))

    assert apply(acme, "locations/update", {**body, "updated_at": stamp(0.5)}) == "stale"
    assert apply(acme, "locations/update", {**body, "updated_at": stamp(2)}) == "applied"

    assert rows(acme, "SELECT is_active, deleted_at FROM locations") == [(True, None)]
    assert asked(acme) == [("location", WAREHOUSE)]


def test_a_location_is_known_from_its_first_news_and_closes_with_its_last(acme):
    body = {"id": 12, "name": "Shop floor", "active": True, "updated_at": stamp(0)}

    assert apply(acme, "locations/create", body) == "applied"
    closed = {**body, "active": False, "updated_at": stamp(2)}
    assert apply(acme, "locations/deactivate", closed) == "applied"
    assert apply(acme, "locations/activate", {**body, "updated_at": stamp(1)}) == "stale"

    assert rows(acme, "SELECT id, name, is_active FROM locations") == [(12, "Shop floor", False)]


def test_a_finished_bulk_operation_wakes_a_step_that_waits_and_no_other_shops(acme, rival):
    for shop in (acme, rival):
        with transaction(shop.shop_id) as conn:
            backfills.start(conn, shop.shop_id, install_epoch=shop.install_epoch)
            backfills.claim(conn, shop.shop_id, lease_seconds=60)
            backfills.wait(conn, shop.shop_id, "shop", seconds=3600)
    assert apply(acme, "bulk_operations/finish", {"admin_graphql_api_id": "gid://x/1"}) == "applied"

    with sweep_transaction() as conn:
        assert backfills.due_shops(conn) == [acme.shop_id]


def test_what_a_shop_says_of_itself_is_kept_and_what_it_does_not_say_stays(acme, rival):
    body = {
        "id": 77,
        "myshopify_domain": acme.domain,
        "name": "Acme & Co",
        "iana_timezone": "Europe/Berlin",
    }

    assert apply(acme, "shop/update", body) == "applied"

    facts = "SELECT name, timezone, currency FROM shops ORDER BY shop_id"
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(facts)
        assert cur.fetchall() == [
            ("Acme & Co", "Europe/Berlin", "GBP"),
            ("Rival", "Asia/Tokyo", "JPY"),
        ]


def test_of_two_things_a_shop_says_the_later_stands_and_of_one_second_neither(acme, rival):
    body = {"id": 77, "myshopify_domain": acme.domain, "currency": "EUR", "updated_at": stamp(2)}
    facts = "SELECT currency, timezone FROM shops WHERE domain = 'acme.myshopify.com'"

    assert apply(acme, "shop/update", body) == "applied"
    assert apply(acme, "shop/update", body) == "stale"
    late = {**body, "currency": "USD", "iana_timezone": "America/New_York", "updated_at": stamp(1)}
    assert apply(acme, "shop/update", late) == "stale"
    assert asked(acme) == []
    assert apply(acme, "shop/update", {**body, "currency": "USD"}) == "refetch"

    assert asked(acme) == [("shop", 77)]
    assert rows(acme, facts) == [("EUR", "Europe/London")]
    assert rows(rival, "SELECT currency, facts_updated_at FROM shops") == [("JPY", None)]


def test_a_topic_that_we_did_not_ask_for_changes_nothing(acme):
    assert apply(acme, "carts/update", {"id": 1}) == "ignored"


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/edited", {"id": 1}),
        ("orders/edited", {"order_edit": {"order_id": "5001"}}),
        ("products/delete", {}),
        ("inventory_levels/disconnect", {"inventory_item_id": 5}),
        ("inventory_items/update", {"id": 5, "updated_at": "soon"}),
        ("locations/create", {"id": 5, "updated_at": "2026-11-20T10:00:00Z"}),
        ("app/scopes_update", {"current": "read_orders"}),
        ("app/scopes_update", {"current": [1]}),
        ("shop/update", {"id": None, "myshopify_domain": "acme.myshopify.com"}),
        ("shop/update", {"id": 1, "name": "Whose?"}),
        ("shop/update", {"id": 1, "name": "Whose?", "myshopify_domain": None}),
    ],
)
def test_what_cannot_be_is_poison_in_every_topic(acme, topic, body):
    with pytest.raises(PoisonError):
        apply(acme, topic, body)


def test_a_body_that_names_another_shop_is_refused_under_whatever_header_it_came(acme, rival):
    body = {"id": 1, "myshopify_domain": rival.domain, "name": "Mine now"}

    with pytest.raises(PoisonError, match="another shop"):
        apply(acme, "shop/update", body)


def test_one_bad_body_of_a_batch_leaves_none_of_it_to_the_batch_and_is_replayed_once_mended(
    acme, monkeypatch
):
    line = {"id": 1, "quantity": 1, "price": "5.00", "title": "Mug"}
    order = {"currency": "GBP", "created_at": stamp(0), "updated_at": stamp(0)}
    for number in (1, 2, 3):
        keep(acme, "orders/create", {**order, "id": number, "line_items": [{**line, "id": number}]},
             f"o{number}")  # fmt: skip
    real = ingest.ingest_together.payloads.order

    def we_cannot_read_the_second(body):
        if body["id"] == 2:
            raise PoisonError("something new")
        return real(body)

    monkeypatch.setattr(ingest.ingest_together.payloads, "order", we_cannot_read_the_second)
    for _ in range(3):
        drain.drain_inbox()
        with sweep_transaction() as conn, conn.cursor() as cur:
            cur.execute("UPDATE webhook_inbox SET due_at = now() WHERE done_at IS NULL")
    assert rows(acme, "SELECT id FROM orders ORDER BY id") == [(1,), (3,)]
    assert drain.standing()["dead"] == 1

    monkeypatch.undo()
    with sweep_transaction() as conn:
        assert webhook_inbox.replay(conn) == 1
    drain.drain_inbox()

    assert rows(acme, "SELECT id FROM orders ORDER BY id") == [(1,), (2,), (3,)]
    assert drain.standing()["dead"] == 0


def test_the_rivals_rows_of_the_same_ids_stay(acme, rival):
    for shop in (acme, rival):
        with transaction(shop.shop_id) as conn:
            orders.upsert_many(conn, shop.shop_id, shop.zone, [order_of(5001)])
            inventory.upsert_locations(conn, shop.shop_id, [Location(12, "Floor", True, NOW)])

    apply(acme, "orders/delete", {"id": 5001}, at=NOW + timedelta(hours=1))
    apply(acme, "locations/delete", {"id": 12}, at=NOW + timedelta(hours=1))

    assert rows(rival, "SELECT deleted_at IS NULL FROM orders") == [(True,)]
    assert rows(rival, "SELECT is_active FROM locations") == [(True,)]


LIVING = [
    ("orders/delete", {"id": 5001}, ("order", 5001)),
    ("products/delete", {"id": 31}, ("product", 31)),
    ("inventory_items/delete", {"id": 100}, ("inventory_item", 100)),
    ("locations/delete", {"id": 7}, ("location", 7)),
    (
        "inventory_levels/disconnect",
        {"inventory_item_id": 100, "location_id": 7},
        ("inventory_item", 100),
    ),
]


@pytest.mark.parametrize(("topic", "body", "wanted"), LIVING)
def test_news_of_a_living_thing_under_a_topic_of_deletions_buries_nothing(
    acme, topic, body, wanted
):
    """The topic is not signed: one captured piece of news could be sent again as the thing's end, of whatever time."""
    living = {**body, "updated_at": stamp(0)}
    for name, told in {
        "orders/create": {**living, "currency": "GBP", "created_at": stamp(0), "line_items": []},
        "products/create": {**living, "title": "Mug", "variants": []},
        "inventory_items/create": {**living, "tracked": True, "cost": "5.00"},
        "locations/create": {**living, "name": "Shop", "active": True},
        "inventory_levels/connect": {**living, "available": 3},
    }.items():
        if name.partition("/")[0] == topic.partition("/")[0]:
            apply(acme, name, told)

    assert apply(acme, topic, living, at=NOW + timedelta(days=60_000)) == "refetch"

    assert asked(acme) == [wanted]
    assert apply(acme, topic, body, at=NOW + timedelta(hours=1)) == "applied"
