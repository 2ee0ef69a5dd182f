"""The price outbox (table `price_changes`). Every query names its shop, but for `due_shops`.

`attempts` is the fence: a claim raises it, and only the attempt that claimed may write the end.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from shopify_app.db.connection import Connection, one_value, row_as, rows_as
from shopify_app.domain.rollout import AT_ONCE, When
from shopify_app.domain.suggestion import PriceChange, PriceChangeState, ShortageRaise


def add(
    conn: Connection,
    shop_id: int,
    *,
    suggestion_id: int,
    undo_of: int | None,
    product_id: int,
    variant_id: int,
    old: tuple[Decimal, Decimal | None],
    new: tuple[Decimal, Decimal | None],
    currency: str,
    click_key: str,
    approved_by: str,
    when: When = AT_ONCE,
) -> int | None:
    """Put a write in the outbox; its id, or None if this click, or another write of the variant, is there."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO price_changes (shop_id, suggestion_id, undo_of, install_epoch, product_id, variant_id, old_price,
                   old_compare_at_price, new_price, new_compare_at_price, currency, click_key, approved_by,
                   planned_for, due_at, rollout_id, stage)
            SELECT %(shop_id)s, %(suggestion_id)s, %(undo_of)s, s.install_epoch, %(product_id)s, %(variant_id)s, %(old_price)s,
                   %(old_compare)s, %(new_price)s, %(new_compare)s, %(currency)s, %(click_key)s, %(approved_by)s,
                   %(planned_for)s, coalesce(%(planned_for)s, shop_now()), %(rollout_id)s, %(stage)s
              FROM shops s
             WHERE s.shop_id = %(shop_id)s
                ON CONFLICT DO NOTHING
            RETURNING id
            """,
            {
                "shop_id": shop_id,
                "suggestion_id": suggestion_id,
                "undo_of": undo_of,
                "product_id": product_id,
                "variant_id": variant_id,
                "old_price": old[0],
                "old_compare": old[1],
                "new_price": new[0],
                "new_compare": new[1],
                "currency": currency,
                "click_key": click_key,
                "approved_by": approved_by,
                "planned_for": when.planned_for,
                "rollout_id": when.rollout_id,
                "stage": when.stage,
            },
        )
        return one_value(cur)


def newest_of_suggestion(conn: Connection, shop_id: int, suggestion_id: int) -> PriceChange | None:
    """The newest write (apply or undo) of a suggestion."""
    return _newest(conn, shop_id, suggestion_id=suggestion_id, change_id=None)


def by_id(conn: Connection, shop_id: int, change_id: int) -> PriceChange | None:
    """One write."""
    return _newest(conn, shop_id, suggestion_id=None, change_id=change_id)


def _newest(
    conn: Connection, shop_id: int, *, suggestion_id: int | None, change_id: int | None
) -> PriceChange | None:
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, suggestion_id, undo_of, install_epoch, product_id, variant_id, old_price, old_compare_at_price,
                   new_price, new_compare_at_price, currency, approved_by, approved_at, state, attempts, sent_at,
                   before_updated_at, planned_for, seen_price, seen_compare_at_price, error_code, error, finished_at,
                   test_id, test_block
              FROM price_changes
             WHERE shop_id = %(shop_id)s
               AND (%(suggestion_id)s::bigint IS NULL OR suggestion_id = %(suggestion_id)s)
               AND (%(change_id)s::bigint IS NULL OR id = %(change_id)s)
             ORDER BY id DESC LIMIT 1
            """,
            {"shop_id": shop_id, "suggestion_id": suggestion_id, "change_id": change_id},
        )
        return row_as(PriceChange, cur)


def raised_while_short(conn: Connection, shop_id: int, on: date) -> list[ShortageRaise]:
    """Raises for a shortage that stand: written, not taken back, and the variant's prices still what we wrote.

    One is quiet as a decided price is (28 days, a dismissal until its day), and for good once its way back was
    dismissed for another reason than that it is not the time.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT s.id AS suggestion_id, s.variant_id, s.proposal, s.evidence, c.finished_at AS written_at,
                   EXISTS (SELECT FROM suggestions b
                            WHERE b.shop_id = s.shop_id AND b.kind = 'price' AND b.variant_id = s.variant_id
                              AND (b.proposal->>'back_from')::bigint = s.id
                              AND (b.state IN ('accepted', 'undone') AND b.decided_at > %(on)s::date - interval '28 days'
                                   OR b.state = 'dismissed'
                                      AND (b.snoozed_until > %(on)s OR b.dismiss_reason <> 'not_now'))) AS is_quiet
              FROM suggestions s
              JOIN price_changes c ON (c.shop_id, c.suggestion_id) = (s.shop_id, s.id)
              JOIN variants v ON (v.shop_id, v.id) = (s.shop_id, s.variant_id)
             WHERE s.shop_id = %(shop_id)s AND s.kind = 'price' AND s.state = 'accepted'
               AND s.evidence->>'shortage' IS NOT NULL
               AND c.undo_of IS NULL AND c.state = 'applied' AND v.deleted_at IS NULL
               AND v.price = c.new_price AND v.compare_at_price IS NOT DISTINCT FROM c.new_compare_at_price
             ORDER BY s.variant_id, s.id
            """,
            {"shop_id": shop_id, "on": on},
        )
        return rows_as(ShortageRaise, cur)


def count_undos(conn: Connection, shop_id: int, change_id: int) -> int:
    """How often an undo of this write was tried."""
    with conn.cursor() as cur:
        cur.execute(
            "SELECT count(*) FROM price_changes WHERE shop_id = %(shop_id)s AND undo_of = %(id)s",
            {"shop_id": shop_id, "id": change_id},
        )
        return int(one_value(cur))


def due_shops(conn: Connection) -> list[int]:
    """Shops with writes to send now, the longest waiting first (sweeper)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT c.shop_id
              FROM price_changes c JOIN shops s USING (shop_id)
             WHERE (c.state = 'approved' AND c.due_at <= now() + make_interval(secs => s.clock_ahead_seconds)
                    OR c.state = 'sending' AND c.lease_until < now())
               AND s.writes_paused_at IS NULL
             GROUP BY c.shop_id ORDER BY min(c.due_at)
            """
        )
        return [int(row[0]) for row in cur.fetchall()]


def claim(conn: Connection, shop_id: int, *, limit: int, lease_seconds: int) -> list[PriceChange]:
    """Take due writes of a shop: state sending, a lease, the fence one higher.

    A write whose sender died (its lease ran out) is taken again; `sent_at` tells that it may
    have landed. A decision that is not registered is not taken (see `unregistered`); a test's price is no
    decision of its own.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes c
               SET state = 'sending', attempts = c.attempts + 1,
                   lease_until = now() + make_interval(secs => %(lease)s)
             WHERE c.shop_id = %(shop_id)s
               AND c.id IN (SELECT d.id FROM price_changes d
                             WHERE d.shop_id = %(shop_id)s
                               AND (d.state = 'approved' AND d.due_at <= shop_now() OR d.state = 'sending' AND d.lease_until < now())
                               AND (d.undo_of IS NOT NULL OR d.test_id IS NOT NULL OR EXISTS (
                                    SELECT FROM registrations r
                                     WHERE r.shop_id = d.shop_id AND r.suggestion_id = d.suggestion_id))
                             ORDER BY d.product_id, d.id
                             LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            RETURNING id, suggestion_id, undo_of, install_epoch, product_id, variant_id, old_price, old_compare_at_price,
                   new_price, new_compare_at_price, currency, approved_by, approved_at, state, attempts, sent_at,
                   before_updated_at, planned_for, seen_price, seen_compare_at_price, error_code, error, finished_at,
                   test_id, test_block
            """,
            {"shop_id": shop_id, "limit": limit, "lease": lease_seconds},
        )
        return rows_as(PriceChange, cur)


def unregistered(conn: Connection, shop_id: int, *, limit: int) -> list[int]:
    """Suggestions whose price is due to be written and that are not registered yet."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT c.suggestion_id
              FROM price_changes c
             WHERE c.shop_id = %(shop_id)s AND c.state = 'approved' AND c.due_at <= shop_now() AND c.undo_of IS NULL
               AND c.suggestion_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM registrations r
                                WHERE r.shop_id = c.shop_id AND r.suggestion_id = c.suggestion_id)
             ORDER BY 1 LIMIT %(limit)s
            """,
            {"shop_id": shop_id, "limit": limit},
        )
        return [int(row[0]) for row in cur.fetchall()]


def put_off(conn: Connection, shop_id: int, until: datetime) -> int:
    """Let every write that has not left wait until a moment (prices are frozen); how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes SET due_at = %(until)s, planned_for = coalesce(planned_for, %(until)s)
             WHERE shop_id = %(shop_id)s AND state = 'approved' AND sent_at IS NULL AND due_at <= shop_now()
            """,
            {"shop_id": shop_id, "until": until},
        )
        return cur.rowcount


def mark_sent(
    conn: Connection,
    shop_id: int,
    changes: Sequence[PriceChange],
    *,
    lease_seconds: int,
    stamps: Mapping[int, datetime],
) -> set[int]:
    """Say that these are about to leave; the ids whose claim still holds (the others must not be sent).

    `stamps` is each variant's stamp as it was read: the first one is kept, so that a lost reply can
    be told from a write that never came.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes c
               SET sent_at = clock_timestamp() + (shop_now() - now()), lease_until = now() + make_interval(secs => %(lease)s),
                   before_updated_at = mine.stamp
              FROM unnest(%(ids)s::bigint[], %(fences)s::int[], %(stamps)s::timestamptz[]) AS mine (id, fence, stamp), shops s
             WHERE c.shop_id = %(shop_id)s AND c.id = mine.id AND c.attempts = mine.fence AND c.state = 'sending'
               AND s.shop_id = c.shop_id AND s.install_epoch = c.install_epoch
               AND s.state = 'installed' AND s.writes_paused_at IS NULL
            RETURNING c.id
            """,
            {
                "shop_id": shop_id,
                "ids": [c.id for c in changes],
                "fences": [c.attempts for c in changes],
                "stamps": [stamps[c.variant_id] for c in changes],
                "lease": lease_seconds,
            },
        )
        return {int(row[0]) for row in cur.fetchall()}


def mark_not_sent(conn: Connection, shop_id: int, changes: Sequence[PriceChange]) -> None:
    """Note that this attempt certainly did not land: what is known of those before it stands again."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes c
               SET sent_at = mine.sent_at, before_updated_at = mine.stamp
              FROM unnest(%(ids)s::bigint[], %(fences)s::int[], %(sent)s::timestamptz[], %(stamps)s::timestamptz[])
                   AS mine (id, fence, sent_at, stamp)
             WHERE c.shop_id = %(shop_id)s AND c.id = mine.id AND c.attempts = mine.fence AND c.state = 'sending'
            """,
            {
                "shop_id": shop_id,
                "ids": [c.id for c in changes],
                "fences": [c.attempts for c in changes],
                "sent": [c.sent_at for c in changes],
                "stamps": [c.before_updated_at for c in changes],
            },
        )


def finish(
    conn: Connection,
    shop_id: int,
    change: PriceChange,
    state: PriceChangeState,
    *,
    seen: tuple[Decimal, Decimal | None] | None = None,
    error_code: str | None = None,
    error: str | None = None,
) -> bool:
    """Write the end of a claimed change; False if another attempt took it over meanwhile."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes
               SET state = %(state)s, finished_at = shop_now(), lease_until = NULL, seen_price = %(seen)s,
                   seen_compare_at_price = %(seen_compare)s, seen_at = CASE WHEN %(seen)s::numeric IS NOT NULL THEN shop_now() END,
                   error_code = %(error_code)s, error = %(error)s
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND attempts = %(fence)s AND state = 'sending'
            """,
            {
                "shop_id": shop_id,
                "id": change.id,
                "fence": change.attempts,
                "state": state.value,
                "seen": seen and seen[0],
                "seen_compare": seen and seen[1],
                "error_code": error_code,
                "error": error,
            },
        )
        return cur.rowcount == 1


def put_back(
    conn: Connection, shop_id: int, change: PriceChange, *, in_seconds: float, error: str
) -> bool:
    """Let a claimed change wait and be read again; False if another attempt took it over."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes
               SET state = 'approved', lease_until = NULL, error = %(error)s,
                   due_at = shop_now() + make_interval(secs => %(seconds)s)
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND attempts = %(fence)s AND state = 'sending'
            """,
            {
                "shop_id": shop_id,
                "id": change.id,
                "fence": change.attempts,
                "seconds": in_seconds,
                "error": error,
            },
        )
        return cur.rowcount == 1


def withdraw(conn: Connection, shop_id: int, change_id: int) -> bool:
    """Take back a change that was never sent; False if it has left or ended."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes SET state = 'undone', finished_at = shop_now()
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'approved' AND sent_at IS NULL
            """,
            {"shop_id": shop_id, "id": change_id},
        )
        return cur.rowcount == 1


def mark_undone(conn: Connection, shop_id: int, change_id: int) -> None:
    """An applied change was taken back by its undo."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes SET state = 'undone', finished_at = shop_now()
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'applied'
            """,
            {"shop_id": shop_id, "id": change_id},
        )


def cancel_waiting(conn: Connection, shop_id: int, *, error_code: str) -> int:
    """End every write that has not left; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes SET state = 'failed', finished_at = shop_now(), error_code = %(code)s
             WHERE shop_id = %(shop_id)s AND state = 'approved' AND sent_at IS NULL
            """,
            {"shop_id": shop_id, "code": error_code},
        )
        return cur.rowcount
