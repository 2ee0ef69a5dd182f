"""Prices as they were: spells, and the lowest of thirty days, never guessed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import price_history
from shopify_app.db.connection import transaction
from tests.factories import make_variant

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def keep(shop, variant, *prices):
    """(days ago, price), the earliest first."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        for ago, price in prices:
            cur.execute(
                "INSERT INTO price_history (shop_id, variant_id, price, seen_at, source) VALUES (%s, %s, %s, %s, 'merchant')",
                (shop.shop_id, variant, price, NOW - timedelta(days=ago)),
            )


@pytest.mark.parametrize(("prices", "lowest"), [
    ([(90, "24.00")], "24.00"),                                    # one price all along
    ([(90, "20.00"), (40, "24.00")], "24.00"),                     # the low one ended before
    ([(90, "20.00"), (29, "24.00")], "20.00"),                     # it stood when the days began
    ([(90, "24.00"), (10, "18.00"), (5, "24.00")], "18.00"),       # a short one in between
    ([(20, "24.00")], None),                                       # not followed for thirty days: not said
    ([], None),
])  # fmt: skip
def test_the_prior_price_is_the_lowest_of_thirty_days_or_none(acme, prices, lowest):
    variant = make_variant(acme)
    keep(acme, variant, *prices)

    with transaction(acme.shop_id) as conn:
        found = price_history.lowest_price(conn, acme.shop_id, variant, before=NOW)
    assert found == (lowest and Decimal(lowest))


def test_spells_follow_each_other_and_a_rival_sees_none(acme, rival):
    variant = make_variant(acme)
    keep(acme, variant, (90, "20.00"), (40, "24.00"))

    with transaction(acme.shop_id) as conn:
        newest, before = price_history.spells(conn, acme.shop_id, variant)
    assert (newest.until, before.until) == (None, newest.since)
    with transaction(rival.shop_id) as conn:
        assert price_history.spells(conn, acme.shop_id, variant) == []
