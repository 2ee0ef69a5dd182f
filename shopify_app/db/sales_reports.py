"""Shopify's own figures beside ours (table `sales_reports`, a row a shop). Every query names its shop."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from shopify_app.db.connection import Connection, row_as


@dataclass(frozen=True, slots=True)
class SalesReport:
    """Net sales of some days, as we count them and as Shopify does."""

    first_on: date
    last_on: date
    currency: str
    our_net: Decimal
    their_net: Decimal
    days_apart: int
    compared_at: datetime

    @property
    def gap(self) -> Decimal:
        """What we say more than Shopify."""
        return self.our_net - self.their_net


def keep(conn: Connection, shop_id: int, report: SalesReport) -> None:
    """Keep the newest."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO sales_reports AS r (shop_id, first_on, last_on, currency, our_net, their_net, days_apart, compared_at)
            VALUES (%(shop_id)s, %(first_on)s, %(last_on)s, %(currency)s, %(our_net)s, %(their_net)s, %(days_apart)s, %(compared_at)s)
                ON CONFLICT (shop_id) DO UPDATE
               SET first_on = excluded.first_on, last_on = excluded.last_on, currency = excluded.currency,
                   our_net = excluded.our_net, their_net = excluded.their_net, days_apart = excluded.days_apart,
                   compared_at = excluded.compared_at
            """,
            {"shop_id": shop_id, **asdict(report)},
        )


def newest(conn: Connection, shop_id: int) -> SalesReport | None:
    """The newest; None before the first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT first_on, last_on, currency, our_net, their_net, days_apart, compared_at
              FROM sales_reports WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id},
        )
        return row_as(SalesReport, cur)


def forget(conn: Connection, shop_id: int) -> None:
    """The scope was taken away: the comparison says nothing any more."""
    with conn.cursor() as cur:
        cur.execute("DELETE FROM sales_reports WHERE shop_id = %(shop_id)s", {"shop_id": shop_id})
