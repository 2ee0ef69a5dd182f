"""Orders of which lines alone do not tell the money: what a merchant does with them over some days, for the books to be held against.

Taxes in and on prices, tips, gift cards, duties and fees; refunds of lines, of shipping, above and below what came back; edits, an
exchange, cancellations, a payment that expired; other currencies; a minute before and after midnight, and where clocks change.
Amounts are written as of a currency with two decimals, and told in the smallest units of the shop's own.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

Act = Callable[..., Any]
"""`act(path, **body)`: what the simulator's control of that path answers."""

VAT: Final = "0.2"


class OddOrders:
    """They are placed first, and changed later, by which time other orders may have come between."""

    def __init__(self, act: Act, variants: list[dict[str, Any]], state: dict[str, Any]) -> None:
        self._act = act
        self._variants = [one["id"] for one in variants][:3]
        self._now = datetime.fromisoformat(state["now"])
        self._zone = ZoneInfo(state["timezone"])
        self._decimals = get_currency_precision(state["currency"])
        self._ids: dict[str, int] = {}

    def place(self) -> None:
        """Orders as they are placed; the first line's id is the order's and one."""
        shirt = {"variant_id": self._variants[0], "quantity": 3, "price": self._money("24.00")}
        dear = {
            "variant_id": self._variants[-1],
            "quantity": 2,
            "price": self._money("48.00"),
            "discount": self._money("19.20"),
        }
        parcel = [{"price": self._money("5.50"), "tax_rate": VAT}]
        plain = {"lines": [shirt], "taxes_included": True, "shipping": parcel}
        net = {"lines": [{**dear, "tax_rate": VAT}], "taxes_included": False, "shipping": parcel}
        for name in (
            *("plain", "refunded", "goodwill", "kept", "more", "shipping back", "added", "removed"),
            *(
                "discounted",
                "exchanged",
                "returned",
                "cancelled",
                "deleted",
                "all back",
                "edited and refunded",
            ),
        ):
            self._place(name, **plain)
            self._place(f"{name}, net", **net)
        self._place("tip", **plain, tip=self._money("4.50"))
        self._place(
            "gift card",
            lines=[shirt, {"title": "Gift card", "price": self._money("50.00"), "gift_card": True}],
        )
        self._place(
            "custom", lines=[{"title": "Engraving", "price": self._money("7.77"), "quantity": 2}]
        )
        self._place(
            "given away", lines=[{**shirt, "discount": self._money("72.00")}], taxes_included=True
        )
        self._place(
            "cents",
            lines=[
                {
                    **shirt,
                    "price": self._money("9.99"),
                    "discount": self._money("0.05"),
                    "tax_rate": "0.07",
                }
            ],
            taxes_included=True,
        )
        self._place(
            "duties",
            **plain,
            duties=[{"price": self._money("3.00")}],
            additional_fees=[{"price": self._money("1.25")}],
        )
        self._place("test", **plain, test=True)
        self._place("unpaid", **plain, financial_status="pending")
        self._place("voided", **plain, financial_status="voided")
        self._place(
            "dinars",
            lines=[{**shirt, "price": "4.125", "discount": "0.375"}],
            currency="KWD",
            taxes_included=True,
        )
        self._place(
            "yen",
            lines=[{**shirt, "price": "1080", "discount": "77"}],
            currency="JPY",
            taxes_included=True,
        )
        for moment in self._edges():
            self._place(f"at {moment}", **plain, processed_at=moment.astimezone(UTC).isoformat())

    def change(self) -> None:
        """What becomes of them."""
        for also in ("", ", net"):
            self._refund(f"refunded{also}", 1)
            self._do(f"goodwill{also}", "refund", amount=self._money("10.00"))
            self._refund(f"kept{also}", 1, amount=self._money("20.00"))
            self._refund(f"more{also}", 1, amount=self._money("30.00"))
            self._refund(f"shipping back{also}", 1, shipping=self._money("5.50"))
            self._do(
                f"added{also}",
                "edit",
                add={
                    "variant_id": self._variants[1 % len(self._variants)],
                    "quantity": 1,
                    "price": self._money("12.00"),
                },
            )
            self._do(f"removed{also}", "edit", line_id=self._line(f"removed{also}"), delta=-1)
            self._do(
                f"discounted{also}",
                "edit",
                line_id=self._line(f"discounted{also}"),
                discount=self._money("6.00"),
            )
            self._do(
                f"exchanged{also}",
                "exchange",
                **self._one_back(f"exchanged{also}"),
                items=[
                    {"variant_id": self._variants[-1], "quantity": 1, "price": self._money("55.00")}
                ],
                restocking_fee=self._money("4.00"),
            )
            back = self._do(f"returned{also}", "returns", **self._one_back(f"returned{also}"))[
                "result"
            ]
            self._act(f"returns/{back}/approve")
            self._act(f"returns/{back}/process", restocking_fee=self._money("2.00"))
            self._do(f"cancelled{also}", "cancel")
            self._refund(f"all back{also}", 2)
            self._do(
                f"edited and refunded{also}",
                "edit",
                line_id=self._line(f"edited and refunded{also}"),
                delta=-1,
            )
            self._do(f"edited and refunded{also}", "refund", amount=self._money("5.00"))
        self._do("unpaid", "payment", status="expired")
        self._refund("dinars", 1)
        self._refund("yen", 1, amount="1000")

    def delete(self) -> None:
        """Some are deleted: lost news of that is found by a full count alone."""
        self._do("deleted", "delete")
        self._do("deleted, net", "delete")

    def _edges(self) -> list[datetime]:
        """Midnights of the shop, of London and of New York; where the shop's clocks changed in the last year."""
        today = self._now.astimezone(self._zone).date() - timedelta(days=2)
        midnight = datetime.combine(today, time(0), UTC)
        edges = [
            datetime.combine(today, time(0), self._zone),
            midnight,
            midnight + timedelta(hours=5),
            *self._changes(),
        ]
        minute = timedelta(minutes=1)
        return sorted({one for edge in edges for one in (edge - minute, edge)})

    def _changes(self) -> list[datetime]:
        """When the shop's clocks changed, and the midnights before and after it."""
        hours = [
            self._now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=back)
            for back in range(2, 366 * 24)
        ]
        found: list[datetime] = []
        for late, early in pairwise(hours):
            local = late.astimezone(self._zone)
            if local.utcoffset() != early.astimezone(self._zone).utcoffset():
                days = (local.date(), local.date() + timedelta(days=1))
                found += [late, *(datetime.combine(day, time(0), self._zone) for day in days)]
        return found

    def _money(self, amount: str) -> str:
        """An amount of two decimals, in as many as the shop's currency has."""
        return format(Decimal(amount).scaleb(2 - self._decimals), "f")

    def _place(self, name: str, **order: Any) -> None:
        self._ids[name] = self._act("orders", **order)["result"]

    def _do(self, name: str, what: str, **body: Any) -> Any:
        return self._act(f"orders/{self._ids[name]}/{what}", **body)

    def _line(self, name: str) -> int:
        return self._ids[name] + 1

    def _one_back(self, name: str) -> dict[str, Any]:
        return {"lines": [{"line_id": self._line(name), "quantity": 1}]}

    def _refund(self, name: str, units: int, **more: str) -> None:
        self._do(name, "refund", lines=[{"line_id": self._line(name), "quantity": units}], **more)


def books_differ(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Every field of a day and currency, and of the shelves, in which two tellings of the books differ."""
    found: list[str] = []
    mine, other = (
        {(day["day"], day["currency"]): day for day in books["days"]} for books in (ours, theirs)
    )
    for key in sorted(mine | other):
        found += _differ(" ".join(key), mine.get(key, {}), other.get(key, {}))
    for part in ("catalogue", "stock"):
        found += _differ(part, ours[part], theirs[part])
    return found


def _differ(of: str, mine: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [
        f"{of} {field}: {mine.get(field)} is not {other.get(field)}"
        for field in sorted(mine | other)
        if mine.get(field) != other.get(field)
    ]
