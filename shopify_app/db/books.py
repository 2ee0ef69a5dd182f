"""The shop's books: sums over its sales by day, currency and variant (`book_sales`, migration 0023).

Sales are Shopify's own rows where an order's ledger was read, and derived from its lines elsewhere.
What each sum is of: Shopify's sales reports, in its own words. Every query names its shop.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shopify_app.db.connection import Connection, no_nested_loops, rows_as


@dataclass(frozen=True, slots=True)
class BookDay:
    """A shop's day in one currency; all money without tax but `taxes`, `total`, `tips` and `unknown`."""

    day: date
    currency: str
    orders: int
    units: int
    """Ordered, before what came back; neither by an exchange nor by an edit."""
    returned_units: int
    gross: Decimal
    """Goods before discounts."""
    discounts: Decimal
    """Taken off; above nothing."""
    refunds: Decimal
    """Goods taken back, and money beside them; above nothing."""
    taxes: Decimal
    shipping: Decimal
    """Less what was given back of it. So are fees and duties."""
    fees: Decimal
    duties: Decimal
    total: Decimal
    tips: Decimal
    gift_cards: Decimal
    """Sold: a debt to who holds them, in no other sum here."""
    unknown: Decimal
    """Of kinds that we do not know; in `total`."""
    derived_orders: int
    """Orders whose sales of this day are derived from their lines."""


def by_day(
    conn: Connection, shop_id: int, *, since: date | None, until: date | None
) -> list[BookDay]:
    """A row a day and currency, both ends included."""
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            SELECT happened_on AS day, currency,
                   (count(DISTINCT order_id) FILTER (WHERE is_ordered))::int AS orders,
                   coalesce(sum(quantity) FILTER (WHERE is_ordered), 0)::bigint AS units,
                   coalesce(-sum(quantity) FILTER (WHERE line_type = 'PRODUCT' AND action = 'RETURN'), 0)::bigint AS returned_units,
                   coalesce(sum(total - tax + discount) FILTER (WHERE is_gross), 0) AS gross,
                   coalesce(sum(discount) FILTER (WHERE is_gross), 0) AS discounts,
                   coalesce(-sum(total - tax) FILTER (WHERE line_type = 'ADJUSTMENT' OR (line_type = 'PRODUCT' AND action = 'RETURN')), 0) AS refunds,
                   coalesce(sum(tax) FILTER (WHERE is_sale), 0) AS taxes,
                   coalesce(sum(total - tax) FILTER (WHERE line_type = 'SHIPPING'), 0) AS shipping,
                   coalesce(sum(total - tax) FILTER (WHERE line_type IN ('FEE', 'ADDITIONAL_FEE')), 0) AS fees,
                   coalesce(sum(total - tax) FILTER (WHERE line_type = 'DUTY'), 0) AS duties,
                   coalesce(sum(total) FILTER (WHERE is_sale), 0) AS total,
                   coalesce(sum(total) FILTER (WHERE line_type = 'TIP'), 0) AS tips,
                   coalesce(sum(total - tax) FILTER (WHERE line_type = 'GIFT_CARD'), 0) AS gift_cards,
                   coalesce(sum(total) FILTER (WHERE line_type = 'UNKNOWN' OR action = 'UNKNOWN'), 0) AS unknown,
                   (count(DISTINCT order_id) FILTER (WHERE NOT is_exact))::int AS derived_orders
              FROM book_sales(%(shop_id)s, NULL)
             CROSS JOIN LATERAL (
                   SELECT line_type = 'PRODUCT' AND action IN ('ORDER', 'UPDATE') AS is_gross,
                          line_type = 'PRODUCT' AND action = 'ORDER' AND reason NOT IN ('RETURN', 'ORDER_EDIT') AS is_ordered,
                          line_type NOT IN ('GIFT_CARD', 'TIP') AS is_sale) k
             WHERE (%(since)s::date IS NULL OR happened_on >= %(since)s) AND (%(until)s::date IS NULL OR happened_on <= %(until)s)
             GROUP BY happened_on, currency
             ORDER BY happened_on, currency
            """,
            {"shop_id": shop_id, "since": since, "until": until},
        )
        return rows_as(BookDay, cur)


@dataclass(frozen=True, slots=True)
class BookLine:
    """What a day brought of one variant in one currency; None: goods of no variant."""

    day: date
    currency: str
    variant_id: int | None
    product_id: int | None
    units: int
    returned_units: int
    gross: Decimal
    discounts: Decimal
    refunds: Decimal
    """Without money given back beside lines, which is of no variant."""
    taxes: Decimal


def by_variant(
    conn: Connection, shop_id: int, *, since: date | None, until: date | None
) -> list[BookLine]:
    """A row a day, currency and variant that goods were sold of or came back."""
    with no_nested_loops(conn), conn.cursor() as cur:
        cur.execute(
            """
            SELECT happened_on AS day, currency, variant_id, max(product_id) AS product_id,
                   coalesce(sum(quantity) FILTER (WHERE action = 'ORDER' AND reason NOT IN ('RETURN', 'ORDER_EDIT')), 0)::bigint AS units,
                   coalesce(-sum(quantity) FILTER (WHERE action = 'RETURN'), 0)::bigint AS returned_units,
                   coalesce(sum(total - tax + discount) FILTER (WHERE action IN ('ORDER', 'UPDATE')), 0) AS gross,
                   coalesce(sum(discount) FILTER (WHERE action IN ('ORDER', 'UPDATE')), 0) AS discounts,
                   coalesce(-sum(total - tax) FILTER (WHERE action = 'RETURN'), 0) AS refunds,
                   coalesce(sum(tax), 0) AS taxes
              FROM book_sales(%(shop_id)s, NULL)
             WHERE line_type = 'PRODUCT'
               AND (%(since)s::date IS NULL OR happened_on >= %(since)s) AND (%(until)s::date IS NULL OR happened_on <= %(until)s)
             GROUP BY happened_on, currency, variant_id
             ORDER BY happened_on, currency, variant_id
            """,
            {"shop_id": shop_id, "since": since, "until": until},
        )
        return rows_as(BookLine, cur)
