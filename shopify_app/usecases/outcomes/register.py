"""A decision is registered before it is written: how it will be judged, fixed while nothing is known of the end.

    accepted price --(worker, just before the write)--> registration --> write

Loads pandas: only workers come here, and only when there is something to register. Whatever a
model does, the merchant's click is carried out; the registration then says that it cannot be measured.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import pandas as pd
import structlog

from shopify_app import clock
from shopify_app.analytics import outcomes
from shopify_app.db import decision_log, due_work, products, registrations, shops, suggestions
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.evidence import PriceEvidence, PriceProposal
from shopify_app.domain.outcome import NewRegistration, RegistrationState, decision_evidence
from shopify_app.domain.shop import Shop
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.errors import NotFoundError
from shopify_app.usecases.outcomes.history import (
    PAST_WEEKS,
    monday_after,
    read_history,
    units_per_order,
)

SEED: Final = 0
WEEKS_PER_MONTH: Final = 52 / 12
LAG_HOURS: Final = 26
"""Orders of the last day come in late, and are counted again, within a day."""

FIRST_LOOK_SECONDS: Final = 86_400
"""From a registration until the ledger is worked out with it."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ToRegister:
    """A suggestion about to be carried out, or drawn to be held back."""

    card: SuggestionCard
    is_held_back: bool = False


def register_accepted(shop_id: int, suggestion_ids: Sequence[int]) -> int:
    """Register accepted price suggestions that are about to be written; how many were new."""
    with transaction(shop_id) as conn:
        cards = [suggestions.card(conn, shop_id, one) for one in dict.fromkeys(suggestion_ids)]
    return register(shop_id, [ToRegister(card) for card in cards if card is not None])


def register(shop_id: int, wanted: Sequence[ToRegister], *, today: date | None = None) -> int:
    """Register price suggestions as of today in the shop's zone; how many were new."""
    if not wanted:
        return 0
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        if shop is None:
            raise NotFoundError(f"shop {shop_id}")
        first_on = monday_after(today or clock.today(shop))
        past = first_on - timedelta(weeks=PAST_WEEKS)
        history = read_history(conn, shop, first=past, until=first_on)
        changing = registrations.under_change(conn, shop_id, past)
        siblings = products.siblings_of(conn, shop_id, [w.card.variant_id for w in wanted])
    records = _records(history, wanted, first_on, changing, siblings)
    with transaction(shop_id) as conn:
        new = registrations.add(
            conn, shop_id, [_row(one, records.get(one.card.id), first_on) for one in wanted]
        )
        _follow_up(conn, shop, wanted, records)
    return new


def _records(
    history: pd.DataFrame,
    wanted: Sequence[ToRegister],
    first_on: date,
    changing: Sequence[int],
    siblings: dict[int, list[int]],
) -> dict[int, outcomes.Registration]:
    """Suggestion id -> how it will be judged; empty if the model failed."""
    per_order = units_per_order(history)
    measurable = [one for one in wanted if _unit_cost(one.card) is not None]
    decisions = [_decision(one.card, per_order, siblings) for one in measurable]
    held = [str(one.card.id) for one in measurable if one.is_held_back]
    if not decisions:
        return {}
    try:
        found = outcomes.register(
            history,
            decisions,
            first_on=first_on.isoformat(),
            held_back=held,
            under_change=[str(number) for number in changing],
            seed=SEED,
        )
    except Exception as error:  # noqa: BLE001 -- the click is carried out; the ledger says that it is not measured
        log.warning("registration_failed", error=f"{type(error).__name__}: {error}")
        return {}
    return {int(one.decision_id): one for one in found}


def _decision(
    card: SuggestionCard, per_order: dict[str, float], siblings: dict[int, list[int]]
) -> outcomes.Decision:
    cost, proposal = float(_unit_cost(card) or 0), card.proposal_as(PriceProposal)
    taxed = 1 + float(card.evidence_as(PriceEvidence).tax_rate or 0)
    return outcomes.Decision(
        decision_id=str(card.id),
        series_id=str(card.variant_id),
        kind=proposal.move.value,
        unit_profit_before=float(proposal.old_price) / taxed - cost,
        unit_profit_after=float(proposal.price) / taxed - cost,
        units_per_count=per_order.get(str(card.variant_id), 1.0),
        substitutes=tuple(str(number) for number in siblings.get(card.variant_id, [])),
    )


def _row(one: ToRegister, record: outcomes.Registration | None, first_on: date) -> NewRegistration:
    card = one.card
    why_not = record.not_measurable_because if record else _unknown_because(card)
    state = RegistrationState.NOT_MEASURED if why_not else RegistrationState.MEASURING
    stop_on = date.fromisoformat(record.stop_on[:10]) if record else None
    return NewRegistration(
        suggestion_id=card.id,
        variant_id=card.variant_id,
        kind=card.proposal.move,
        is_held_back=one.is_held_back,
        state=state,
        metric=record.metric if record else "gross_profit",
        not_measurable_because=why_not,
        first_on=first_on if record else None,
        stop_on=stop_on,
        record=asdict(record) if record else None,
        evidence=decision_evidence(card),
        risk=_risk(card, first_on, stop_on),
    )


def _unknown_because(card: SuggestionCard) -> str:
    return "no_cost" if _unit_cost(card) is None else "not_registered"


def _unit_cost(card: SuggestionCard) -> Decimal | None:
    """What a unit cost when the price was suggested; None: it was not known."""
    return card.evidence_as(PriceEvidence).unit_cost


def _risk(card: SuggestionCard, first_on: date, stop_on: date | None) -> Decimal:
    """What it may lose by its stop date, at the low end of what was expected."""
    weeks = (stop_on - first_on).days / 7 if stop_on else outcomes.WINDOW_PERIODS
    loss = max(Decimal(0), -card.value_low)
    return (loss * Decimal(str(weeks / WEEKS_PER_MONTH))).quantize(Decimal("0.01"))


def _follow_up(
    conn: Connection,
    shop: Shop,
    wanted: Sequence[ToRegister],
    records: dict[int, outcomes.Registration],
) -> None:
    """Tell the log, and have the ledger worked out once the earliest window has closed, at least daily."""
    for one in wanted:
        record = records.get(one.card.id)
        decision_log.add(
            conn,
            shop.shop_id,
            one.card.id,
            actor="keel",
            action="held_back" if one.is_held_back else "registered",
            detail={
                "stop_on": record.stop_on if record else None,
                "not_measurable_because": record.not_measurable_because
                if record
                else _unknown_because(one.card),
            },
        )
    due_work.ask(conn, shop.shop_id, "ledger", in_seconds=FIRST_LOOK_SECONDS)


def judge_at(shop: Shop, stop_on: date) -> datetime:
    """The moment from which a window that stops on a day may be judged."""
    return datetime.combine(stop_on, time.min, shop.zone) + timedelta(hours=LAG_HOURS)
