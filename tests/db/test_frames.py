"""Frames for the models: exact columns and dtypes also without a row, what is on sale and no more, the rival's empty."""

from datetime import date, timedelta

import pytest

from shopify_app.db import daily_sales, frames, inventory, orders
from shopify_app.db.connection import transaction
from shopify_app.domain.frames import DAILY_SALES, STOCK_DAYS, VARIANTS, WEEKLY_PRICES
from shopify_app.domain.product import InventoryLevel
from tests.factories import NOW, line_of, make_variant, order_of, rows

DAY = NOW.date()
READ = {
    "variants": (lambda conn, shop: frames.variants_on_sale(conn, shop.shop_id), VARIANTS),
    "sales": (
        lambda conn, shop: frames.daily_sales_between(conn, shop.shop_id, DAY, DAY),
        DAILY_SALES,
    ),
    "stock": (
        lambda conn, shop: frames.stock_days_between(
            conn, shop.shop_id, DAY, DAY + timedelta(days=3), shop.timezone
        ),
        STOCK_DAYS,
    ),
    "prices": (
        lambda conn, shop: frames.weekly_prices(conn, shop.shop_id, DAY - timedelta(days=6), DAY),
        WEEKLY_PRICES,
    ),
}


def fill(shop, units=3):
    variant_id = make_variant(shop)
    with transaction(shop.shop_id) as conn:
        applied = orders.upsert_many(
            conn,
            shop.shop_id,
            shop.zone,
            [order_of(1, line_of(1, variant_id, units=units, price="24.00"))],
        )
        daily_sales.touch(conn, shop.shop_id, applied.days)
        daily_sales.recount(conn, shop.shop_id, limit_days=9)
    return variant_id


def item_of(shop, variant_id):
    return rows(shop, "SELECT inventory_item_id FROM variants WHERE id = %(id)s", id=variant_id)[0][
        0
    ]


@pytest.mark.parametrize("name", list(READ))
def test_a_frame_without_rows_has_its_columns_and_dtypes(acme, name):
    read, columns = READ[name]
    with transaction(acme.shop_id) as conn:
        frame = read(conn, acme)

    assert len(frame) == 0
    assert list(frame.columns) == list(columns)
    assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == {
        column: {"str": str(frame[column].dtype)}.get(kind, kind)
        for column, kind in columns.items()
    }


@pytest.mark.parametrize("name", list(READ))
def test_the_rivals_rows_are_in_no_frame_of_ours(acme, rival, name):
    variant_id = fill(rival)
    level = InventoryLevel(
        item_of(rival, variant_id), 7_000_000_001, 4, 0, True, NOW + timedelta(hours=1)
    )
    with transaction(rival.shop_id) as conn:
        inventory.upsert_levels(conn, rival.shop_id, [level])
    read, _ = READ[name]
    with transaction(acme.shop_id) as conn:
        assert len(read(conn, acme)) == len(read(conn, rival)) == 0


def test_only_what_is_on_sale_is_a_variant(acme):
    kept = make_variant(acme, available=40, cost=None)
    gone, draft, gift = make_variant(acme), make_variant(acme), make_variant(acme)
    rows(acme, "UPDATE variants SET deleted_at = now() WHERE id = %(id)s RETURNING 1", id=gone)
    for number, change in ((draft, "status = 'DRAFT'"), (gift, "is_gift_card = true")):
        rows(
            acme,
            f"UPDATE products SET {change} WHERE id = (SELECT product_id FROM variants WHERE id = %(id)s) RETURNING 1",
            id=number,
        )
    with transaction(acme.shop_id) as conn:
        frame = frames.variants_on_sale(conn, acme.shop_id)

    assert list(frame.variant_id) == [kept]
    assert frame.available_units[0] == 40
    assert frame.unit_cost.isna().all()  # unknown is not zero


def test_sales_are_those_of_the_window(acme):
    variant_id = fill(acme)
    with transaction(acme.shop_id) as conn:
        inside = frames.daily_sales_between(conn, acme.shop_id, DAY, DAY)
        outside = frames.daily_sales_between(
            conn, acme.shop_id, date(2020, 1, 1), DAY - timedelta(days=1)
        )

    assert list(zip(inside.variant_id, inside.ordered_units, inside.revenue, strict=True)) == [
        (variant_id, 3, 72.0)
    ]
    assert len(outside) == 0


def test_a_day_is_in_stock_for_the_share_in_which_it_could_be_bought(acme):
    variant_id = make_variant(acme, available=5)
    item_id, midnight = item_of(acme, variant_id), NOW.replace(hour=0)
    with transaction(acme.shop_id) as conn:
        for hours, units in (
            (0, 5),
            (30, 0),
            (42, 8),
        ):  # sold out at six on the second day, back at eighteen
            level = InventoryLevel(
                item_id, 7_000_000_001, units, 0, True, midnight + timedelta(hours=hours)
            )
            inventory.upsert_levels(conn, acme.shop_id, [level])
        frame = frames.stock_days_between(conn, acme.shop_id, DAY, DAY + timedelta(days=2), "UTC")

    shares = {day.date(): share for day, share in zip(frame.day, frame.in_stock, strict=True)}
    assert shares == {DAY: 1.0, DAY + timedelta(days=1): 0.5, DAY + timedelta(days=2): 1.0}
