"""Lines a merchant put on the draft purchase order (table `purchase_order_lines`)."""

from datetime import date
from decimal import Decimal

from shopify_app.db.connection import Connection


def add_line(
    conn: Connection,
    shop_id: int,
    suggestion_id: int,
    variant_id: int,
    *,
    vendor: str | None,
    units: int,
    unit_cost: Decimal | None,
    currency: str,
    order_by: date,
    added_by: str,
) -> None:
    """Put an accepted restock on the draft order."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO purchase_order_lines (shop_id, suggestion_id, variant_id, vendor, units, unit_cost, currency, order_by, added_by)
            VALUES (%(shop_id)s, %(suggestion_id)s, %(variant_id)s, %(vendor)s, %(units)s, %(unit_cost)s, %(currency)s, %(order_by)s, %(added_by)s)
            """,
            {
                "shop_id": shop_id,
                "suggestion_id": suggestion_id,
                "variant_id": variant_id,
                "vendor": vendor,
                "units": units,
                "unit_cost": unit_cost,
                "currency": currency,
                "order_by": order_by,
                "added_by": added_by,
            },
        )


def withdraw(conn: Connection, shop_id: int, suggestion_id: int) -> bool:
    """Take a line off again; False if it was exported (it may be with the supplier) or is not there."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE purchase_order_lines SET withdrawn_at = now()
             WHERE shop_id = %(shop_id)s AND suggestion_id = %(suggestion_id)s
               AND withdrawn_at IS NULL AND exported_at IS NULL
            """,
            {"shop_id": shop_id, "suggestion_id": suggestion_id},
        )
        return cur.rowcount == 1


def ordered_units(conn: Connection, shop_id: int, since: date) -> dict[int, int]:
    """Units per variant put on order since a day and not withdrawn: they may not show in Shopify."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id, sum(units)
              FROM purchase_order_lines
             WHERE shop_id = %(shop_id)s AND withdrawn_at IS NULL AND added_at >= %(since)s
             GROUP BY variant_id
            """,
            {"shop_id": shop_id, "since": since},
        )
        return {int(row[0]): int(row[1]) for row in cur.fetchall()}


def on_draft(conn: Connection, shop_id: int) -> dict[str, tuple[int, Decimal]]:
    """Units and money by vendor on drafts not yet sent; a line without a cost counts no money."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(vendor, ''), sum(units), coalesce(sum(units * unit_cost), 0)
              FROM purchase_order_lines
             WHERE shop_id = %(shop_id)s AND withdrawn_at IS NULL AND exported_at IS NULL
             GROUP BY 1
            """,
            {"shop_id": shop_id},
        )
        return {str(row[0]): (int(row[1]), row[2]) for row in cur.fetchall()}
