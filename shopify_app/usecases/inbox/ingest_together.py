"""News of one kind that came in together becomes rows in a few statements, not in a few for each.

In: bodies of one kind in the order in which they came, and when Shopify told each. Out: for each what came of it, in the words
of `ingest`. The newest news of a thing counts, whatever its place in the list. Shopify's stamps are
whole seconds: where two pieces of news have the same stamp and say different things, nobody can tell
which is true, and Shopify is asked. So it is where a product's picture is another shop's: Shopify answers a
shop's token of its own products alone.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final, TypeVar

from shopify_app.db import daily_sales, differences, inventory, orders, products, refetches, refunds
from shopify_app.db.connection import Connection
from shopify_app.domain.order import Order
from shopify_app.domain.product import InventoryLevel, Product, Variant
from shopify_app.domain.shop import Shop
from shopify_app.shopify import payloads
from shopify_app.usecases.inbox import ledgers

Body = dict[str, Any]
N = TypeVar("N", Order, InventoryLevel)
K = TypeVar("K", bound=Hashable)

NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""Stands for the stamp of what we do not hold; only compared for equality."""

NEW_FOR: Final = timedelta(minutes=10)
"""An order that is first heard of later than that was heard of too late."""

TOLD_OF_A_LEVEL: Final = frozenset({"inventory_item_id", "location_id", "available", "updated_at"})
"""What a level's body says; null is said too."""


def take_orders(
    conn: Connection, shop: Shop, bodies: Sequence[Body], _: Sequence[datetime]
) -> list[str]:
    """Orders with their lines; a body that only names its order is a hint, and so is one whose lines are null."""
    ids = [payloads.number(body, "id") for body in bodies]
    has_lines = [body.get("line_items") is not None for body in bodies]
    hints = {order_id for order_id, has in zip(ids, has_lines, strict=True) if not has}
    news = [payloads.order(body) for body, has in zip(bodies, has_lines, strict=True) if has]
    newest, unclear = _newest(news, attrgetter("id"))
    held = differences.held_orders(conn, shop.shop_id, list(newest))
    same_stamp = [
        order
        for order in newest.values()
        if held.get(order.id, (NEVER, None))[0] == order.updated_at
        and not _is_late(held[order.id], order.updated_at)
    ]
    unclear |= differences.orders_unlike(conn, shop.shop_id, same_stamp)
    unclear -= {
        number for number in unclear if _is_late(held.get(number), newest[number].updated_at)
    }
    clear = [order for order in newest.values() if order.id not in unclear]
    result = orders.upsert_many(conn, shop.shop_id, shop.zone, clear)
    daily_sales.touch(conn, shop.shop_id, result.days)
    refetches.ask(conn, shop.shop_id, "order", sorted(hints | unclear))
    ledgers.note(conn, shop.shop_id, [order.id for order in clear])
    ledgers.want(
        conn, shop.shop_id, [one.id for one in clear if one.id not in held and _was_changed(one)]
    )
    outcomes = iter([_of_order(order, newest, unclear, held) for order in news])
    return [next(outcomes) if has else "refetch" for has in has_lines]


def _was_changed(order: Order) -> bool:
    """Whether an order that is new to us was changed long after it was placed: a body does not say if that was an edit."""
    return order.created_at is not None and order.updated_at > order.created_at + NEW_FOR


def _newest(news: Iterable[N], key: Callable[[N], K]) -> tuple[dict[K, N], set[K]]:
    """The newest of each thing, by its key, and the keys of which two differ under one stamp."""
    newest: dict[K, N] = {}
    unclear: set[K] = set()
    for one in news:
        other = newest.get(key(one))
        if other is None or other.updated_at < one.updated_at:
            newest[key(one)] = one
            unclear.discard(key(one))
        elif other.updated_at == one.updated_at and other != one:
            unclear.add(key(one))
    return newest, unclear


def _of_order(
    order: Order,
    newest: Mapping[int, Order],
    unclear: set[int],
    held: Mapping[int, differences.Known],
) -> str:
    known = held.get(order.id)
    if order.updated_at < newest[order.id].updated_at or _is_late(known, order.updated_at):
        return "stale"
    return "refetch" if order.id in unclear else "applied"


def take_refunds(
    conn: Connection, shop: Shop, bodies: Sequence[Body], told_at: Sequence[datetime]
) -> list[str]:
    """Refunds with their lines. Those of an order that we do not hold are kept until it comes, and it is asked for."""
    news = [payloads.refund(body, told_at=at) for body, at in zip(bodies, told_at, strict=True)]
    once = {refund.id: refund for refund in news}
    days, unknown = refunds.upsert_many(conn, shop.shop_id, shop.zone, list(once.values()))
    daily_sales.touch(conn, shop.shop_id, days)
    refetches.ask(conn, shop.shop_id, "order", sorted(unknown))
    ledgers.note(conn, shop.shop_id, sorted({refund.order_id for refund in news} - unknown))
    return ["refetch" if refund.order_id in unknown else "applied" for refund in news]


@dataclass(frozen=True, slots=True)
class ProductNews:
    """A product's body, read."""

    product: Product
    variants: list[Variant]
    is_whole: bool
    """Whether the variants are all of them (large products are cut short)."""
    tracked: dict[int, bool]

    @property
    def version(self) -> tuple[int, datetime]:
        """Which product, as of when."""
        return (self.product.id, self.product.updated_at)


def take_products(
    conn: Connection, shop: Shop, bodies: Sequence[Body], _: Sequence[datetime]
) -> list[str]:
    """Products with their variants, each product's news in the order of time: no price on the way is lost.

    A product's news comes with each sale of it, so most of it is one product's once.
    """
    outcomes = ["refetch"] * len(bodies)
    foreign = [payloads.shows_another_shop(body, shop.shopify_id) for body in bodies]
    hints = [
        payloads.number(body, "id")
        for body, is_foreign in zip(bodies, foreign, strict=True)
        if is_foreign or "title" not in body
    ]
    refetches.ask(conn, shop.shop_id, "product", sorted(set(hints)))
    news = {
        number: _read(body)
        for number, body in enumerate(bodies)
        if "title" in body and not foreign[number]
    }
    unclear = _told_otherwise(news.values())
    seen: Counter[int] = Counter()
    rounds: dict[int, list[int]] = {}
    for number in sorted(news, key=lambda number: news[number].product.updated_at):
        product_id = news[number].product.id
        rounds.setdefault(seen[product_id], []).append(number)
        seen[product_id] += 1
    for numbers in rounds.values():
        taken = _take_each_once(conn, shop, [news[number] for number in numbers], unclear)
        for number in numbers:
            outcomes[number] = taken[news[number].product.id]
    return outcomes


def _read(body: Body) -> ProductNews:
    variants, is_whole = payloads.variants(body)
    return ProductNews(payloads.product(body), variants, is_whole, payloads.tracked_items(body))


def _told_otherwise(news: Iterable[ProductNews]) -> set[tuple[int, datetime]]:
    """The versions of which two say different things: such a list must not end a variant of the other."""
    first: dict[tuple[int, datetime], ProductNews] = {}
    return {one.version for one in news if first.setdefault(one.version, one) != one}


def _take_each_once(
    conn: Connection,
    shop: Shop,
    news: Sequence[ProductNews],
    unclear: set[tuple[int, datetime]],
) -> dict[int, str]:
    """Products, each once; id -> outcome. A list cut short is completed by asking."""
    held = differences.held_products(conn, shop.shop_id, [one.product.id for one in news])
    late = {one.product.id for one in news if _is_late(held.get(one.product.id), one.version[1])}
    same_stamp = [
        (one.product, one.variants, one.is_whole)
        for one in news
        if one.product.id not in late
        and held.get(one.product.id, (NEVER, None))[0] == one.product.updated_at
    ]
    differing = differences.products_unlike(conn, shop.shop_id, same_stamp)
    known = {product.id for product, _, _ in same_stamp} - differing
    asked = {one.product.id for one in news if one.version in unclear} | differing
    outcomes: dict[int, str] = {}
    clear: list[ProductNews] = []
    for one in news:
        number = one.product.id
        if number in late or (number in known and number not in asked):
            outcomes[number] = "stale"
        elif number in asked:
            outcomes[number] = "refetch"
        else:
            outcomes[number] = "applied" if one.is_whole else "refetch"
            clear.append(one)
    write_products(conn, shop, clear)
    to_ask = sorted(number for number, outcome in outcomes.items() if outcome == "refetch")
    refetches.ask(conn, shop.shop_id, "product", to_ask)
    return outcomes


def _is_late(known: differences.Known | None, stamp: datetime) -> bool:
    """Whether we hold newer, or a tombstone that is not older."""
    return known is not None and (known[0] > stamp or (known[1] is not None and known[1] >= stamp))


def write_products(conn: Connection, shop: Shop, news: Sequence[ProductNews]) -> None:
    """Products that are newer than what we hold; variants that a whole list leaves out are gone."""
    products.upsert_many(conn, shop.shop_id, [one.product for one in news])
    changed = products.upsert_variants(
        conn,
        shop.shop_id,
        [variant for one in news for variant in one.variants],
        listed_at=dict(one.version for one in news),
    )
    products.add_price_history(conn, shop.shop_id, changed, source="merchant")
    tracked = {item: is_tracked for one in news for item, is_tracked in one.tracked.items()}
    inventory.add_unknown_items(conn, shop.shop_id, tracked)
    for one in news:
        if one.is_whole:
            product_id, at = one.version
            keep = [variant.id for variant in one.variants]
            products.retire_missing(conn, shop.shop_id, product_id, keep, at=at)


def take_levels(
    conn: Connection, shop: Shop, bodies: Sequence[Body], _: Sequence[datetime]
) -> list[str]:
    """What is available where; every level of the way is kept as history. A body that leaves something out is a hint."""
    whole = [body.keys() >= TOLD_OF_A_LEVEL for body in bodies]
    hints = {
        payloads.number(body, "inventory_item_id")
        for body, is_whole in zip(bodies, whole, strict=True)
        if not is_whole
    }
    refetches.ask(conn, shop.shop_id, "inventory_item", sorted(hints))
    told = [body for body, is_whole in zip(bodies, whole, strict=True) if is_whole]
    outcomes = iter(_take_whole_levels(conn, shop, told))
    return [next(outcomes) if is_whole else "refetch" for is_whole in whole]


def _take_whole_levels(conn: Connection, shop: Shop, bodies: Sequence[Body]) -> list[str]:
    news = [payloads.inventory_level(body) for body in bodies]
    newest, unclear = _newest(news, attrgetter("key"))
    held = differences.held_levels(conn, shop.shop_id, list(newest))
    for key, level in newest.items():
        stamp, *shown = held.get(key, (NEVER,))
        if stamp == level.updated_at and shown != [level.available_units, level.is_active]:
            unclear.add(key)
    inventory.upsert_levels(conn, shop.shop_id, [one for one in news if one.key not in unclear])
    refetches.ask(conn, shop.shop_id, "inventory_item", sorted({key[0] for key in unclear}))
    return [_of_level(level, newest, unclear, held) for level in news]


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
