"""A brake that the merchant lifts."""

from shopify_app.db import due_work, ledgers
from shopify_app.db.connection import transaction
from shopify_app.domain.evidence import PRICE_MOVES


def lift_brake(shop_id: int, kind: str, *, lifted_by: str) -> bool:
    """Let a kind go on because the merchant says so, and ask for fresh suggestions; False if it was not stopped."""
    if kind not in {move.value for move in PRICE_MOVES}:
        return False
    with transaction(shop_id) as conn:
        lifted = ledgers.lift_brake(conn, shop_id, kind, by=lifted_by)
        if lifted:
            due_work.ask(conn, shop_id, "suggestions")
    return lifted
