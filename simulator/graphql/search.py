"""The part of Shopify's search syntax that filters by time, id, status and test: `updated_at:>='…' status:open`."""

import re
from datetime import UTC, datetime
from typing import Final

from simulator.store import iso

TERM: Final = re.compile(r"(\w+):(>=|<=|>|<)?(?:'([^']*)'|\"([^\"]*)\"|(\S+))")
GROUP: Final = re.compile(r"\(([^()]*)\)")
OR: Final = re.compile(r"\bOR\b")
TIMES: Final = frozenset({"updated_at", "created_at", "processed_at", "happened_at"})

PRODUCT_STATES: Final = ("ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED")
BULK_STATES: Final = (
    "CREATED",
    "RUNNING",
    "COMPLETED",
    "FAILED",
    "CANCELING",
    "CANCELED",
    "EXPIRED",
)


class SearchError(ValueError):
    """A term that is not understood; Shopify would ignore it, which hides mistakes."""


def where(query: str | None) -> tuple[str, list[str | int]]:
    """(SQL, parameters) of a search; the columns are our own words. OR stands inside brackets only."""
    text = query or ""
    clauses: list[str] = []
    params: list[str | int] = []
    for group in GROUP.findall(text):
        choices = [_terms(choice) for choice in OR.split(group)]
        clauses.append(f"({' OR '.join(' AND '.join(one) for one, _ in choices)})")
        params += [value for _, values in choices for value in values]
    rest = GROUP.sub(" ", text)
    if OR.search(rest):
        raise SearchError("the simulator knows OR inside brackets only")
    plain, values = _terms(rest)
    clauses += plain
    params += values
    return "".join(f" AND {clause}" for clause in clauses), params


def _terms(text: str) -> tuple[list[str], list[str | int]]:
    """(clauses, parameters) of terms that must all hold."""
    clauses: list[str] = []
    params: list[str | int] = []
    for name, operator, single, double, bare in TERM.findall(text):
        value = single or double or bare
        if name in TIMES:
            moment = datetime.fromisoformat(value)
            clauses.append(f"{name} {operator or '='} ?")
            params.append(iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
        elif name == "id":
            clauses.append(f"id {operator or '='} ?")
            params.append(_number(value))
        elif name == "financial_status":
            clauses.append("financial_status = ?")
            params.append(value.lower())
        elif name == "test":
            clauses.append(f"test = {int(value == 'true')}")
        elif name == "status" and value.upper() in (*PRODUCT_STATES, *BULK_STATES):
            clauses.append("status = ?")
            params.append(value.upper())
        elif name == "operation_type":
            clauses.append("type = ?")
            params.append(value.upper())
        else:
            raise SearchError(f"the simulator does not know the search term {name}")
    return clauses, params


def _number(text: str) -> int:
    """An id, which may be written as a gid."""
    digits = text.rsplit("/", maxsplit=1)[-1]
    if not digits.isdigit():
        raise SearchError(f"not an id: {text}")
    return int(digits)
