"""Frames for the models: exact columns and dtypes also without a row, what is on sale and no more, the rival's empty."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import daily_sales, frames, inventory, orders
from shopify_app.db.connection import transaction
from shopify_app.domain.frames import (
    DAILY_SALES,
    NEGOTIATED_ORDERS,
    STOCK_DAYS,
    TAX_RATES,
    VARIANTS,
    WEEKLY_PRICES,
)
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
    "tax": (lambda conn, shop: frames.tax_rates(conn, shop.shop_id, DAY, DAY), TAX_RATES),
    "negotiated": (
        lambda conn, shop: frames.negotiated_orders_between(conn, shop.shop_id, DAY, DAY),
        NEGOTIATED_ORDERS,
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


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE variants SET inventory_policy = 'CONTINUE' WHERE id = %(id)s RETURNING 1",
        "UPDATE inventory_items SET is_tracked = false WHERE id = (SELECT inventory_item_id FROM variants WHERE id = %(id)s) RETURNING 1",
    ],
    ids=["sold on without stock", "not tracked"],
)
def test_what_sells_whatever_is_counted_has_no_day_without_stock(acme, change):
    variant_id = make_variant(acme, available=0)
    level = InventoryLevel(item_of(acme, variant_id), 7_000_000_001, -3, 0, True, NOW)
    with transaction(acme.shop_id) as conn:
        inventory.upsert_levels(conn, acme.shop_id, [level])

    def days():
        with transaction(acme.shop_id) as conn:
            return frames.stock_days_between(
                conn, acme.shop_id, DAY, DAY + timedelta(days=2), "UTC"
            )

    assert set(days().in_stock) == {0.0}
    rows(acme, change, id=variant_id)
    assert days().empty


def test_what_is_bought_by_link_only_is_on_sale_and_a_cost_of_nothing_is_unknown(acme):
    variant_id = make_variant(acme, cost="0.00")
    rows(acme, "UPDATE products SET status = 'UNLISTED' RETURNING 1")
    with transaction(acme.shop_id) as conn:
        frame = frames.variants_on_sale(conn, acme.shop_id)

    assert list(frame.variant_id) == [variant_id]
    assert frame.unit_cost.isna().all()


def sell(shop, *made):
    with transaction(shop.shop_id) as conn:
        applied = orders.upsert_many(conn, shop.shop_id, shop.zone, list(made))
        daily_sales.touch(conn, shop.shop_id, applied.days)
        daily_sales.recount(conn, shop.shop_id, limit_days=9)


def taxes(shop):
    with transaction(shop.shop_id) as conn:
        frame = frames.tax_rates(conn, shop.shop_id, DAY, DAY)
    return dict(zip(frame.variant_id, zip(frame.tax_rate, frame.net, strict=True), strict=True))


def test_the_tax_in_a_price_is_the_median_of_what_its_lines_paid(acme):
    apron, mug = make_variant(acme), make_variant(acme)
    rows(acme, "UPDATE shops SET taxes_included = true RETURNING 1")

    def line(number, variant_id, units, price, tax, discount="0"):
        paid = {"tax": Decimal(tax), "discount": Decimal(discount)}
        return line_of(number, variant_id, units=units, price=price, **paid)

    sell(
        acme,
        order_of(1, line(1, apron, 2, "24.00", "8.00"), line(2, mug, 1, "12.66", "0.66")),
        order_of(2, line(3, apron, 1, "24.00", "3.00", discount="6.00")),
        order_of(3, line(4, apron, 1, "24.00", "0.00")),  # sent abroad
        order_of(4, line(5, apron, 1, "24.00", "9.00"), is_test=True),
    )

    assert taxes(acme)[apron] == pytest.approx((0.2, 24.0))
    assert taxes(acme)[mug] == pytest.approx((0.055, 12.0))
    assert taxes(acme)[0][0] == pytest.approx(0.055)  # the lower middle of 0, 5.5, 20 and 20 %


def test_tax_that_comes_on_top_of_a_price_is_none_of_it(acme):
    apron = make_variant(acme)
    sell(acme, order_of(1, line_of(1, apron, units=2, price="24.00", tax=Decimal("9.60"))))

    assert taxes(acme)[apron] == (0.0, 48.0)


def test_a_price_agreed_with_the_buyer_is_told_apart_and_stands_in_no_week_of_prices(acme):
    apron = make_variant(acme)
    sell(
        acme,
        order_of(1, line_of(1, apron, price="24.00")),
        order_of(2, line_of(2, apron, price="24.00"), source_name="pos"),
        order_of(3, line_of(3, apron, price="15.00"), source_name="shopify_draft_order"),
    )
    with transaction(acme.shop_id) as conn:
        agreed = frames.negotiated_orders_between(conn, acme.shop_id, DAY, DAY)
        prices = frames.weekly_prices(conn, acme.shop_id, DAY - timedelta(days=6), DAY)
        sold = frames.daily_sales_between(conn, acme.shop_id, DAY, DAY)

    assert list(zip(agreed.variant_id, agreed.orders, strict=True)) == [(apron, 1)]
    assert list(zip(prices.price, prices.lines, strict=True)) == [(24.0, 2)]
    assert list(sold.orders) == [3]  # it is demand all the same
