"""Of two versions under one stamp neither is believed; what tells too little is a hint; the rival's news is its own."""

import json
from datetime import timedelta

import pytest

from shopify_app.db.connection import transaction
from shopify_app.db.webhook_inbox import Delivery
from shopify_app.shopify import nodes
from shopify_app.usecases.history import facts
from shopify_app.usecases.inbox import ingest, refetch
from shopify_app.usecases.shops import access
from tests.factories import NOW, make_variant, rows

STAMP = "2026-11-20T12:00:00+00:00"
LATER = "2026-11-20T12:00:01+00:00"


def apply(shop, topic, *bodies, at=NOW):
    """Deliveries that stand in one batch; what came of each."""
    deliveries = [
        Delivery(
            id=number,
            topic=topic,
            triggered_at=at,
            received_at=at,
            body=json.dumps(body).encode(),
            attempts=0,
        )
        for number, body in enumerate(bodies)
    ]
    with transaction(shop.shop_id) as conn:
        return ingest.apply_together(conn, shop, deliveries)


def variant(number, *, price="10.00", at=STAMP):
    return {
        "id": number,
        "title": f"V{number}",
        "sku": "S",
        "position": 1,
        "price": price,
        "compare_at_price": None,
        "inventory_policy": "deny",
        "inventory_item_id": number + 1000,
        "inventory_management": "shopify",
        "updated_at": at,
    }


def product(*variants, at=STAMP, **changed):
    return {
        "id": 31,
        "title": "Mug",
        "handle": "mug",
        "status": "active",
        "tags": "a, b",
        "updated_at": at,
        "variants": list(variants),
        **changed,
    }


BARE, FILLED = product(variant(1)), product(*(variant(number) for number in (1, 2, 3, 4)))


def living(shop):
    found = rows(shop, "SELECT id FROM variants WHERE deleted_at IS NULL ORDER BY id")
    return [row[0] for row in found]


def asked(shop):
    return rows(shop, "SELECT kind, resource_id FROM refetches ORDER BY 1, 2")


def shopify_shows(monkeypatch, body):
    """A product as Shopify answers for it."""
    node = {
        "id": f"gid://shopify/Product/{body['id']}", "title": body["title"], "handle": body["handle"], "status": "ACTIVE",
        "vendor": "", "productType": "", "tags": ["a", "b"], "isGiftCard": False, "createdAt": None, "publishedAt": None,
        "updatedAt": body["updated_at"],
    }  # fmt: skip
    found = [
        nodes.variant(
            {
                "id": f"gid://shopify/ProductVariant/{one['id']}", "title": one["title"], "sku": one["sku"], "position": 1,
                "price": one["price"], "compareAtPrice": None, "inventoryPolicy": "DENY", "createdAt": None,
                "inventoryItem": {"id": f"gid://shopify/InventoryItem/{one['inventory_item_id']}"}, "updatedAt": one["updated_at"],
            },
            body["id"],
        )
        for one in body["variants"]
    ]  # fmt: skip
    monkeypatch.setattr(access, "with_api", lambda shop_id, work: work(shop_id))
    monkeypatch.setattr(
        refetch.catalogue_api, "product_with_variants", lambda *_: (nodes.product(node), found, [])
    )


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("turn", [(BARE, FILLED), (FILLED, BARE)])
def test_a_product_made_and_filled_in_one_second_ends_with_all_its_variants(
    acme, rival, monkeypatch, together, turn
):
    if together:
        assert apply(acme, "products/update", *turn) == ["refetch", "refetch"]
    else:
        assert [apply(acme, "products/update", body) for body in turn] == [["applied"], ["refetch"]]
    assert rows(acme, "SELECT id FROM variants WHERE deleted_at IS NOT NULL") == []
    assert asked(acme) == [("product", 31)]

    shopify_shows(monkeypatch, FILLED)
    refetch.refetch_resources()

    assert living(acme) == [1, 2, 3, 4]
    assert asked(acme) == []
    assert living(rival) == []


def test_the_same_list_again_is_nothing_and_shopify_is_not_asked(acme):
    told = [apply(acme, "products/create", FILLED), apply(acme, "products/update", FILLED, FILLED)]

    assert told == [["applied"], ["stale", "stale"]]
    assert asked(acme) == []


def test_two_prices_under_one_stamp_are_asked_about_and_the_answer_stands(acme, monkeypatch):
    apply(acme, "products/update", product(variant(1, price="10.00")))
    other = product(variant(1, price="12.00"))

    assert apply(acme, "products/update", other) == ["refetch"]
    assert rows(acme, "SELECT price::float FROM variants") == [(10.0,)]

    shopify_shows(monkeypatch, other)
    refetch.refetch_resources()

    assert rows(acme, "SELECT price::float FROM variants") == [(12.0,)]
    assert rows(acme, "SELECT price::float FROM price_history ORDER BY id") == [(10.0,), (12.0,)]


def test_a_variant_that_a_list_left_out_is_back_when_a_later_one_names_it(acme):
    apply(acme, "products/update", FILLED)
    apply(acme, "products/update", product(variant(1), at=LATER))
    assert living(acme) == [1]

    apply(acme, "products/update", FILLED)  # late
    assert living(acme) == [1]

    again = product(variant(1), variant(2), at="2026-11-20T12:00:02+00:00")
    assert apply(acme, "products/update", again) == ["applied"]
    assert living(acme) == [1, 2]


def test_the_answer_lifts_a_variant_that_a_list_of_its_very_second_had_ended(acme, monkeypatch):
    apply(acme, "products/update", product(*FILLED["variants"], at="2026-11-20T11:00:00+00:00"))
    apply(acme, "products/create", BARE)
    assert living(acme) == [1]

    assert apply(acme, "products/update", FILLED) == ["refetch"]
    shopify_shows(monkeypatch, FILLED)
    refetch.refetch_resources()

    assert living(acme) == [1, 2, 3, 4]


def test_a_product_seen_after_its_deletion_is_there_with_its_variants(acme):
    apply(acme, "products/update", FILLED)
    delivery = Delivery(
        id=1, topic="products/delete", triggered_at=NOW + timedelta(milliseconds=300),
        received_at=NOW, body=b'{"id": 31}', attempts=0,
    )  # fmt: skip
    with transaction(acme.shop_id) as conn:
        ingest.apply(conn, acme, delivery)

    assert apply(acme, "products/update", FILLED) == ["stale"]
    assert (living(acme), asked(acme)) == ([], [])
    assert apply(acme, "products/update", product(*FILLED["variants"], at=LATER)) == ["applied"]
    assert living(acme) == [1, 2, 3, 4]


def test_shopifys_own_sample_bodies_are_read(acme):
    sample = {
        "id": 788032119674292922, "title": "Example T-Shirt", "body_html": None, "vendor": "Acme", "product_type": "Shirts",
        "created_at": None, "handle": "example-t-shirt", "updated_at": "2021-12-31T19:00:00-05:00",
        "published_at": "2021-12-31T19:00:00-05:00", "template_suffix": None, "status": "active", "tags": "example, mens, t-shirt",
        "variants": [{
            "id": 642667041472713922, "product_id": 788032119674292922, "title": "Small", "price": "19.99", "sku": "example-shirt-s",
            "position": 0, "inventory_policy": "deny", "compare_at_price": "24.99", "inventory_item_id": None,
            "inventory_management": "shopify", "created_at": None, "updated_at": None, "inventory_quantity": 75,
        }],
    }  # fmt: skip
    refund = {
        "id": 890088186047892319, "order_id": 820982911946154508, "created_at": None, "processed_at": None, "note": "Things were damaged",
        "refund_line_items": [{
            "id": 487817672276298627, "line_item_id": 487817672276298554, "quantity": 1, "restock_type": "no_restock",
            "subtotal": 199.0, "total_tax": 0.0,
        }],
    }  # fmt: skip

    assert apply(acme, "products/create", sample) == ["applied"]
    assert apply(acme, "refunds/create", refund, at=NOW) == ["refetch"]

    assert rows(acme, "SELECT price::float, updated_at::text FROM variants") == [
        (19.99, "2022-01-01 00:00:00+00")
    ]
    assert rows(acme, "SELECT processed_at FROM refunds") == [(NOW,)]


ORDER = {
    "id": 5001, "name": "#1", "created_at": STAMP, "processed_at": STAMP, "updated_at": STAMP, "currency": "GBP",
    "line_items": [{"id": 1, "quantity": 2, "current_quantity": 2, "price": "24.00", "title": "Mug"}],
}  # fmt: skip
REFUND = {
    "id": 9, "order_id": 5001, "created_at": LATER, "processed_at": LATER,
    "refund_line_items": [
        {"id": 90, "line_item_id": 1, "quantity": 1, "restock_type": "return", "subtotal": 24.0, "total_tax": 0.0}
    ],
}  # fmt: skip


@pytest.mark.parametrize("refund_first", [True, False])
def test_a_refund_and_its_order_end_the_same_in_any_order_though_shopify_shows_neither(
    acme, rival, monkeypatch, refund_first
):
    monkeypatch.setattr(access, "with_api", lambda shop_id, work: work(shop_id))
    monkeypatch.setattr(refetch.orders_api, "order_with_refunds", lambda *_: None)
    news = [("orders/updated", ORDER), ("refunds/create", REFUND)]
    for topic, body in reversed(news) if refund_first else news:
        apply(acme, topic, body)
        refetch.refetch_resources()

    (day,) = facts.facts(acme.shop_id)["days"]
    assert (day["gross"], day["refunds"], day["net"]) == ("48.00", "24.00", "24.00")
    assert facts.facts(rival.shop_id)["days"] == []


def test_a_late_body_of_a_deleted_order_is_stale_and_nobody_is_asked(acme):
    apply(acme, "orders/updated", ORDER)
    deleted = Delivery(
        id=1, topic="orders/delete", triggered_at=NOW, received_at=NOW, body=b'{"id": 5001}', attempts=0
    )  # fmt: skip
    with transaction(acme.shop_id) as conn:
        ingest.apply(conn, acme, deleted)

    other = {**ORDER, "line_items": []}
    assert apply(acme, "orders/updated", other) == ["stale"]
    assert apply(acme, "orders/updated", ORDER, other) == ["stale", "stale"]
    assert asked(acme) == []
    assert apply(acme, "orders/updated", {**ORDER, "updated_at": LATER}) == ["applied"]
    assert rows(acme, "SELECT deleted_at FROM orders") == [(None,)]


def test_an_order_paid_within_its_second_is_asked_about(acme):
    apply(acme, "orders/create", {**ORDER, "financial_status": "pending"})

    assert apply(acme, "orders/updated", {**ORDER, "financial_status": "paid"}) == ["refetch"]
    assert asked(acme) == [("order", 5001)]


@pytest.mark.parametrize("left_out", ["location_id", "available", "updated_at"])
def test_a_level_that_leaves_something_out_is_a_hint_and_ends_no_stock(acme, rival, left_out):
    make_variant(acme, available=40)
    ((item_id, place),) = rows(acme, "SELECT inventory_item_id, location_id FROM inventory_levels")
    whole = {
        "inventory_item_id": item_id,
        "location_id": place,
        "available": 7,
        "updated_at": LATER,
    }
    hint = {name: told for name, told in whole.items() if name != left_out}

    assert apply(acme, "inventory_levels/update", hint) == ["refetch"]
    assert asked(acme) == [("inventory_item", item_id)]
    assert rows(acme, "SELECT available_units, is_active FROM inventory_levels") == [(40, True)]

    assert apply(acme, "inventory_levels/update", hint, whole) == ["refetch", "applied"]
    assert rows(acme, "SELECT available_units FROM inventory_levels") == [(7,)]
    assert asked(rival) == []


@pytest.mark.parametrize("gids", [{}, {"variant_gids": None}, {"variant_gids": []}])
def test_variants_that_are_null_end_none_and_shopify_is_asked(acme, rival, gids):
    for shop in (acme, rival):
        apply(shop, "products/update", FILLED)

    assert apply(acme, "products/update", product(at=LATER, variants=None, **gids)) == ["refetch"]

    assert (living(acme), asked(acme)) == ([1, 2, 3, 4], [("product", 31)])
    assert (living(rival), asked(rival)) == ([1, 2, 3, 4], [])


def test_lines_that_are_null_take_none_from_the_order_and_shopify_is_asked(acme, rival):
    order = {
        "id": 5001,
        "currency": "GBP",
        "created_at": STAMP,
        "updated_at": STAMP,
        "line_items": [{"id": 1, "quantity": 2, "price": "5.00"}],
    }
    for shop in (acme, rival):
        apply(shop, "orders/updated", order)

    news = {**order, "updated_at": LATER, "line_items": None}
    assert apply(acme, "orders/updated", news) == ["refetch"]

    for shop, wanted in ((acme, [("order", 5001)]), (rival, [])):
        assert rows(shop, "SELECT id, quantity FROM order_lines") == [(1, 2)]
        assert asked(shop) == wanted
