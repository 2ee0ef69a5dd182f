"""Cases in the two shapes of before: bodies with what was got, and products with lists of sales.

Of the first, what is sent is `post`, `events`, a topic's own key, `first`, `then` and `later`, or lists of
deliveries under any name; it is sent to a shop of kind `tiny`, whose ids it names. Of the second, a sale is
`[days ago, units, price, discount, null, null]`; the last two are empty in every case we have, and what is not is
refused by name. What they say in prose is kept as the note.
"""

import json
import re
from typing import Any, Final

TOPIC: Final = re.compile(r"[a-z_]+/[a-z_]+")
PROSE: Final = ("expected", "got", "note", "before", "scopes", "shop")
OURS: Final = frozenset({"shop", "webhooks", "expect", "pending"})
SALE_FIELDS: Final = ("on", "units", "price", "discount")
OF_A_KIND: Final = re.compile(r"[1-9]005\d{9}")
"""An id that a simulator drew for its first, second, ... shop."""
TOLD_OF: Final = "$product:Oak board"
CHANGES: Final = re.compile(r"(\w+): (\w+)")


class NotConvertedError(ValueError):
    """An older case that cannot be understood."""


def is_older(told: dict[str, Any]) -> bool:
    """Whether a file is of one of the shapes of before."""
    if "products" in told:
        return True
    return "webhooks" not in told and not isinstance(told.get("shop"), dict) and bool(_sent(told))


def converted(told: dict[str, Any]) -> dict[str, Any]:
    """The same in the format of today.

    Raises
    ------
    NotConvertedError
        If something in it is not known.
    """
    return _shop_with_sales(told) if "products" in told else _bodies(told)


def _bodies(told: dict[str, Any]) -> dict[str, Any]:
    prose = {
        name: value for name, value in told.items() if name.split(" ")[0].split("(")[0] in PROSE
    }
    shop: dict[str, Any] = {"kind": "tiny"}
    if "taxes_included true" in json.dumps(told):
        shop |= {"taxes_included": True, "tax_rate": "0.2"}
    if "no read_all_orders" in str(told.get("scopes", "")):
        shop["scopes"] = ["read_inventory", "read_locations", "read_orders", "write_products"]
    sent = [{**one, "body": _of_any_shop(one["body"])} for one in _sent(told)]
    return {"note": json.dumps(prose, ensure_ascii=False), "shop": shop, "webhooks": sent}


def _of_any_shop(told: Any) -> Any:
    """A body with ids that are a shop's own by their number: the shop may be another one here."""
    if isinstance(told, dict):
        return {name: _of_any_shop(value) for name, value in told.items()}
    if isinstance(told, list):
        return [_of_any_shop(value) for value in told]
    if isinstance(told, int) and not isinstance(told, bool) and OF_A_KIND.fullmatch(str(told)):
        return f"$made:{told % 1_000_000_000_000 - 5_000_000_000}"
    return told


def _sent(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Every delivery in the order in which it is told; a body that is no object cannot be sent."""
    found: list[dict[str, Any]] = []
    for name, value in told.items():
        if TOPIC.fullmatch(name) and isinstance(value, dict):
            found.append({"topic": name, "body": value})
        elif name in ("first", "then", "later") and isinstance(value, dict):
            found.append({"topic": "products/update", "body": value})
        elif isinstance(value, list):
            pairs = [one for one in value if isinstance(one, list) and len(one) == 2]
            found += [
                _delivery(str(one[0]), one[1]) for one in pairs if TOPIC.fullmatch(str(one[0]))
            ]
    return found


def _delivery(topic: str, body: Any) -> dict[str, Any]:
    """A delivery; a body told in words is the shop's own of a product, with the changes that are named."""
    if isinstance(body, dict):
        return {"topic": topic, "body": body}
    return {"topic": topic, "about": TOLD_OF, "body": dict(CHANGES.findall(str(body)))}


def _shop_with_sales(told: dict[str, Any]) -> dict[str, Any]:
    created = told.get("created_days_ago", 400)
    shop = {
        name: told[name]
        for name in ("currency", "timezone", "taxes_included", "tax_rate", "seed")
        if name in told
    }
    products: list[dict[str, Any]] = []
    for number, product in enumerate(told["products"]):
        where = f"products[{number}]"
        if not isinstance(product, dict) or not isinstance(product.get("variants"), list):
            raise NotConvertedError(f"{where}.variants: is missing")
        variants = [
            _variant(one, f"{where}.variants[{at}]") for at, one in enumerate(product["variants"])
        ]
        products.append({"created": created, **product, "variants": variants})
    return {
        "note": str(told.get("expected", "")),
        "shop": {**shop, "products": products},
        "webhooks": told.get("webhooks", []),
    }


def _variant(told: dict[str, Any], where: str) -> dict[str, Any]:
    sales = [
        _sale(one, f"{where}.sales[{number}]") for number, one in enumerate(told.get("sales", []))
    ]
    return {**told, "sales": sales}


def _sale(told: Any, where: str) -> Any:
    if not isinstance(told, list) or len(told) != 6:
        return told
    if told[4] is not None or told[5] is not None:
        raise NotConvertedError(
            f"{where}: the last two of a sale must be null; tell what happened to it in shop.orders"
        )
    return dict(zip(SALE_FIELDS, told, strict=False))
