"""News of one kind that came in together becomes rows in a few statements, not in a few for each.

In: bodies of one kind in the order in which they came. Out: for each what came of it, in the words
of `ingest`. The newest news of a thing counts, whatever its place in the list. Shopify's stamps are
whole seconds: where two pieces of news have the same stamp and say different things, nobody can tell
which is true, and Shopify is asked. So it is where a body looks like another shop's: nothing in the body of
an order or a product is signed to say whose it is, and Shopify answers a shop's token of its own alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shopify_app.db import daily_sales, heal, inventory, orders, products, refetches, refunds
from shopify_app.db.connection import Connection
from shopify_app.domain.order import Order
from shopify_app.domain.product import InventoryLevel, Product, Variant
from shopify_app.domain.shop import Shop
from shopify_app.shopify import payloads

Body = dict[str, Any]

NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""Stands for the stamp of what we do not hold; only compared for equality."""


def take_orders(conn: Connection, shop: Shop, bodies: Sequence[Body]) -> list[str]:
    """Orders with their lines; a body that only names its order is a hint."""
    ids = [payloads.number(body, "id") for body in bodies]
    hints = {
        order_id for order_id, body in zip(ids, bodies, strict=True) if "line_items" not in body
    }
    news = [payloads.order(body) for body in bodies if "line_items" in body]
    newest, unclear = _newest_orders(news)
    held = heal.held_orders(conn, shop.shop_id, list(newest))
    same_stamp = [
        order for order in newest.values() if held.get(order.id, (NEVER,))[0] == order.updated_at
    ]
    unclear |= heal.orders_unlike(conn, shop.shop_id, same_stamp)
    unclear |= _perhaps_foreign(
        conn, shop, [order for order in newest.values() if order.id not in held]
    )
    clear = [order for order in newest.values() if order.id not in unclear]
    result = orders.upsert_many(conn, shop.shop_id, shop.zone, clear)
    daily_sales.touch(conn, shop.shop_id, result.days)
    refetches.ask(conn, shop.shop_id, "order", sorted(hints | unclear))
    outcomes = iter([_of_order(order, newest, unclear, held) for order in news])
    return [next(outcomes) if "line_items" in body else "refetch" for body in bodies]


def _perhaps_foreign(conn: Connection, shop: Shop, unknown: Sequence[Order]) -> set[int]:
    """Of orders that we do not hold those that name products, and none of ours: Shopify numbers products over all shops.

    An order of custom lines alone names none, and is believed.
    """
    named = {
        order.id: {line.product_id for line in order.lines if line.product_id is not None}
        for order in unknown
    }
    ours = products.held(conn, shop.shop_id, sorted(set().union(*named.values())))
    return {order_id for order_id, ids in named.items() if ids and not ids & ours}


def _newest_orders(news: Sequence[Order]) -> tuple[dict[int, Order], set[int]]:
    """The newest of each order, and the orders of which two differ under one stamp."""
    newest: dict[int, Order] = {}
    unclear: set[int] = set()
    for order in news:
        other = newest.get(order.id)
        if other is None or other.updated_at < order.updated_at:
            newest[order.id] = order
            unclear.discard(order.id)
        elif other.updated_at == order.updated_at and other != order:
            unclear.add(order.id)
    return newest, unclear


def _of_order(
    order: Order,
    newest: Mapping[int, Order],
    unclear: set[int],
    held: Mapping[int, tuple[datetime, bool]],
) -> str:
    if order.updated_at < newest[order.id].updated_at:
        return "stale"
    if order.id in unclear:
        return "refetch"
    known = held.get(order.id)
    is_late = known is not None and (known[1] or known[0] > order.updated_at)
    return "stale" if is_late else "applied"


def take_refunds(conn: Connection, shop: Shop, bodies: Sequence[Body]) -> list[str]:
    """Refunds with their lines; those of an order that we do not hold come with it when it is asked for."""
    news = [payloads.refund(body) for body in bodies]
    once = {refund.id: refund for refund in news}
    days, unknown = refunds.upsert_many(conn, shop.shop_id, shop.zone, list(once.values()))
    daily_sales.touch(conn, shop.shop_id, days)
    refetches.ask(conn, shop.shop_id, "order", sorted(unknown))
    return ["refetch" if refund.order_id in unknown else "applied" for refund in news]


def take_products(conn: Connection, shop: Shop, bodies: Sequence[Body]) -> list[str]:
    """Products with their variants, each product's news in the order of time: no price on the way is lost.

    A product's news comes with each sale of it, so most of it is one product's once.
    """
    outcomes = ["refetch"] * len(bodies)
    whole, hints = list[int](), set[int]()
    for number, body in enumerate(bodies):
        if "title" in body and not payloads.shows_another_shop(body, shop.shopify_id):
            whole.append(number)
        else:
            hints.add(payloads.number(body, "id"))
    refetches.ask(conn, shop.shop_id, "product", sorted(hints))
    news = {number: payloads.product(bodies[number]) for number in whole}
    seen: Counter[int] = Counter()
    rounds: dict[int, list[int]] = {}
    for number in sorted(whole, key=lambda number: news[number].updated_at):
        rounds.setdefault(seen[news[number].id], []).append(number)
        seen[news[number].id] += 1
    for numbers in rounds.values():
        taken = _take_each_once(conn, shop, [(news[number], bodies[number]) for number in numbers])
        for number in numbers:
            outcomes[number] = taken.get(news[number].id, "stale")
    return outcomes


def _take_each_once(
    conn: Connection, shop: Shop, news: Sequence[tuple[Product, Body]]
) -> dict[int, str]:
    """Products, each once; id -> outcome of those taken. A list cut short (large products) is completed by asking."""
    ids = products.upsert_many(conn, shop.shop_id, [product for product, _ in news])
    variants: dict[int, list[Variant]] = {}
    tracked: dict[int, bool] = {}
    outcomes: dict[int, str] = {}
    for product, body in news:
        if product.id in ids:
            variants[product.id], complete = payloads.variants(body)
            tracked |= payloads.tracked_items(body)
            outcomes[product.id] = "applied" if complete else "refetch"
    changed = products.upsert_variants(
        conn, shop.shop_id, [one for found in variants.values() for one in found]
    )
    products.add_price_history(conn, shop.shop_id, changed, source="merchant")
    inventory.add_unknown_items(conn, shop.shop_id, tracked)
    cut_short = sorted(number for number, outcome in outcomes.items() if outcome == "refetch")
    refetches.ask(conn, shop.shop_id, "product", cut_short)
    for product, _ in news:
        if outcomes.get(product.id) == "applied":
            keep = [variant.id for variant in variants[product.id]]
            products.retire_missing(conn, shop.shop_id, product.id, keep, at=product.updated_at)
    return outcomes


def take_levels(conn: Connection, shop: Shop, bodies: Sequence[Body]) -> list[str]:
    """What is available where; every level of the way is kept as history."""
    news = [payloads.inventory_level(body) for body in bodies]
    newest, unclear = _newest_levels(news)
    held = heal.held_levels(conn, shop.shop_id, list(newest))
    for key, level in newest.items():
        stamp, *shown = held.get(key, (NEVER,))
        if stamp == level.updated_at and shown != [level.available_units, level.is_active]:
            unclear.add(key)
    inventory.upsert_levels(conn, shop.shop_id, [one for one in news if one.key not in unclear])
    refetches.ask(conn, shop.shop_id, "inventory_item", sorted({key[0] for key in unclear}))
    return [_of_level(level, newest, unclear, held) for level in news]


def _newest_levels(
    news: Sequence[InventoryLevel],
) -> tuple[dict[tuple[int, int], InventoryLevel], set[tuple[int, int]]]:
    """The newest of each level, and the levels of which two differ under one stamp."""
    newest: dict[tuple[int, int], InventoryLevel] = {}
    unclear: set[tuple[int, int]] = set()
    for level in news:
        other = newest.get(level.key)
        if other is None or other.updated_at < level.updated_at:
            newest[level.key] = level
            unclear.discard(level.key)
        elif other.updated_at == level.updated_at and other != level:
            unclear.add(level.key)
    return newest, unclear


def _of_level(
    level: InventoryLevel,
    newest: Mapping[tuple[int, int], InventoryLevel],
    unclear: set[tuple[int, int]],
    held: Mapping[tuple[int, int], tuple[datetime, int, bool]],
) -> str:
    if level.updated_at < newest[level.key].updated_at:
        return "stale"
    if level.key in unclear:
        return "refetch"
    known = held.get(level.key)
    return "stale" if known is not None and known[0] > level.updated_at else "applied"
