"""Draft transfers in the simulator: refused without a key, once a key, and in Shopify's words."""

import pytest

from tests.simulator.conftest import SCOPES

CREATE = """mutation($input: InventoryTransferCreateInput!, $key: String!) {
  inventoryTransferCreate(input: $input) @idempotent(key: $key) {
    inventoryTransfer { id name status totalQuantity referenceName destination { name } lineItems(first: 5) { nodes { totalQuantity inventoryItem { id } } } }
    userErrors { field message code } } }"""
BARE = CREATE.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")


@pytest.fixture
def run(sim, shop, api):
    """The whole answer under a token that may make transfers."""
    return lambda document, **variables: api(document, **variables).json


@pytest.fixture(autouse=True)
def may_make_transfers(sim, shop):
    sim.store.connection().execute(
        "UPDATE shops SET granted_scopes = ?", (f"{SCOPES},write_inventory_transfers",)
    )


@pytest.fixture
def wanted(rows):
    items = [
        f"gid://shopify/InventoryItem/{row['id']}"
        for row in rows("SELECT id FROM inventory_items WHERE tracked ORDER BY id LIMIT 2")
    ]
    place = f"gid://shopify/Location/{rows('SELECT id FROM locations')[0]['id']}"
    return {
        "destinationLocationId": place,
        "referenceName": "PO 7",
        "lineItems": [{"inventoryItemId": item, "quantity": 3} for item in items],
    }


def result(answer):
    payload = answer["data"]["inventoryTransferCreate"]
    return payload["inventoryTransfer"], [error["code"] for error in payload["userErrors"]]


def test_without_the_directive_it_is_refused_before_anything(run, wanted, rows):
    answer = run(BARE, input=wanted)

    assert (
        answer["errors"][0]["message"]
        == "The @idempotent directive is required for this mutation but was not provided."
    )
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert rows("SELECT 1 FROM inventory_transfers") == []


def test_other_mutations_of_stock_and_money_want_a_key_too(run):
    answer = run(
        'mutation { refundCreate(input: {orderId: "gid://shopify/Order/1"}) { userErrors { message } } }'
    )
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_draft_is_made_and_found_again(run, wanted):
    made, errors = result(run(CREATE, input=wanted, key="k1"))

    assert (made["name"], made["status"], made["totalQuantity"], made["referenceName"], errors) == (
        "#T0001",
        "DRAFT",
        6,
        "PO 7",
        [],
    )
    assert len(made["lineItems"]["nodes"]) == 2
    listed = run("{ inventoryTransfers(first: 5) { nodes { id } } }")["data"]["inventoryTransfers"][
        "nodes"
    ]
    assert listed == [{"id": made["id"]}]


def test_a_key_answers_the_same_again_another_input_not_and_after_a_refusal_a_fresh_one_is_wanted(
    run, wanted, rows
):
    first, _ = result(run(CREATE, input=wanted, key="k1"))
    assert result(run(CREATE, input=wanted, key="k1")) == (first, [])
    assert result(run(CREATE, input={**wanted, "note": "x"}, key="k1")) == (
        None,
        ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"],
    )

    wrong = {**wanted, "destinationLocationId": "gid://shopify/Location/1"}
    assert result(run(CREATE, input=wrong, key="k2")) == (None, ["LOCATION_NOT_FOUND"])
    assert result(run(CREATE, input=wrong, key="k2")) == (
        None,
        ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"],
    )
    assert len(rows("SELECT 1 FROM inventory_transfers")) == 1


def test_a_key_is_forgotten_after_a_day(run, wanted, rows, sim):
    run(CREATE, input=wanted, key="k1")
    sim.store.connection().execute("UPDATE idempotency_keys SET at = at - 86500")
    run(CREATE, input=wanted, key="k1")

    assert len(rows("SELECT 1 FROM inventory_transfers")) == 2


def test_what_is_running_under_a_key_is_told_so(run, wanted, sim):
    sim.faults.set({"idempotency_concurrent": 1.0})
    assert result(run(CREATE, input=wanted, key="k1")) == (None, ["IDEMPOTENCY_CONCURRENT_REQUEST"])


def test_refusals_of_lines_and_places(run, wanted, sim, rows):
    line, other = wanted["lineItems"]
    cases = {
        "DUPLICATE_ITEM": {**wanted, "lineItems": [line, line]},
        "INVALID_QUANTITY": {**wanted, "lineItems": [{**line, "quantity": 0}]},
        "ITEM_NOT_FOUND": {
            **wanted,
            "lineItems": [{"inventoryItemId": "gid://shopify/InventoryItem/1", "quantity": 1}],
        },
        "TRANSFER_ORIGIN_CANNOT_BE_THE_SAME_AS_DESTINATION": {
            **wanted,
            "originLocationId": wanted["destinationLocationId"],
        },
    }
    for number, (code, given) in enumerate(cases.items()):
        assert result(run(CREATE, input=given, key=f"c{number}")) == (None, [code])
    sim.store.connection().execute(
        "UPDATE inventory_items SET tracked = 0 WHERE id = ?",
        (int(other["inventoryItemId"].split("/")[-1]),),
    )
    assert result(run(CREATE, input=wanted, key="c8")) == (None, ["UNTRACKED_ITEM"])
    sim.store.connection().execute("UPDATE locations SET is_active = 0")
    assert result(run(CREATE, input=wanted, key="c9")) == (None, ["LOCATION_NOT_ACTIVE"])
    assert rows("SELECT 1 FROM inventory_transfers") == []
