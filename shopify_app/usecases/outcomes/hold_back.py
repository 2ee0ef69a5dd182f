"""A random share of price suggestions is held back, with the merchant's consent: what the others are held against.

    open --drawn by lot--> held_back (registered, rests until its stop date)

A variant is drawn for once; until its draw has rested it is not drawn for again, so that nightly
runs do not add up to more than the share that was agreed to. The way back from a raise was promised with it, and is
never held back.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import structlog

from shopify_app.analytics import outcomes
from shopify_app.db import measuring_settings, suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.evidence import way_back_of
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.usecases.outcomes import register as registering
from shopify_app.usecases.outcomes.register import ToRegister

REST_DAYS: Final = 7 * (outcomes.WINDOW_PERIODS + 1)
"""A draw holds for the window it is measured over, and the days until that begins."""

log = structlog.get_logger()


def hold_back(shop_id: int, *, run_id: int, today: date) -> int:
    """Draw for the shop's open price suggestions that were not drawn for; how many are held back now."""
    with transaction(shop_id) as conn:
        share = measuring_settings.of_shop(conn, shop_id).holdback_share
        if not share:
            return 0
        drawn = measuring_settings.drawn_variants(conn, shop_id, today)
        cards = [
            card
            for card in suggestions.cards(conn, shop_id, kinds=("price",), limit=500)
            if card.variant_id not in drawn and way_back_of(card.proposal) is None
        ]
    if not cards:
        return 0
    seed = _seed(shop_id, run_id)
    try:
        held = outcomes.hold_back([str(card.id) for card in cards], float(share), seed)
    except NotImplementedError:
        held = ()
    chosen = [card for card in cards if str(card.id) in held]
    with transaction(shop_id) as conn:
        measuring_settings.add_draws(
            conn,
            shop_id,
            [(card.variant_id, str(card.id) in held) for card in cards],
            share=share,
            seed=seed,
            drawn_on=today,
            rests_until=today + timedelta(days=REST_DAYS),
        )
        moved = suggestions.hold_back(conn, shop_id, [card.id for card in chosen])
    _register(shop_id, [card for card in chosen if card.id in moved], today)
    log.info("suggestions_held_back", shop_id=shop_id, drawn=len(cards), held_back=len(moved))
    return len(moved)


def _register(shop_id: int, cards: Sequence[SuggestionCard], today: date) -> None:
    registering.register(
        shop_id, [ToRegister(card, is_held_back=True) for card in cards], today=today
    )


def _seed(shop_id: int, run_id: int) -> int:
    """A seed that nobody chose: of the shop and the run, so that a draw can be made again and shown."""
    return int.from_bytes(hashlib.sha256(f"{shop_id}:{run_id}".encode()).digest()[:4])
