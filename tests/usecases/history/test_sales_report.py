"""Our net sales beside the shop's own report: equal to the cent, or the gap is said in money; nothing without the scope."""

from decimal import Decimal

from shopify_app.db import sales_reports
from shopify_app.db.connection import transaction
from shopify_app.usecases.history import sales_report
from tests.factories import rows


def newest(shop):
    with transaction(shop.shop_id) as conn:
        return sales_reports.newest(conn, shop.shop_id)


def test_the_last_thirty_days_equal_shopifys_report_until_an_order_is_lost(world, home, rival):
    shop = home
    world.control("scopes", grant=["read_reports"])
    world.deliver()

    assert sales_report.compare_shop(world.shop()) == 0
    found = newest(shop)
    assert found.gap == 0
    assert found.their_net > 0
    assert (found.last_on - found.first_on).days == 29

    ((order_id, net),) = rows(
        shop,
        "SELECT o.id, sum(l.unit_price * l.quantity - l.discount) FROM orders o JOIN order_lines l ON l.order_id = o.id"
        " WHERE o.processed_on = current_date - 5 AND o.cancelled_at IS NULL AND NOT o.is_test GROUP BY o.id"
        " HAVING sum(l.unit_price * l.quantity - l.discount) > 0 ORDER BY o.id LIMIT 1",
    )
    rows(shop, f"UPDATE orders SET deleted_at = now() WHERE id = {order_id} RETURNING 1")

    assert sales_report.compare_shop(world.shop()) == 1
    lost = newest(shop)
    assert lost.days_apart == 1
    assert Decimal(0) > lost.gap >= -net
    assert newest(rival) is None

    world.control("scopes", revoke=["read_reports"])
    world.deliver()
    assert sales_report.compare_shop(world.shop()) == 0
    assert newest(shop) is None
