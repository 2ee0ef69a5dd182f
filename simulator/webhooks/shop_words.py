"""What bodies say in a shop's own way: times with its offset, money with its currency."""

import sqlite3
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from simulator.minor_units import from_units

Row = sqlite3.Row


class ShopWords:
    """What bodies need of a shop."""

    def __init__(self, conn: sqlite3.Connection, domain: str) -> None:
        self.row = conn.execute("SELECT * FROM shops WHERE domain = ?", (domain,)).fetchone()
        self.domain = domain
        self.zone = ZoneInfo(self.row["timezone"])
        self.currency = self.row["currency"]

    def local(self, stamp: str | None) -> str | None:
        """A stamp with the shop's offset, as webhooks write it."""
        if stamp is None:
            return None
        return datetime.fromisoformat(stamp).astimezone(self.zone).isoformat()

    def money_set(self, amount: str, currency: str | None = None) -> dict[str, Any]:
        """Shop and presentment money (one currency: the order's, else the shop's)."""
        money = {"amount": amount, "currency_code": currency or self.currency}
        return {"shop_money": money, "presentment_money": money}


def text(units: int, currency: str) -> str:
    """Smallest units as a body writes an amount: 10.00."""
    return str(from_units(units, currency))


def price(amount: str, currency: str) -> str:
    """A kept amount with the currency's decimals; a price with more of them keeps them."""
    exact = Decimal(amount)
    rounded = exact.quantize(from_units(0, currency))
    return str(rounded if rounded == exact else exact)
