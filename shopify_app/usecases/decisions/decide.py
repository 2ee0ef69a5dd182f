r"""A merchant decides: accept, dismiss, undo.

    open --accept--> accepted --undo (carried out)--> undone
      \--dismiss--> dismissed --undo--> open

What accepting and taking back do is said a kind each (`carry_out`). Nothing is rung from here: the pump sees the row
within half a second, and a click does not wait for Redis.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from shopify_app import clock
from shopify_app.db import decision_log, shops, suggestions
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.rollout import AT_ONCE, When
from shopify_app.domain.suggestion import DISMISS_REASONS, SuggestionCard, SuggestionState
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.decisions.answers import AcceptAnswer, Click, UndoAnswer
from shopify_app.usecases.decisions.carry_out import of_kind

REST_DAYS: Final = 30
"""How long a dismissed suggestion stays quiet."""


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
            card = of_kind(card.kind).with_units(card, units)
        accepted = suggestions.mark_accepted(conn, shop_id, suggestion_id, accepted_by=accepted_by)
        if accepted:
            if units is not None:
                suggestions.note_chosen_units(conn, shop_id, suggestion_id, units)
            click_key = click_key or f"accept:{suggestion_id}"
            click = Click(accepted_by, click_key, when)
            of_kind(card.kind).carry_out(conn, shop_id, card, click)
            decision_log.add(
                conn,
                shop_id,
                suggestion_id,
                actor=accepted_by,
                action="accepted",
                detail=card.proposal.as_json(),
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
        until = _rests_until(conn, shop_id)
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


def _rests_until(conn: Connection, shop_id: int) -> date:
    shop = shops.by_id(conn, shop_id)
    if shop is None:
        raise NotFoundError(f"shop {shop_id}")
    return clock.today(shop) + timedelta(days=REST_DAYS)


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


def _undo(conn: Connection, shop_id: int, card: SuggestionCard, by: str) -> UndoAnswer:
    if card.state is SuggestionState.DISMISSED:
        reopened = suggestions.reopen(conn, shop_id, card.id)
        return UndoAnswer(reopened, None if reopened else "newer_suggestion")
    if card.state is not SuggestionState.ACCEPTED:
        return UndoAnswer(accepted=False, refused_because="not_accepted")
    return of_kind(card.kind).take_back(conn, shop_id, card, by)
