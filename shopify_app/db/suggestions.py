"""Suggestions (table `suggestions`), and the cards that pages show. Every query names its shop."""

from collections.abc import Sequence
from datetime import date, datetime

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, rows_as
from shopify_app.db.json_documents import column
from shopify_app.domain.evidence import SuggestionKind
from shopify_app.domain.suggestion import NewSuggestion, SuggestionCard, SuggestionState


def cards(
    conn: Connection,
    shop_id: int,
    *,
    kinds: Sequence[str] | None = None,
    states: Sequence[str] = ("open",),
    suggestion_id: int | None = None,
    decided_since: datetime | None = None,
    limit: int | None = 50,
) -> list[SuggestionCard]:
    """Suggestions in these states as cards, the most worth deciding first; those decided since a moment, the newest decision first; a limit of None is none."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT s.id, s.kind, s.state, s.variant_id, v.product_id, p.title AS product_title,
                   v.title AS variant_title, v.sku, p.vendor, p.image_url, nullif(i.unit_cost, 0) AS unit_cost, t.tax_rate,
                   s.proposal, s.evidence,
                   s.value_low, s.value_mid, s.value_high, s.value_unit, s.currency, s.rank_score,
                   s.is_urgent, s.as_of, s.created_at, s.decided_at, s.dismiss_reason,
                   c.id AS change_id, c.undo_of IS NOT NULL AS change_is_undo, c.state AS change_state,
                   c.new_price AS change_new_price, c.seen_price AS change_seen_price,
                   c.error AS change_error, c.finished_at AS change_finished_at, c.old_price AS change_old_price,
                   c.error_code AS change_error_code, c.rollout_id,
                   CASE WHEN c.state = 'approved' AND c.planned_for > shop_now() THEN c.due_at END AS change_due_at,
                   CASE WHEN r.state = 'measuring' AND r.ended_on IS NULL THEN r.stop_on END AS measured_until,
                   s.evidence->>'shortage' IS NOT NULL AND EXISTS (
                       SELECT FROM suggestions b
                         JOIN price_changes bc ON (bc.shop_id, bc.suggestion_id) = (b.shop_id, b.id)
                        WHERE b.shop_id = s.shop_id AND b.kind = 'price' AND b.state = 'accepted'
                          AND b.variant_id = s.variant_id AND (b.proposal->>'back_from')::bigint = s.id
                          AND bc.undo_of IS NULL AND bc.state = 'applied') AS went_back,
                   d.outcome AS verdict, d.profit AS verdict_profit, d.profit_low AS verdict_low,
                   d.profit_high AS verdict_high
              FROM suggestions s
              JOIN variants v ON (v.shop_id, v.id) = (s.shop_id, s.variant_id)
              JOIN products p ON (p.shop_id, p.id) = (v.shop_id, v.product_id)
              LEFT JOIN inventory_items i ON (i.shop_id, i.id) = (v.shop_id, v.inventory_item_id)
              LEFT JOIN tax_rates t ON (t.shop_id, t.variant_id) = (s.shop_id, s.variant_id)
              LEFT JOIN LATERAL (
                   SELECT * FROM price_changes pc
                    WHERE pc.shop_id = s.shop_id AND pc.suggestion_id = s.id
                    ORDER BY pc.id DESC LIMIT 1) c ON true
              LEFT JOIN registrations r ON (r.shop_id, r.suggestion_id) = (s.shop_id, s.id)
              LEFT JOIN verdicts d ON (d.shop_id, d.registration_id) = (r.shop_id, r.id)
             WHERE s.shop_id = %(shop_id)s
               AND s.state = ANY (%(states)s)
               AND (%(kinds)s::text[] IS NULL OR s.kind = ANY (%(kinds)s))
               AND (%(id)s::bigint IS NULL OR s.id = %(id)s)
               AND (%(since)s::timestamptz IS NULL OR s.decided_at >= %(since)s)
             ORDER BY CASE WHEN %(since)s::timestamptz IS NOT NULL THEN s.decided_at END DESC,
                      CASE WHEN %(since)s::timestamptz IS NOT NULL THEN s.id END DESC,
                      s.is_urgent DESC, s.rank_score DESC, s.id
             LIMIT %(limit)s
            """,
            {
                "shop_id": shop_id,
                "states": list(states),
                "kinds": kinds and list(kinds),
                "id": suggestion_id,
                "since": decided_since,
                "limit": limit,
            },
        )
        return rows_as(SuggestionCard, cur)


def decided_cards(
    conn: Connection,
    shop_id: int,
    *,
    since: datetime,
    kinds: Sequence[str] | None = None,
    limit: int = 20,
) -> list[SuggestionCard]:
    """Suggestions accepted or dismissed since a moment, the newest decision first."""
    states = (SuggestionState.ACCEPTED, SuggestionState.DISMISSED)
    return cards(conn, shop_id, kinds=kinds, states=states, decided_since=since, limit=limit)


def card(conn: Connection, shop_id: int, suggestion_id: int) -> SuggestionCard | None:
    """One suggestion as a card; None if this shop has no such suggestion."""
    found = cards(conn, shop_id, states=tuple(SuggestionState), suggestion_id=suggestion_id)
    return found[0] if found else None


def mark_accepted(conn: Connection, shop_id: int, suggestion_id: int, *, accepted_by: str) -> bool:
    """Move an open suggestion to accepted; False if someone was faster."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE suggestions
               SET state = 'accepted', decided_at = shop_now(), decided_by = %(by)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'open'
            """,
            {"shop_id": shop_id, "id": suggestion_id, "by": accepted_by},
        )
        return cur.rowcount == 1


def note_chosen_units(conn: Connection, shop_id: int, suggestion_id: int, units: int) -> None:
    """Keep beside an accepted proposal how many units the merchant chose instead."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE suggestions
               SET proposal = proposal || jsonb_build_object('chosen_units', %(units)s::integer)
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'accepted'
            """,
            {"shop_id": shop_id, "id": suggestion_id, "units": units},
        )


def mark_dismissed(
    conn: Connection,
    shop_id: int,
    suggestion_id: int,
    *,
    reason: str,
    dismissed_by: str,
    until: date,
) -> bool:
    """Move an open suggestion to dismissed, quiet until a day; False if it was decided before."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE suggestions
               SET state = 'dismissed', decided_at = shop_now(), decided_by = %(by)s,
                   dismiss_reason = %(reason)s, snoozed_until = %(until)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'open'
            """,
            {
                "shop_id": shop_id,
                "id": suggestion_id,
                "by": dismissed_by,
                "reason": reason,
                "until": until,
            },
        )
        return cur.rowcount == 1


def mark_undone(conn: Connection, shop_id: int, suggestion_id: int) -> bool:
    """Move an accepted suggestion to undone; False if it is not accepted."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE suggestions SET state = 'undone', decided_at = shop_now()
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'accepted'
            """,
            {"shop_id": shop_id, "id": suggestion_id},
        )
        return cur.rowcount == 1


def reopen(conn: Connection, shop_id: int, suggestion_id: int) -> bool:
    """Take a dismissal back; False if it is not dismissed, or a newer one is open in its place."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE suggestions s
               SET state = 'open', decided_at = NULL, decided_by = NULL, dismiss_reason = NULL, snoozed_until = NULL
             WHERE s.shop_id = %(shop_id)s AND s.id = %(id)s AND s.state = 'dismissed'
               AND NOT EXISTS (SELECT FROM suggestions o
                                WHERE o.shop_id = s.shop_id AND o.kind = s.kind
                                  AND o.variant_id = s.variant_id AND o.state = 'open')
            """,
            {"shop_id": shop_id, "id": suggestion_id},
        )
        return cur.rowcount == 1


def resting_variants(conn: Connection, shop_id: int, kind: SuggestionKind, on: date) -> set[int]:
    """Variants about which a merchant has decided lately, so that this kind keeps quiet.

    Dismissed: until `snoozed_until`. Accepted or undone: 28 days for a price or a trend, and as long
    as it is measured, waits to be written or is set by a price test; a restock rests only while its order line may still
    arrive, which the stock position shows.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT variant_id
              FROM suggestions
             WHERE shop_id = %(shop_id)s AND kind = %(kind)s
               AND (state = 'dismissed' AND snoozed_until > %(on)s
                    OR state IN ('accepted', 'undone') AND kind <> 'restock'
                       AND decided_at > %(on)s::date - interval '28 days')
             UNION
            SELECT r.variant_id
              FROM registrations r JOIN suggestions s ON (s.shop_id, s.id) = (r.shop_id, r.suggestion_id)
             WHERE r.shop_id = %(shop_id)s AND s.kind = %(kind)s AND r.state = 'measuring'
               AND r.ended_on IS NULL AND r.stop_on > %(on)s
             UNION
            SELECT variant_id FROM price_changes
             WHERE shop_id = %(shop_id)s AND %(kind)s = 'price' AND state IN ('approved', 'sending')
             UNION
            SELECT p.variant_id
              FROM tested_prices p JOIN price_tests t ON (t.shop_id, t.id) = (p.shop_id, p.test_id)
             WHERE p.shop_id = %(shop_id)s AND %(kind)s = 'price' AND t.state IN ('running', 'returning')
               AND p.left_at IS NULL AND p.returned_at IS NULL
            """,
            {"shop_id": shop_id, "kind": kind.value, "on": on},
        )
        return {int(row[0]) for row in cur.fetchall()}


def hold_back(conn: Connection, shop_id: int, suggestion_ids: Sequence[int]) -> list[int]:
    """Move open suggestions to held back: a draw says that they are not made. Those that moved."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE suggestions SET state = 'held_back', decided_at = shop_now(), decided_by = 'keel'
             WHERE shop_id = %(shop_id)s AND id = ANY (%(ids)s) AND state = 'open'
            RETURNING id
            """,
            {"shop_id": shop_id, "ids": list(suggestion_ids)},
        )
        return [int(row[0]) for row in cur.fetchall()]


def replace_open(
    conn: Connection, shop_id: int, run_id: int, found: Sequence[NewSuggestion]
) -> int:
    """Make `found` the shop's open suggestions; how many were opened anew.

    An open suggestion whose proposal is unchanged keeps its id and takes the newer evidence; one
    that is no longer found, or now proposes something else, is superseded: what a merchant
    accepts is what stood on the card.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            CREATE TEMP TABLE found (kind text, variant_id bigint, proposal jsonb, evidence jsonb,
                value_low numeric, value_mid numeric, value_high numeric, value_unit text, currency text,
                rank_score float8, is_urgent boolean, as_of date) ON COMMIT DROP
            """
        )
        execute_values(
            cur,
            """
            INSERT INTO found VALUES %s
            """,
            [
                (
                    s.kind.value,
                    s.variant_id,
                    column(s.proposal),
                    column(s.evidence),
                    s.value_low,
                    s.value_mid,
                    s.value_high,
                    s.value_unit,
                    s.currency,
                    s.rank_score,
                    s.is_urgent,
                    s.as_of,
                )
                for s in found
            ],
        )
        cur.execute(
            """
            UPDATE suggestions s
               SET evidence = f.evidence, run_id = %(run_id)s, value_low = f.value_low, value_mid = f.value_mid,
                   value_high = f.value_high, rank_score = f.rank_score, is_urgent = f.is_urgent, as_of = f.as_of
              FROM found f
             WHERE s.shop_id = %(shop_id)s AND s.state = 'open'
               AND (s.kind, s.variant_id, s.proposal, s.value_unit) = (f.kind, f.variant_id, f.proposal, f.value_unit)
            """,
            {"shop_id": shop_id, "run_id": run_id},
        )
        cur.execute(
            """
            UPDATE suggestions SET state = 'superseded'
             WHERE shop_id = %(shop_id)s AND state = 'open' AND run_id <> %(run_id)s
            """,
            {"shop_id": shop_id, "run_id": run_id},
        )
        cur.execute(
            """
            INSERT INTO suggestions (shop_id, run_id, kind, variant_id, proposal, evidence, value_low, value_mid,
                                     value_high, value_unit, currency, rank_score, is_urgent, as_of)
            SELECT %(shop_id)s, %(run_id)s, kind, variant_id, proposal, evidence, value_low, value_mid,
                   value_high, value_unit, currency, rank_score, is_urgent, as_of
              FROM found
                ON CONFLICT (shop_id, kind, variant_id) WHERE state = 'open' DO NOTHING
            """,
            {"shop_id": shop_id, "run_id": run_id},
        )
        return cur.rowcount
