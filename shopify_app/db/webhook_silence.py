"""When a shop's orders last changed, and when a webhook last said so: the two sides of a silence check."""

from datetime import datetime

from shopify_app.db.connection import Connection, one_value


def last_order_news(conn: Connection) -> dict[str, datetime]:
    """Domain -> when the newest order webhook that came was triggered (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT shop_domain, max(coalesce(triggered_at, received_at))
              FROM webhook_inbox
             WHERE topic LIKE 'orders/%%'
             GROUP BY shop_domain
            """,
            {},
        )
        return dict(cur.fetchall())


def newest_order_change(conn: Connection, shop_id: int) -> datetime | None:
    """When an order of this shop last changed, by Shopify's stamp; None without orders."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT max(updated_at) FROM orders WHERE shop_id = %(shop_id)s", {"shop_id": shop_id}
        )
        found: datetime | None = one_value(cur)
        return found
