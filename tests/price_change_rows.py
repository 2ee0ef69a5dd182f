"""Rows of the outbox, written as a use case writes them."""

import itertools
from decimal import Decimal

from shopify_app.db import price_changes
from shopify_app.db.connection import transaction
from tests.factories import make_suggestion, make_variant

OLD, NEW = (Decimal("24.00"), None), (Decimal("26.00"), None)
CLICKS = itertools.count()


def act(shop, what, *args, **named):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, *args, **named)


def add(shop, *, variant_id=None, click=None, suggestion_id=None, undo_of=None):
    variant_id = variant_id or make_variant(shop)
    return act(
        shop,
        price_changes.add,
        suggestion_id=suggestion_id or make_suggestion(shop, variant_id, state="accepted"),
        undo_of=undo_of,
        product_id=1,
        variant_id=variant_id,
        old=OLD,
        new=NEW,
        currency="GBP",
        click_key=click or f"c{next(CLICKS)}",
        approved_by="42",
    )


def undo(shop, of=None):
    """A write that needs no registration: it takes one back."""
    return add(shop, undo_of=of or add(shop))
