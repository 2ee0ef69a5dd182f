"""JSON that may be broken or meant to hurt: it is read whole, or refused with one error; nothing is guessed."""

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from shopify_app.errors import NotJsonError

ESCAPED_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def parse(raw: bytes) -> Any:
    r"""The value of a JSON text; numbers with a fraction or an exponent are Decimal.

    Raises
    ------
    NotJsonError
        For bytes that are not UTF-8, NaN and Infinity, a key given twice, nesting or digits
        beyond what Python will parse, and plain syntax errors.

    >>> parse(b'{"price": 12.50}')
    {'price': Decimal('12.50')}
    >>> parse(b'{"price": Infinity}')
    Traceback (most recent call last):
    shopify_app.errors.NotJsonError: not JSON we accept: Infinity is not a number
    """
    return _parse(raw, _decimal)


def parse_typed(raw: bytes) -> Any:
    r"""The same of what a merchant or a program sent us; numbers no float can hold and half characters are refused too.

    Webhooks are read without this: Shopify may send either in a field that we do not read, and a
    text that we do read is cleaned.

    Raises
    ------
    NotJsonError
        As `parse`, and for `1e999` and a lone surrogate such as `"\\ud800"`, which no database keeps.
    """
    value = _parse(raw, _bounded_decimal)
    if ESCAPED_SURROGATE.search(raw):
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError as error:
            raise NotJsonError("half a character") from error
    return value


def _parse(raw: bytes, read_fraction: Any) -> Any:
    try:
        return json.loads(
            raw.decode("utf-8"),
            parse_float=read_fraction,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_twins,
        )
    except RecursionError as error:
        raise NotJsonError("nested too deep") from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise NotJsonError(f"not JSON we accept: {error}") from error


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:  # an exponent of twenty digits
        raise ValueError(f"{text[:20]} is beyond any number") from error


def _bounded_decimal(text: str) -> Decimal:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text[:20]} is beyond any number")
    return _decimal(text)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value
