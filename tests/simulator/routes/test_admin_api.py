"""The simulated Admin API over HTTP, asked by the app's own client: Shopify's refusals, windows, pages and bulk rules."""

import json
import time
from datetime import UTC, datetime

import httpx
import pytest

from shopify_app.shopify import bulk_operations, catalogue_api, orders_api
from shopify_app.usecases.shops import access
from tests.simulated import install, simulated_world


@pytest.fixture
def api(world):
    world.control("install")
    world.open_app()
    return access.admin_api(world.shop().shop_id)


def post(world, token, document, version="2026-10", **variables):
    url = (
        f"http://127.0.0.1:{world.sim.config.port}/{world.domain}/admin/api/{version}/graphql.json"
    )
    return httpx.post(
        url,
        json={"query": document, "variables": variables},
        headers={"X-Shopify-Access-Token": token},
    )


def code(answer):
    return answer.json()["errors"][0]["extensions"]["code"]


def test_a_wrong_token_a_frozen_shop_and_an_unknown_one_are_refused(world, api):
    assert post(world, "shpat_wrong", "{ shop { id } }").status_code == 401
    world.sim.store.connection().execute("UPDATE shops SET access_blocked = 402")
    assert post(world, api.access_token, "{ shop { id } }").status_code == 402


def test_a_token_dies_after_its_hour(world, api):
    world.faults(token_clock_offset_seconds=3700)
    assert post(world, api.access_token, "{ shop { id } }").status_code == 401


def test_documents_are_held_to_the_real_schema_and_unserved_fields_are_named(world, api):
    assert (
        "Cannot query field"
        in post(world, api.access_token, "{ shop { idd } }").json()["errors"][0]["message"]
    )
    assert (
        "Shop.weightUnit"
        in post(world, api.access_token, "{ shop { weightUnit } }").json()["errors"][0]["message"]
    )
    assert (
        post(world, api.access_token, "{ shop { id } }", version="2020-01").headers[
            "X-Shopify-API-Version"
        ]
        == "2026-10"
    )


def test_a_scope_that_is_not_granted_is_denied(world, api):
    world.control("scopes", granted=["read_products"])
    assert (
        code(post(world, api.access_token, "{ orders(first: 1) { nodes { id } } }"))
        == "ACCESS_DENIED"
    )
    update = 'mutation { productVariantsBulkUpdate(productId: "gid://shopify/Product/1", variants: []) { userErrors { code } } }'
    assert code(post(world, api.access_token, update)) == "ACCESS_DENIED"


def test_cost_is_charged_and_an_empty_bucket_throttles_with_http_200(world, api):
    answer = post(world, api.access_token, "{ orders(first: 250) { nodes { id } } }").json()
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 2 + 11
    world.faults(graphql_throttle=1.0)
    throttled = post(world, api.access_token, "{ orders(first: 250) { nodes { id } } }")
    assert (throttled.status_code, code(throttled)) == (200, "THROTTLED")


def test_pages_the_bulk_file_and_the_store_say_the_same(world, api):
    paged = [order.id for order in orders_api.changed_orders(api, datetime(2020, 1, 1, tzinfo=UTC))]
    operation = bulk_operations.run_bulk_query(api, orders_api.bulk_orders_query(None))
    while (found := bulk_operations.bulk_operation(api, operation)).status != "COMPLETED":
        time.sleep(0.05)
    objects = [line for line, _ in bulk_operations.result_lines(found.url)]
    stored = (
        world.sim.store.connection()
        .execute("SELECT count(*), (SELECT count(*) FROM order_lines) FROM orders")
        .fetchone()
    )

    assert len(objects) == found.object_count == sum(stored)
    assert len(paged) == len(set(paged)) == stored[0]
    offset = next(
        behind
        for number, (_, behind) in enumerate(bulk_operations.result_lines(found.url))
        if number == 99
    )
    assert [
        line for line, _ in bulk_operations.result_lines(found.url, from_byte=offset)
    ] == objects[100:]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{ orders { nodes { id } } }", "edges"),
        ("{ orders { edges { node { name } } } }", "'id'"),
        ("{ shop { id } }", "root"),
        (
            "{ orders { edges { node { id refunds { id refundLineItems { edges { node { id } } } } } } } }",
            "list",
        ),
        ("{ orders { edges { node { idd } } } }", "Cannot query"),
    ],
)
def test_a_query_that_shopify_would_not_run_in_bulk_is_refused(world, api, text, words):
    answer = post(world, api.access_token, bulk_operations.RUN_BULK_QUERY, query=text).json()
    assert words in json.dumps(answer["data"]["bulkOperationRunQuery"]["userErrors"])


def test_prices_are_refused_in_shopifys_words(world, api):
    variant = world.look("variants")[0]
    product, gid = (
        f"gid://shopify/Product/{variant['product_id']}",
        f"gid://shopify/ProductVariant/{variant['id']}",
    )
    text = "mutation($p: ID!, $v: [ProductVariantsBulkInput!]!) { productVariantsBulkUpdate(productId: $p, variants: $v) { userErrors { field message code } } }"

    def errors(p, *variants):
        return [
            e["code"]
            for e in post(world, api.access_token, text, p=p, v=list(variants)).json()["data"][
                "productVariantsBulkUpdate"
            ]["userErrors"]
        ]

    assert errors(product, {"id": gid, "price": "-1"}) == ["GREATER_THAN_OR_EQUAL_TO"]
    assert errors(product, {"price": "1"}) == ["PRODUCT_VARIANT_ID_MISSING"]
    assert errors(product, {"id": "gid://shopify/ProductVariant/1", "price": "1"}) == [
        "PRODUCT_VARIANT_DOES_NOT_EXIST"
    ]
    assert errors("gid://shopify/Product/1", {"id": gid, "price": "1"}) == [
        "PRODUCT_DOES_NOT_EXIST"
    ]
    assert world.look("price-writes") == []


def test_products_with_two_thousand_variants_are_paged_to_the_end(database, tmp_path, monkeypatch):
    with simulated_world(tmp_path, monkeypatch, "hostile") as world:
        install(world)
        api = access.admin_api(world.shop().shop_id)
        many = next(
            one for one in world.look("variants", limit=5000) if one["product_title"] == "Very many"
        )
        _, variants, items = catalogue_api.product_with_variants(api, many["product_id"])
        assert (len(variants), len(items)) == (2048, 2048)
        assert world.shop().currency == "JPY"


def test_shelves_read_one_by_one_are_the_store_s(world, api):
    conn = world.sim.store.connection()
    stored = conn.execute(
        "SELECT inventory_item_id, location_id, available FROM inventory_levels ORDER BY 1, 2"
    ).fetchall()
    places = catalogue_api.locations(api)
    assert [place.name for place in places] == [
        row["name"] for row in conn.execute("SELECT name FROM locations ORDER BY id")
    ]
    assert catalogue_api.location(api, places[0].id) == places[0]
    assert catalogue_api.location(api, 1) is None

    changed = [
        (level.inventory_item_id, level.location_id, level.available_units)
        for place in places
        for level in catalogue_api.changed_levels(api, place.id, datetime(2020, 1, 1, tzinfo=UTC))
    ]
    assert sorted(changed) == [tuple(row) for row in stored]
    assert list(catalogue_api.changed_levels(api, 1, datetime(2020, 1, 1, tzinfo=UTC))) == []

    item, levels = catalogue_api.item_with_levels(api, stored[0]["inventory_item_id"])
    assert item.id == stored[0]["inventory_item_id"]
    assert [level.available_units for level in levels] == [
        row["available"] for row in stored if row["inventory_item_id"] == item.id
    ]
    assert catalogue_api.item_with_levels(api, 1) is None


def test_changed_products_come_the_oldest_change_first(world, api):
    told = list(catalogue_api.changed_product_ids(api, datetime(2020, 1, 1, tzinfo=UTC)))
    stored = world.sim.store.connection().execute("SELECT id FROM products").fetchall()
    assert sorted(number for number, _ in told) == sorted(row["id"] for row in stored)
    assert [at for _, at in told] == sorted(at for _, at in told)
