r"""Several prices together: what they put at stake, when they go out, and taking them back.

    preview --confirm--> planned: stage 1 at a moment, each next some days later --> written by the outbox
                              \--stop (merchant, or the brake)--> what has not left stays as it was

The merchant sees the exposure before confirming, and it is worked out again when confirming: a
limit that is not kept refuses the whole. Products go to stages by lot, so that later stages are a
fair comparison for earlier ones; variants of one product stay together.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from shopify_app import clock
from shopify_app.db import (
    exposure,
    ledgers,
    measuring_settings,
    registrations,
    rollouts,
    shop_settings,
    shops,
    suggestions,
)
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.evidence import PRICE_MOVES, way_back_of
from shopify_app.domain.price_limits import broken_limits, move_held
from shopify_app.domain.rollout import (
    MOST_DAYS_APART,
    MOST_STAGES,
    Exposure,
    Limit,
    Plan,
    When,
)
from shopify_app.domain.shop import Shop, ShopSettings
from shopify_app.domain.suggestion import SuggestionCard, SuggestionState
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.decisions import decide
from shopify_app.usecases.decisions.answers import UndoAnswer
from shopify_app.usecases.outcomes.risk import at_risk, loss_cap, share_of_sales

MOST_PRICES: Final = 100
FURTHEST_DAYS: Final = 180
"""A price planned further ahead would rest on old numbers."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is about to be confirmed: the prices still open, and what they put at stake."""

    cards: list[SuggestionCard]
    exposure: Exposure


def preview(shop_id: int, suggestion_ids: Sequence[int], plan: Plan) -> Preview:
    """The open price suggestions among these, and their exposure if they go out by this plan.

    Raises
    ------
    NotFoundError
        If none of them is an open price suggestion of this shop.
    InvalidInputError
        If the plan has more stages, or further apart, than any plan may.
    """
    _check_stages(plan)
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        cards = _open_prices(conn, shop_id, suggestion_ids)
        if shop is None or not cards:
            raise NotFoundError("open price suggestions")
        return Preview(cards, _exposure(conn, shop, cards, plan))


def confirm(shop_id: int, suggestion_ids: Sequence[int], plan: Plan, *, confirmed_by: str) -> int:
    """Accept these prices to go out by this plan; the plan's id.

    Raises
    ------
    NotFoundError
        If none of them is open any more.
    InvalidInputError
        If a limit is not kept (`field` is its code), or the plan's times are out of bounds.
    """
    _check_plan(plan, _moment_in(shop_id))
    found = preview(shop_id, suggestion_ids, plan)
    broken = next((limit.code for limit in found.exposure.limits if not limit.is_kept), None)
    if broken:
        raise InvalidInputError(f"a limit is not kept: {broken}", field=broken)
    with transaction(shop_id) as conn:
        rollout_id = rollouts.add(conn, shop_id, plan, found.exposure, created_by=confirmed_by)
    for card, stage in zip(
        found.cards, stages_by_lot(found.cards, plan.stages, rollout_id), strict=True
    ):
        when = When(plan.first_at + timedelta(days=plan.every_days * stage), rollout_id, stage)
        try:
            decide.accept_suggestion(shop_id, card.id, accepted_by=confirmed_by, when=when)
        except (InvalidInputError, NotFoundError):
            continue  # decided, or written, meanwhile: the others go on
    return rollout_id


def stop(shop_id: int, rollout_id: int, *, asked_by: str) -> int:
    """Let no further stage go out; how many prices stay as they were.

    Raises
    ------
    NotFoundError
        If this shop has no such plan.
    """
    with transaction(shop_id) as conn:
        if not rollouts.newest(conn, shop_id, rollout_id=rollout_id):
            raise NotFoundError(f"rollout {rollout_id}")
        waiting = rollouts.suggestion_ids(conn, shop_id, rollout_id, waiting_only=True)
        rollouts.mark_stopped(conn, shop_id, rollout_id, because="merchant")
    answers = decide.undo_suggestions(shop_id, waiting, asked_by=asked_by)
    return sum(answer.accepted for _, answer in answers)


def undo(shop_id: int, rollout_id: int, *, asked_by: str) -> list[tuple[int, UndoAnswer]]:
    """Take back every price of a plan, sent or not, each for itself.

    Raises
    ------
    NotFoundError
        If this shop has no such plan.
    """
    with transaction(shop_id) as conn:
        ids = rollouts.suggestion_ids(conn, shop_id, rollout_id, waiting_only=False)
        if not ids:
            raise NotFoundError(f"rollout {rollout_id}")
        rollouts.mark_stopped(conn, shop_id, rollout_id, because="merchant")
    return decide.undo_suggestions(shop_id, ids, asked_by=asked_by)


def stages_by_lot(cards: Sequence[SuggestionCard], stages: int, draw: int) -> list[int]:
    """A stage (0 first) for each card: products in an order that nobody chose, dealt out evenly."""
    products = sorted(
        {card.product_id for card in cards},
        key=lambda number: hashlib.sha256(f"{draw}:{number}".encode()).digest(),
    )
    stage_of = {number: place % stages for place, number in enumerate(products)}
    return [stage_of[card.product_id] for card in cards]


def _check_stages(plan: Plan) -> None:
    if not 1 <= plan.stages <= MOST_STAGES:
        raise InvalidInputError(f"stages must be 1 to {MOST_STAGES}", field="stages")
    if not 1 <= plan.every_days <= MOST_DAYS_APART:
        raise InvalidInputError(f"every_days must be 1 to {MOST_DAYS_APART}", field="every_days")


def _moment_in(shop_id: int) -> datetime:
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
    if shop is None:
        raise NotFoundError(f"shop {shop_id}")
    return clock.now(shop)


def _check_plan(plan: Plan, now: datetime) -> None:
    _check_stages(plan)
    until_last = timedelta(days=plan.every_days * (plan.stages - 1))
    furthest = now + timedelta(days=FURTHEST_DAYS) - until_last
    if not now - timedelta(minutes=15) <= plan.first_at <= furthest:
        raise InvalidInputError("the moment is past, or too far ahead", field="first_at")


def _open_prices(
    conn: Connection, shop_id: int, suggestion_ids: Sequence[int]
) -> list[SuggestionCard]:
    found = [
        suggestions.card(conn, shop_id, number)
        for number in list(dict.fromkeys(suggestion_ids))[:MOST_PRICES]
    ]
    return [
        card
        for card in found
        if card is not None
        and card.proposal.move in PRICE_MOVES
        and card.state is SuggestionState.OPEN
    ]


def _exposure(
    conn: Connection, shop: Shop, cards: Sequence[SuggestionCard], plan: Plan
) -> Exposure:
    today = clock.today(shop)
    mine = [card.variant_id for card in cards]
    all_under = {*mine, *exposure.variants_under_change(conn, shop.shop_id)}
    worst = sum((card.value_low for card in cards), Decimal(0))
    risk = registrations.open_risk(conn, shop.shop_id)
    found = Exposure(
        prices=len(cards),
        products=len({card.product_id for card in cards}),
        share_of_sales=share_of_sales(conn, shop.shop_id, mine, today),
        share_under_change=share_of_sales(conn, shop.shop_id, all_under, today),
        worst=worst,
        expected=sum((card.value_mid for card in cards), Decimal(0)),
        best=sum((card.value_high for card in cards), Decimal(0)),
        open_risk=risk,
        currency=shop.currency,
        limits=[],
    )
    return replace(found, limits=_limits(conn, shop, cards, plan, found, today))


def _limits(
    conn: Connection,
    shop: Shop,
    cards: Sequence[SuggestionCard],
    plan: Plan,
    found: Exposure,
    today: date,
) -> list[Limit]:
    chosen = shop_settings.of_shop(conn, shop.shop_id)
    measuring = measuring_settings.of_shop(conn, shop.shop_id)
    cap = loss_cap(conn, shop.shop_id, today)
    risk = at_risk(conn, shop.shop_id, found.worst)
    stopped = {brake.kind for brake in ledgers.brakes_on(conn, shop.shop_id)}
    braked = sum(
        card.proposal.move in stopped and way_back_of(card.proposal) is None for card in cards
    )
    busy = set(exposure.variants_being_written(conn, shop.shop_id))
    writing = sum(card.variant_id in busy for card in cards)
    return [
        *_price_limits(cards, chosen),
        _freeze_limit(shop, chosen, plan),
        Limit(
            "exposure",
            found.share_under_change <= measuring.exposure_limit,
            f"{found.share_under_change:.4f}",
            f"{measuring.exposure_limit:.4f}",
        ),
        Limit("loss_cap", risk <= cap, f"{risk:.2f}", f"{cap:.2f}"),
        Limit("brake", braked == 0, str(braked), "0"),
        Limit("under_way", writing == 0, str(writing), "0"),
    ]


def _price_limits(cards: Sequence[SuggestionCard], chosen: ShopSettings) -> list[Limit]:
    """The largest step and the smallest margin among them, each price judged as a single click would be."""
    moves = [move for card in cards if (move := move_held(card)) is not None]
    broken = [code for move in moves for code in broken_limits(move, chosen)]
    steps = [move.step for move in moves if move.step is not None]
    margins = [move.margin for move in moves if move.margin is not None]
    found = [
        Limit(
            "step",
            "step" not in broken,
            f"{max(steps, default=Decimal(0)):.4f}",
            f"{chosen.max_price_step:.4f}",
        )
    ]
    if margins:
        found.append(
            Limit(
                "margin",
                "margin" not in broken,
                f"{min(margins):.4f}",
                f"{chosen.margin_floor:.4f}",
            )
        )
    if unknown := broken.count("no_cost"):
        found.append(Limit("no_cost", is_kept=False, figure=str(unknown), bound="0"))
    return found


def _freeze_limit(shop: Shop, chosen: ShopSettings, plan: Plan) -> Limit:
    """No stage may fall into the frozen days."""
    first, last = chosen.prices_frozen_first, chosen.prices_frozen_last
    days = [
        (plan.first_at + timedelta(days=plan.every_days * stage)).astimezone(shop.zone).date()
        for stage in range(plan.stages)
    ]
    if first is None or last is None:
        return Limit("frozen", is_kept=True, figure="", bound="")
    hit = next((day for day in days if first <= day <= last), None)
    return Limit("frozen", hit is None, hit.isoformat() if hit else "", f"{first}/{last}")
