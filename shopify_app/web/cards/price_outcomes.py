"""What became of a price change, in words: planned, sent, applied, judged, or not written and why."""

from flask_babel import gettext

from shopify_app.domain.suggestion import PriceChangeState, SuggestionCard
from shopify_app.web import formats
from shopify_app.web.cards.kind import Outcome
from shopify_app.web.cards.shortage_words import shortage_of, then_words
from shopify_app.web.reading import today, zone
from shopify_app.web.wording import NEW_LIMITS, VERDICTS, is_under_way, words_for


def change_outcome(card: SuggestionCard, state: PriceChangeState) -> Outcome:
    """What became of a card's newest price change."""
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
    if shortage is not None and shortage.until > today():
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
