"""Which lines of an order are its tips: what it was tipped is counted once, and nothing that was sold is taken for it."""

from decimal import Decimal

import pytest

from shopify_app.domain.order import OrderLine, tip_of_no_line, with_tips


def line(number, title, price, **more):
    told = {
        "product_id": None,
        "variant_id": None,
        "sku": None,
        "quantity": 1,
        "current_quantity": 1,
        "discount": Decimal(0),
        "tax": Decimal(0),
        "is_gift_card": False,
    }
    return OrderLine(id=number, title=title, unit_price=Decimal(price), **(told | more))


def tips(lines, tipped):
    return [
        one.id
        for one in with_tips(lines, None if tipped is None else Decimal(tipped))
        if one.is_tip
    ]


@pytest.mark.parametrize(
    ("lines", "tipped", "found"),
    [
        ([line(1, "Tip", "5.00"), line(2, "Gift wrap", "5.00")], "5.00", [1]),
        ([line(2, "Gift wrap", "5.00"), line(1, "Tip", "5.00")], "5.00", [1]),
        ([line(1, "Pourboire", "5.00", is_tip=True), line(2, "Gift wrap", "5.00")], "5.00", [1]),
        ([line(1, "Pourboire", "5.00"), line(2, "Gift wrap", "4.00")], "5.00", [1]),
        ([line(1, "Tip", "2.00"), line(2, "Tip", "3.00")], "5.00", [1, 2]),
        ([line(1, "Tip", "7.00")], "0.00", [1]),
        ([line(1, "Tip", "7.00", tax=Decimal("1.40"))], "0.00", []),
        ([line(1, "Gift wrap", "7.00")], "0.00", []),
        ([line(1, "Tip", "7.00")], "5.00", []),
        ([line(1, "Tip", "7.00")], None, [1]),
        ([line(1, "Gift wrap", "7.00")], None, []),
        ([line(1, "Sticker", "5.00", product_id=7)], "5.00", []),
        ([line(1, "Sticker", "5.00", variant_id=8)], "5.00", []),
        ([line(1, "Sticker", "5.00", sku="ST-1")], "5.00", []),
        ([line(1, "Nothing", "0.00")], "0.00", []),
        ([line(1, "Wrap", "5.00"), line(2, "Ribbon", "5.00")], "5.00", [1]),
    ],
)
def test_what_an_order_was_tipped_is_found_once(lines, tipped, found):
    assert tips(lines, tipped) == found


@pytest.mark.parametrize(
    ("tipped", "left"), [(None, None), ("8.00", "3.00"), ("5.00", "0.00"), ("4.00", "0.00")]
)
def test_a_tip_that_no_line_stands_for_is_what_is_left(tipped, left):
    lines = [line(1, "Tip", "5.00", is_tip=True), line(2, "Mug", "9.00")]

    found = tip_of_no_line(None if tipped is None else Decimal(tipped), lines)

    assert found == (None if left is None else Decimal(left))
