"""After a change of time zone everything stands on its day there; the rival's days stay."""

from datetime import UTC, date, datetime

from shopify_app.db import local_days, orders, refunds
from shopify_app.db.connection import transaction
from tests.factories import line_of, order_of, refund_of, rows

LATE = datetime(2026, 8, 1, 20, tzinfo=UTC)
DAYS = "SELECT (SELECT processed_on FROM orders), (SELECT processed_on FROM refunds)"


def put(shop):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, [order_of(1, line_of(1), at=LATE)])
        refunds.upsert_many(conn, shop.shop_id, shop.zone, [refund_of(5, 1, 1, at=LATE)])


def move_to(shop, zone):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET timezone = %s WHERE shop_id = %s", (zone, shop.shop_id))
        return local_days.move(conn, shop.shop_id)


def test_orders_and_refunds_stand_on_their_day_in_the_new_zone(acme):
    put(acme)

    assert move_to(acme, "Asia/Tokyo") == 2
    assert rows(acme, DAYS) == [(date(2026, 8, 2), date(2026, 8, 2))]
    assert move_to(acme, "Asia/Tokyo") == 0


def test_the_rivals_days_stay(acme, rival):
    put(rival)
    with transaction(acme.shop_id) as conn:
        assert local_days.move(conn, rival.shop_id) == 0
        assert local_days.count_orders(conn, rival.shop_id, limit=9) == 0

    assert rows(rival, DAYS) == [(date(2026, 8, 2), date(2026, 8, 2))]
