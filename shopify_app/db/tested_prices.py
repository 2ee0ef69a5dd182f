"""The prices under price tests (table `tested_prices`) and their writes. Every query names its shop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shopify_app.db.connection import Connection, rows_as
from shopify_app.domain.price_test import LeftReason, PriceUnderTest


@dataclass(frozen=True, slots=True)
class PriceNow:
    """A variant on sale: what it costs, and whether its price is being changed or measured."""

    product_id: int
    variant_id: int
    price: Decimal
    compare_at_price: Decimal | None
    is_under_change: bool


def prices_now(conn: Connection, shop_id: int, product_ids: Sequence[int]) -> list[PriceNow]:
    """What the variants on sale of these products cost."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT v.product_id, v.id AS variant_id, v.price, v.compare_at_price,
                   EXISTS (SELECT FROM price_changes c
                            WHERE c.shop_id = v.shop_id AND c.variant_id = v.id AND c.state IN ('approved', 'sending'))
                   OR EXISTS (SELECT FROM registrations r
                               WHERE r.shop_id = v.shop_id AND r.variant_id = v.id AND r.state = 'measuring'
                                 AND r.ended_on IS NULL) AS is_under_change
              FROM variants v
             WHERE v.shop_id = %(shop_id)s AND v.product_id = ANY (%(products)s) AND v.deleted_at IS NULL
             ORDER BY 1, 2
            """,
            {"shop_id": shop_id, "products": list(product_ids)},
        )
        return rows_as(PriceNow, cur)


def add(conn: Connection, shop_id: int, test_id: int, product_ids: Sequence[int]) -> int:
    """Keep what every variant on sale of these products costs now: it is what is given back. How many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO tested_prices (shop_id, test_id, product_id, variant_id, regular_price, regular_compare_at_price)
            SELECT v.shop_id, %(id)s, v.product_id, v.id, v.price, v.compare_at_price
              FROM variants v
             WHERE v.shop_id = %(shop_id)s AND v.product_id = ANY (%(products)s) AND v.deleted_at IS NULL AND v.price > 0
            """,
            {"shop_id": shop_id, "id": test_id, "products": list(product_ids)},
        )
        return cur.rowcount


def of_test(conn: Connection, shop_id: int, test_id: int) -> list[PriceUnderTest]:
    """The variants under a test with its newest write of each, by product."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT t.product_id, t.variant_id, p.title AS product_title, v.title AS variant_title, t.regular_price,
                   t.regular_compare_at_price, t.left_because, t.returned_at, v.deleted_at IS NOT NULL AS is_gone,
                   EXISTS (SELECT FROM price_history h
                            WHERE h.shop_id = t.shop_id AND h.variant_id = t.variant_id AND h.source = 'merchant'
                              AND h.recorded_at > d.decided_at) AS was_edited,
                   coalesce(a.new_price, t.regular_price) AS written_price, c.state AS change_state, c.test_block AS change_block,
                   c.error_code AS change_error_code, c.sent_at AS change_sent_at
              FROM tested_prices t
              JOIN price_tests d ON (d.shop_id, d.id) = (t.shop_id, t.test_id)
              JOIN variants v ON (v.shop_id, v.id) = (t.shop_id, t.variant_id)
              JOIN products p ON (p.shop_id, p.id) = (t.shop_id, t.product_id)
              LEFT JOIN LATERAL (
                   SELECT state, test_block, error_code, sent_at FROM price_changes pc
                    WHERE pc.shop_id = t.shop_id AND pc.test_id = t.test_id AND pc.variant_id = t.variant_id
                    ORDER BY pc.id DESC LIMIT 1) c ON true
              LEFT JOIN LATERAL (
                   SELECT new_price FROM price_changes pc
                    WHERE pc.shop_id = t.shop_id AND pc.test_id = t.test_id AND pc.variant_id = t.variant_id
                      AND pc.state = 'applied'
                    ORDER BY pc.id DESC LIMIT 1) a ON true
             WHERE t.shop_id = %(shop_id)s AND t.test_id = %(id)s
             ORDER BY p.title, t.product_id, t.variant_id
            """,
            {"shop_id": shop_id, "id": test_id},
        )
        return rows_as(PriceUnderTest, cur)


def queue_writes(
    conn: Connection,
    shop_id: int,
    test_id: int,
    wanted: Mapping[int, Decimal],
    *,
    block: int | None,
    by: str,
) -> int:
    """Put the prices of a block (None: the regular ones) in the outbox, variant -> price; how many.

    A variant of which a write is under way is left out: ask again. The price compared with before the write is
    the one that the test wrote last, or the regular one.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO price_changes (shop_id, install_epoch, product_id, variant_id, old_price, old_compare_at_price, new_price,
                   new_compare_at_price, currency, click_key, approved_by, test_id, test_block)
            SELECT t.shop_id, s.install_epoch, t.product_id, t.variant_id, coalesce(a.new_price, t.regular_price),
                   t.regular_compare_at_price, w.price, t.regular_compare_at_price, d.currency,
                   format('test:%%s:%%s:%%s:%%s', t.test_id, t.variant_id, coalesce(%(block)s::text, 'back'), s.install_epoch),
                   %(by)s, t.test_id, %(block)s
              FROM unnest(%(variants)s::bigint[], %(prices)s::numeric[]) AS w (variant_id, price)
              JOIN tested_prices t ON (t.shop_id, t.test_id, t.variant_id) = (%(shop_id)s, %(id)s, w.variant_id)
              JOIN price_tests d ON (d.shop_id, d.id) = (t.shop_id, t.test_id)
              JOIN shops s ON s.shop_id = t.shop_id
              LEFT JOIN LATERAL (
                   SELECT new_price FROM price_changes pc
                    WHERE pc.shop_id = t.shop_id AND pc.test_id = t.test_id AND pc.variant_id = t.variant_id
                      AND pc.state = 'applied'
                    ORDER BY pc.id DESC LIMIT 1) a ON true
             WHERE t.left_at IS NULL AND t.returned_at IS NULL
                ON CONFLICT DO NOTHING
            """,
            {
                "shop_id": shop_id,
                "id": test_id,
                "variants": list(wanted),
                "prices": list(wanted.values()),
                "block": block,
                "by": by,
            },
        )
        return cur.rowcount


def withdraw_waiting(conn: Connection, shop_id: int, test_id: int) -> int:
    """Take back the prices of blocks that have not left; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes SET state = 'undone', finished_at = shop_now()
             WHERE shop_id = %(shop_id)s AND test_id = %(id)s AND test_block IS NOT NULL
               AND state = 'approved' AND sent_at IS NULL
            """,
            {"shop_id": shop_id, "id": test_id},
        )
        return cur.rowcount


def leave(
    conn: Connection, shop_id: int, test_id: int, variant_ids: Sequence[int], because: LeftReason
) -> int:
    """Let variants leave a test, their prices as they are; how many were still in it."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE tested_prices SET left_because = %(because)s, left_at = shop_now()
             WHERE shop_id = %(shop_id)s AND test_id = %(id)s AND variant_id = ANY (%(variants)s)
               AND left_at IS NULL AND returned_at IS NULL
            """,
            {
                "shop_id": shop_id,
                "id": test_id,
                "variants": list(variant_ids),
                "because": because.value,
            },
        )
        return cur.rowcount


def mark_returned(conn: Connection, shop_id: int, test_id: int, variant_ids: Sequence[int]) -> int:
    """Note that variants cost again what they did before; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE tested_prices SET returned_at = shop_now()
             WHERE shop_id = %(shop_id)s AND test_id = %(id)s AND variant_id = ANY (%(variants)s)
               AND left_at IS NULL AND returned_at IS NULL
            """,
            {"shop_id": shop_id, "id": test_id, "variants": list(variant_ids)},
        )
        return cur.rowcount


def variants_under_test(conn: Connection, shop_id: int) -> set[int]:
    """Variants whose price is the test's to set: nothing else changes it meanwhile."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT p.variant_id
              FROM tested_prices p JOIN price_tests t ON (t.shop_id, t.id) = (p.shop_id, p.test_id)
             WHERE p.shop_id = %(shop_id)s AND t.state IN ('running', 'returning')
               AND p.left_at IS NULL AND p.returned_at IS NULL
            """,
            {"shop_id": shop_id},
        )
        return {int(row[0]) for row in cur.fetchall()}


def switches(
    conn: Connection, shop_id: int, since: date, timezone: str
) -> list[tuple[int, date, bool]]:
    """(variant, day in the shop's zone, whether back to the regular price) of every price that a test set since a day."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id, (finished_at AT TIME ZONE %(zone)s)::date AS day, test_block IS NULL AS is_back
              FROM price_changes
             WHERE shop_id = %(shop_id)s AND test_id IS NOT NULL AND state = 'applied'
               AND finished_at >= %(since)s::date
             ORDER BY variant_id, finished_at, id
            """,
            {"shop_id": shop_id, "since": since, "zone": timezone},
        )
        return [(int(variant), day, bool(is_back)) for variant, day, is_back in cur.fetchall()]


def applied(
    conn: Connection, shop_id: int, test_id: int, timezone: str
) -> list[tuple[int, int, date, Decimal]]:
    """(product, variant, day in the shop's zone, price) of every price that a test set in the store, the oldest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT product_id, variant_id, (finished_at AT TIME ZONE %(zone)s)::date AS day, new_price
              FROM price_changes
             WHERE shop_id = %(shop_id)s AND test_id = %(id)s AND state = 'applied'
             ORDER BY finished_at, id
            """,
            {"shop_id": shop_id, "id": test_id, "zone": timezone},
        )
        return [(int(one[0]), int(one[1]), one[2], Decimal(one[3])) for one in cur.fetchall()]
