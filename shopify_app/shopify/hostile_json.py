"""Parsing JSON that may be broken or meant to hurt: anything odd is a PoisonError, nothing is guessed."""

import json
from decimal import Decimal
from typing import Any

from shopify_app.errors import PoisonError


def parse(raw: bytes) -> Any:
    """The value of a JSON text; numbers with a fraction are Decimal.

    Raises
    ------
    PoisonError
        For bytes that are not UTF-8, NaN and Infinity, a key given twice, nesting or digits
        beyond what Python will parse, and plain syntax errors.
    """
    try:
        return json.loads(
            raw.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_twins,
        )
    except RecursionError as error:
        raise PoisonError("nested too deep") from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise PoisonError(f"not JSON we accept: {error}") from error


def parse_object(raw: bytes) -> dict[str, Any]:
    """The same for a text that must be one object."""
    value = parse(raw)
    if not isinstance(value, dict):
        raise PoisonError("not a JSON object")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value
