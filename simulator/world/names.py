"""Names in what a case sends: `"$variant:Linen apron"` becomes the id, so that bodies meet the shop's own things.

`$product:TITLE`, `$variant:TITLE` or `$variant:TITLE / VARIANT`, `$item:` (its inventory item), `$location:NAME`,
`$order:NAME`, `$line:ORDER/0` (lines counted from 0), `$shop`; `$day:14` and `$time:14 09:30` count back from the
shop's present day; `$now` is its clock; `$made:3` is the third id that was drawn in it. Inside a longer text braces hold them: `"gid://shopify/Order/{$order:A}"`.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from simulator.store import from_iso, iso
from simulator.world.description import DAYS_BACK, day_of, moment_of
from simulator.world.rows import NotThereError

WHOLE: Final = re.compile(r"\$(?P<what>[a-z]+)(?::(?P<name>.*))?", re.DOTALL)
INSIDE: Final = re.compile(r"\{(\$[a-z]+(?::[^{}]*)?)\}")

FIRST_SHOP: Final = 60_000_000_000

QUERIES: Final[Mapping[str, str]] = {
    "product": "SELECT id FROM products WHERE shop = :shop AND title = :name",
    "location": "SELECT id FROM locations WHERE shop = :shop AND name = :name",
    "order": "SELECT id FROM orders WHERE shop = :shop AND name = :name",
}
VARIANT: Final = (
    "SELECT v.id, v.inventory_item_id FROM variants v JOIN products p ON p.shop = v.shop AND p.id = v.product_id"
    " WHERE v.shop = :shop AND (p.title || ' / ' || v.title = :name OR p.title = :name) ORDER BY v.id LIMIT 2"
)


def resolved(conn: sqlite3.Connection, shop: str, told: Any) -> Any:
    """What is told with ids, days and times in the place of names.

    Raises
    ------
    NotThereError
        If the shop has no such thing.
    """
    if isinstance(told, dict):
        return {name: resolved(conn, shop, value) for name, value in told.items()}
    if isinstance(told, list):
        return [resolved(conn, shop, value) for value in told]
    if not isinstance(told, str):
        return told
    if told.startswith("$") and (whole := WHOLE.fullmatch(told)) and whole["what"] in KINDS:
        return KINDS[whole["what"]](conn, shop, whole["name"] or "")
    return INSIDE.sub(lambda found: str(resolved(conn, shop, found[1])), told)


def variant_id(conn: sqlite3.Connection, shop: str, name: str) -> int:
    """The variant that a case calls so."""
    return _variant(conn, shop, name)[0]


def _variant(conn: sqlite3.Connection, shop: str, name: str) -> tuple[int, int]:
    rows = conn.execute(VARIANT, {"shop": shop, "name": name}).fetchall()
    if len(rows) != 1:
        why = "has several variants: name one, TITLE / VARIANT" if rows else "is no variant"
        raise NotThereError(f"“{name}” {why}")
    return int(rows[0]["id"]), int(rows[0]["inventory_item_id"])


def _by_query(what: str) -> Callable[[sqlite3.Connection, str, str], int]:
    def find(conn: sqlite3.Connection, shop: str, name: str) -> int:
        row = conn.execute(QUERIES[what], {"shop": shop, "name": name}).fetchone()
        if row is None:
            raise NotThereError(f"the shop has no {what} “{name}”")
        return int(row["id"])

    return find


def _line(conn: sqlite3.Connection, shop: str, name: str) -> int:
    order, _, number = name.rpartition("/")
    rows = conn.execute(
        "SELECT l.id FROM order_lines l JOIN orders o ON o.shop = l.shop AND o.id = l.order_id"
        " WHERE l.shop = ? AND o.name = ? ORDER BY l.id",
        (shop, order),
    ).fetchall()
    if not number.isdigit() or int(number) >= len(rows):
        raise NotThereError(f"the shop has no order line “{name}”")
    return int(rows[int(number)]["id"])


def _row(conn: sqlite3.Connection, shop: str) -> sqlite3.Row:
    found: sqlite3.Row = conn.execute("SELECT * FROM shops WHERE domain = ?", (shop,)).fetchone()
    return found


def _time(conn: sqlite3.Connection, shop: str, told: str) -> str:
    row = _row(conn, shop)
    zone = ZoneInfo(row["timezone"])
    if not DAYS_BACK.fullmatch(told):
        raise NotThereError(f"“$time:{told}” is no time: $time:14 or $time:14 09:30")
    return iso(moment_of(told, from_iso(row["now_at"]).astimezone(zone).date(), zone))


def _day(conn: sqlite3.Connection, shop: str, told: str) -> str:
    row = _row(conn, shop)
    today = from_iso(row["now_at"]).astimezone(ZoneInfo(row["timezone"])).date()
    return day_of(told, today).isoformat()


def _made(conn: sqlite3.Connection, shop: str, number: str) -> int:
    """An id by its number: those of a shop of a kind are known before it is made."""
    if not number.isdigit():
        raise NotThereError(f"“$made:{number}” is no id")
    return first_id(_row(conn, shop)["id"]) + int(number)


def first_id(shop_id: int) -> int:
    """The first id that is drawn in a shop."""
    return (shop_id - FIRST_SHOP) * 1_000_000_000_000 + 5_000_000_000


KINDS: Final[Mapping[str, Callable[[sqlite3.Connection, str, str], Any]]] = {
    "product": _by_query("product"),
    "location": _by_query("location"),
    "order": _by_query("order"),
    "variant": variant_id,
    "item": lambda conn, shop, name: _variant(conn, shop, name)[1],
    "line": _line,
    "shop": lambda conn, shop, _: int(_row(conn, shop)["id"]),
    "time": _time,
    "day": _day,
    "made": _made,
    "now": lambda conn, shop, _: _row(conn, shop)["now_at"],
}
