"""Anybody's webhook bodies, found in a folder: each with the topic that Shopify would send it under.

A file holds one body, a list of them, or either under the name that an API puts around it ("order", "orders", ...).
Two bodies of a folder may bear one id and be of different shops: orders get ids of their own, refunds follow theirs.
A refund that stands inside an order is told apart, as Shopify tells it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

Body = dict[str, Any]

WRAPPERS: Final = frozenset(
    [
        "order",
        "orders",
        "refund",
        "refunds",
        "product",
        "products",
        "inventory_level",
        "inventory_levels",
        "inventory_item",
        "inventory_items",
        "location",
        "locations",
        "body",
        "payload",
        "data",
    ]
)

MARKS: Final = (
    ("refunds/create", ("refund_line_items", "order_id")),
    ("orders/updated", ("line_items", "currency")),
    ("products/update", ("variants", "title")),
    ("inventory_levels/update", ("inventory_item_id", "location_id")),
    ("inventory_items/update", ("tracked", "sku")),
    ("locations/update", ("address1", "name")),
)
"""Topic -> the fields by which a body of it is known; the first that fits."""

FIRST_FRESH_ID: Final = 7_300_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A body, its topic and where it stood."""

    topic: str
    body: Body
    source: str


@dataclass(slots=True)
class Folder:
    """What a folder holds: bodies in the order to be sent, and files that hold none."""

    found: list[Found] = field(default_factory=list[Found])
    strange: list[str] = field(default_factory=list[str])

    def of(self, topic: str) -> list[Found]:
        """The bodies of one topic."""
        return [one for one in self.found if one.topic == topic]


def read_folder(folder: Path) -> Folder:
    """Every body of every .json file below a folder, orders before their refunds."""
    whole = Folder()
    fresh = iter(range(FIRST_FRESH_ID, FIRST_FRESH_ID + 10**9, 1_000))
    for path in sorted(folder.rglob("*.json")):
        source = str(path.relative_to(folder))
        try:
            document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        except (ValueError, UnicodeDecodeError) as error:
            whole.strange.append(f"{source}: {error}")
            continue
        bodies = [(topic_of(one), one) for one in _objects(document)]
        if not any(topic for topic, _ in bodies):
            whole.strange.append(f"{source}: no body that we know")
        whole.found += _renamed(
            [Found(topic, one, source) for topic, one in bodies if topic], fresh
        )
    whole.found.sort(key=lambda one: [topic for topic, _ in MARKS[1:] + MARKS[:1]].index(one.topic))
    return whole


def topic_of(body: Body) -> str | None:
    """The topic that a body would come under; None for what is no body of ours."""
    return next((topic for topic, names in MARKS if all(name in body for name in names)), None)


def _objects(document: Any) -> Iterator[Body]:
    """The objects of a document, out of their wrappers."""
    if isinstance(document, list):
        for one in document:
            yield from _objects(one)
    elif isinstance(document, dict):
        inner = [name for name in document if name in WRAPPERS]
        if topic_of(document) or not inner:
            yield document
        else:
            for name in inner:
                yield from _objects(document[name])


def _renamed(found: list[Found], fresh: Iterator[int]) -> Iterator[Found]:
    """A file's bodies, its orders and refunds under ids of their own; refunds inside orders beside them."""
    ids: dict[Any, int] = {}
    for one in found:
        if one.topic == "orders/updated":
            ids[one.body.get("id")] = number = next(fresh)
            yield Found(one.topic, {**one.body, "id": number}, one.source)
            for place, refund in enumerate(one.body.get("refunds") or [], start=1):
                told = {**refund, "id": number + place, "order_id": number}
                yield Found("refunds/create", told, one.source)
        elif one.topic != "refunds/create":
            yield one
    for one in found:
        if one.topic == "refunds/create":
            number = next(fresh)
            order = ids.get(one.body["order_id"], number + 1)
            yield Found(one.topic, {**one.body, "id": number, "order_id": order}, one.source)
