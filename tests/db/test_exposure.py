"""What prices under change put at stake: sales since a day, writes under way, nothing of the rival's."""

from datetime import timedelta
from decimal import Decimal

from shopify_app.db import daily_sales, exposure, orders, price_changes, tax_rates
from shopify_app.db.connection import transaction
from tests.factories import NOW, line_of, make_suggestion, make_variant, order_of, rows

DAY = NOW.date()


def act(shop, call, *given, shop_id=None):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given)


def sold(shop):
    """Two variants: 20.00 of the one today, 10.00 of the other ten days ago."""
    one, other = make_variant(shop), make_variant(shop)
    made = [
        order_of(1, line_of(1, one, units=2)),
        order_of(2, line_of(2, other), at=NOW - timedelta(days=10)),
    ]
    with transaction(shop.shop_id) as conn:
        applied = orders.upsert_many(conn, shop.shop_id, shop.zone, made)
        daily_sales.touch(conn, shop.shop_id, applied.days)
        daily_sales.recount(conn, shop.shop_id, limit_days=9)
    return one, other


def test_sales_since_a_day_of_some_and_of_all_and_none_of_the_rivals(acme, rival):
    one, other = sold(acme)
    long_ago = DAY - timedelta(days=90)

    assert act(acme, exposure.sales_of, [one], long_ago) == Decimal(20)
    assert act(acme, exposure.sales_of, [one, other], DAY) == Decimal(20)
    assert act(acme, exposure.all_sales, long_ago) == Decimal(30)
    product = dict(rows(acme, "SELECT id, product_id FROM variants"))
    assert act(acme, exposure.sales_by_product, DAY) == {product[one]: Decimal(20)}
    assert act(acme, exposure.sales_by_product, long_ago) == {
        product[one]: Decimal(20),
        product[other]: Decimal(10),
    }
    for shop_id in (None, acme.shop_id):
        assert act(rival, exposure.sales_by_product, long_ago, shop_id=shop_id) == {}
        assert act(rival, exposure.all_sales, long_ago, shop_id=shop_id) == 0
        assert act(rival, exposure.sales_of, [one], long_ago, shop_id=shop_id) == 0


def test_a_price_that_waits_to_be_written_is_under_change_in_its_shop_only(acme, rival):
    variant_id = make_variant(acme)
    number = make_suggestion(acme, variant_id, state="accepted")
    with transaction(acme.shop_id) as conn:
        price_changes.add(
            conn, acme.shop_id, suggestion_id=number, undo_of=None, product_id=1, variant_id=variant_id,
            old=(Decimal(24), None), new=(Decimal(26), None), currency="GBP", click_key="k", approved_by="42",
        )  # fmt: skip

    for read in (exposure.variants_under_change, exposure.variants_being_written):
        assert act(acme, read) == [variant_id]
        assert act(rival, read) == act(rival, read, shop_id=acme.shop_id) == []


def test_sales_are_told_before_the_tax_that_the_newest_run_found_in_prices(acme, rival):
    one, other = sold(acme)
    long_ago = DAY - timedelta(days=90)
    act(acme, tax_rates.keep, [(one, Decimal("0.25"), "own"), (10**9, Decimal("0.25"), "own")])

    assert act(acme, exposure.sales_of, [one, other], long_ago) == Decimal(26)  # 20 / 1.25 + 10
    assert act(acme, exposure.all_sales, long_ago) == Decimal(26)
    assert sum(act(acme, exposure.sales_by_product, long_ago).values()) == Decimal(26)
    act(acme, tax_rates.keep, [(one, Decimal("0.6"), "own")])
    assert act(acme, exposure.sales_of, [one], long_ago) == Decimal("12.5")
    assert rows(rival, "SELECT * FROM tax_rates") == []
