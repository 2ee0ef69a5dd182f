"""A bulk change may go when it changes something and no limit stands against it."""

from decimal import Decimal

import pytest

from shopify_app.domain.rollout import Exposure, Limit


@pytest.mark.parametrize(
    ("prices", "kept", "may_go"),
    [(3, [], True), (3, [True, True], True), (3, [True, False], False), (0, [True], False)],
)
def test_it_may_go_with_a_price_and_every_limit_kept(prices, kept, may_go):
    limits = [Limit("step", one, "8", "10") for one in kept]
    money = dict.fromkeys(
        ("share_of_sales", "share_under_change", "worst", "expected", "best", "open_risk"),
        Decimal(1),
    )

    assert (
        Exposure(prices=prices, products=1, currency="GBP", limits=limits, **money).may_go is may_go
    )
