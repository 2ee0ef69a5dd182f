"""A day of the books."""

from decimal import Decimal

from shopify_app.domain.order import DayFacts


def test_net_is_gross_less_discounts_less_refunds_to_the_penny():
    day = DayFacts("2026-11-20", 3, 4, Decimal("32.50"), Decimal("3.05"), Decimal("0.10"))

    assert day.net == Decimal("29.35")


def test_a_day_of_refunds_alone_is_negative():
    assert DayFacts("2026-11-20", 0, 0, Decimal(0), Decimal(0), Decimal("8.50")).net == Decimal(
        "-8.50"
    )
