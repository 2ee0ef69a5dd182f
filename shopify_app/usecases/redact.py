"""The three privacy topics.

We hold no person: what is asked is answered from order facts, and kept in a ledger that outlives the shop.

    customers/data_request   which of the asked orders' facts we hold, for the merchant to hand on
    customers/redact         nothing of ours is keyed by a person; the asked orders lose their names
    shop/redact              every row of the shop goes, unless it is installed again
"""

from typing import Any, Final

from shopify_app.db import order_facts, redactions, shops, webhook_inbox
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import Delivery
from shopify_app.domain.shop import Shop, ShopState
from shopify_app.errors import PoisonError
from shopify_app.shopify import payloads
from shopify_app.shopify.hostile_json import parse_object

ORDER_LISTS: Final = {
    "customers/data_request": "orders_requested",
    "customers/redact": "orders_to_redact",
}


def receive_for_known_shop(shop: Shop, delivery: Delivery) -> None:
    """Answer a request about an installed shop (its own transactions: the ledger is no shop's)."""
    body = parse_object(delivery.body)
    payloads.check_shop(body, shop.domain)
    order_ids = _order_ids(delivery.topic, body)
    with sweep_transaction() as conn:
        redaction_id = _record(conn, shop.domain, delivery, order_ids)
    proof: dict[str, Any] = {"kept": "the shop is installed again"}
    if delivery.topic != "shop/redact":
        with transaction(shop.shop_id) as conn:
            proof = _orders_proof(conn, shop.shop_id, delivery.topic, order_ids)
    with sweep_transaction() as conn:
        redactions.finish(conn, redaction_id, proof=proof)


def receive(conn: Connection, domain: str, delivery: Delivery) -> None:
    """Answer a request about a shop that is gone, or was never ours (sweeper)."""
    body = parse_object(delivery.body)
    payloads.check_shop(body, domain)
    order_ids = _order_ids(delivery.topic, body)
    redaction_id = _record(conn, domain, delivery, order_ids)
    shop = shops.by_domain(conn, domain)
    proof: dict[str, Any] = {"held": False}
    if shop is not None and shop.state is ShopState.UNINSTALLED and delivery.topic == "shop/redact":
        shops.delete(conn, shop.shop_id)
        proof = {
            "deleted_shop_id": shop.shop_id,
            "deleted_deliveries": webhook_inbox.forget_shop_but(conn, domain, delivery.id),
        }
    elif shop is not None:
        with transaction(shop.shop_id) as own:
            proof = _orders_proof(own, shop.shop_id, delivery.topic, order_ids)
    redactions.finish(conn, redaction_id, proof=proof)


def _orders_proof(
    conn: Connection, shop_id: int, topic: str, order_ids: list[int]
) -> dict[str, Any]:
    if topic == "customers/redact":
        return {"orders_severed": order_facts.sever(conn, shop_id, order_ids)}
    return {"orders_held": order_facts.held(conn, shop_id, order_ids)}


def _record(conn: Connection, domain: str, delivery: Delivery, order_ids: list[int]) -> int:
    return redactions.record(
        conn,
        shop_domain=domain,
        topic=delivery.topic,
        request={"orders": order_ids},
        received_at=delivery.received_at,
    )


def _order_ids(topic: str, body: dict[str, Any]) -> list[int]:
    """The ids asked about: nothing else of the body (a name, an address) is kept."""
    listed = body.get(ORDER_LISTS.get(topic, ""), [])
    if not isinstance(listed, list) or not all(isinstance(one, int) for one in listed):
        raise PoisonError("the order ids are not ids")
    return list(listed)
