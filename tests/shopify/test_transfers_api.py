"""A draft transfer is made once a key, against the simulator's own enforcement."""

import pytest

from shopify_app.errors import AccessDeniedError, OutcomeUnknownError, ShopifyUserError
from shopify_app.shopify.transfers_api import create_draft_transfer, transfer_key
from shopify_app.usecases.shops import access

GRANTED = [
    "read_inventory",
    "read_locations",
    "read_orders",
    "write_products",
    "write_inventory_transfers",
]


@pytest.fixture
def api(world):
    world.control("install", scopes=GRANTED)
    world.open_app()
    return access.admin_api(world.shop().shop_id)


def place(world):
    conn = world.sim.store.connection()
    items = [
        row[0]
        for row in conn.execute("SELECT id FROM inventory_items WHERE tracked ORDER BY id LIMIT 2")
    ]
    return conn.execute("SELECT id FROM locations").fetchone()[0], items


def drafts(world):
    rows = world.sim.store.connection().execute(
        "SELECT id, status, reference_name FROM inventory_transfers"
    )
    return [tuple(row) for row in rows]


def make(world, api, key="k1", units=(3, 4)):
    location, items = place(world)
    return create_draft_transfer(
        api,
        key=key,
        to_location_id=location,
        units_by_item=dict(zip(items, units, strict=True)),
        reference="Northmill",
    )


def test_a_draft_holds_its_units_and_is_made_once_a_key(world, api):
    first, again, other = make(world, api), make(world, api), make(world, api, key="k2")

    assert first == again != other
    assert first.units == 7
    assert drafts(world) == [(first.id, "DRAFT", "Northmill"), (other.id, "DRAFT", "Northmill")]


def test_a_lost_reply_is_asked_for_again_with_the_same_key(world, api):
    world.faults(graphql_lose_reply=1.0)
    with pytest.raises(OutcomeUnknownError):
        make(world, api)
    world.behave()

    assert make(world, api).id == drafts(world)[0][0]
    assert len(drafts(world)) == 1


def test_the_same_key_with_other_units_is_refused(world, api):
    make(world, api)
    with pytest.raises(ShopifyUserError) as refused:
        make(world, api, units=(3, 5))
    assert refused.value.code == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert len(drafts(world)) == 1


def test_without_the_optional_scope_nothing_is_made(world):
    world.control("install")
    world.open_app()
    with pytest.raises(AccessDeniedError):
        make(world, access.admin_api(world.shop().shop_id))
    assert drafts(world) == []


def test_a_draft_moves_no_stock(world, api):
    before = [
        dict(row) for row in world.sim.store.connection().execute("SELECT * FROM inventory_levels")
    ]
    make(world, api)
    assert [
        dict(row) for row in world.sim.store.connection().execute("SELECT * FROM inventory_levels")
    ] == before


def test_a_key_is_the_same_for_the_same_order_and_another_for_another():
    assert transfer_key(1, "Northmill", 7) == transfer_key(1, "Northmill", 7)
    assert (
        len(
            {
                transfer_key(1, "Northmill", 7),
                transfer_key(2, "Northmill", 7),
                transfer_key(1, "Northmill", 8),
            }
        )
        == 3
    )
