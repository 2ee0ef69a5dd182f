"""What is kept as JSON beside a row, as types: read once, written back as it was.

In:  a JSON object as a column holds it. Out: a frozen model, and the same object again.
A document of before lacks what was not known then: the field's default says so, and it is not written back. What a
later one adds is kept as it is (`extra`), so that an older process takes nothing away.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

Number = int | float
"""A number as JSON has it: whole ones stay whole."""


class Document(BaseModel):
    """A JSON object with known names."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """The document that a JSON object is."""
        return cls.model_validate(kept)

    def as_json(self) -> dict[str, Any]:
        """The JSON object: only what was said, decimals and days as text, names in the order in which Postgres keeps them."""
        kept: dict[str, Any] = _in_order(self.model_dump(mode="json", exclude_unset=True))
        return kept

    def with_changes(self, **changed: object) -> Self:
        """The same with other values of some fields."""
        return self.model_copy(update=changed)


def _in_order(value: Any) -> Any:
    """JSON with the names of its objects as a `jsonb` has them: the shortest first."""
    if isinstance(value, dict):
        named: dict[str, Any] = value
        names = sorted(named, key=lambda name: (len(name.encode()), name))
        return {name: _in_order(named[name]) for name in names}
    if isinstance(value, list):
        items: list[Any] = value
        return [_in_order(item) for item in items]
    return value
