"""An accepted price: into the outbox (`price_outbox` sends it), and back.

The way back from a raise is a price of its own: no bet, so no cap holds it, and what it ends is the raise's window
(`price_outbox`). A price may be planned for a moment: until then its undo costs no write. A change is held by the
merchant's limits of now (`domain.price_limits`), at the click and again at the send; an undo and a way back are exact
always.
"""

from datetime import datetime

from shopify_app import clock
from shopify_app.db import (
    measuring_settings,
    price_changes,
    registrations,
    shop_settings,
    shops,
    suggestions,
    tested_prices,
)
from shopify_app.db.connection import Connection
from shopify_app.domain.evidence import PriceProposal
from shopify_app.domain.price_limits import NOT_SENT, limit_broken_by
from shopify_app.domain.suggestion import PriceChange, PriceChangeState, SuggestionCard
from shopify_app.errors import InvalidInputError
from shopify_app.usecases.decisions.answers import Click, UndoAnswer
from shopify_app.usecases.decisions.unmeasured import register_unmeasured
from shopify_app.usecases.outcomes.risk import at_risk


def carry_out(conn: Connection, shop_id: int, card: SuggestionCard, click: Click) -> None:
    """Put the write into the outbox.

    Raises
    ------
    InvalidInputError
        If it may not go out now; `field` says why.
    """
    _refuse_while_frozen(conn, shop_id, click.when.planned_for)
    if card.variant_id in tested_prices.variants_under_test(conn, shop_id):
        raise InvalidInputError("a price test sets this price", field="under_test")
    asked = card.proposal_as(PriceProposal)
    if asked.back_from is not None:
        register_unmeasured(conn, shop_id, card, "way_back")
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
        old=(asked.old_price, asked.old_compare_at_price),
        new=(asked.price, asked.compare_at_price),
        currency=card.currency,
        click_key=click.key,
        approved_by=click.by,
        when=click.when,
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
    day = (planned_for or clock.now(shop)).astimezone(shop.zone).date()
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


def take_back(conn: Connection, shop_id: int, card: SuggestionCard, by: str) -> UndoAnswer:
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
