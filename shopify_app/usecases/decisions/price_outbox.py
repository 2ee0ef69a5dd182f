"""Accepted prices become Shopify's prices: read, compare, write, read back.

    approved --claim--> sending --+--> applied | conflict | failed | unknown
        ^------ put back (transient) --+

Shopify has no compare-and-set for prices. So the price is read right before the write, the write
is absolute, an unclear outcome is settled by reading, and a price that is neither what we knew
nor what we want is left alone. So is one that reads as before while Shopify's stamp of the variant
has moved since a write without an answer: it may have landed and been taken back by the merchant.
No transaction is open while Shopify is asked, and nothing is written that is not registered
(`register_decisions`): how a decision will be judged is fixed before it is made. What was accepted
under wider limits than the merchant's of now is not written (an undo, a way back and a price test's are).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.db import (
    decision_log,
    price_changes,
    price_history,
    registrations,
    shop_settings,
    shops,
    suggestions,
)
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.domain.evidence import way_back_of
from shopify_app.domain.price_limits import limit_broken_by
from shopify_app.domain.suggestion import PriceChange, PriceChangeState
from shopify_app.errors import (
    AccessDeniedError,
    AppError,
    OutcomeUnknownError,
    ShopifyProgramError,
    ShopifyUserError,
    ShopUnavailableError,
    TransientError,
)
from shopify_app.metrics import PRICE_WRITES
from shopify_app.shopify import prices_api
from shopify_app.shopify.client import AdminApi
from shopify_app.shopify.prices_api import VariantPrice
from shopify_app.usecases.rounds import each
from shopify_app.usecases.shops import access

BATCH: Final = 50
"""Writes claimed at once; they go out one product a call."""

LEASE_SECONDS: Final = 60
"""Longer than the two calls a write takes (5 s each) with their waits for cost."""

GIVE_UP_ATTEMPTS: Final = 12
"""With the back-off below: about two hours of trying."""

Pair = tuple[Decimal, Decimal | None]

log = structlog.get_logger()


def send_price_changes() -> int:
    """Send what is due, shop by shop; how many changes were looked at."""
    with sweep_transaction() as conn:
        due = price_changes.due_shops(conn)
    return each(due, send_shop_price_changes, of="price_changes")


def send_shop_price_changes(shop_id: int) -> int:
    """Send one shop's due changes; how many were looked at."""
    with transaction(shop_id) as conn:
        if (thaw := _frozen_until(conn, shop_id)) is not None:
            price_changes.put_off(conn, shop_id, thaw)
        unregistered = price_changes.unregistered(conn, shop_id, limit=BATCH)
    if unregistered:
        _register(shop_id, unregistered)
    with transaction(shop_id) as conn:
        claimed = price_changes.claim(conn, shop_id, limit=BATCH, lease_seconds=LEASE_SECONDS)
    if not claimed:
        return 0
    by_product: dict[int, list[PriceChange]] = defaultdict(list)
    for change in claimed:
        by_product[change.product_id].append(change)
    for changes in by_product.values():
        _send_product(shop_id, changes)
    return len(claimed)


def _register(shop_id: int, suggestion_ids: Sequence[int]) -> None:
    from shopify_app.usecases.outcomes import register as registering  # noqa: PLC0415 -- pandas, only when there is something to register

    registering.register_accepted(shop_id, suggestion_ids)


def _frozen_until(conn: Connection, shop_id: int) -> datetime | None:
    """The first moment after the freeze of today, in the shop's zone; None on other days."""
    shop, chosen = shops.by_id(conn, shop_id), shop_settings.of_shop(conn, shop_id)
    if shop is None or chosen.prices_frozen_last is None:
        return None
    today = clock.today(shop)
    if not chosen.freezes_prices(today, today):
        return None
    return datetime.combine(chosen.prices_frozen_last + timedelta(days=1), time.min, shop.zone)


def _send_product(shop_id: int, changes: Sequence[PriceChange]) -> None:
    """One product's changes to their end, or back into the outbox."""
    try:
        access.with_api(shop_id, lambda api: _read_then_write(shop_id, api, changes))
    except ShopUnavailableError as error:
        _shop_is_unavailable(shop_id, changes, error)
    except TransientError as error:
        _put_back(shop_id, changes, error)
    except (AccessDeniedError, ShopifyProgramError) as error:
        for change in changes:
            _finish(
                shop_id, change, PriceChangeState.FAILED, error_code="not_allowed", error=str(error)
            )


def _read_then_write(shop_id: int, api: AdminApi, changes: Sequence[PriceChange]) -> None:
    prices = prices_api.variant_prices(api, [change.variant_id for change in changes])
    to_write = _settle_by_reading(shop_id, prices, changes)
    if to_write:
        _write(
            shop_id, api, to_write, {number: price.updated_at for number, price in prices.items()}
        )


def _settle_by_reading(
    shop_id: int, prices: Mapping[int, VariantPrice], changes: Sequence[PriceChange]
) -> list[PriceChange]:
    """End what needs no write, by the prices just read; what is left is to be written."""
    with transaction(shop_id) as conn:
        edited = price_history.edited_since_approved(conn, shop_id, [c.id for c in changes])
    to_write: list[PriceChange] = []
    for change in changes:
        current = prices.get(change.variant_id)
        if current is None:
            _finish(
                shop_id,
                change,
                PriceChangeState.FAILED,
                error_code="variant_gone",
                error="the variant is gone",
            )
            continue
        seen: Pair = (current.price, current.compare_at_price)
        if seen == _new(change):
            _finish(shop_id, change, PriceChangeState.APPLIED, seen=seen)
        elif seen == _old(change) and change.id not in edited and _nothing_landed(change, current):
            to_write.append(change)
        else:
            # Sent before: our write may have landed and been edited since, also back to the old price.
            state = PriceChangeState.UNKNOWN if change.sent_at else PriceChangeState.CONFLICT
            _finish(shop_id, change, state, seen=seen)
    return to_write


def _nothing_landed(change: PriceChange, current: VariantPrice) -> bool:
    """Whether a price that reads as before was never ours: not sent, or the variant untouched since we read it then."""
    return change.sent_at is None or current.updated_at == change.before_updated_at


def _write(
    shop_id: int, api: AdminApi, changes: Sequence[PriceChange], stamps: Mapping[int, datetime]
) -> None:
    """Write absolute prices of one product, and judge by what Shopify then shows."""
    with transaction(shop_id) as conn:
        beyond = _beyond_limits(conn, shop_id, changes)
        within = [change for change in changes if change.id not in beyond]
        still_ours = price_changes.mark_sent(
            conn, shop_id, within, lease_seconds=LEASE_SECONDS, stamps=stamps
        )
    for change in changes:
        if change.id in beyond:
            _end_beyond_limits(shop_id, change, beyond[change.id])
    sending = [change for change in within if change.id in still_ours]
    _put_back(
        shop_id, [c for c in within if c.id not in still_ours], TransientError("writes are paused")
    )
    if not sending:
        return
    try:
        written = prices_api.set_prices(
            api, sending[0].product_id, [(c.variant_id, *_new(c)) for c in sending]
        )
    except OutcomeUnknownError as error:
        _put_back(shop_id, sending, error, in_seconds=1)
        return
    except AppError as error:
        with transaction(shop_id) as conn:
            price_changes.mark_not_sent(conn, shop_id, sending)
        if not isinstance(error, ShopifyUserError):
            raise
        _refused(shop_id, sending, error)
        return
    for change in sending:
        now = written[change.variant_id]
        seen = (now.price, now.compare_at_price)
        state = PriceChangeState.APPLIED if seen == _new(change) else PriceChangeState.UNKNOWN
        _finish(shop_id, change, state, seen=seen)


def _beyond_limits(
    conn: Connection, shop_id: int, changes: Sequence[PriceChange]
) -> dict[int, str]:
    """Of these changes those that the merchant's limits of now do not allow: id -> the limit."""
    held = [c for c in changes if c.suggestion_id is not None and c.undo_of is None]
    chosen = shop_settings.of_shop(conn, shop_id)
    found: dict[int, str] = {}
    for change in held:
        card = suggestions.card(conn, shop_id, change.suggestion_id or 0)
        broken = limit_broken_by(card, chosen) if card and chosen else None
        if broken is not None:
            found[change.id] = broken
    return found


def _end_beyond_limits(shop_id: int, change: PriceChange, limit: str) -> None:
    """Not written any more. One that left before, without an answer, may still land: that is said instead."""
    state = PriceChangeState.UNKNOWN if change.sent_at else PriceChangeState.FAILED
    seen = _old(change) if change.sent_at else None
    _finish(shop_id, change, state, seen=seen, error_code=limit)


def _refused(shop_id: int, changes: Sequence[PriceChange], error: ShopifyUserError) -> None:
    """Shopify refused the whole product: each alone, so that one bad price stops none of the others."""
    if len(changes) == 1:
        _finish(
            shop_id,
            changes[0],
            PriceChangeState.FAILED,
            error_code=error.code or "refused",
            error=str(error),
        )
        return
    for change in changes:
        _send_product(shop_id, [change])


def _shop_is_unavailable(
    shop_id: int, changes: Iterable[PriceChange], error: ShopUnavailableError
) -> None:
    """Uninstalled ends a change; a frozen shop or a dead token may come back."""
    for change in changes:
        if error.reason == "uninstalled" or change.attempts >= GIVE_UP_ATTEMPTS:
            _finish(
                shop_id, change, PriceChangeState.FAILED, error_code=error.reason, error=str(error)
            )
        else:
            _put_back(shop_id, [change], TransientError(error.reason), in_seconds=300)


def _put_back(
    shop_id: int,
    changes: Iterable[PriceChange],
    error: TransientError,
    *,
    in_seconds: float | None = None,
) -> None:
    """Wait and read again; after `GIVE_UP_ATTEMPTS` say plainly that we do not know or did not write."""
    for change in changes:
        if change.attempts >= GIVE_UP_ATTEMPTS:
            with transaction(shop_id) as conn:
                newest = price_changes.by_id(conn, shop_id, change.id)
            was_sent = newest is not None and newest.sent_at is not None
            state = PriceChangeState.UNKNOWN if was_sent else PriceChangeState.FAILED
            _finish(shop_id, change, state, error_code="gave_up", error=str(error))
            continue
        wait = in_seconds or error.retry_after_seconds or min(2.0**change.attempts, 900)
        with transaction(shop_id) as conn:
            price_changes.put_back(conn, shop_id, change, in_seconds=wait, error=str(error))


def _finish(
    shop_id: int,
    change: PriceChange,
    state: PriceChangeState,
    *,
    seen: Pair | None = None,
    error_code: str | None = None,
    error: str | None = None,
) -> None:
    """Write a change's end, and what follows from it, if our claim still holds."""
    with transaction(shop_id) as conn:
        ended = price_changes.finish(
            conn, shop_id, change, state, seen=seen, error_code=error_code, error=error
        )
        if not ended:
            return
        if change.suggestion_id is not None:  # a price test looks at its writes itself
            action = _follow_up(conn, shop_id, change, change.suggestion_id, state)
            decision_log.add(
                conn,
                shop_id,
                change.suggestion_id,
                actor="keel",
                action=action,
                detail={
                    "change_id": change.id,
                    "seen_price": str(seen[0]) if seen else None,
                    "error_code": error_code,
                },
            )
    PRICE_WRITES.labels(state.value).inc()
    log.info(
        "price_change_ended",
        shop_id=shop_id,
        change_id=change.id,
        state=state.value,
        error_code=error_code,
    )


def _follow_up(
    conn: Connection, shop_id: int, change: PriceChange, suggestion_id: int, state: PriceChangeState
) -> str:
    """What an end means for the suggestion and for its measuring; the act for the log."""
    if change.undo_of is None:
        if state is PriceChangeState.APPLIED:
            _end_raise(conn, shop_id, suggestion_id)
        else:
            registrations.make_void(conn, shop_id, suggestion_id)
        return state.value
    if state is not PriceChangeState.APPLIED:
        return state.value
    price_changes.mark_undone(conn, shop_id, change.undo_of)
    suggestions.mark_undone(conn, shop_id, suggestion_id)
    _end_window(conn, shop_id, suggestion_id, "undone")
    return "undone"


def _end_raise(conn: Connection, shop_id: int, suggestion_id: int) -> None:
    """Where a price was a way back: the raise it is from holds no more."""
    card = suggestions.card(conn, shop_id, suggestion_id)
    raised = None if card is None else way_back_of(card.proposal)
    if raised is not None:
        _end_window(conn, shop_id, raised, "way_back")


def _end_window(conn: Connection, shop_id: int, suggestion_id: int, because: str) -> None:
    shop = shops.by_id(conn, shop_id)
    if shop is not None:
        today = clock.today(shop)
        registrations.mark_ended(conn, shop_id, suggestion_id, on=today, because=because)


def _old(change: PriceChange) -> Pair:
    return change.old_price, change.old_compare_at_price


def _new(change: PriceChange) -> Pair:
    return change.new_price, change.new_compare_at_price
