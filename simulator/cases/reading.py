"""A file becomes a case, or one line that names the field that is wrong."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simulator.cases import older
from simulator.cases.case import Case

SCHEMA: Final = Path(__file__).parents[1] / "case.schema.json"
ALTERNATIVES: Final = frozenset({"webhooks", "expect", "sales"})
"""Lists whose members are of several kinds: an error's path names the kind, which is no field of the file's."""

TYPES: Final = frozenset({"Bounds", "str", "int", "float", "bool"})
"""Kinds of a value, likewise; one that is proved by a function has brackets in its name."""


class BadCaseError(ValueError):
    """A file that is no case: one line."""


def read_case(path: Path) -> Case:
    """The case of a file, of the format or of an older shape.

    Raises
    ------
    BadCaseError
        If it cannot be read, or a field is wrong.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadCaseError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BadCaseError(f"{path}: is no JSON: {error}") from error
    return parsed(told, name=str(path), title=path.stem)


def parsed(told: Any, *, name: str, title: str = "") -> Case:
    """The case that is told.

    Raises
    ------
    BadCaseError
        If a field is wrong; `name` begins the line.
    """
    if not isinstance(told, dict):
        raise BadCaseError(f"{name}: must be a JSON object")
    try:
        found = Case.model_validate(older.converted(told) if older.is_older(told) else told)
    except ValidationError as error:
        raise BadCaseError(f"{name}: {_first(error)}") from error
    except older.NotConvertedError as error:
        raise BadCaseError(f"{name}: {error}") from error
    return found if found.title else found.model_copy(update={"title": title})


def domain_of(path: Path) -> str:
    """Under which domain a file's shop is opened."""
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")
    return f"{name or 'case'}.myshopify.com"


def schema_text() -> str:
    """The JSON Schema of a case, as it ships: with the short forms that are read as the long ones."""
    told: dict[str, Any] = Case.model_json_schema()
    told["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    parts = told["$defs"]
    for name in ("Facts", "Daily"):
        fields = parts[name]["properties"].pop("fields")
        parts[name]["additionalProperties"] = fields["additionalProperties"]
        parts[name]["required"] = [one for one in parts[name]["required"] if one != "fields"]
    topic = parts["Webhook"]["properties"]["topic"]
    _or_listed(told["properties"]["webhooks"], [topic, {"type": "object"}], 2)
    sold = parts["Sold"]["properties"]
    members = [sold[name] for name in ("on", "units", "price", "discount")]
    _or_listed(parts["Variant"]["properties"]["sales"], members, 2)
    return json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _or_listed(listed: dict[str, Any], members: list[Any], least: int) -> None:
    """Let a member of a list be a list of its parts too."""
    short = {"type": "array", "prefixItems": members, "minItems": least, "maxItems": len(members)}
    listed["items"] = {"anyOf": [listed["items"], short]}


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, with how many more there are."""
    first, *more = error.errors(include_url=False)
    words = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        words = "there is no such field"
    elif first["type"] == "missing":
        words = "is missing"
    elif first["type"] == "union_tag_invalid" or first["type"] == "union_tag_not_found":
        words = "is none of the statements: see simulator/README.md"
    rest = f" (and {len(more)} more)" if more else ""
    return f"{_path(first['loc'])}: {words}{rest}"


def _path(parts: Sequence[str | int]) -> str:
    """`shop.products[0].price`; alternatives of the format are left out."""
    found = ""
    for number, part in enumerate(parts):
        is_kind = number > 1 and parts[number - 2] in ALTERNATIVES
        if isinstance(part, int):
            found += f"[{part}]"
        elif is_kind or _is_kind_of_value(part) or (part == "fields" and parts[0] == "expect"):
            continue
        else:
            found += f".{part}" if found else part
    return found or "the file"


def _is_kind_of_value(part: str) -> bool:
    return part in TYPES or "[" in part
