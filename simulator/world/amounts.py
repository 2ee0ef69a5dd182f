"""How much a line comes to: price, discount and taxes in smallest units, by Shopify's definitions.

A sale's total is after discounts and with its taxes; its discount before taxes is what was taken off a price without taxes. Each tax
is rounded by itself, half a unit away from zero. What does not divide stays with what is returned last.
"""

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from simulator.minor_units import from_units, to_units
from simulator.sales import Standing


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax by its rate: 0.2 is a fifth."""

    rate: Decimal
    title: str = "VAT"


@dataclass(frozen=True, slots=True)
class Amounts:
    """One sale's money in smallest units, signed."""

    total: int
    tax: int = 0
    discount_before_tax: int = 0
    discount_after_tax: int = 0
    taxes: tuple[tuple[str, str, int], ...] = ()
    """(title, rate, amount)."""

    def less(self, other: "Amounts") -> "Amounts":
        """The difference."""
        mine = {(title, rate): amount for title, rate, amount in self.taxes}
        for title, rate, amount in other.taxes:
            mine[title, rate] = mine.get((title, rate), 0) - amount
        return Amounts(
            self.total - other.total,
            self.tax - other.tax,
            self.discount_before_tax - other.discount_before_tax,
            self.discount_after_tax - other.discount_after_tax,
            tuple((title, rate, amount) for (title, rate), amount in mine.items()),
        )

    def taxes_text(self) -> str:
        """The taxes as the ledger keeps them."""
        return json.dumps(
            [{"title": title, "rate": rate, "amount": amount} for title, rate, amount in self.taxes]
        )


def of_price(
    price: Decimal, discount: Decimal, taxes: tuple[Tax, ...], *, included: bool, currency: str
) -> Amounts:
    """What is sold for `price` less `discount`, where both hold the taxes or do not.

    Raises
    ------
    ValueError
        If the discount is above the price, or anything is below zero.
    """
    if discount < 0 or price < 0 or discount > price or any(tax.rate < 0 for tax in taxes):
        raise ValueError(
            "prices, discounts and rates are not below zero, no discount is above its price"
        )
    rates = sum((tax.rate for tax in taxes), Decimal(0))
    without = (price - discount) / (1 + rates) if included else price - discount
    parts = tuple(
        (tax.title, f"{tax.rate.normalize():f}", to_units(without * tax.rate, currency))
        for tax in taxes
    )
    tax = sum(part[2] for part in parts)
    paid, off = to_units(price - discount, currency), to_units(discount, currency)
    if included:
        return Amounts(paid, tax, to_units(discount / (1 + rates), currency), off, parts)
    return Amounts(paid + tax, tax, off, to_units(discount * (1 + rates), currency), parts)


def whole(left: Standing) -> Amounts:
    """All that is left of a line or charge."""
    return share(left, 1, 1)


def share(left: Standing, part: int, of: int) -> Amounts:
    """`part` of `of` equal parts of what is left."""

    def cut(units: int) -> int:
        exact = Decimal(units) * part / of
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))

    parts = tuple((title, rate, cut(amount)) for (title, rate), amount in left.taxes.items())
    return Amounts(
        cut(left.total),
        sum(amount for _, _, amount in parts),
        cut(left.discount_before_tax),
        cut(left.discount_after_tax),
        parts,
    )


NOTHING = Amounts(0)


def tax_lines_text(amounts: Amounts, currency: str) -> str:
    """The taxes as an order's line keeps them: [{"title", "rate", "price"}]."""
    lines: list[dict[str, Any]] = [
        {"title": title, "rate": rate, "price": str(from_units(amount, currency))}
        for title, rate, amount in amounts.taxes
    ]
    return json.dumps(lines)
