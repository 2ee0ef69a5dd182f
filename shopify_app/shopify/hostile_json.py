"""A webhook's body as an object; whatever `strict_json` refuses is poison."""

from typing import Any

from shopify_app import strict_json
from shopify_app.errors import NotJsonError, PoisonError


def parse_object(raw: bytes) -> dict[str, Any]:
    """The object of a JSON text; numbers with a fraction are Decimal.

    Raises
    ------
    PoisonError
        If it is no JSON that we accept, or no object.
    """
    try:
        value = strict_json.parse(raw)
    except NotJsonError as error:
        raise PoisonError(str(error)) from error
    if not isinstance(value, dict):
        raise PoisonError("not a JSON object")
    return value
