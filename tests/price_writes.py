"""A merchant's acts on one price, and what came of them in the simulated shop."""

from shopify_app.db import suggestions
from shopify_app.db.connection import transaction
from shopify_app.usecases.decisions import decide, price_outbox
from tests.factories import make_suggestion
from tests.kept_worlds import installed


def price_suggestion(world):
    """(variant, suggestion) of the one open decision of the installed shop: the linen apron, 24.00 -> 26.00."""
    installed(world)
    variant = next(one for one in world.look("variants") if one["product_title"] == "Linen apron")
    shop = world.shop()
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE suggestions SET state = 'superseded' WHERE shop_id = %s AND state = 'open'",
            (shop.shop_id,),
        )
    return variant["id"], make_suggestion(shop, variant["id"])


def accept(world, suggestion_id):
    return decide.accept_suggestion(world.shop().shop_id, suggestion_id, accepted_by="42")


def send(world):
    shop_id = world.shop().shop_id
    for _ in range(20):
        with transaction(shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                "UPDATE price_changes SET due_at = now() WHERE shop_id = %s AND state = 'approved'",
                (shop_id,),
            )
        if not price_outbox.send_price_changes():
            return


def card(world, suggestion_id):
    shop_id = world.shop().shop_id
    with transaction(shop_id) as conn:
        return suggestions.card(conn, shop_id, suggestion_id)


def app_writes(world, variant_id):
    return [
        (w["before_price"], w["after_price"])
        for w in world.look("price-writes", variant_id=variant_id)
        if w["actor"] == "app"
    ]
