"""What became of a decision, in words: never more than we know."""

from flask_babel import gettext

from shopify_app.domain.suggestion import SuggestionCard, SuggestionState
from shopify_app.web import formats
from shopify_app.web.cards.kind import Outcome
from shopify_app.web.cards.kinds import kind_of
from shopify_app.web.wording import DISMISS_REASONS, words_for


def outcome(card: SuggestionCard) -> Outcome | None:
    """What became of a card; None while it is open."""
    if card.state is SuggestionState.OPEN:
        return None
    if card.state is SuggestionState.DISMISSED:
        reason = words_for(DISMISS_REASONS, card.dismiss_reason or "other")
        words = gettext(
            "Dismissed: %(reason)s. We will not suggest this again for 30 days.", reason=reason
        )
        return Outcome(words, "stopped", may_undo=True)
    if card.state is SuggestionState.HELD_BACK:
        return Outcome(_held_back(card), "stopped", may_undo=False)
    if card.state is SuggestionState.SUPERSEDED:
        return Outcome(gettext("A newer run found something else."), "stopped", may_undo=False)
    kind = kind_of(card)
    if (written := kind.outcome(card)) is not None:
        return written
    if card.state is SuggestionState.UNDONE:
        return Outcome(gettext("Undone."), "stopped", may_undo=False)
    return Outcome(str(kind.page.accepted), "done", may_undo=True)


def _held_back(card: SuggestionCard) -> str:
    if card.measured_until is None:
        return gettext("Held back by lot, as you agreed in Settings.")
    return gettext(
        "Held back by lot, as you agreed in Settings: until %(day)s the others are held against it.",
        day=formats.day(card.measured_until),
    )
