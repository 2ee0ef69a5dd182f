"""Whether a price change stays within what the merchant allows at that moment: asked at a click, of a plan, and at the send."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shopify_app.domain.evidence import PriceEvidence, PriceProposal
from shopify_app.domain.shop import ShopSettings
from shopify_app.domain.suggestion import SuggestionCard

LIMIT_CODES: Final = ("step", "margin", "no_cost")
"""What a change may be beyond: the largest step, the smallest margin, a margin that nobody can know."""

NOT_SENT: Final = frozenset({"brake", *LIMIT_CODES})
"""Ends (`error_code`) of a change that we withdrew ourselves: Shopify was not asked."""


@dataclass(frozen=True, slots=True)
class PriceMove:
    """A price on the shelf and the one it becomes, with what a unit costs now (None: not known).

    A cost has no tax in it, a price may have: tax at `tax_rate`, over the price before it, is nobody's margin.
    """

    old: Decimal
    new: Decimal
    unit_cost: Decimal | None
    tax_rate: Decimal = Decimal(0)

    @property
    def step(self) -> Decimal | None:
        """The change as a share of the old price, without its sign; None where there was no price."""
        return abs(self.new / self.old - 1) if self.old > 0 else None

    @property
    def margin(self) -> Decimal | None:
        """What is left of the new price before tax after the unit's cost, as a share of it; None where it cannot be known."""
        if self.unit_cost is None or self.new <= 0:
            return None
        return 1 - self.unit_cost * (1 + self.tax_rate) / self.new


def broken_limits(move: PriceMove, chosen: ShopSettings) -> list[str]:
    """The limits (`LIMIT_CODES`) that a price change goes beyond; empty if it may go out.

    Without a cost no margin can be promised, so none is, unless the merchant asks for none.
    """
    found: list[str] = []
    if move.step is None or move.step > chosen.max_price_step:
        found.append("step")
    if move.margin is None:
        if chosen.margin_floor > 0:
            found.append("no_cost" if move.unit_cost is None else "margin")
    elif move.margin < chosen.margin_floor:
        found.append("margin")
    return found


def move_held(card: SuggestionCard) -> PriceMove | None:
    """The change that the limits hold; None where they hold none.

    The way back from a raise goes to exactly the price that the merchant had, as an undo does: neither is held.
    """
    asked = card.proposal
    if not isinstance(asked, PriceProposal) or asked.back_from is not None:
        return None
    return PriceMove(asked.old_price, asked.price, card.unit_cost, tax_rate_of(card))


def tax_rate_of(card: SuggestionCard) -> Decimal:
    """Rate of the tax in the price: as the newest run found it, else as the suggestion has it."""
    if card.tax_rate is not None:
        return card.tax_rate
    told = card.evidence
    known = told.tax_rate if isinstance(told, PriceEvidence) else None
    return Decimal(str(known or 0))


def limit_broken_by(card: SuggestionCard, chosen: ShopSettings) -> str | None:
    """The first limit that this suggestion's price goes beyond; None if it may go out."""
    move = move_held(card)
    return None if move is None else next(iter(broken_limits(move, chosen)), None)
