"""Which tax is in a shelf price, by variant (table `tax_rates`): a run finds it, limits hold by it. Every query names its shop."""

from collections.abc import Iterable
from decimal import Decimal

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection


def keep(conn: Connection, shop_id: int, found: Iterable[tuple[int, Decimal, str]]) -> None:
    """Keep (variant, rate, where it is known from) as a run found them; what is the same already is not written."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO tax_rates AS t (shop_id, variant_id, tax_rate, tax_from)
            SELECT f.shop_id, f.variant_id, f.tax_rate, f.tax_from
              FROM (VALUES %s) AS f (shop_id, variant_id, tax_rate, tax_from)
              JOIN variants v ON v.shop_id = f.shop_id AND v.id = f.variant_id
                ON CONFLICT (shop_id, variant_id)
                DO UPDATE SET tax_rate = excluded.tax_rate, tax_from = excluded.tax_from
             WHERE (t.tax_rate, t.tax_from) IS DISTINCT FROM (excluded.tax_rate, excluded.tax_from)
            """,
            [(shop_id, variant, rate, known_from) for variant, rate, known_from in found],
            template="(%s::bigint, %s::bigint, %s::numeric(9, 5), %s::text)",
            page_size=1000,
        )
