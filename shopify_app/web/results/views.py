"""The ledger in words: what decisions brought, with ranges, losers included; never more than was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext, ngettext

from shopify_app.domain.evidence import PRICE_MOVES
from shopify_app.domain.outcome import Brake, Ledger, LedgerLine, RegistrationState, Ruling
from shopify_app.web import formats
from shopify_app.web.cards.kinds import kind_of
from shopify_app.web.json_twin import Told, as_json, picked
from shopify_app.web.reading import zone
from shopify_app.web.wording import BRAKE_REASONS, MOVES, NOT_MEASURED, VERDICTS, words_for


@dataclass(frozen=True, slots=True)
class Total:
    """All decisions together, in words; the figures are None where nothing can be said yet."""

    title: str
    detail: str
    basis: str
    figures: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A decision of the ledger in words."""

    line: LedgerLine
    title: str
    href: str
    decided: str
    expected: str
    state: str
    tone: str
    note: str
    effect: str
    effect_range: str


@dataclass(frozen=True, slots=True)
class BrakeView:
    """A kind of which nothing new is suggested, in words."""

    kind: Told[str]
    """'' where it waits, and goes on by itself."""
    title: str
    stopped_at: Told[datetime | None]
    ruling: Told[Ruling]
    why: Told[str]


def total_view(ledger: Ledger, currency: str) -> Total:
    """The ledger's total: a figure only with its range, and on what the range rests."""
    total = ledger.total
    if total is None:
        return Total(
            gettext("Nothing measured yet"),
            gettext(
                "A price you accept is registered before it is written, and judged here about six weeks later."
            ),
            "",
            None,
        )
    profit, low, high = total.profit, total.profit_low, total.profit_high
    if profit is None or low is None or high is None:
        return Total(
            gettext("Too early to tell"),
            gettext(
                "We look only when the time set beforehand is over: looking daily finds effects that are not there."
            ),
            "",
            None,
        )
    words = {
        "profit": formats.gain(profit, currency),
        "range": formats.between(low, high, lambda amount: formats.gain(amount, currency)),
    }
    return Total(
        _total_title(total.outcome, words["profit"]),
        gettext(
            "Gross profit over the weeks measured: %(profit)s, likely %(range)s. Losers are included.",
            **words,
        ),
        _basis_words(total.basis),
        total.as_json(),
    )


def _total_title(outcome: str, profit: str) -> str:
    if outcome == "helped":
        return gettext("Your price changes have brought about %(profit)s", profit=profit)
    if outcome == "hurt":
        return gettext("Your price changes have cost about %(profit)s", profit=profit)
    return gettext("We cannot tell yet whether your price changes helped")


def _basis_words(basis: str) -> str:
    if basis == "held_back":
        return gettext("The range comes from the suggestions that were held back by lot.")
    if basis == "matched":
        return gettext(
            "Held against products that sell as often. Holding some suggestions back by lot would make the range surer."
        )
    return ""


def counts(lines: Sequence[LedgerLine]) -> list[tuple[str, str]]:
    """(words, number) of how measured decisions ended, and how many are still measured."""
    done = [line for line in lines if not line.is_held_back]
    ended = {
        code: sum(line.outcome == code for line in done)
        for code in ("helped", "hurt", "could_not_tell")
    }
    measuring = sum(line.state is RegistrationState.MEASURING for line in done)
    words = [(str(VERDICTS[code][0]), formats.count(number)) for code, number in ended.items()]
    return [*words, (gettext("Being measured"), formats.count(measuring))]


def result_line(line: LedgerLine) -> ResultLine:
    """A line of the ledger."""
    kind = kind_of(line)
    state, tone = _state(line)
    effect, effect_range = _effect(line)
    return ResultLine(
        line=line,
        title=kind.ledger_title(line),
        href=url_for(kind.page.endpoint, suggestion_id=line.suggestion_id),
        decided=formats.day(line.registered_at.astimezone(zone()).date()),
        expected=_expected(line),
        state=state,
        tone=tone,
        note=_state_note(line),
        effect=effect,
        effect_range=effect_range,
    )


def _expected(line: LedgerLine) -> str:
    if line.kind not in PRICE_MOVES:
        return ""
    return formats.between(
        line.value_low, line.value_high, lambda amount: formats.gain(amount, line.currency)
    )


def _state(line: LedgerLine) -> tuple[str, str]:
    if line.outcome is not None:
        words, tone = VERDICTS[line.outcome.value]
        return str(words), tone
    if line.state is RegistrationState.NOT_MEASURED:
        return gettext("Not measured"), ""
    if line.suggestion_state == "undone":
        return gettext("Undone"), ""
    return gettext("Being measured"), "info"


def _state_note(line: LedgerLine) -> str:
    if line.state is RegistrationState.NOT_MEASURED:
        return words_for(NOT_MEASURED, line.not_measurable_because or "")
    if line.ended_because == "edited" and line.ended_on is not None:
        return gettext("You edited the price on %(day)s", day=formats.day(line.ended_on))
    if line.ended_because == "undone" and line.ended_on is not None:
        return gettext("Undone on %(day)s", day=formats.day(line.ended_on))
    if line.ended_because == "way_back" and line.ended_on is not None:
        return gettext("Set back on %(day)s", day=formats.day(line.ended_on))
    if line.state is RegistrationState.MEASURING and line.stop_on is not None:
        return gettext("until %(day)s", day=formats.day(line.stop_on))
    return ""


def _effect(line: LedgerLine) -> tuple[str, str]:
    if line.profit is None or line.profit_low is None or line.profit_high is None:
        return "", ""
    return formats.gain(line.profit, line.currency), formats.between(
        line.profit_low, line.profit_high, lambda amount: formats.gain(amount, line.currency)
    )


def brake_view(brake: Brake) -> BrakeView:
    """Why a kind is stopped, with its numbers."""
    ruling, kind = brake.ruling, brake.kind.value
    return BrakeView(
        kind=kind,
        title=gettext("We have stopped suggesting %(moves)s", moves=words_for(MOVES, kind)),
        stopped_at=brake.pulled_at,
        ruling=ruling,
        why=ngettext(
            "Because %(reason)s (%(num)s measured).",
            "Because %(reason)s (%(num)s measured).",
            ruling.judged,
            reason=words_for(BRAKE_REASONS, ruling.reason),
        ),
    )


def waiting_views(ledger: Ledger) -> list[BrakeView]:
    """Kinds of which we suggest no new ones for now, and why; they go on by themselves."""
    return [
        BrakeView(
            kind="",
            title=gettext("We wait with %(moves)s", moves=words_for(MOVES, kind.value)),
            stopped_at=None,
            ruling=ruling,
            why=gettext(
                "Because %(reason)s. We go on by ourselves once more is known.",
                reason=words_for(BRAKE_REASONS, ruling.reason),
            ),
        )
        for kind, ruling in ledger.waiting.items()
    ]


@as_json.register
def line_json(view: ResultLine) -> dict[str, Any]:
    """A line of the ledger, as JSON."""
    line = view.line
    return {
        **picked(line, "suggestion_id", "kind", "is_held_back"),
        "title": view.title,
        "state": line.state,
        "state_words": view.state,
        "note": view.note,
        **picked(line, "registered_at", "first_on", "stop_on", "ended_on", "ended_because"),
        "not_measurable_because": line.not_measurable_because,
        "expected": {
            "low": str(line.value_low),
            "mid": str(line.value_mid),
            "high": str(line.value_high),
        },
        "verdict": line.outcome and _verdict_json(line),
        "currency": line.currency,
    }


def _verdict_json(line: LedgerLine) -> dict[str, Any]:
    return {
        "outcome": line.outcome,
        "profit": as_json(line.profit),
        "low": as_json(line.profit_low),
        "high": as_json(line.profit_high),
    }
