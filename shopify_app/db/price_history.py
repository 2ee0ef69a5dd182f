"""What variants have cost, from the first import on (table `price_history`), and prices that markets hold fast.

Every query names its shop. A spell is a stretch of time at one price, with the compare-at price beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, one_value, rows_as


@dataclass(frozen=True, slots=True)
class PriceSpell:
    """A stretch of time at one price; `until` None: it lasts. `source`: import, merchant, app."""

    price: Decimal
    compare_at_price: Decimal | None
    since: datetime
    until: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """A price that a market's list holds fast, in the list's own currency."""

    variant_id: int
    price_list_id: int
    name: str
    currency: str
    price: Decimal
    compare_at_price: Decimal | None


def spells(conn: Connection, shop_id: int, variant_id: int, *, limit: int = 50) -> list[PriceSpell]:
    """A variant's price spells, the newest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT price, compare_at_price, seen_at AS since, lead(seen_at) OVER (ORDER BY seen_at, id) AS until, source
              FROM price_history
             WHERE shop_id = %(shop_id)s AND variant_id = %(variant_id)s
             ORDER BY seen_at DESC, id DESC
             LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "variant_id": variant_id, "limit": limit},
        )
        return rows_as(PriceSpell, cur)


def lowest_price(
    conn: Connection, shop_id: int, variant_id: int, *, before: datetime, days: int = 30
) -> Decimal | None:
    """The lowest price of the days before a moment (EU: the prior price a reduction must name).

    The price that stood when the days began counts too. None where we have not seen the whole
    stretch: a prior price is never guessed. Source: Directive 98/6/EC, article 6a.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            WITH spells AS (
                SELECT price, seen_at, lead(seen_at, 1, 'infinity') OVER (ORDER BY seen_at, id) AS until
                  FROM price_history
                 WHERE shop_id = %(shop_id)s AND variant_id = %(variant_id)s)
            SELECT CASE WHEN min(seen_at) <= %(before)s - make_interval(days => %(days)s) THEN min(price) END
              FROM spells
             WHERE seen_at < %(before)s AND until > %(before)s - make_interval(days => %(days)s)
            """,
            {"shop_id": shop_id, "variant_id": variant_id, "before": before, "days": days},
        )
        return one_value(cur)


def edited_since_approved(conn: Connection, shop_id: int, change_ids: Sequence[int]) -> set[int]:
    """Of these writes, those whose price the merchant has changed since they were approved.

    Also where it reads as before again: the last word about the price was the merchant's.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.id FROM price_changes c
             WHERE c.shop_id = %(shop_id)s AND c.id = ANY (%(ids)s)
               AND EXISTS (SELECT FROM price_history h
                            WHERE h.shop_id = c.shop_id AND h.variant_id = c.variant_id AND h.source = 'merchant'
                              AND h.recorded_at > c.approved_at)
            """,
            {"shop_id": shop_id, "ids": list(change_ids)},
        )
        return {int(row[0]) for row in cur.fetchall()}


def replace_fixed_prices(
    conn: Connection, shop_id: int, found: Sequence[FixedPrice], *, price_lists: int
) -> int:
    """Make these the shop's fixed prices, of variants we know; how many were kept."""
    with conn.cursor() as cur:
        cur.execute("DELETE FROM fixed_prices WHERE shop_id = %(shop_id)s", {"shop_id": shop_id})
        kept = (
            execute_values(
                cur,
                """
            INSERT INTO fixed_prices (shop_id, variant_id, price_list_id, name, currency, price, compare_at_price)
            SELECT n.* FROM (VALUES %s) AS n (shop_id, variant_id, price_list_id, name, currency, price, compare_at_price)
              JOIN variants v ON (v.shop_id, v.id) = (n.shop_id, n.variant_id)
                ON CONFLICT DO NOTHING
            RETURNING variant_id
            """,
                [
                    (
                        shop_id,
                        f.variant_id,
                        f.price_list_id,
                        f.name,
                        f.currency,
                        f.price,
                        f.compare_at_price,
                    )
                    for f in found
                ],
                template="(%s::bigint, %s::bigint, %s::bigint, %s, %s, %s::numeric, %s::numeric)",
                page_size=1_000,
                fetch=True,
            )
            if found
            else []
        )
        cur.execute(
            """
            INSERT INTO market_reads (shop_id, read_at, price_lists, fixed_prices)
            VALUES (%(shop_id)s, shop_now(), %(lists)s, %(prices)s)
                ON CONFLICT (shop_id) DO UPDATE
               SET read_at = excluded.read_at, price_lists = excluded.price_lists, fixed_prices = excluded.fixed_prices
            """,
            {"shop_id": shop_id, "lists": price_lists, "prices": len(kept)},
        )
    return len(kept)


def fixed_prices(
    conn: Connection, shop_id: int, variant_ids: Sequence[int]
) -> dict[int, list[FixedPrice]]:
    """Fixed prices of these variants: variant id -> one a list, by name."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id, price_list_id, name, currency, price, compare_at_price
              FROM fixed_prices
             WHERE shop_id = %(shop_id)s AND variant_id = ANY (%(ids)s)
             ORDER BY variant_id, name
            """,
            {"shop_id": shop_id, "ids": list(variant_ids)},
        )
        found: dict[int, list[FixedPrice]] = {}
        for one in rows_as(FixedPrice, cur):
            found.setdefault(one.variant_id, []).append(one)
        return found


def markets_read_at(conn: Connection, shop_id: int) -> datetime | None:
    """When the markets' price lists were last read; None: never (the scope is not granted)."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT read_at FROM market_reads WHERE shop_id = %(shop_id)s", {"shop_id": shop_id}
        )
        return one_value(cur)
