"""Random roads of a price: accept, merchant's edit, undo, duplicate webhook, 429, a reply lost after the write.

In:  a world (tests/simulated.py): simulator and app on real sockets, a real Postgres; a seed.
Out: `Counts`: how many sequences ended how, and every breach of what is promised, by name.
Method: many sequences run side by side, each on a variant of its own, several in one product, so
    that they share calls as they do in life. The simulator's own log of who set which price, which
    the app never sees, is held against what the app says.
Weak: an edit that falls between our reading and our writing (milliseconds) is not made here; Shopify
    offers no way to exclude it.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
from psycopg2.extras import Json

from shopify_app.db.connection import rows_as, transaction
from shopify_app.domain.suggestion import PriceChange, PriceChangeState
from shopify_app.usecases.decisions import decide, price_outbox
from shopify_app.usecases.inbox import drain
from simulator.store import Store
from simulator.world import catalogue, kinds

KIND: Final = "many"
PRODUCTS: Final = 60
FAULTS: Final[tuple[tuple[float, dict[str, Any]], ...]] = (
    (0.45, {}),
    (0.20, {"graphql_lose_reply": 0.6}),
    (0.15, {"graphql_http_status": 429, "graphql_http_share": 0.6}),
    (0.10, {"graphql_internal_error": 0.5}),
    (0.10, {"graphql_http_status": 503, "graphql_http_share": 0.5}),
)
"""Share of rounds, and what goes wrong in them."""

OPS: Final = (
    ("accept", 0.22),
    ("edit", 0.20),
    ("edit_back", 0.06),
    ("edit_to_ours", 0.04),
    ("edit_compare_at", 0.04),
    ("undo", 0.26),
    ("wait", 0.18),
)
KNOWN_REFUSALS: Final = frozenset(
    {"under_way", "conflict", "failed", "unknown", "undone", "not_accepted"}
)
Pair = tuple[Decimal, Decimal | None]


@dataclass(slots=True)
class Road:
    """One road: a suggestion, the acts to come, and where the simulator's log stood when it began."""

    variant_id: int
    suggestion_id: int
    old: Pair
    new: Pair
    ops: list[str]
    log_from: int
    accepts: int = 0
    refusals: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """What came of all sequences."""

    sequences: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    breaches: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, other: "Counts") -> None:
        """Take in what came of other sequences."""
        self.sequences += other.sequences
        self.ends += other.ends
        self.acts += other.acts
        self.breaches += other.breaches
        self.examples += other.examples

    def breach(self, name: str, sequence: Road, detail: object) -> None:
        """Note a broken promise; the first few with what happened."""
        self.breaches[name] += 1
        if len(self.examples) < 10:
            self.examples.append(f"{name}: suggestion {sequence.suggestion_id}: {detail}")


def add_kind() -> None:
    """Let the simulator know a shop of many products of one to six variants, without a history."""
    kinds.KINDS.setdefault(KIND, kinds.Kind(KIND, "GBP", "Europe/London", _fill))


def _fill(
    conn: sqlite3.Connection, store: Store, shop: str, seed: int, now: datetime, _: int | None
) -> dict[str, Any]:
    rng = np.random.default_rng([seed, 12])
    specs = [
        catalogue.ProductSpec(
            f"Thing {number}",
            [
                catalogue.VariantSpec(
                    sku=f"T-{number}-{size}",
                    title=f"Size {size}",
                    price=Decimal(10 + number % 40),
                    cost=Decimal("0.01"),
                    available=20,
                    base_per_day=0.1,
                    compare_at=Decimal(60) if rng.random() < 0.3 else None,
                )
                for size in range(int(rng.integers(1, 7)))
            ],
            "Northmill",
            "Things",
        )
        for number in range(PRODUCTS)
    ]
    past = now - timedelta(days=90)
    catalogue.put(conn, store, shop, specs, created_at=past, updated_at=now - timedelta(days=1))
    return {}


class Machine:
    """Sequences of one shop, side by side."""

    def __init__(self, world: Any, *, seed: int, counts: Counts) -> None:
        self.world = world
        self.counts = counts
        self.rng = np.random.default_rng(seed)
        self.shop_id = world.shop().shop_id
        self.live: dict[int, Road] = {}
        self.free = [int(row["id"]) for row in world.look("variants", limit=5000)]
        self.run_id = self._make_run()
        self._widen_limits()

    def run(self, sequences: int) -> None:
        """Run this many sequences to their ends and check each."""
        left = sequences
        while left or self.live:
            left -= self._start(min(left, len(self.free)))
            for sequence in list(self.live.values()):
                self._act(sequence)
            if self.rng.random() < 0.85:
                self._send()
            if self.rng.random() < 0.35:
                self._tell()
            self._finish()
        self._tell()

    def _start(self, wanted: int) -> int:
        """Give idle variants a fresh suggestion from their present price."""
        started = self.free[:wanted]
        self.free = self.free[wanted:]
        if not started:
            return 0
        prices = {int(row["id"]): row for row in self.world.look("variants", limit=5000)}
        seq = self._log_end()
        for variant_id in started:
            row = prices[variant_id]
            old: Pair = (
                Decimal(row["price"]),
                row["compare_at_price"] and Decimal(row["compare_at_price"]),
            )
            new: Pair = (self._other_price(old[0]), old[1])
            if new[1] is not None and new[1] <= new[0]:
                new = (new[0], None)
            sequence = Road(
                variant_id, self._suggest(variant_id, old, new), old, new, self._ops(), seq
            )
            self.live[variant_id] = sequence
        self.counts.sequences += len(started)
        return len(started)

    def _ops(self) -> list[str]:
        names, weights = zip(*OPS, strict=True)
        drawn = self.rng.choice(names, size=int(self.rng.integers(2, 7)), p=weights).tolist()
        first = ["edit", "accept"] if self.rng.random() < 0.08 else ["accept"]
        return [*first, *drawn]

    def _act(self, sequence: Road) -> None:
        if not sequence.ops or self.rng.random() < 0.25:
            return
        op = sequence.ops.pop(0)
        self.counts.acts[op] += 1
        if op == "accept":
            clicks = 2 if self.rng.random() < 0.3 else 1
            for _ in range(clicks):
                sequence.accepts += decide.accept_suggestion(
                    self.shop_id, sequence.suggestion_id, accepted_by="42"
                )
        elif op == "undo":
            answer = decide.undo_suggestion(self.shop_id, sequence.suggestion_id, asked_by="42")
            if not answer.accepted:
                sequence.refusals.append(answer.refused_because or "")
        elif op.startswith("edit"):
            self._edit(sequence, op)

    def _edit(self, sequence: Road, op: str) -> None:
        price, compare_at = {
            "edit": (self._other_price(sequence.old[0]), sequence.old[1]),
            "edit_back": sequence.old,
            "edit_to_ours": sequence.new,
            "edit_compare_at": (sequence.new[0], sequence.new[0] + 20),
        }[op]
        self.world.control(
            f"variants/{sequence.variant_id}/price",
            price=str(price),
            compare_at_price=None if compare_at is None else str(compare_at),
        )

    def _send(self) -> None:
        """One turn of the outbox, with whatever goes wrong in it; back-off is not waited for."""
        shares = [share for share, _ in FAULTS]
        fault = FAULTS[int(self.rng.choice(len(FAULTS), p=shares))][1]
        if fault:
            self.world.faults(**fault)
        self._make_due()
        price_outbox.send_shop_price_changes(self.shop_id)
        if fault:
            self.world.behave()
        self.counts.acts[next(iter(fault), "send")] += 1

    def _tell(self) -> None:
        """Let webhooks come: some twice, some never."""
        self.world.faults(webhook_duplicate=0.4, webhook_drop=0.2)
        answer = self.world.http.post("/_sim/flush", json={"timeout_seconds": 60}, timeout=90)
        self.world.behave()
        if answer.json()["pending"]:
            raise RuntimeError("webhooks were not taken")
        while drain.drain_inbox():
            pass
        self.counts.acts["webhooks"] += 1

    def _finish(self) -> None:
        """Close sequences whose acts are done and whose writes have ended; check them."""
        done = [s for s in self.live.values() if not s.ops]
        waiting = self._writing([s.suggestion_id for s in done])
        ended = [s for s in done if s.suggestion_id not in waiting]
        facts = self._facts([s.suggestion_id for s in ended])
        for sequence in done:
            if sequence.suggestion_id not in waiting:
                self._check(sequence, *facts[sequence.suggestion_id])
                del self.live[sequence.variant_id]
                self.free.append(sequence.variant_id)

    def _check(self, sequence: Road, state: str, changes: Sequence[PriceChange]) -> None:
        """Hold what the app says against the simulator's log."""
        log = self._log(sequence)
        ours = [row for row in log if row["actor"] == "app"]
        there = [row for row in ours if _move(row) == (sequence.old, sequence.new)]
        back = [row for row in ours if _move(row) == (sequence.new, sequence.old)]
        counts = self.counts
        if len(there) + len(back) != len(ours):
            counts.breach("merchant_edit_lost", sequence, [_move(row) for row in ours])
        if sequence.accepts > 1:
            counts.breach("accepted_twice", sequence, sequence.accepts)
        self._check_writes("apply", sequence, [c for c in changes if c.undo_of is None], there, log)
        self._check_writes("undo", sequence, [c for c in changes if c.undo_of], back, log)
        if set(sequence.refusals) - KNOWN_REFUSALS:
            counts.breach("refused_without_a_reason", sequence, sequence.refusals)
        counts.acts["undo refused"] += len(sequence.refusals)
        self._check_state(sequence, state, changes)

    def _check_writes(
        self,
        what: str,
        sequence: Road,
        changes: Sequence[PriceChange],
        writes: Sequence[sqlite3.Row],
        log: Sequence[sqlite3.Row],
    ) -> None:
        """One effective write for each that was carried out, none for what was not; unknown: at most one."""
        carried_out = [c for c in changes if _is_carried_out(c)]
        unknown = [c for c in changes if c.state is PriceChangeState.UNKNOWN]
        least, most = len(carried_out), len(carried_out) + len(unknown)
        for change in changes:
            target = (change.new_price, change.new_compare_at_price)
            by_merchant = any(r["actor"] == "merchant" and _after(r) == target for r in log)
            # The merchant set it: before we wrote, or after a request that never came to anything.
            found_there = change in carried_out and by_merchant and not writes
            least -= found_there
            self.counts.ends[f"{what} {'found there' if found_there else change.state.value}"] += 1
        if not least <= len(writes) <= most:
            told = [(change.state.value, change.sent_at is not None) for change in changes]
            self.counts.breach(f"{what}_writes", sequence, (told, len(writes)))

    def _check_state(self, sequence: Road, state: str, changes: Sequence[PriceChange]) -> None:
        """An undo that was carried out is exact, and the suggestion says so."""
        newest = _newest(changes, undo=True)
        undone = newest is not None and newest.state is PriceChangeState.APPLIED
        if undone and (newest.new_price, newest.new_compare_at_price) != sequence.old:
            self.counts.breach("undo_not_exact", sequence, newest)
        if undone and state != "undone":
            self.counts.breach("undone_but_not_said", sequence, state)

    def _facts(self, suggestion_ids: Sequence[int]) -> dict[int, tuple[str, list[PriceChange]]]:
        """Suggestion id -> its state, and its writes in order."""
        with transaction(self.shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                "SELECT id, state FROM suggestions WHERE shop_id = %s AND id = ANY (%s)",
                (self.shop_id, list(suggestion_ids)),
            )
            facts: dict[int, tuple[str, list[PriceChange]]] = {
                row[0]: (row[1], []) for row in cur.fetchall()
            }
            cur.execute(
                "SELECT id, suggestion_id, undo_of, install_epoch, product_id, variant_id, old_price, old_compare_at_price,"
                " new_price, new_compare_at_price, currency, approved_by, approved_at, state, attempts, sent_at,"
                " before_updated_at, planned_for, seen_price, seen_compare_at_price, error_code, error, finished_at,"
                " test_id, test_block FROM price_changes WHERE shop_id = %s AND suggestion_id = ANY (%s) ORDER BY id",
                (self.shop_id, list(suggestion_ids)),
            )
            for change in rows_as(PriceChange, cur):
                if change.suggestion_id is not None:
                    facts[change.suggestion_id][1].append(change)
        return facts

    def _writing(self, suggestion_ids: Sequence[int]) -> set[int]:
        with transaction(self.shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                "SELECT suggestion_id FROM price_changes WHERE shop_id = %s AND suggestion_id = ANY (%s)"
                " AND state IN ('approved', 'sending')",
                (self.shop_id, list(suggestion_ids)),
            )
            return {row[0] for row in cur.fetchall()}

    def _make_due(self) -> None:
        with transaction(self.shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                "UPDATE price_changes SET due_at = now() WHERE shop_id = %s AND state = 'approved'",
                (self.shop_id,),
            )

    def _log(self, sequence: Road) -> list[sqlite3.Row]:
        return (
            self.world.sim.store.connection()
            .execute(
                "SELECT * FROM price_writes WHERE shop = ? AND variant_id = ? AND seq > ? ORDER BY seq",
                (self.world.domain, sequence.variant_id, sequence.log_from),
            )
            .fetchall()
        )

    def _log_end(self) -> int:
        found = self.world.sim.store.connection().execute("SELECT max(seq) FROM price_writes")
        return int(found.fetchone()[0] or 0)

    def _other_price(self, price: Decimal) -> Decimal:
        step = min(Decimal(int(self.rng.integers(1, 400))) / 100, price // Decimal("0.02") / 100)
        up = self.rng.random() < 0.5 or price - step < 1
        return (price + step if up else price - step).quantize(Decimal("0.01"))

    def _widen_limits(self) -> None:
        """Let no limit of the merchant's stand against these prices: it is the outbox that is tried."""
        with transaction(self.shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                "UPDATE shop_settings SET max_price_step = 0.5, margin_floor = 0 WHERE shop_id = %s",
                (self.shop_id,),
            )

    def _make_run(self) -> int:
        with transaction(self.shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                "INSERT INTO suggestion_runs (shop_id, as_of, seed, model_version, inputs, inputs_sha256, finished_at)"
                " VALUES (%s, current_date, 0, 'bench', '', '', now()) RETURNING id",
                (self.shop_id,),
            )
            return int(cur.fetchone()[0])

    def _suggest(self, variant_id: int, old: Pair, new: Pair) -> int:
        proposal = {
            "price": str(new[0]),
            "compare_at_price": None if new[1] is None else str(new[1]),
            "old_price": str(old[0]),
            "old_compare_at_price": None if old[1] is None else str(old[1]),
        }
        with transaction(self.shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                "INSERT INTO suggestions (shop_id, run_id, kind, variant_id, proposal, evidence, value_low, value_mid,"
                " value_high, value_unit, currency, rank_score, as_of)"
                " VALUES (%s, %s, 'price', %s, %s, %s, -1, 1, 3, 'profit_a_month', 'GBP', 1, current_date) RETURNING id",
                (
                    self.shop_id,
                    self.run_id,
                    variant_id,
                    Json(proposal),
                    Json({"unit_cost": "4.00"}),
                ),
            )
            return int(cur.fetchone()[0])


def labels_that_are_wrong(world: Any) -> Iterator[str]:
    """Price-history rows that call an edit ours, or our write the merchant's, by the simulator's log.

    Left out: an edit to exactly the price that a write of ours asked for without getting an answer.
    """
    shop_id = world.shop().shop_id
    log = world.sim.store.connection().execute(
        "SELECT variant_id, actor, after_price FROM price_writes WHERE shop = ?", (world.domain,)
    )
    who: dict[tuple[int, Decimal], set[str]] = {}
    for row in log:
        who.setdefault((row["variant_id"], Decimal(row["after_price"])), set()).add(row["actor"])
    with transaction(shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT h.variant_id, h.price, h.source FROM price_history h"
            " LEFT JOIN price_changes c ON c.shop_id = h.shop_id AND c.id = h.change_id"
            " WHERE h.shop_id = %s AND h.source <> 'import' AND coalesce(c.attempts, 1) = 1",
            (shop_id,),
        )
        for variant_id, price, source in cur.fetchall():
            if source not in who.get((variant_id, price), {source}):
                yield f"variant {variant_id} at {price}: {source}"


def _move(row: sqlite3.Row) -> tuple[Pair, Pair]:
    before = (Decimal(row["before_price"]), _maybe(row["before_compare_at"]))
    return before, _after(row)


def _after(row: sqlite3.Row) -> Pair:
    return Decimal(row["after_price"]), _maybe(row["after_compare_at"])


def _maybe(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _is_carried_out(change: PriceChange) -> bool:
    """Whether the app says that this write stood in the shop."""
    if change.undo_of is None and change.state is PriceChangeState.UNDONE:
        return change.seen_price is not None
    return change.state is PriceChangeState.APPLIED


def _newest(changes: Sequence[PriceChange], *, undo: bool) -> PriceChange | None:
    found = [change for change in changes if (change.undo_of is not None) is undo]
    return found[-1] if found else None
