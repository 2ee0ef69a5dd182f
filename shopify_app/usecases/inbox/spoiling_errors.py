"""What another's data can cause in our code: one body, answer or shop is spoilt, its neighbours go on."""

from typing import Final

import psycopg2

from shopify_app.errors import PoisonError

SPOILING: Final = (
    PoisonError,
    psycopg2.Error,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a body or an answer can cause; the database being away is none of it (`transaction` makes it transient)."""

LONGEST: Final = 500


def told(error: Exception) -> str:
    """An error as a row can keep it: it may quote what spoilt it, and Postgres keeps no NUL and no half character."""
    text = f"{type(error).__name__}: {error}"
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")[:LONGEST]
