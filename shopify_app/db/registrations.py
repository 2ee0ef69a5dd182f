"""Decisions registered before they are written, and their verdicts (tables `registrations`, `verdicts`).

Every query names its shop.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from psycopg2.extras import Json, execute_values

from shopify_app.db.connection import Connection, one_value, rows_as
from shopify_app.db.json_documents import column
from shopify_app.domain.outcome import LedgerLine, NewRegistration, NewVerdict, RegistrationRow


def add(conn: Connection, shop_id: int, found: Sequence[NewRegistration]) -> int:
    """Register decisions; one that is registered already stays as it was. How many were new."""
    if not found:
        return 0
    with conn.cursor() as cur:
        new = execute_values(
            cur,
            """
            INSERT INTO registrations (shop_id, suggestion_id, variant_id, kind, is_held_back, state, metric,
                                       not_measurable_because, first_on, stop_on, record, evidence, risk) VALUES %s
                ON CONFLICT (shop_id, suggestion_id) DO NOTHING
            RETURNING id
            """,
            [
                (
                    shop_id,
                    r.suggestion_id,
                    r.variant_id,
                    r.kind.value,
                    r.is_held_back,
                    r.state.value,
                    r.metric,
                    r.not_measurable_because,
                    r.first_on,
                    r.stop_on,
                    None if r.record is None else Json(r.record),
                    column(r.evidence),
                    r.risk,
                )
                for r in found
            ],
            fetch=True,
        )
    return len(new)


def make_void(conn: Connection, shop_id: int, suggestion_id: int) -> None:
    """Nothing was written: there is nothing to judge."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE registrations SET state = 'void'
             WHERE shop_id = %(shop_id)s AND suggestion_id = %(id)s AND state IN ('measuring', 'not_measured')
            """,
            {"shop_id": shop_id, "id": suggestion_id},
        )


def void_unwritten(conn: Connection, shop_id: int) -> int:
    """Make void what never was in the store (refused, in conflict, withdrawn, ended by an uninstall); how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE registrations r SET state = 'void'
             WHERE r.shop_id = %(shop_id)s AND r.state = 'measuring' AND NOT r.is_held_back
               AND NOT EXISTS (SELECT FROM price_changes c
                                WHERE c.shop_id = r.shop_id AND c.suggestion_id = r.suggestion_id
                                  AND (c.state IN ('approved', 'sending', 'applied') OR c.state = 'undone' AND c.sent_at IS NOT NULL))
            """,
            {"shop_id": shop_id},
        )
        return cur.rowcount


def mark_ended(
    conn: Connection, shop_id: int, suggestion_id: int, *, on: date, because: str
) -> None:
    """The decision holds no more from a day on; what it did in its window until then is still judged."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE registrations
               SET ended_on = %(on)s, ended_because = %(because)s,
                   state = CASE WHEN first_on < %(on)s THEN state ELSE 'not_measured' END,
                   not_measurable_because = CASE WHEN first_on < %(on)s THEN not_measurable_because ELSE 'ended_early' END
             WHERE shop_id = %(shop_id)s AND suggestion_id = %(id)s AND state = 'measuring' AND ended_on IS NULL
            """,
            {"shop_id": shop_id, "id": suggestion_id, "on": on, "because": because},
        )


def mark_edited(conn: Connection, shop_id: int, timezone: str) -> int:
    """End the window of decisions whose price the merchant has changed since; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE registrations r
               SET ended_on = e.edited_on, ended_because = 'edited',
                   state = CASE WHEN r.first_on < e.edited_on THEN r.state ELSE 'not_measured' END,
                   not_measurable_because = CASE WHEN r.first_on < e.edited_on THEN r.not_measurable_because ELSE 'ended_early' END
              FROM (SELECT r.id, (min(h.seen_at) AT TIME ZONE %(timezone)s)::date AS edited_on
                      FROM registrations r
                      JOIN price_history h ON h.shop_id = r.shop_id AND h.variant_id = r.variant_id
                                          AND h.source = 'merchant' AND h.recorded_at > r.registered_at
                     WHERE r.shop_id = %(shop_id)s AND r.state = 'measuring' AND r.ended_on IS NULL
                     GROUP BY r.id) e
             WHERE r.shop_id = %(shop_id)s AND r.id = e.id
            """,
            {"shop_id": shop_id, "timezone": timezone},
        )
        return cur.rowcount


def measured(conn: Connection, shop_id: int) -> list[RegistrationRow]:
    """Every registration that is being measured or was judged, the oldest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, suggestion_id, variant_id, kind, is_held_back, state, first_on, stop_on, record, evidence, risk,
                   registered_at, ended_on
              FROM registrations
             WHERE shop_id = %(shop_id)s AND state IN ('measuring', 'judged')
             ORDER BY id
            """,
            {"shop_id": shop_id},
        )
        return rows_as(RegistrationRow, cur)


def under_change(conn: Connection, shop_id: int, since: date) -> list[int]:
    """Variants that are never compared with: measured now, or repriced by anyone since a day."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id FROM registrations
             WHERE shop_id = %(shop_id)s AND state = 'measuring'
             UNION
            SELECT variant_id FROM price_history
             WHERE shop_id = %(shop_id)s AND source <> 'import' AND seen_at >= %(since)s
             UNION
            SELECT variant_id FROM price_changes
             WHERE shop_id = %(shop_id)s AND state IN ('approved', 'sending')
             ORDER BY 1
            """,
            {"shop_id": shop_id, "since": since},
        )
        return [int(row[0]) for row in cur.fetchall()]


def repriced_since(conn: Connection, shop_id: int, since: date) -> list[int]:
    """Variants whose price anyone has changed since a day: they leave the comparison."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT variant_id FROM price_history
             WHERE shop_id = %(shop_id)s AND source <> 'import' AND seen_at >= %(since)s
             ORDER BY 1
            """,
            {"shop_id": shop_id, "since": since},
        )
        return [int(row[0]) for row in cur.fetchall()]


def open_risk(conn: Connection, shop_id: int) -> Decimal:
    """What decisions that are done and being measured may still lose at the low end."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT coalesce(sum(risk), 0) FROM registrations
             WHERE shop_id = %(shop_id)s AND state = 'measuring' AND NOT is_held_back AND ended_on IS NULL
            """,
            {"shop_id": shop_id},
        )
        return Decimal(one_value(cur))


def add_verdicts(
    conn: Connection, shop_id: int, found: Sequence[NewVerdict], *, currency: str, as_of: date
) -> int:
    """Keep verdicts and close their registrations, each once; how many were new."""
    if not found:
        return 0
    with conn.cursor() as cur:
        new = execute_values(
            cur,
            """
            INSERT INTO verdicts (shop_id, registration_id, outcome, profit, profit_low, profit_high, currency, record, as_of)
            VALUES %s
                ON CONFLICT (shop_id, registration_id) DO NOTHING
            RETURNING registration_id
            """,
            [
                (
                    shop_id,
                    v.registration_id,
                    v.outcome.value,
                    v.profit,
                    v.profit_low,
                    v.profit_high,
                    currency,
                    Json(v.record),
                    as_of,
                )
                for v in found
            ],
            fetch=True,
        )
        cur.execute(
            """
            UPDATE registrations SET state = 'judged'
             WHERE shop_id = %(shop_id)s AND state = 'measuring' AND id = ANY (%(ids)s)
            """,
            {"shop_id": shop_id, "ids": [v.registration_id for v in found]},
        )
    return len(new)


def ledger_lines(conn: Connection, shop_id: int, *, limit: int = 200) -> list[LedgerLine]:
    """Registered decisions that took effect or were held back, the newest first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT r.suggestion_id, r.kind, r.is_held_back, r.state, p.title AS product_title, v.title AS variant_title,
                   s.proposal, s.value_low, s.value_mid, s.value_high, s.currency, r.not_measurable_because, r.first_on,
                   r.stop_on, r.registered_at, r.ended_on, r.ended_because, s.state AS suggestion_state,
                   d.outcome, d.profit, d.profit_low, d.profit_high, d.judged_at
              FROM registrations r
              JOIN suggestions s ON (s.shop_id, s.id) = (r.shop_id, r.suggestion_id)
              JOIN variants v ON (v.shop_id, v.id) = (r.shop_id, r.variant_id)
              JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
              LEFT JOIN verdicts d ON (d.shop_id, d.registration_id) = (r.shop_id, r.id)
             WHERE r.shop_id = %(shop_id)s AND r.state <> 'void'
             ORDER BY r.registered_at DESC, r.id DESC
             LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "limit": limit},
        )
        return rows_as(LedgerLine, cur)
