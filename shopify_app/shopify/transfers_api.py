"""Draft inventory transfers: what a restock can become inside Shopify, once an idempotency key.

In: an access token whose merchant granted `write_inventory_transfers` (an optional scope).
Out: the draft's id and name. A draft moves no stock; the merchant sends it off, or deletes it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shopify_app.shopify.client import AdminApi
from shopify_app.shopify.gid import from_gid, to_gid

SCOPE: Final = "write_inventory_transfers"

CREATE_TRANSFER: Final = """
mutation CreateTransfer($input: InventoryTransferCreateInput!, $key: String!) {
  inventoryTransferCreate(input: $input) @idempotent(key: $key) {
    inventoryTransfer { id name status totalQuantity }
    userErrors { field message code }
  }
}
"""

KEYS: Final = uuid.UUID("6f6b2f0e-8a0e-5c37-9a55-6b6565707573")
"""The namespace of our keys: a name in it always gives the same key."""


@dataclass(frozen=True, slots=True)
class DraftTransfer:
    """A draft as Shopify made it."""

    id: int
    name: str
    units: int


def transfer_key(*parts: object) -> str:
    """The key of one draft: the same parts (a shop, an order's lines) give the same key for ever."""
    return str(uuid.uuid5(KEYS, "|".join(str(part) for part in parts)))


def create_draft_transfer(
    api: AdminApi,
    *,
    key: str,
    to_location_id: int,
    units_by_item: Mapping[int, int],
    reference: str,
) -> DraftTransfer:
    """Make a draft to a location; asked again under the same key, Shopify answers with the first.

    Raises
    ------
    AccessDeniedError
        Without the optional scope.
    ShopifyUserError
        `UNTRACKED_ITEM`, `LOCATION_NOT_ACTIVE`, `IDEMPOTENCY_KEY_PARAMETER_MISMATCH`, ...
    OutcomeUnknownError
        Ask again with the same key: that is what it is for.
    """
    payload = api.mutate(
        CREATE_TRANSFER,
        {
            "key": key,
            "input": {
                "destinationLocationId": to_gid("Location", to_location_id),
                "referenceName": reference,
                "lineItems": [
                    {"inventoryItemId": to_gid("InventoryItem", item_id), "quantity": units}
                    for item_id, units in sorted(units_by_item.items())
                ],
            },
        },
        operation="CreateTransfer",
    )
    made = payload["inventoryTransfer"]
    return DraftTransfer(
        from_gid(made["id"], "InventoryTransfer"), made["name"], made["totalQuantity"]
    )
