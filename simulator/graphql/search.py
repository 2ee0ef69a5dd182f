"""The part of Shopify's search syntax that filters by time, status and test: `updated_at:>='…' status:open`."""

import re
from datetime import UTC, datetime
from typing import Final

from simulator.store import iso

TERM: Final = re.compile(r"(\w+):(>=|<=|>|<)?(?:'([^']*)'|\"([^\"]*)\"|(\S+))")
TIMES: Final = frozenset({"updated_at", "created_at", "processed_at"})

PRODUCT_STATES: Final = ("ACTIVE", "DRAFT", "ARCHIVED")
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


def where(query: str | None) -> tuple[str, list[str]]:
    """(SQL, parameters) of a search; the columns are our own words."""
    clauses: list[str] = []
    params: list[str] = []
    for name, operator, single, double, bare in TERM.findall(query or ""):
        value = single or double or bare
        if name in TIMES:
            moment = datetime.fromisoformat(value)
            clauses.append(f"{name} {operator or '='} ?")
            params.append(iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
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
    return "".join(f" AND {clause}" for clause in clauses), params
