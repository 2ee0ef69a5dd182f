"""What a case expects, held against what was seen: right or not, and what was found.

What was seen is the document that `./run try --json` prints; pages are asked for when a statement is about one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import singledispatch
from typing import Any

from simulator.cases import case as told
from simulator.cases.case import Bounds, Wanted
from simulator.world.description import day_of


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a shop.

    Attributes
    ----------
    page : the words of a page in a language, by its path
    """

    document: Mapping[str, Any]
    today: date
    page: Callable[[str, str], str]

    @property
    def cards(self) -> list[dict[str, Any]]:
        """Its open suggestions."""
        return list(self.document["cards"])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a statement holds, and what was found."""

    ok: bool
    found: str


@singledispatch
def judge(statement: Any, seen: Seen) -> Verdict:
    """Whether a statement holds of what was seen."""
    raise TypeError(f"no such statement: {type(statement).__name__} of {seen.today}")


@judge.register
def _(statement: told.Facts, seen: Seen) -> Verdict:
    day = day_of(statement.facts, seen.today).isoformat()
    rows = [one for one in seen.document["facts"]["days"] if one["day"] == day]
    if statement.currency is not None:
        currency = seen.document["facts"]["currency"]
        rows = [one for one in rows if one.get("currency", currency) == statement.currency]
    if statement.absent or not rows:
        return Verdict(
            statement.absent and not rows, "no row for the day" if not rows else _line(rows[0])
        )
    if len(rows) > 1:
        return Verdict(ok=False, found="; ".join(_line(row) for row in rows))
    return _fields(statement.fields, rows[0])


@judge.register
def _(statement: told.Shelves, seen: Seen) -> Verdict:
    facts = seen.document["facts"]
    return _fields(statement.shelves, {**facts["catalogue"], **facts["stock"]})


@judge.register
def _(statement: told.Daily, seen: Seen) -> Verdict:
    day = day_of(statement.on, seen.today).isoformat()
    rows = [
        one
        for one in seen.document["daily"]
        if one["day"] == day and is_called(one, statement.daily)
    ]
    none = dict.fromkeys(statement.fields, 0)
    return _fields(statement.fields, rows[0] if rows else none)


@judge.register
def _(statement: told.Card, seen: Seen) -> Verdict:
    same = [
        one for one in seen.cards if one["kind"] == statement.card and is_called(one, statement.of)
    ]
    if not same:
        return Verdict(ok=False, found="no such card")
    judged = [_fields(statement.where, one) for one in same]
    return next((one for one in judged if one.ok), judged[0])


@judge.register
def _(statement: told.NoCard, seen: Seen) -> Verdict:
    same = [
        one
        for one in seen.cards
        if statement.no_card in ("any", one["kind"])
        and (statement.of is None or is_called(one, statement.of))
        and _fields(statement.where, one).ok
    ]
    titles = [one["words"]["en"]["title"] for one in same]
    return Verdict(not same, "; ".join(titles) or "none")


@judge.register
def _(statement: told.Reason, seen: Seen) -> Verdict:
    counts = {one["reason"]: one["variants"] for one in seen.document["not_sure"]}
    count = counts.get(statement.reason, 0)
    return Verdict(is_as(count, statement.variants), f"{count} of {counts}")


@judge.register
def _(statement: told.Advice, seen: Seen) -> Verdict:
    return _fields(statement.advice, seen.document["advice"])


@judge.register
def _(statement: told.Words, seen: Seen) -> Verdict:
    if statement.words == "cards":
        cards = [one for one in seen.cards if statement.of is None or is_called(one, statement.of)]
        text = " | ".join(one["words"][statement.language]["text"] for one in cards)
    else:
        text = seen.page(statement.words, statement.language)
    missing = [words for words in statement.has if words not in text]
    wrong = [words for words in statement.lacks if words in text]
    found = [*(f"lacks “{words}”" for words in missing), *(f"has “{words}”" for words in wrong)]
    return Verdict(not found, "; ".join(found) + (f": {text[:300]}" if missing else "") or "so")


@judge.register
def _(statement: told.DeadLetters, seen: Seen) -> Verdict:
    dead = seen.document["dead_letters"]
    words = "; ".join(f"{one['topic']}: {one['error']}" for one in dead)
    return Verdict(len(dead) == statement.dead_letters, f"{len(dead)} {words}".strip())


def is_called(one: Mapping[str, Any], name: str) -> bool:
    """Whether a card or row is of the thing that a case calls so."""
    return name in (one["product"], f"{one['product']} / {one['variant']}")


def is_as(value: object, wanted: Wanted) -> bool:
    """Whether a value is what is wanted; money and counts are compared as numbers."""
    if not isinstance(wanted, Bounds):
        return _is_same(value, wanted)
    number = _number(value)
    if wanted.known is not None and wanted.known is (value is None):
        return False
    if (wanted.least is not None or wanted.most is not None) and number is None:
        return False
    if number is not None and wanted.least is not None and number < Decimal(str(wanted.least)):
        return False
    if number is not None and wanted.most is not None and number > Decimal(str(wanted.most)):
        return False
    if "not_" in wanted.model_fields_set and _is_same(value, wanted.not_):
        return False
    return not wanted.one_of or any(_is_same(value, one) for one in wanted.one_of)


def _is_same(value: object, wanted: object) -> bool:
    numbers = _number(value), _number(wanted)
    if None not in numbers:
        return numbers[0] == numbers[1]
    return value == wanted


def _number(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _fields(wanted: Mapping[str, Wanted], row: Mapping[str, Any]) -> Verdict:
    found = {name: _at(row, name) for name in wanted}
    ok = all(is_as(found[name], one) for name, one in wanted.items())
    return Verdict(ok, _line(found) if found else "so")


def _at(row: Any, path: str) -> Any:
    """The value at a path, None where there is none."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def _line(row: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in dict(row).items())
