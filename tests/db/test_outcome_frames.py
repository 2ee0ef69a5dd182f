"""The judge's frames: orders by Monday's week, shelves that were short, product types; nothing of the rival's."""

from datetime import date, timedelta

import pytest

from shopify_app.db import daily_sales, inventory, orders, outcome_frames
from shopify_app.db.connection import transaction
from shopify_app.domain.product import InventoryLevel
from tests.factories import NOW, line_of, make_variant, order_of, rows

MONDAY, NEXT = date(2026, 11, 16), date(2026, 11, 23)


def act(shop, call, *given, shop_id=None):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given)


@pytest.fixture
def variant_id(acme):
    """Sold in two orders of the week, 5 units in all; out of stock for three and a half days of it."""
    found = make_variant(acme)
    item = rows(acme, "SELECT inventory_item_id FROM variants WHERE id = %(id)s", id=found)[0][0]
    begin = NOW.replace(year=2026, month=11, day=16, hour=0)
    with transaction(acme.shop_id) as conn:
        made = [order_of(1, line_of(1, found, units=4)), order_of(2, line_of(2, found))]
        applied = orders.upsert_many(conn, acme.shop_id, acme.zone, made)
        daily_sales.touch(conn, acme.shop_id, applied.days)
        daily_sales.recount(conn, acme.shop_id, limit_days=9)
        for units, hours in ((9, 0), (0, 84), (9, 168)):
            level = InventoryLevel(
                item, 7_000_000_001, units, 0, True, begin + timedelta(hours=hours)
            )
            inventory.upsert_levels(conn, acme.shop_id, [level])
    return found


def test_orders_are_counted_by_the_week_that_began_on_monday(acme, variant_id):
    found = act(acme, outcome_frames.weekly_orders, MONDAY, NEXT)

    assert found[["series_id", "units", "pieces"]].to_numpy().tolist() == [[str(variant_id), 2, 5]]
    assert found["period"].dt.date.tolist() == [MONDAY]
    assert act(acme, outcome_frames.weekly_orders, NEXT, NEXT + timedelta(days=7)).empty


def test_a_week_half_out_of_stock_says_so(acme, variant_id):
    found = act(acme, outcome_frames.short_weeks, MONDAY, NEXT, "UTC")

    assert found["series_id"].tolist() == [str(variant_id)]
    assert found["in_stock"].tolist() == pytest.approx([0.5])


def test_the_rival_reads_none_of_it(rival, acme, variant_id):
    assert act(acme, outcome_frames.groups)["group"].tolist() == ["Aprons"]
    for shop_id in (None, acme.shop_id):
        assert act(rival, outcome_frames.groups, shop_id=shop_id).empty
        assert act(rival, outcome_frames.weekly_orders, MONDAY, NEXT, shop_id=shop_id).empty
        assert act(rival, outcome_frames.short_weeks, MONDAY, NEXT, "UTC", shop_id=shop_id).empty
