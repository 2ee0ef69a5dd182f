"""Shops (table `shops`). Looked up by domain or id; which road a caller may take is its role's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shopify_app.db.connection import Connection, row_as, rows_as
from shopify_app.domain.shop import Shop, ShopState


def by_domain(conn: Connection, domain: str) -> Shop | None:
    """The shop of a proved domain (sweeper: it is not known yet which shop this is)."""
    with conn.cursor() as cur:
        cur.execute("SELECT * FROM shops WHERE domain = %(domain)s", {"domain": domain})
        return row_as(Shop, cur)


def by_id(conn: Connection, shop_id: int) -> Shop | None:
    """One shop."""
    with conn.cursor() as cur:
        cur.execute("SELECT * FROM shops WHERE shop_id = %(shop_id)s", {"shop_id": shop_id})
        return row_as(Shop, cur)


def every(conn: Connection, *, states: Sequence[str] | None = None) -> list[Shop]:
    """All shops, or those in some states, by id (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT * FROM shops WHERE %(states)s::text[] IS NULL OR state = ANY (%(states)s) ORDER BY shop_id",
            {"states": states and list(states)},
        )
        return rows_as(Shop, cur)


def install(conn: Connection, domain: str, *, scopes: Sequence[str]) -> tuple[Shop, bool]:
    """A shop that can be worked for again, and whether it was just installed (sweeper).

    A new shop starts at epoch 1; one that comes back after an uninstall gets a new epoch, so
    that work of the old install cannot act on the new one.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT state FROM shops WHERE domain = %(domain)s FOR UPDATE
            """,
            {"domain": domain},
        )
        known = cur.fetchone()
        cur.execute(
            """
            INSERT INTO shops AS s (domain, granted_scopes) VALUES (%(domain)s, %(scopes)s)
                ON CONFLICT (domain) DO UPDATE
               SET install_epoch = s.install_epoch + (s.state = 'uninstalled')::int,
                   installed_at = CASE WHEN s.state = 'uninstalled' THEN now() ELSE s.installed_at END,
                   state = 'installed', uninstalled_at = NULL, granted_scopes = excluded.granted_scopes
            RETURNING *
            """,
            {"domain": domain, "scopes": sorted(scopes)},
        )
        shop = row_as(Shop, cur)
    assert shop is not None, "RETURNING gives a row"  # noqa: S101 -- for the type checker
    return shop, known is None or known[0] == ShopState.UNINSTALLED


def prove(conn: Connection, domain: str, *, at: datetime) -> None:
    """Shopify signed an ID token for this shop at `at`: it was installed then (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shops SET last_proved_at = greatest(last_proved_at, %(at)s) WHERE domain = %(domain)s
            """,
            {"domain": domain, "at": at},
        )


def set_facts(conn: Connection, shop_id: int, facts: dict[str, Any]) -> bool:
    """Keep what Shopify says of the shop (name, currency, time zone, ...); False if we know later facts."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shops
               SET shopify_id = %(shopify_id)s, name = %(name)s, currency = %(currency)s, timezone = %(timezone)s,
                   country = %(country)s, plan = %(plan)s, taxes_included = %(taxes_included)s,
                   facts_updated_at = %(facts_updated_at)s
             WHERE shop_id = %(shop_id)s AND coalesce(facts_updated_at <= %(facts_updated_at)s, true)
            """,
            {"shop_id": shop_id, **facts},
        )
        return cur.rowcount == 1


def set_state(conn: Connection, shop_id: int, state: ShopState) -> None:
    """needs_open, frozen, or installed again; an uninstalled shop stays so."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shops SET state = %(state)s
             WHERE shop_id = %(shop_id)s AND state <> 'uninstalled'
            """,
            {"shop_id": shop_id, "state": state.value},
        )


def set_scopes(conn: Connection, shop_id: int, scopes: Sequence[str]) -> None:
    """What the merchant grants now."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shops
               SET granted_scopes = %(scopes)s,
                   scopes_changed_at = CASE WHEN granted_scopes = %(scopes)s THEN scopes_changed_at ELSE now() END
             WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id, "scopes": sorted(scopes)},
        )


def is_unchanged(conn: Connection, shop: Shop) -> bool:
    """Whether no install and no proof of one came since a shop was read; none can until the transaction ends."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT install_epoch, last_proved_at FROM shops WHERE shop_id = %(shop_id)s FOR UPDATE",
            {"shop_id": shop.shop_id},
        )
        return cur.fetchone() == (shop.install_epoch, shop.last_proved_at)


def uninstall(conn: Connection, shop_id: int, *, triggered_at: datetime) -> bool:
    """Mark a shop uninstalled; False if the news is older than the present install, or its last proof."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shops SET state = 'uninstalled', uninstalled_at = now()
             WHERE shop_id = %(shop_id)s AND state <> 'uninstalled'
               AND greatest(installed_at, last_proved_at) < %(triggered_at)s
            """,
            {"shop_id": shop_id, "triggered_at": triggered_at},
        )
        return cur.rowcount == 1


def move_clock(conn: Connection, shop_id: int, *, at: datetime) -> bool:
    """Put a shop's clock to a moment, or leave it where it is there or past it; whether its day has changed."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shops s
               SET clock_ahead_seconds = greatest(s.clock_ahead_seconds, ceil(extract(epoch FROM %(at)s - now()))::int)
              FROM (SELECT shop_id, shop_now() AS moment FROM shops WHERE shop_id = %(shop_id)s FOR UPDATE) before
             WHERE s.shop_id = before.shop_id
            RETURNING (now() + make_interval(secs => s.clock_ahead_seconds)) AT TIME ZONE s.timezone,
                      before.moment AT TIME ZONE s.timezone
            """,
            {"shop_id": shop_id, "at": at},
        )
        row = cur.fetchone()
        return row is not None and row[0].date() != row[1].date()


def pause_writes(conn: Connection, shop_id: int, *, paused: bool) -> None:
    """The kill switch of a shop: no price leaves while it is on."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shops SET writes_paused_at = CASE WHEN %(paused)s THEN COALESCE(writes_paused_at, shop_now()) END
             WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id, "paused": paused},
        )


def thaw(conn: Connection, shop_id: int) -> bool:
    """A frozen shop that Shopify answers for again is installed; False if it was not frozen."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shops SET state = 'installed' WHERE shop_id = %(shop_id)s AND state = 'frozen'
            """,
            {"shop_id": shop_id},
        )
        return cur.rowcount == 1


def delete(conn: Connection, shop_id: int) -> None:
    """Remove a shop and, by cascade, every row of it (sweeper)."""
    with conn.cursor() as cur:
        cur.execute("DELETE FROM shops WHERE shop_id = %(shop_id)s", {"shop_id": shop_id})
