"""Demand kept between fits (tables `demand_fits`, `demand_states`): what was learned, where each variant stands."""

from dataclasses import replace
from datetime import date
from typing import Final

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, row_as
from shopify_app.domain.demand_state import DemandFit, DemandState

PAGE: Final = 1_000
"""Rows in one statement."""


def newest_fit(conn: Connection, shop_id: int) -> DemandFit | None:
    """What a shop's newest fit learned."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT fitted_on, closed_on, model_version, horizon, learned
              FROM demand_fits WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id},
        )
        found = row_as(DemandFit, cur)
    return found and replace(found, learned=bytes(found.learned))


def states_of(conn: Connection, shop_id: int, closed_on: date) -> list[DemandState]:
    """States that have seen the weeks before a day, by variant."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT variant_id, mark, state FROM demand_states
             WHERE shop_id = %(shop_id)s AND closed_on = %(closed_on)s
             ORDER BY variant_id
            """,
            {"shop_id": shop_id, "closed_on": closed_on},
        )
        return [DemandState(int(v), int(m), bytes(s)) for v, m, s in cur.fetchall()]


def keep(conn: Connection, shop_id: int, fit: DemandFit, changed: list[DemandState]) -> None:
    """Keep a fit and the states that are new or have moved; states of another day go.

    A variant that was deleted meanwhile is passed over.
    """
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO demand_fits (shop_id, fitted_on, closed_on, model_version, horizon, learned)
            VALUES (%(shop_id)s, %(fitted_on)s, %(closed_on)s, %(version)s, %(horizon)s, %(learned)s)
                ON CONFLICT (shop_id) DO UPDATE
               SET fitted_on = excluded.fitted_on, closed_on = excluded.closed_on,
                   model_version = excluded.model_version, horizon = excluded.horizon,
                   learned = excluded.learned
            """,
            {
                "shop_id": shop_id,
                "fitted_on": fit.fitted_on,
                "closed_on": fit.closed_on,
                "version": fit.model_version,
                "horizon": fit.horizon,
                "learned": fit.learned,
            },
        )
        execute_values(
            cur,
            """
            INSERT INTO demand_states (shop_id, variant_id, closed_on, mark, state)
            SELECT n.shop_id, n.variant_id, n.closed_on, n.mark, n.state
              FROM (VALUES %s) AS n (shop_id, variant_id, closed_on, mark, state)
              JOIN variants v ON v.shop_id = n.shop_id AND v.id = n.variant_id
                ON CONFLICT (shop_id, variant_id) DO UPDATE
               SET closed_on = excluded.closed_on, mark = excluded.mark, state = excluded.state
            """,
            [(shop_id, one.variant_id, fit.closed_on, one.mark, one.state) for one in changed],
            template="(%s::bigint, %s::bigint, %s::date, %s::bigint, %s::bytea)",
            page_size=PAGE,
        )
        cur.execute(
            "DELETE FROM demand_states WHERE shop_id = %(shop_id)s AND closed_on <> %(closed_on)s",
            {"shop_id": shop_id, "closed_on": fit.closed_on},
        )
