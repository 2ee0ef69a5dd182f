r"""A merchant decides: accept, dismiss, undo.

    open --accept--> accepted --undo (carried out)--> undone
      \--dismiss--> dismissed --undo--> open

Accepting a price only puts a write into the outbox (`price_outbox` sends it); accepting a restock
puts a line on the draft purchase order; accepting a trend keeps it in view. The way back from a raise is a price of
its own: no bet, so no cap holds it, and what it ends is the raise's window (`price_outbox`). A price may be planned for a
moment: until then its undo costs no write. A change is held by the merchant's limits of now
(`domain.price_limits`), at the click and again at the send; an undo and a way back are exact always. Nothing is rung from here:
the pump sees the row within half a second, and a click does not wait for Redis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from shopify_app.db import (
    decision_log,
    measuring_settings,
    price_changes,
    purchase_orders,
    registrations,
    shop_settings,
    shops,
    suggestions,
    tested_prices,
)
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.outcome import (
    NewRegistration,
    RegistrationState,
    decision_evidence,
    move_kind,
)
from shopify_app.domain.price_limits import NOT_SENT, limit_broken_by
from shopify_app.domain.rollout import AT_ONCE, When
from shopify_app.domain.suggestion import (
    DISMISS_REASONS,
    PriceChange,
    PriceChangeState,
    SuggestionCard,
    SuggestionKind,
    SuggestionState,
    way_back_of,
)
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.outcomes.risk import at_risk

REST_DAYS: Final = 30
"""How long a dismissed suggestion stays quiet."""

MOST_UNITS: Final = 1_000_000
"""Of one line of an order."""


@dataclass(frozen=True, slots=True)
class AcceptAnswer:
    """Whether an acceptance was carried out; else why not, as a code the page puts in words."""

    accepted: bool
    refused_because: str | None = None


@dataclass(frozen=True, slots=True)
class UndoAnswer:
    """Whether an undo is under way or done; else why it was refused, as a code the page puts in words."""

    accepted: bool
    refused_because: str | None = None


def accept_suggestion(
    shop_id: int,
    suggestion_id: int,
    *,
    accepted_by: str,
    click_key: str | None = None,
    when: When = AT_ONCE,
    units: int | None = None,
) -> bool:
    """Accept an open suggestion; False if it was decided before (a double click, another browser).

    `units` are what the merchant orders of a restock in place of what is proposed: a budget's plan.

    Raises
    ------
    NotFoundError
        If this shop has no such suggestion.
    InvalidInputError
        If prices are frozen on the day, the price is beyond the merchant's limits of now, another write of the variant
        is under way, a price test sets its price, or the vendor does not sell so many units.
    """
    with transaction(shop_id) as conn:
        card = _card(conn, shop_id, suggestion_id)
        if units is not None:
            card = _with_units(card, units)
        accepted = suggestions.mark_accepted(conn, shop_id, suggestion_id, accepted_by=accepted_by)
        if accepted:
            if units is not None:
                suggestions.note_chosen_units(conn, shop_id, suggestion_id, units)
            click_key = click_key or f"accept:{suggestion_id}"
            _carry_out(conn, shop_id, card, accepted_by, click_key, when)
            decision_log.add(
                conn,
                shop_id,
                suggestion_id,
                actor=accepted_by,
                action="accepted",
                detail=card.proposal,
            )
    return accepted


def accept_suggestions(
    shop_id: int,
    suggestion_ids: Sequence[int],
    *,
    accepted_by: str,
    units: Mapping[int, int] | None = None,
) -> list[tuple[int, AcceptAnswer]]:
    """Accept several, each for itself with its own reason: one that cannot be accepted stops none of the others.

    `units` by suggestion are ordered in place of what is proposed.
    """
    answers: list[tuple[int, AcceptAnswer]] = []
    for suggestion_id in dict.fromkeys(suggestion_ids):
        try:
            accepted = accept_suggestion(
                shop_id,
                suggestion_id,
                accepted_by=accepted_by,
                units=(units or {}).get(suggestion_id),
            )
            answer = AcceptAnswer(accepted, None if accepted else "decided_before")
        except InvalidInputError as error:
            answer = AcceptAnswer(accepted=False, refused_because=error.field or "refused")
        except NotFoundError:
            answer = AcceptAnswer(accepted=False, refused_because="not_found")
        answers.append((suggestion_id, answer))
    return answers


def undo_suggestions(
    shop_id: int, suggestion_ids: Sequence[int], *, asked_by: str
) -> list[tuple[int, UndoAnswer]]:
    """Take several decisions back, each for itself: one that cannot be undone stops none of the others."""
    answers: list[tuple[int, UndoAnswer]] = []
    for suggestion_id in dict.fromkeys(suggestion_ids):
        try:
            answer = undo_suggestion(shop_id, suggestion_id, asked_by=asked_by)
        except InvalidInputError as error:
            answer = UndoAnswer(accepted=False, refused_because=error.field or "refused")
        except NotFoundError:
            answer = UndoAnswer(accepted=False, refused_because="not_found")
        answers.append((suggestion_id, answer))
    return answers


def dismiss_suggestion(shop_id: int, suggestion_id: int, *, reason: str, dismissed_by: str) -> bool:
    """Dismiss an open suggestion for `REST_DAYS`; False if it was decided before.

    Raises
    ------
    NotFoundError
        If this shop has no such suggestion.
    InvalidInputError
        If the reason is not one of `DISMISS_REASONS`.
    """
    if reason not in DISMISS_REASONS:
        raise InvalidInputError(
            f"reason must be one of {', '.join(DISMISS_REASONS)}", field="reason"
        )
    with transaction(shop_id) as conn:
        card = _card(conn, shop_id, suggestion_id)
        until = datetime.now(UTC).date() + timedelta(days=REST_DAYS)
        dismissed = suggestions.mark_dismissed(
            conn, shop_id, card.id, reason=reason, dismissed_by=dismissed_by, until=until
        )
        if dismissed:
            decision_log.add(
                conn,
                shop_id,
                card.id,
                actor=dismissed_by,
                action="dismissed",
                detail={"reason": reason},
            )
    return dismissed


def undo_suggestion(shop_id: int, suggestion_id: int, *, asked_by: str) -> UndoAnswer:
    """Take a decision back exactly, or say why not.

    A price that was written is written back through the same outbox, and only if the shop still
    shows what we wrote: a merchant's newer edit is never overwritten.

    Raises
    ------
    NotFoundError
        If this shop has no such suggestion.
    """
    with transaction(shop_id) as conn:
        card = _card(conn, shop_id, suggestion_id)
        answer = _undo(conn, shop_id, card, asked_by)
        if answer.accepted:
            decision_log.add(conn, shop_id, card.id, actor=asked_by, action="undo_asked")
    return answer


def _card(conn: Connection, shop_id: int, suggestion_id: int) -> SuggestionCard:
    card = suggestions.card(conn, shop_id, suggestion_id)
    if card is None:
        raise NotFoundError(f"suggestion {suggestion_id}")
    return card


def _with_units(card: SuggestionCard, units: int) -> SuggestionCard:
    """A restock of which the merchant orders another number of units, as packs and minimum allow."""
    if card.kind is not SuggestionKind.RESTOCK:
        raise InvalidInputError("only a restock has units", field="units")
    pack, least = int(card.evidence["pack_units"]), int(card.evidence["minimum_units"])
    if not max(least, 1) <= units <= MOST_UNITS or units % pack:
        raise InvalidInputError(
            f"units must be whole packs of {pack}, at least {least}", field="units"
        )
    return replace(card, proposal=card.proposal | {"chosen_units": units})


def _carry_out(
    conn: Connection, shop_id: int, card: SuggestionCard, by: str, click_key: str, when: When
) -> None:
    """What accepting does, in the transaction that accepts."""
    if card.kind is SuggestionKind.PRICE:
        _put_price_in_outbox(conn, shop_id, card, by, click_key, when)
        return
    _register_unmeasured(conn, shop_id, card, "not_in_store")
    if card.kind is SuggestionKind.RESTOCK:
        _put_on_purchase_order(conn, shop_id, card, by)


def _register_unmeasured(
    conn: Connection, shop_id: int, card: SuggestionCard, because: str
) -> None:
    """In the ledger, and not measured: what changes nothing in the store, and the way back, which ends the raise it is from."""
    registration = NewRegistration(
        suggestion_id=card.id,
        variant_id=card.variant_id,
        kind=move_kind(card.kind.value, card.proposal),
        is_held_back=False,
        state=RegistrationState.NOT_MEASURED,
        metric="none",
        not_measurable_because=because,
        first_on=None,
        stop_on=None,
        record=None,
        evidence=decision_evidence(card),
        risk=Decimal(0),
    )
    registrations.add(conn, shop_id, [registration])


def _put_price_in_outbox(
    conn: Connection, shop_id: int, card: SuggestionCard, by: str, click_key: str, when: When
) -> None:
    _refuse_while_frozen(conn, shop_id, when.planned_for)
    if card.variant_id in tested_prices.variants_under_test(conn, shop_id):
        raise InvalidInputError("a price test sets this price", field="under_test")
    proposal, is_way_back = card.proposal, way_back_of(card.proposal) is not None
    if is_way_back:
        _register_unmeasured(conn, shop_id, card, "way_back")
    else:
        _refuse_beyond_limits(conn, shop_id, card)
        _refuse_beyond_cap(conn, shop_id, card)
    change_id = price_changes.add(
        conn,
        shop_id,
        suggestion_id=card.id,
        undo_of=None,
        product_id=card.product_id,
        variant_id=card.variant_id,
        old=(Decimal(proposal["old_price"]), _decimal(proposal["old_compare_at_price"])),
        new=(Decimal(proposal["price"]), _decimal(proposal["compare_at_price"])),
        currency=card.currency,
        click_key=click_key,
        approved_by=by,
        when=when,
    )
    if change_id is None:
        raise InvalidInputError(
            "another price change of this variant is under way", field="under_way"
        )


def _refuse_while_frozen(
    conn: Connection, shop_id: int, planned_for: datetime | None = None
) -> None:
    shop, chosen = shops.by_id(conn, shop_id), shop_settings.of_shop(conn, shop_id)
    if shop is None:
        return
    day = (planned_for or datetime.now(UTC)).astimezone(shop.zone).date()
    if chosen.freezes_prices(day, day):
        raise InvalidInputError("prices are frozen today", field="prices_frozen")


def _refuse_beyond_limits(conn: Connection, shop_id: int, card: SuggestionCard) -> None:
    """The merchant's limits of now hold, whatever they were when the suggestion was made."""
    broken = limit_broken_by(card, shop_settings.of_shop(conn, shop_id))
    if broken is not None:
        raise InvalidInputError(f"the price is beyond a limit: {broken}", field=broken)


def _refuse_beyond_cap(conn: Connection, shop_id: int, card: SuggestionCard) -> None:
    """What price changes may lose in all, if the merchant said it, holds for a single click too.

    Where nothing was said, our own guess of a cap guards changes of many at once only: one price that was
    looked at by itself goes.
    """
    cap = measuring_settings.of_shop(conn, shop_id).loss_cap
    if cap is None:
        return
    risk = at_risk(conn, shop_id, card.value_low)
    if risk > cap:
        raise InvalidInputError(
            f"price changes could lose {risk:.2f}, more than the {cap:.2f} allowed",
            field="loss_cap",
        )


def _put_on_purchase_order(conn: Connection, shop_id: int, card: SuggestionCard, by: str) -> None:
    proposal = card.proposal
    purchase_orders.add_line(
        conn,
        shop_id,
        card.id,
        card.variant_id,
        vendor=proposal["vendor"],
        units=int(proposal.get("chosen_units", proposal["units"])),
        unit_cost=_decimal(proposal["unit_cost"]),
        currency=card.currency,
        order_by=date.fromisoformat(proposal["order_by"]),
        added_by=by,
    )


def _undo(conn: Connection, shop_id: int, card: SuggestionCard, by: str) -> UndoAnswer:
    if card.state is SuggestionState.DISMISSED:
        reopened = suggestions.reopen(conn, shop_id, card.id)
        return UndoAnswer(reopened, None if reopened else "newer_suggestion")
    if card.state is not SuggestionState.ACCEPTED:
        return UndoAnswer(accepted=False, refused_because="not_accepted")
    if card.kind is SuggestionKind.PRICE:
        return _undo_price(conn, shop_id, card, by)
    if card.kind is SuggestionKind.RESTOCK and not purchase_orders.withdraw(conn, shop_id, card.id):
        return UndoAnswer(accepted=False, refused_because="already_exported")
    return UndoAnswer(suggestions.mark_undone(conn, shop_id, card.id))


def _undo_price(conn: Connection, shop_id: int, card: SuggestionCard, by: str) -> UndoAnswer:
    """Withdraw a write that has not left, or queue the opposite write for one that was applied."""
    newest = price_changes.newest_of_suggestion(conn, shop_id, card.id)
    if newest is None:
        return UndoAnswer(suggestions.mark_undone(conn, shop_id, card.id))
    applied = _applied_change(conn, shop_id, newest)
    if applied is None:
        if newest.undo_of is None and price_changes.withdraw(conn, shop_id, newest.id):
            registrations.make_void(conn, shop_id, card.id)
            return UndoAnswer(suggestions.mark_undone(conn, shop_id, card.id))
        under_way = newest.state in (PriceChangeState.APPROVED, PriceChangeState.SENDING)
        because = "not_sent" if newest.error_code in NOT_SENT else newest.state.value
        return UndoAnswer(accepted=False, refused_because="under_way" if under_way else because)
    _refuse_while_frozen(conn, shop_id)
    undo_id = price_changes.add(
        conn,
        shop_id,
        suggestion_id=card.id,
        undo_of=applied.id,
        product_id=applied.product_id,
        variant_id=applied.variant_id,
        old=(applied.new_price, applied.new_compare_at_price),
        new=(applied.old_price, applied.old_compare_at_price),
        currency=applied.currency,
        click_key=f"undo:{applied.id}:{price_changes.count_undos(conn, shop_id, applied.id)}",
        approved_by=by,
    )
    return UndoAnswer(undo_id is not None, None if undo_id else "under_way")


def _applied_change(conn: Connection, shop_id: int, newest: PriceChange) -> PriceChange | None:
    """The write that stands in the shop: the newest, or the one that a refused undo left standing."""
    if newest.undo_of is None:
        return newest if newest.state is PriceChangeState.APPLIED else None
    if newest.state in (
        PriceChangeState.APPROVED,
        PriceChangeState.SENDING,
        PriceChangeState.APPLIED,
    ):
        return None
    original = price_changes.by_id(conn, shop_id, newest.undo_of)
    return original if original and original.state is PriceChangeState.APPLIED else None


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
