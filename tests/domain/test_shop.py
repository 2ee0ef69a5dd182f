"""What a shop may and where its days begin."""

from datetime import UTC, datetime

import psycopg2
import pytest

from shopify_app.domain.shop import ShopState
from tests.domain.allowed_words import allowed
from tests.factories import make_shop, rows


def test_the_states_of_a_shop_are_those_of_its_table(database):
    assert allowed(database, "shops") == {state.value for state in ShopState}


def test_all_orders_are_seen_by_that_scope_alone(database):
    assert not make_shop("a1.myshopify.com", scopes=("read_orders", "write_orders")).sees_all_orders
    assert make_shop("a2.myshopify.com", scopes=("read_orders", "read_all_orders")).sees_all_orders


@pytest.mark.parametrize(
    ("zone", "day"), [("Asia/Tokyo", 21), ("America/Los_Angeles", 20), ("Pacific/Kiritimati", 21)]
)
def test_a_moment_falls_on_the_shops_own_day(database, zone, day):
    shop = make_shop("acme.myshopify.com", timezone=zone)

    assert datetime(2026, 11, 20, 20, 0, tzinfo=UTC).astimezone(shop.zone).day == day


@pytest.mark.parametrize(
    "change",
    ["state = 'uninstalled'", "uninstalled_at = now()", "install_epoch = 0", "currency = 'EURO'"],
)
def test_the_table_refuses_a_shop_in_an_impossible_state(acme, change):
    with pytest.raises(psycopg2.errors.CheckViolation):
        rows(acme, f"UPDATE shops SET {change} RETURNING 1")
