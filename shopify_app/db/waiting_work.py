"""What a shop's work is waiting for at its own moment: what must have been done before its next simulated day begins."""

from dataclasses import dataclass

from shopify_app.db import price_tests
from shopify_app.db.connection import Connection, row_as


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """How much is due and not done, or under way."""

    news: int
    """Webhooks, what is asked for again because of them, and days to be counted anew."""
    prices: int
    """Price changes that are due or being written."""
    tests: int
    """A price test that is due or being carried on."""
    verdicts: int
    """Whether what has run its time is waiting to be judged."""
    suggestions: int
    """Whether suggestions are to be worked out, or are being."""


def of_shop(conn: Connection, shop_id: int) -> WaitingWork:
    """What waits in a shop, by its clock (sweeper).

    A test that is due later than it looks at its writes again, and sooner than a claim ends, is being carried on.
    What has failed waits for its own time, and nobody for it.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT (SELECT count(*) FROM webhook_inbox i
                     WHERE i.shop_domain = s.domain AND i.done_at IS NULL AND i.dead_at IS NULL AND i.attempts = 0)
                   + (SELECT count(*) FROM refetches r WHERE r.shop_id = s.shop_id AND r.attempts = 0)
                   + (SELECT count(*) FROM touched_days d WHERE d.shop_id = s.shop_id) AS news,
                   (SELECT count(*) FROM price_changes c
                     WHERE c.shop_id = s.shop_id AND s.writes_paused_at IS NULL AND s.state = 'installed'
                       AND (c.state = 'approved' AND c.due_at <= m.now OR c.state = 'sending')) AS prices,
                   (SELECT count(*) FROM price_tests t
                     WHERE t.shop_id = s.shop_id AND s.state = 'installed'
                       AND (t.due_at <= m.now OR t.due_at > m.now + make_interval(secs => %(soon)s)
                                              AND t.due_at <= m.now + make_interval(secs => %(lease)s))) AS tests,
                   (SELECT count(*) FROM due_work w
                     WHERE w.shop_id = s.shop_id AND w.what = 'ledger' AND w.attempts = 0
                       AND (w.due_at <= m.now OR w.lease_until > now())) AS verdicts,
                   (SELECT count(*) FROM due_work w
                     WHERE w.shop_id = s.shop_id AND w.what = 'suggestions' AND w.attempts = 0
                       AND (w.due_at <= m.now OR w.lease_until > now())) AS suggestions
              FROM shops s, LATERAL (SELECT now() + make_interval(secs => s.clock_ahead_seconds) AS now) m
             WHERE s.shop_id = %(shop_id)s
            """,
            {
                "shop_id": shop_id,
                "soon": price_tests.SOON.total_seconds(),
                "lease": price_tests.LEASE_SECONDS,
            },
        )
        return row_as(WaitingWork, cur) or WaitingWork(0, 0, 0, 0, 0)
