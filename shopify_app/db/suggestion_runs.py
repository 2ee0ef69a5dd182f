"""Runs of the models (table `suggestion_runs`): what they saw, kept so that evidence recomputes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg2.extras import Json

from shopify_app.db.connection import Connection, one_value, row_as
from shopify_app.db.json_documents import column
from shopify_app.domain.run import NamedMove, OrderBudget, RunCounts


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What a run saw; `inputs` is the compressed snapshot (advice/inputs.py)."""

    id: int
    as_of: date
    seed: int
    model_version: str
    inputs: bytes
    inputs_sha256: str


def record(
    conn: Connection,
    shop_id: int,
    *,
    as_of: date,
    seed: int,
    model_version: str,
    inputs: bytes,
    sha256: str,
    counts: RunCounts,
    order_budget: OrderBudget | None = None,
    moves: Sequence[NamedMove] = (),
) -> int:
    """Keep a finished run; its id. `order_budget` and `moves` as `advice.order_together` and `advice.transfers` make them."""
    with conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO suggestion_runs (shop_id, as_of, seed, model_version, inputs, inputs_sha256, counts,
                                         order_budget, moves, finished_at)
            VALUES (%(shop_id)s, %(as_of)s, %(seed)s, %(model_version)s, %(inputs)s, %(sha256)s, %(counts)s,
                    %(order_budget)s, %(moves)s, clock_timestamp() + (shop_now() - now()))
            RETURNING id
            """,
            {
                "shop_id": shop_id,
                "as_of": as_of,
                "seed": seed,
                "model_version": model_version,
                "inputs": inputs,
                "sha256": sha256,
                "counts": column(counts),
                "order_budget": column(order_budget or OrderBudget()),
                "moves": Json([move.as_json() for move in moves]),
            },
        )
        return int(one_value(cur))


def inputs_of(conn: Connection, shop_id: int, run_id: int) -> RunInputs | None:
    """What a run saw; None if this shop has no such run, or its snapshot was let go."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT id, as_of, seed, model_version, inputs, inputs_sha256
              FROM suggestion_runs
             WHERE shop_id = %(shop_id)s AND id = %(id)s AND length(inputs) > 0
            """,
            {"shop_id": shop_id, "id": run_id},
        )
        found = row_as(RunInputs, cur)
    return found and RunInputs(
        found.id,
        found.as_of,
        found.seed,
        found.model_version,
        bytes(found.inputs),
        found.inputs_sha256,
    )


def newest_order_budget(conn: Connection, shop_id: int) -> OrderBudget:
    """What each budget would buy, as the newest finished run worked it out; nothing before the first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT order_budget FROM suggestion_runs
             WHERE shop_id = %(shop_id)s AND finished_at IS NOT NULL
             ORDER BY id DESC LIMIT 1
            """,
            {"shop_id": shop_id},
        )
        found = cur.fetchone()
    return OrderBudget.of_json(found[0]) if found else OrderBudget()


def newest_moves(conn: Connection, shop_id: int) -> list[NamedMove]:
    """What to move between locations, as the newest finished run worked it out; [] before the first."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT moves FROM suggestion_runs
             WHERE shop_id = %(shop_id)s AND finished_at IS NOT NULL
             ORDER BY id DESC LIMIT 1
            """,
            {"shop_id": shop_id},
        )
        found = cur.fetchone()
    return [NamedMove.of_json(one) for one in found[0]] if found else []


def forget_unused_inputs(conn: Connection, shop_id: int) -> int:
    """Let go of snapshots that no open or decided suggestion and no price test rests on; how many."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE suggestion_runs r SET inputs = '', order_budget = '{}', moves = '[]'
             WHERE r.shop_id = %(shop_id)s AND length(r.inputs) > 0
               AND r.id < (SELECT max(id) FROM suggestion_runs WHERE shop_id = %(shop_id)s)
               AND NOT EXISTS (SELECT FROM suggestions s
                                WHERE s.shop_id = r.shop_id AND s.run_id = r.id AND s.state <> 'superseded')
               AND NOT EXISTS (SELECT FROM price_tests t WHERE t.shop_id = r.shop_id AND t.run_id = r.id)
            """,
            {"shop_id": shop_id},
        )
        return cur.rowcount
