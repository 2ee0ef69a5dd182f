"""Periodic jobs and when they are due (table `schedules`). Sweeper only; no shop's facts."""

from collections.abc import Mapping

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, one_value


def make_sure_of(conn: Connection, every_seconds: Mapping[str, int]) -> None:
    """Have a row for each job, with its present rhythm."""
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO schedules (name, every_seconds) VALUES %s
                ON CONFLICT (name) DO UPDATE SET every_seconds = excluded.every_seconds
            """,
            list(every_seconds.items()),
        )


def take_due(conn: Connection) -> list[str]:
    """Jobs that are due, moved to their next time: of several pumps only one gets each."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE schedules SET next_at = now() + make_interval(secs => every_seconds), last_started_at = now()
             WHERE name IN (SELECT name FROM schedules WHERE next_at <= now() FOR UPDATE SKIP LOCKED)
            RETURNING name
            """
        )
        return [row[0] for row in cur.fetchall()]


def any_due(conn: Connection) -> bool:
    """Whether a job is due."""
    with conn.cursor() as cur:
        cur.execute("SELECT EXISTS (SELECT FROM schedules WHERE next_at <= now())")
        return bool(one_value(cur))
