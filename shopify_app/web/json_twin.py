"""The JSON twin of a page: its dataclass written out by one rule, so that no page lists a field twice.

A field is told in JSON where its type says so (`done: Told[bool]`), under its own name; all others are for the
template alone. A dataclass that marks no field, as a row of the database does, is told whole. What is told in
another way says how beside its class, with `@as_json.register`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache, singledispatch
from typing import Annotated, Any, TypeAlias, TypeVar, get_type_hints

from shopify_app.domain.documents import Document

T = TypeVar("T")


@singledispatch
def as_json(value: Any) -> Any:
    """A value as JSON has it: an object for a dataclass, text for money and dates, numbers and words as they are."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    found: dict[str, Any] = {}
    for name, mark in _marks_of(type(value)):
        written = mark.write(getattr(value, name))
        found |= written if mark.is_inlined else {mark.key or name: written}
    return found


@as_json.register
def _(value: Decimal) -> str:
    return str(value)


@as_json.register
def _(value: date) -> str:
    return value.isoformat()


@as_json.register(list)
@as_json.register(tuple)
def _(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [as_json(one) for one in value]


@as_json.register
def _(value: dict) -> dict[str, Any]:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType] -- singledispatch takes no arguments of a type
    return {name: as_json(one) for name, one in value.items()}


@as_json.register
def _(value: Document) -> dict[str, Any]:
    return value.as_json()


@dataclass(frozen=True, slots=True)
class Mark:
    """How a field is told.

    Attributes
    ----------
    write : its value as JSON
    key : in JSON; None: the field's own name
    is_inlined : whether its own keys stand among those of the page, rather than under one of theirs
    """

    write: Callable[[Any], Any] = as_json
    key: str | None = None
    is_inlined: bool = False


Told: TypeAlias = Annotated[T, Mark()]
"""A field that JSON tells under its own name."""

Inlined: TypeAlias = Annotated[T, Mark(is_inlined=True)]
"""A field whose own keys JSON tells among the page's."""


def rounded(places: int) -> Mark:
    """A number that JSON tells to so many places."""
    return Mark(lambda number: round(number, places))


def attribute(name: str, key: str | None = None) -> Mark:
    """One attribute of a field, told in its place; None where the field itself is None."""
    return Mark(lambda value: None if value is None else as_json(getattr(value, name)), key)


def attributes(*names: str) -> Mark:
    """Some attributes of a field, told under their own names among the page's."""
    return Mark(lambda value: picked(value, *names), is_inlined=True)


def picked(value: object, *names: str) -> dict[str, Any]:
    """Some attributes of a value as JSON, in this order."""
    return {name: as_json(getattr(value, name)) for name in names}


@cache
def _marks_of(kind: type) -> list[tuple[str, Mark]]:
    """The told fields of a dataclass, in order; a field with several marks is told as often."""
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)]
    marked = [
        (name, mark)
        for name in names
        for mark in getattr(hints[name], "__metadata__", ())
        if isinstance(mark, Mark)
    ]
    return marked or [(name, Mark()) for name in names]
