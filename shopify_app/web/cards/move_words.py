"""Moves between a shop's locations, in words: what to take from where before anything is bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext

from shopify_app.domain.evidence import Move, RestockEvidence
from shopify_app.domain.run import NamedMove
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web import formats
from shopify_app.web.wording import thing

MOST_TOLD: Final = 2
"""Moves in one sentence; pages list them all."""


def moves_of(card: SuggestionCard) -> Sequence[Move]:
    """A restock's moves; none where a run did not look."""
    return card.evidence_as(RestockEvidence).moves


def move_words(move: Move) -> str:
    """`12 from Warehouse to Shop floor`."""
    return gettext(
        "%(units)s from %(source)s to %(destination)s",
        units=formats.count(move.units),
        source=move.source,
        destination=move.destination,
    )


def moves_first(card: SuggestionCard, units: int) -> str:
    """`Move 12 from Warehouse to Shop floor first; order 30.`, '' where nothing is to be moved."""
    found = moves_of(card)
    if not found:
        return ""
    told = gettext(", ").join(move_words(move) for move in found[:MOST_TOLD])
    return gettext("Move %(moves)s first; order %(units)s.", moves=told, units=formats.count(units))


def stock_by_place(card: SuggestionCard) -> str:
    """`Warehouse 40, Shop floor 0`, '' for what lies in one place."""
    places = card.evidence_as(RestockEvidence).places
    return gettext(", ").join(
        f"{place.location} {formats.count(place.available_units)}" for place in places
    )


@dataclass(frozen=True, slots=True)
class MoveView:
    """A move as a page shows it."""

    move: NamedMove
    thing: str
    words: str
    gain: str


def move_views(found: Sequence[NamedMove], currency: str) -> list[MoveView]:
    """A run's moves in words, the most worth first."""
    return [
        MoveView(
            move,
            thing(move.product_title, move.variant_title),
            move_words(move),
            formats.gain(move.gain, currency),
        )
        for move in found
    ]
