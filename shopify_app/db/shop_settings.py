"""What a merchant chose (tables `shop_settings`, `vendor_lead_times`). Every query names its shop."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Final

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, row_as, rows_as
from shopify_app.domain.shop import ShopSettings, VendorLeadTime

DEFAULTS: Final = ShopSettings(
    language="auto",
    timezone=None,
    lead_time_days=14,
    review_period_days=28,
    cycle_service_level=Decimal("0.950"),
    holding_cost_per_year=Decimal("0.300"),
    margin_floor=Decimal("0.200"),
    max_price_step=Decimal("0.100"),
    price_ending="keep",
    prices_frozen_first=None,
    prices_frozen_last=None,
)
"""What the table gives a new row; a test holds the two together."""


def make(conn: Connection, shop_id: int) -> None:
    """Give the shop a row of defaults, unless it has one."""
    with conn.cursor() as cur:
        cur.execute(
            "INSERT INTO shop_settings (shop_id) VALUES (%(shop_id)s) ON CONFLICT DO NOTHING",
            {"shop_id": shop_id},
        )


def of_shop(conn: Connection, shop_id: int) -> ShopSettings:
    """The shop's settings; the defaults where it has none yet (a read writes nothing)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT language, timezone, lead_time_days, review_period_days, cycle_service_level, holding_cost_per_year,
                   margin_floor, max_price_step, price_ending, prices_frozen_first, prices_frozen_last
              FROM shop_settings
             WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id},
        )
        return row_as(ShopSettings, cur) or DEFAULTS


def save(conn: Connection, shop_id: int, chosen: ShopSettings) -> None:
    """Replace the shop's settings (`make` has made its row)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shop_settings
               SET language = %(language)s, timezone = %(timezone)s, lead_time_days = %(lead_time_days)s,
                   review_period_days = %(review_period_days)s, cycle_service_level = %(cycle_service_level)s,
                   holding_cost_per_year = %(holding_cost_per_year)s, margin_floor = %(margin_floor)s,
                   max_price_step = %(max_price_step)s, price_ending = %(price_ending)s,
                   prices_frozen_first = %(prices_frozen_first)s, prices_frozen_last = %(prices_frozen_last)s,
                   updated_at = shop_now()
             WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id, **asdict(chosen)},
        )


def vendor_lead_times(conn: Connection, shop_id: int) -> list[VendorLeadTime]:
    """What the merchant told us of vendors, by name."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT vendor, lead_time_days, pack_units, minimum_units, order_minimum, order_minimum_in, lead_time_is_fixed
              FROM vendor_lead_times
             WHERE shop_id = %(shop_id)s
             ORDER BY vendor
            """,
            {"shop_id": shop_id},
        )
        return rows_as(VendorLeadTime, cur)


def vendors_without_products(conn: Connection, shop_id: int, vendors: Sequence[str]) -> list[str]:
    """Of these vendors, and of those that the merchant told us of, the ones that the shop has no product of."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT t.vendor
              FROM (SELECT unnest(%(vendors)s::text[])
                     UNION
                    SELECT vendor FROM vendor_lead_times WHERE shop_id = %(shop_id)s) AS t (vendor)
             WHERE NOT EXISTS (SELECT FROM products p WHERE p.shop_id = %(shop_id)s AND p.vendor = t.vendor)
             ORDER BY t.vendor
            """,
            {"shop_id": shop_id, "vendors": list(vendors)},
        )
        return [row[0] for row in cur.fetchall()]


def forget_vendor_lead_times(conn: Connection, shop_id: int, vendors: Sequence[str]) -> int:
    """Let these vendors go back to the shop's default; how many had something of their own."""
    with conn.cursor() as cur:
        cur.execute(
            "DELETE FROM vendor_lead_times WHERE shop_id = %(shop_id)s AND vendor = ANY (%(vendors)s)",
            {"shop_id": shop_id, "vendors": list(vendors)},
        )
        return cur.rowcount


def save_vendor_lead_times(
    conn: Connection, shop_id: int, vendors: Sequence[VendorLeadTime]
) -> None:
    """Replace what the merchant told us of these vendors; others stay."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO vendor_lead_times (shop_id, vendor, lead_time_days, pack_units, minimum_units, order_minimum,
                                           order_minimum_in, lead_time_is_fixed) VALUES %s
                ON CONFLICT (shop_id, vendor) DO UPDATE
               SET lead_time_days = excluded.lead_time_days, pack_units = excluded.pack_units,
                   minimum_units = excluded.minimum_units, order_minimum = excluded.order_minimum,
                   order_minimum_in = excluded.order_minimum_in,
                   lead_time_is_fixed = excluded.lead_time_is_fixed
            """,
            [
                (
                    shop_id,
                    v.vendor,
                    v.lead_time_days,
                    v.pack_units,
                    v.minimum_units,
                    v.order_minimum,
                    v.order_minimum_in,
                    v.lead_time_is_fixed,
                )
                for v in vendors
            ],
        )
