"""One rule says whether a price may go out: the largest step, the smallest margin, and no promise without a cost."""

from decimal import Decimal

import pytest

from shopify_app.domain.price_limits import PriceMove, broken_limits
from shopify_app.domain.shop import ShopSettings


def chosen(step="0.10", floor="0.20"):
    return ShopSettings(
        "auto", None, 14, 7, None, Decimal("0.25"), Decimal(floor), Decimal(step), "keep", None, None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "cost", "broken"),
    [
        ("10.00", "11.00", "5.00", []),
        ("10.00", "9.00", "5.00", []),
        ("10.00", "11.01", "5.00", ["step"]),
        ("10.00", "8.99", "5.00", ["step"]),
        ("10.00", "10.50", "8.40", []),  # a fifth of 10.50 is 2.10
        ("10.00", "10.50", "8.41", ["margin"]),
        ("10.00", "12.00", "9.99", ["step", "margin"]),
        ("10.00", "10.50", None, ["no_cost"]),
        ("0.00", "1.00", "0.50", ["step"]),  # no share of nothing
        ("10.00", "0.00", "5.00", ["step", "margin"]),
    ],
)
def test_what_a_change_is_beyond(old, new, cost, broken):
    move = PriceMove(Decimal(old), Decimal(new), None if cost is None else Decimal(cost))

    assert broken_limits(move, chosen()) == broken


def test_who_asks_for_no_margin_needs_no_cost():
    move = PriceMove(Decimal(10), Decimal(11), None)

    assert broken_limits(move, chosen(floor="0")) == []


@pytest.mark.parametrize(
    ("new", "cost", "rate", "floor", "broken"),
    [
        ("24.00", "9.00", "0.20", "0.55", []),  # 20.00 before tax leaves 11.00, 55 %
        ("24.00", "9.00", "0.20", "0.551", ["margin"]),
        ("12.75", "8.50", "0.20", "0.20", []),  # 10.625 before tax leaves 2.125, a fifth
        ("12.74", "8.50", "0.20", "0.20", ["margin"]),
        ("10.19", "8.50", "0.20", "0.00", ["margin"]),  # 8.49 before tax, below what it cost
        ("10.20", "8.50", "0.20", "0.00", []),
        ("11.33", "8.50", "0.20", "0.10", ["margin"]),  # 9.4417 before tax leaves 9.97 %
        ("11.34", "8.50", "0.20", "0.10", []),
    ],
)
def test_a_margin_is_of_what_is_left_before_tax(new, cost, rate, floor, broken):
    move = PriceMove(Decimal(new), Decimal(new), Decimal(cost), Decimal(rate))

    assert broken_limits(move, chosen(floor=floor)) == broken
