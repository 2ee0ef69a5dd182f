"""What became of a decision, in words: never more than we know."""

from dataclasses import dataclass

from flask_babel import gettext

from shopify_app.domain.suggestion import (
    PriceChangeState,
    SuggestionCard,
    SuggestionKind,
    SuggestionState,
)
from shopify_app.web import formats
from shopify_app.web.cards.shortage_words import shortage_of, then_words
from shopify_app.web.reading import today, zone
from shopify_app.web.wording import DISMISS_REASONS, NEW_LIMITS, VERDICTS, is_under_way, words_for


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decided row says."""

    words: str
    tone: str
    """done, waiting, stopped (nothing was written) or trouble (a person should look)."""
    may_undo: bool
    brief: str = ""
    """The same where there is little room; '' if the words are short themselves."""


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
    if card.kind is SuggestionKind.PRICE and card.change_state is not None:
        return _price_outcome(card, card.change_state)
    if card.state is SuggestionState.UNDONE:
        return Outcome(gettext("Undone."), "stopped", may_undo=False)
    if card.kind is SuggestionKind.RESTOCK:
        words = gettext("On the draft order. Nothing is sent to your supplier by us.")
        return Outcome(words, "done", may_undo=True)
    return Outcome(gettext("We keep an eye on it."), "done", may_undo=True)


def _price_outcome(card: SuggestionCard, state: PriceChangeState) -> Outcome:
    if card.change_is_undo:
        return _undo_outcome(card, state)
    new = formats.price(card.change_new_price or 0, card.currency)
    if card.change_due_at is not None:
        return Outcome(_planned(card, new), "waiting", may_undo=True)
    if is_under_way(card):
        waits = state is PriceChangeState.APPROVED
        return Outcome(
            gettext("Sending %(price)s to your store …", price=new), "waiting", may_undo=waits
        )
    if state is PriceChangeState.APPLIED and card.went_back:
        words = gettext("Went back since, as stock came or its day had come.")
        return Outcome(words, "done", may_undo=False, brief=verdict(card))
    if state is PriceChangeState.APPLIED:
        words = gettext("The price in your store is now %(price)s.", price=new)
        told = receipt(card)
        return Outcome(f"{words} {told}".strip(), "done", may_undo=True, brief=told)
    if state is PriceChangeState.UNDONE:
        return Outcome(gettext("Undone. Your old price stands."), "stopped", may_undo=False)
    return _not_written(card, state)


def receipt(card: SuggestionCard) -> str:
    """`Applied today 10:02, was £24.00, measuring until Dec 28.`, and the verdict once there is one."""
    parts: list[str] = []
    if card.change_finished_at is not None and card.change_old_price is not None:
        parts.append(
            gettext(
                "Applied %(time)s, was %(price)s.",
                time=formats.moment(card.change_finished_at.astimezone(zone()), today()),
                price=formats.price(card.change_old_price, card.currency),
            )
        )
    if card.measured_until is not None:
        parts.append(gettext("Measuring until %(day)s.", day=formats.day(card.measured_until)))
    shortage = shortage_of(card)
    if shortage is not None and shortage["until"] > today().isoformat():
        parts.append(then_words(card))
    if words := verdict(card):
        parts.append(words)
    return " ".join(parts)


def verdict(card: SuggestionCard) -> str:
    """What came of it over the weeks measured, with its range; '' before it was judged."""
    if card.verdict is None:
        return ""
    words = str(VERDICTS[card.verdict][0])
    if card.verdict_profit is None or card.verdict_low is None or card.verdict_high is None:
        return words + "."
    return gettext(
        "%(verdict)s: %(profit)s, likely %(range)s.",
        verdict=words,
        profit=formats.gain(card.verdict_profit, card.currency),
        range=formats.between(
            card.verdict_low, card.verdict_high, lambda amount: formats.gain(amount, card.currency)
        ),
    )


def _planned(card: SuggestionCard, new: str) -> str:
    assert card.change_due_at is not None, "asked before"  # noqa: S101 -- for the type checker
    when = formats.moment(card.change_due_at.astimezone(zone()), today())
    return gettext(
        "%(price)s goes out %(time)s. Until then nothing is changed.", price=new, time=when
    )


def _held_back(card: SuggestionCard) -> str:
    if card.measured_until is None:
        return gettext("Held back by lot, as you agreed in Settings.")
    return gettext(
        "Held back by lot, as you agreed in Settings: until %(day)s the others are held against it.",
        day=formats.day(card.measured_until),
    )


def _undo_outcome(card: SuggestionCard, state: PriceChangeState) -> Outcome:
    back = formats.price(card.change_new_price or 0, card.currency)
    if is_under_way(card):
        return Outcome(
            gettext("Setting the price back to %(price)s …", price=back), "waiting", may_undo=False
        )
    if state is PriceChangeState.APPLIED:
        return Outcome(
            gettext("Undone. The price is %(price)s again.", price=back), "stopped", may_undo=False
        )
    words = gettext("Not undone.") + " " + _not_written(card, state).words
    return Outcome(words, "trouble", may_undo=state is PriceChangeState.FAILED)


def _not_written(card: SuggestionCard, state: PriceChangeState) -> Outcome:
    seen = (
        formats.price(card.change_seen_price, card.currency)
        if card.change_seen_price is not None
        else None
    )
    if state is PriceChangeState.CONFLICT:
        words = (
            gettext("The price is now %(price)s; we did not touch it.", price=seen)
            if seen
            else gettext("The price was edited meanwhile; we did not touch it.")
        )
        return Outcome(words, "trouble", may_undo=False)
    if state is PriceChangeState.FAILED and card.change_error_code == "brake":
        words = gettext(
            "Not sent: changes of this kind have lost money here, so we stopped them. See Results."
        )
        return Outcome(words, "stopped", may_undo=False)
    if state is PriceChangeState.FAILED and card.change_error_code in NEW_LIMITS:
        words = gettext(
            "Not sent, nothing was changed. %(reason)s",
            reason=words_for(NEW_LIMITS, card.change_error_code),
        )
        return Outcome(words, "stopped", may_undo=False)
    if state is PriceChangeState.FAILED:
        return Outcome(_failure(card.change_error), "trouble", may_undo=False)
    words = (
        gettext(
            "No answer came back when we set %(price)s, and your store now shows %(seen)s. We left it alone: check it in Shopify.",
            price=formats.price(card.change_new_price or 0, card.currency),
            seen=seen,
        )
        if seen
        else gettext("No answer came back, so we do not know the price. Check it in Shopify.")
    )
    return Outcome(words, "trouble", may_undo=False)


def _failure(error: str | None) -> str:
    if error:
        return gettext(
            "Shopify refused the change: %(error)s Nothing was changed.",
            error=error.rstrip(".") + ".",
        )
    return gettext("Shopify refused the change. Nothing was changed.")
