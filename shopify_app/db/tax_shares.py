"""What of a shelf price is tax, by variant (table `tax_shares`): a run finds it, limits hold by it. Every query names its shop."""

from collections.abc import Iterable
from decimal import Decimal

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection


def keep(conn: Connection, shop_id: int, found: Iterable[tuple[int, Decimal, str]]) -> None:
    """Keep (variant, share, where it is known from) as a run found them; what is the same already is not written."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO tax_shares AS t (shop_id, variant_id, tax_share, tax_from)
            SELECT f.shop_id, f.variant_id, f.tax_share, f.tax_from
              FROM (VALUES %s) AS f (shop_id, variant_id, tax_share, tax_from)
              JOIN variants v ON v.shop_id = f.shop_id AND v.id = f.variant_id
                ON CONFLICT (shop_id, variant_id)
                DO UPDATE SET tax_share = excluded.tax_share, tax_from = excluded.tax_from
             WHERE (t.tax_share, t.tax_from) IS DISTINCT FROM (excluded.tax_share, excluded.tax_from)
            """,
            [(shop_id, variant, share, known_from) for variant, share, known_from in found],
            template="(%s::bigint, %s::bigint, %s::numeric(7, 6), %s::text)",
            page_size=1000,
        )
