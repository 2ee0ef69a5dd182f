"""The mutations: prices, bulk queries, API-made webhook subscriptions."""

import json
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

from simulator import app_toml
from simulator.access import lifecycle
from simulator.graphql.gids import number_of
from simulator.graphql.nodes import Context, Node, node
from simulator.minor_units import smallest
from simulator.state import Simulator
from simulator.store import iso
from simulator.world import merchant

LONG_FAMILIES: Final = (
    "app_subscriptions",
    "app_purchases_one_time",
    "bulk_operations",
    "draft_orders",
    "inventory_items",
    "inventory_levels",
    "inventory_transfers",
    "order_transactions",
    "tender_transactions",
)
"""Families of webhook topics whose names hold an underscore."""


def _set_prices(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    """productVariantsBulkUpdate: all or nothing unless partial updates are allowed."""
    product_id = number_of(arguments["productId"])
    with sim.store.transaction() as conn:
        if (
            conn.execute(
                "SELECT 1 FROM products WHERE shop = ? AND id = ? AND deleted_at IS NULL",
                (c.shop, product_id),
            ).fetchone()
            is None
        ):
            return _payload(
                [], [_error(["productId"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")]
            )
        errors: list[Node] = []
        good: list[tuple[int, str, str | None]] = []
        for position, wanted in enumerate(arguments["variants"]):
            error, change = _check(conn, c, product_id, position, wanted)
            errors += error
            good += change
        if errors and not arguments.get("allowPartialUpdates"):
            return _payload([], errors)
        request_id = str(uuid.uuid4())
        for variant_id, price, compare_at in good:
            merchant.set_price(
                conn,
                sim.store,
                c.shop,
                variant_id,
                price,
                compare_at,
                actor="app",
                request_id=request_id,
            )
        rows = [
            conn.execute(
                "SELECT * FROM variants WHERE shop = ? AND id = ?", (c.shop, one[0])
            ).fetchone()
            for one in good
        ]
    product = node(
        "Product",
        c.conn.execute(
            "SELECT * FROM products WHERE shop = ? AND id = ?", (c.shop, product_id)
        ).fetchone(),
    )
    return {**_payload([node("ProductVariant", row) for row in rows], errors), "product": product}


def _check(
    conn: Any, c: Context, product_id: int, position: int, wanted: dict[str, Any]
) -> tuple[list[Node], list[tuple[int, str, str | None]]]:
    """(what is wrong with one variant's input, or the change it asks for)."""
    path = ["variants", str(position)]
    if "id" not in wanted:
        return [
            _error(
                [*path, "id"],
                "Product variant is missing ID attribute",
                "PRODUCT_VARIANT_ID_MISSING",
            )
        ], []
    row = conn.execute(
        "SELECT * FROM variants WHERE shop = ? AND id = ? AND product_id = ? AND deleted_at IS NULL",
        (c.shop, number_of(wanted["id"]), product_id),
    ).fetchone()
    if row is None:
        return [
            _error(
                [*path, "id"], "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST"
            )
        ], []
    try:
        price = row["price"] if wanted.get("price") is None else _money(wanted["price"], c.currency)
        compare_at = (
            row["compare_at_price"]
            if "compareAtPrice" not in wanted
            else wanted["compareAtPrice"] and _money(wanted["compareAtPrice"], c.currency)
        )
    except InvalidOperation:
        return [_error([*path, "price"], "Price is not a number", "INVALID_INPUT")], []
    if Decimal(price) < 0:
        return [
            _error(
                [*path, "price"],
                "Price must be greater than or equal to 0",
                "GREATER_THAN_OR_EQUAL_TO",
            )
        ], []
    if compare_at and Decimal(compare_at) > Decimal("1e15"):
        return [
            _error([*path, "compareAtPrice"], "Compare at price is too large", "INVALID_INPUT")
        ], []
    return [], [(row["id"], price, compare_at or None)]


def _money(value: Any, currency: str) -> str:
    """A price as the store keeps it: the currency's digits."""
    return str(Decimal(str(value)).quantize(smallest(currency)))


def _error(field: list[str], message: str, code: str) -> Node:
    return {"field": field, "message": message, "code": code}


def _payload(variants: list[Node | None], errors: list[Node]) -> Node:
    return {"product": None, "productVariants": variants, "userErrors": errors}


def _run_bulk(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    operation, error = sim.bulk.start(
        c.shop, arguments["query"], granted, grouped=bool(arguments.get("groupObjects"))
    )
    if error:
        return {"bulkOperation": None, "userErrors": [error]}
    row = c.conn.execute(
        "SELECT * FROM bulk_operations WHERE shop = ? AND id = ?", (c.shop, operation)
    ).fetchone()
    found = node("BulkOperation", row) or {}
    found |= {"url": None, "partial_url": None}
    return {"bulkOperation": found, "userErrors": []}


def _cancel_bulk(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    operation_id = number_of(arguments["id"])
    c.conn.execute(
        "UPDATE bulk_operations SET status = 'CANCELING' WHERE shop = ? AND id = ? AND status IN ('CREATED', 'RUNNING')",
        (c.shop, operation_id),
    )
    found = node(
        "BulkOperation",
        c.conn.execute(
            "SELECT * FROM bulk_operations WHERE shop = ? AND id = ?", (c.shop, operation_id)
        ).fetchone(),
    )
    if found is None:
        return {"bulkOperation": None, "userErrors": [_gone("Bulk operation does not exist")]}
    return {"bulkOperation": {**found, "url": None, "partial_url": None}, "userErrors": []}


def _gone(message: str) -> Node:
    return {"field": ["id"], "message": message}


def _subscribe(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    wanted = arguments["webhookSubscription"]
    if refused := _unusable_address(sim, str(wanted["uri"])):
        error = {"field": ["webhookSubscription", "callbackUrl"], "message": refused}
        return {"webhookSubscription": None, "userErrors": [error]}
    with sim.store.transaction() as conn:
        number = sim.store.draw_ids(conn, c.shop)
        topic = topic_of(arguments["topic"])
        conn.execute(
            "INSERT INTO webhook_subscriptions (shop, id, topic, uri, include_fields, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (
                c.shop,
                number,
                topic,
                wanted["uri"],
                json.dumps(wanted["includeFields"]) if wanted.get("includeFields") else None,
                iso(sim.store.now(c.shop)),
            ),
        )
        row = conn.execute(
            "SELECT * FROM webhook_subscriptions WHERE shop = ? AND id = ?", (c.shop, number)
        ).fetchone()
    return {"webhookSubscription": node("WebhookSubscription", row), "userErrors": []}


def topic_of(name: str) -> str:
    """`inventory_levels/update` of INVENTORY_LEVELS_UPDATE: where the family's own name ends is not told."""
    low = name.lower()
    family = next((one for one in LONG_FAMILIES if low.startswith(f"{one}_")), low.split("_", 1)[0])
    return f"{family}/{low[len(family) + 1 :]}"


def _unusable_address(sim: Simulator, address: str) -> str | None:
    """Why Shopify would not send webhooks there (the app under test is on loopback: that may be)."""
    parts = urlsplit(address)
    if address.startswith(sim.config.app_url):
        return None
    if parts.scheme != "https":
        return f"Address protocol {parts.scheme}:// is not supported"
    host = parts.hostname or ""
    if host == "localhost" or host.endswith((".shopify.com", ".myshopify.com")):
        return "Address cannot be a Shopify or an internal domain"
    return None


def _unsubscribe(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    with sim.store.transaction() as conn:
        ended = conn.execute(
            "UPDATE webhook_subscriptions SET deleted_at = ? WHERE shop = ? AND id = ? AND deleted_at IS NULL",
            (iso(sim.store.now(c.shop)), c.shop, number_of(arguments["id"])),
        ).rowcount
    if not ended:
        missing = _gone("Webhook subscription does not exist")
        return {"deletedWebhookSubscriptionId": None, "userErrors": [missing]}
    return {"deletedWebhookSubscriptionId": arguments["id"], "userErrors": []}


def _revoke_scopes(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    """appRevokeAccessScopes: an app gives optional scopes back."""
    optional = set(app_toml.read(sim.config.app_toml).optional_scopes)
    if wrong := sorted(set(arguments["scopes"]) - optional):
        message = f"Scopes that are required cannot be revoked: {', '.join(wrong)}"
        error = {
            "field": ["scopes"],
            "message": message,
            "code": "CANNOT_REVOKE_REQUIRED_SCOPES",
        }
        return {"revoked": None, "userErrors": [error]}
    with sim.store.transaction() as conn:
        had = lifecycle.granted_scopes(conn, c.shop)
        left = [scope for scope in had if scope not in arguments["scopes"]]
        lifecycle.set_scopes(sim, conn, c.shop, left)
    return {"revoked": [{"handle": one} for one in had if one not in left], "userErrors": []}


MUTATIONS: Final[dict[str, Callable[..., Any]]] = {
    "productVariantsBulkUpdate": _set_prices,
    "bulkOperationRunQuery": _run_bulk,
    "bulkOperationCancel": _cancel_bulk,
    "webhookSubscriptionCreate": _subscribe,
    "webhookSubscriptionDelete": _unsubscribe,
    "appRevokeAccessScopes": _revoke_scopes,
}
