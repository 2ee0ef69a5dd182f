"""Draft inventory transfers, and the rule that such mutations carry an idempotency key.

A key is kept for a day with what it was used for and what came of it: the same key with the same
input gives the first answer again, with another input it is refused, after a refusal a fresh key is wanted.
"""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any, Final

from simulator.graphql.fields import RESOLVERS
from simulator.graphql.gids import number_of
from simulator.graphql.nodes import Connection, Context, Node, col, const, gid, node
from simulator.state import Simulator
from simulator.store import iso

KEY: Final = "__idempotency_key"
"""Where the endpoint hands the directive's key on."""

KEY_SECONDS: Final = 86_400
KEYED: Final = frozenset(
    {
        "inventoryTransferCreate",
        "inventoryTransferCreateAsReadyToShip",
        "inventoryAdjustQuantities",
        "inventorySetQuantities",
        "inventorySetOnHandQuantities",
        "inventoryMoveQuantities",
        "inventoryActivate",
        "inventoryBulkToggleActivation",
        "inventoryShipmentCreate",
        "inventoryShipmentReceive",
        "refundCreate",
    }
)
"""Mutations that are refused without `@idempotent`, served here or not."""


def _create(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    """inventoryTransferCreate: a draft, once a key."""
    key, wanted = str(arguments[KEY]), arguments["input"]
    print_of_input = hashlib.sha256(
        json.dumps(wanted, sort_keys=True, default=str).encode()
    ).hexdigest()
    if sim.faults.hit("idempotency_concurrent"):
        return _refused(
            None, "A request with this key is running", "IDEMPOTENCY_CONCURRENT_REQUEST"
        )
    with sim.store.transaction() as conn:
        known = conn.execute(
            "SELECT * FROM idempotency_keys WHERE shop = ? AND key = ? AND at > ?",
            (c.shop, key, time.time() - KEY_SECONDS),
        ).fetchone()
        if known is not None:
            return _again(conn, c, known, print_of_input)
        error = _wrong_input(conn, c, wanted)
        transfer_id = None if error else _draft(sim, conn, c, wanted)
        conn.execute(
            "INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?)",
            (c.shop, key, print_of_input, json.dumps(transfer_id), time.time()),
        )
        return error or _made(conn, c, transfer_id)


def _again(conn: Any, c: Context, known: Any, print_of_input: str) -> Node:
    """What a key answers that was used before."""
    if known["fingerprint"] != print_of_input:
        message, code = "The key was used with another input", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        return _refused(None, message, code)
    transfer_id = json.loads(known["response"])
    if transfer_id is None:
        message, code = "The first try with this key failed", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
        return _refused(None, message, code)
    return _made(conn, c, transfer_id)


def _wrong_input(conn: Any, c: Context, wanted: dict[str, Any]) -> Node | None:
    """The first thing that Shopify would not take, or None."""
    places = [wanted.get("originLocationId"), wanted.get("destinationLocationId")]
    if places[0] is not None and places[0] == places[1]:
        return _refused(
            ["input"],
            "Origin and destination are the same",
            "TRANSFER_ORIGIN_CANNOT_BE_THE_SAME_AS_DESTINATION",
        )
    for name, place in zip(("originLocationId", "destinationLocationId"), places, strict=True):
        row = (
            place
            and conn.execute(
                "SELECT is_active FROM locations WHERE shop = ? AND id = ?",
                (c.shop, number_of(place)),
            ).fetchone()
        )
        if place is not None and row is None:
            return _refused(["input", name], "The location was not found", "LOCATION_NOT_FOUND")
        if row is not None and not row["is_active"]:
            return _refused(["input", name], "The location is not active", "LOCATION_NOT_ACTIVE")
    seen: set[int] = set()
    for position, line in enumerate(wanted["lineItems"]):
        path = ["input", "lineItems", str(position)]
        item_id = number_of(line["inventoryItemId"])
        item = conn.execute(
            "SELECT tracked FROM inventory_items WHERE shop = ? AND id = ?", (c.shop, item_id)
        ).fetchone()
        if item is None:
            return _refused(path, "The inventory item was not found", "ITEM_NOT_FOUND")
        if not item["tracked"]:
            return _refused(path, "The inventory item is not tracked", "UNTRACKED_ITEM")
        if item_id in seen:
            return _refused(path, "The inventory item stands twice", "DUPLICATE_ITEM")
        if line["quantity"] <= 0:
            return _refused(path, "Quantity must be greater than 0", "INVALID_QUANTITY")
        seen.add(item_id)
    return None


def _draft(sim: Simulator, conn: Any, c: Context, wanted: dict[str, Any]) -> int:
    """Write a draft with its lines; its id."""
    first = sim.store.draw_ids(conn, c.shop, 1 + len(wanted["lineItems"]))
    count = conn.execute(
        "SELECT count(*) FROM inventory_transfers WHERE shop = ?", (c.shop,)
    ).fetchone()[0]
    places = (wanted.get("originLocationId"), wanted.get("destinationLocationId"))
    conn.execute(
        "INSERT INTO inventory_transfers (shop, id, name, origin_id, destination_id, reference_name, note, tags, date_created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            c.shop,
            first,
            f"#T{count + 1:04d}",
            *(None if place is None else number_of(place) for place in places),
            wanted.get("referenceName"),
            wanted.get("note"),
            ", ".join(wanted.get("tags") or []),
            iso(sim.store.now(c.shop)),
        ),
    )
    conn.executemany(
        "INSERT INTO inventory_transfer_lines VALUES (?, ?, ?, ?, ?)",
        [
            (c.shop, first + 1 + n, first, number_of(line["inventoryItemId"]), line["quantity"])
            for n, line in enumerate(wanted["lineItems"])
        ],
    )
    return int(first)


def _made(conn: Any, c: Context, transfer_id: int | None) -> Node:
    return {"inventoryTransfer": _by_id(conn, c, transfer_id), "userErrors": []}


def _refused(field: list[str] | None, message: str, code: str) -> Node:
    error = {"field": field, "message": message, "code": code}
    return {"inventoryTransfer": None, "userErrors": [error]}


def _by_id(conn: Any, c: Context, transfer_id: int | None) -> Node | None:
    row = conn.execute(
        "SELECT * FROM inventory_transfers WHERE shop = ? AND id = ?", (c.shop, transfer_id)
    ).fetchone()
    return node("InventoryTransfer", row)


def _transfer(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node | None:
    return _by_id(c.conn, c, number_of(arguments["id"]))


def _transfers(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Connection:
    sql = "SELECT * FROM inventory_transfers WHERE shop = ?"
    return Connection("InventoryTransfer", sql, (c.shop,), ("id",))


def _units(c: Context, n: Node, _: Any) -> int:
    found = c.conn.execute(
        "SELECT coalesce(sum(quantity), 0) FROM inventory_transfer_lines WHERE shop = ? AND transfer_id = ?",
        (c.shop, n["id"]),
    ).fetchone()
    return int(found[0])


def _place(column: str) -> Callable[[Context, Node, Any], Node | None]:
    """A location as the transfer remembers it."""

    def resolve(c: Context, n: Node, _: Any) -> Node | None:
        row = c.conn.execute(
            "SELECT * FROM locations WHERE shop = ? AND id = ?", (c.shop, n[column])
        ).fetchone()
        place = node("Location", row)
        return place and {
            "__typename": "LocationSnapshot",
            "name": place["name"],
            "location": place,
            "snapshottedAt": n["date_created"],
        }

    return resolve


RESOLVERS["InventoryTransfer"] = {
    "id": gid("InventoryTransfer"),
    "name": col("name"),
    "status": col("status"),
    "referenceName": col("reference_name"),
    "note": col("note"),
    "tags": lambda _, n, __: [tag for tag in n["tags"].split(", ") if tag],
    "dateCreated": col("date_created"),
    "totalQuantity": _units,
    "receivedQuantity": const(0),
    "origin": _place("origin_id"),
    "destination": _place("destination_id"),
    "lineItems": lambda c, n, _: Connection(
        "InventoryTransferLineItem",
        "SELECT * FROM inventory_transfer_lines WHERE shop = ? AND transfer_id = ?",
        (c.shop, n["id"]),
        ("id",),
    ),
}
RESOLVERS["InventoryTransferLineItem"] = {
    "id": gid("InventoryTransferLineItem"),
    "totalQuantity": col("quantity"),
    "shippedQuantity": const(0),
    "inventoryItem": lambda c, n, _: node(
        "InventoryItem",
        c.conn.execute(
            "SELECT * FROM inventory_items WHERE shop = ? AND id = ?",
            (c.shop, n["inventory_item_id"]),
        ).fetchone(),
    ),
}
MUTATIONS: Final[dict[str, Callable[..., Any]]] = {"inventoryTransferCreate": _create}
ROOTS: Final[dict[str, Callable[..., Any]]] = {
    "inventoryTransfer": _transfer,
    "inventoryTransfers": _transfers,
}
