"""Decisions whose stop date has come are judged, once; the ledger and the brake are worked out anew.

    measuring --stop date past--> judged (one verdict, kept)        daily: total with its range, a ruling a kind
    a ruling `stop` --> the kind is no more suggested, its planned prices do not go out, until the merchant lifts it

Nothing here looks early: a decision before its stop date has no verdict, because looking every day
finds an effect in time where there is none. Only the brake looks daily; its boundary allows for that.
Loads pandas: only workers come here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

import pandas as pd
import structlog

from shopify_app import clock
from shopify_app.analytics import outcomes
from shopify_app.analytics.outcomes import brake
from shopify_app.db import (
    decision_log,
    due_work,
    ledgers,
    registrations,
    rollouts,
    shops,
)
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.evidence import PRICE_MOVES, MoveKind
from shopify_app.domain.outcome import (
    LedgerTotal,
    NewVerdict,
    RegistrationRow,
    RegistrationState,
    Ruling,
    Rulings,
    VerdictOutcome,
)
from shopify_app.domain.shop import Shop
from shopify_app.usecases.outcomes.history import PAST_WEEKS, monday_of, read_history
from shopify_app.usecases.outcomes.register import judge_at
from shopify_app.usecases.outcomes.risk import loss_cap

SEED: Final = 0

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a judgement rests on."""

    shop: Shop
    as_of: date
    rows: list[RegistrationRow]
    history: pd.DataFrame
    repriced: list[str]
    lifts: dict[MoveKind, datetime | None]
    loss_cap: Decimal

    @property
    def ended(self) -> dict[str, str]:
        """Decision id -> the day at which it was undone or overwritten."""
        return {str(r.suggestion_id): r.ended_on.isoformat() for r in self.rows if r.ended_on}


def judge_shop(shop_id: int, *, as_of: date | None = None) -> int:
    """Judge what is due as of a day (today in the shop's zone), work out the ledger; how many new verdicts."""
    facts = _read(shop_id, as_of)
    if facts is None:
        return 0
    verdicts = _verdicts(facts)
    total = _try("ledger", lambda: _total(facts), None)
    rulings = _rulings(facts)
    with transaction(shop_id) as conn:
        new = registrations.add_verdicts(
            conn, shop_id, verdicts, currency=facts.shop.currency, as_of=facts.as_of
        )
        _log_verdicts(conn, facts, verdicts)
        stops = rulings.of_kinds("stop")
        _pull_brakes(conn, facts, stops)
        ledgers.keep(
            conn,
            shop_id,
            as_of=facts.as_of,
            total=total,
            rulings=rulings,
        )
        due_work.again(conn, shop_id, "ledger", in_seconds=_next_look(facts, verdicts))
    log.info(
        "outcomes_judged", shop_id=shop_id, verdicts=new, stopped=[kind.value for kind in stops]
    )
    return new


def _read(shop_id: int, as_of: date | None) -> Facts | None:
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        if shop is None:
            return None
        day = as_of or clock.today(shop)
        registrations.void_unwritten(conn, shop_id)
        registrations.mark_edited(conn, shop_id, shop.timezone)
        rows = registrations.measured(conn, shop_id)
        first = min((row.first_on for row in rows), default=day)
        history = read_history(
            conn, shop, first=first - timedelta(weeks=PAST_WEEKS), until=monday_of(day)
        )
        repriced = registrations.repriced_since(conn, shop_id, first)
        lifts = {kind: ledgers.last_lift(conn, shop_id, kind.value) for kind in PRICE_MOVES}
        cap = loss_cap(conn, shop_id, day)
    return Facts(shop, day, rows, history, [str(number) for number in repriced], lifts, cap)


def _is_due(facts: Facts, row: RegistrationRow) -> bool:
    """Whether a window has closed, with a day for late orders."""
    return row.state is RegistrationState.MEASURING and row.stop_on < facts.as_of


def _verdicts(facts: Facts) -> list[NewVerdict]:
    """The verdicts that have come due, whatever they say."""
    due = {str(row.suggestion_id): row for row in facts.rows if _is_due(facts, row)}
    if not due:
        return []
    found = _try("verdicts", lambda: _judge(facts, list(due.values())), [])
    return [_new_verdict(due[one.decision_id], one) for one in found]


def _judge(
    facts: Facts, rows: Sequence[RegistrationRow], *, is_running: bool = False
) -> list[outcomes.Verdict]:
    return outcomes.judge(
        facts.history,
        [outcomes.registration_from(row.record) for row in rows],
        as_of=facts.as_of.isoformat(),
        changed=facts.repriced,
        ended=facts.ended,
        is_running=is_running,
    )


def _new_verdict(row: RegistrationRow, verdict: outcomes.Verdict) -> NewVerdict:
    profit, low, high = (
        None if value is None else Decimal(str(round(value, 2)))
        for value in (verdict.profit, verdict.profit_low, verdict.profit_high)
    )
    outcome = VerdictOutcome(verdict.outcome)
    if (
        outcome is VerdictOutcome.TOO_EARLY
    ):  # its window ended early: it will not be told any better
        outcome = VerdictOutcome.COULD_NOT_TELL
    return NewVerdict(row.id, outcome, profit, low, high, asdict(verdict))


def _total(facts: Facts) -> LedgerTotal | None:
    if not facts.rows:
        return None
    total = outcomes.judge_portfolio(
        facts.history,
        [outcomes.registration_from(row.record) for row in facts.rows],
        as_of=facts.as_of.isoformat(),
        changed=facts.repriced,
        ended=facts.ended,
        seed=SEED,
    )
    return LedgerTotal.of_json(asdict(total))


def _rulings(facts: Facts) -> Rulings:
    """What the brake rules of each kind; one that the merchant let go on is judged by what came after."""
    found: dict[str, Ruling] = {}
    for kind in PRICE_MOVES:
        rows = _since_lift(facts, kind)
        ruling = _try("brake", lambda kind=kind, rows=rows: _rule(facts, kind, rows), None)
        if ruling is not None:
            found[kind.value] = Ruling.of_json(asdict(ruling))
    return Rulings.of_json(found)


def _since_lift(facts: Facts, kind: MoveKind) -> list[RegistrationRow]:
    lifted = facts.lifts[kind]
    return [
        row
        for row in facts.rows
        if row.kind is kind
        and not row.is_held_back
        and (lifted is None or row.registered_at > lifted)
    ]


def _rule(facts: Facts, kind: MoveKind, rows: Sequence[RegistrationRow]) -> brake.BrakeRuling:
    still_open = [
        _worst(row, facts.as_of)
        for row in rows
        if row.state is RegistrationState.MEASURING and row.ended_on is None
    ]
    return brake.judge_kind(
        kind.value,
        _judge(facts, rows, is_running=True) if rows else [],
        loss_cap=float(facts.loss_cap) / len(PRICE_MOVES),
        open_risks=still_open,
    )


def _worst(row: RegistrationRow, as_of: date) -> float:
    """What an open decision may still lose at worst, until its window closes."""
    record = outcomes.registration_from(row.record)
    proposal = row.evidence.proposal
    old, new = float(proposal.old_price), float(proposal.price)
    net = old / (1 + float(row.evidence.tax_rate or 0))
    weeks = (row.stop_on - row.first_on).days / 7
    a_week = record.expected_counts * record.units_per_count * record.unit_profit_before / weeks
    if a_week <= 0 or record.unit_profit_before <= 0:
        return float(row.risk)
    left = max(1, -(-(row.stop_on - as_of).days // 7))
    worst = brake.worst_loss(
        a_week, left, price_change=new / old - 1, margin_share=record.unit_profit_before / net
    )
    return max(worst, float(row.risk))


def _pull_brakes(conn: Connection, facts: Facts, stops: Mapping[MoveKind, Ruling]) -> None:
    """Stop kinds: no more suggested, what is planned does not go out, and the log says so."""
    if not stops:
        return
    shop_id = facts.shop.shop_id
    for kind, ruling in stops.items():
        ledgers.pull_brake(conn, shop_id, kind.value, ruling)
    stopped = [kind.value for kind in stops]
    for suggestion_id in ledgers.stop_waiting(conn, shop_id, stopped):
        registrations.make_void(conn, shop_id, suggestion_id)
        decision_log.add(
            conn, shop_id, suggestion_id, actor="keel", action="stopped", detail={"by": "brake"}
        )
    rollouts.mark_braked(conn, shop_id)
    ledgers.close_open(conn, shop_id, stopped)


def _log_verdicts(conn: Connection, facts: Facts, verdicts: Sequence[NewVerdict]) -> None:
    by_id = {row.id: row for row in facts.rows}
    for verdict in verdicts:
        decision_log.add(
            conn,
            facts.shop.shop_id,
            by_id[verdict.registration_id].suggestion_id,
            actor="keel",
            action="judged",
            detail={"outcome": verdict.outcome.value, "profit": str(verdict.profit)},
        )


def _next_look(facts: Facts, verdicts: Sequence[NewVerdict]) -> float:
    """Seconds until it is looked again: tomorrow while something is measured; else when something is registered again."""
    judged = {verdict.registration_id for verdict in verdicts}
    waiting = [
        row.stop_on
        for row in facts.rows
        if row.state is RegistrationState.MEASURING and row.id not in judged
    ]
    if not waiting:
        return timedelta(days=31).total_seconds()
    wait = judge_at(facts.shop, min(waiting)) - clock.now(facts.shop)
    return max(timedelta(hours=1), min(timedelta(days=1), wait)).total_seconds()


def _try(what: str, work: Callable[[], T], otherwise: T) -> T:
    """A model that fails must not keep the others from their verdicts; tomorrow is another day."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 -- see above; it is logged, and what is due stays due
        log.warning("judging_failed", what=what, error=f"{type(error).__name__}: {error}")
        return otherwise
