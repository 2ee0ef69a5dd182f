"""A file becomes a case, or one line that names the field that is wrong."""

import json
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


def schema_text() -> str:
    """The JSON Schema of a case, as it ships."""
    told = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Case.model_json_schema()
    return json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


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
        elif is_kind or part in TYPES:
            continue
        else:
            found += f".{part}" if found else part
    return found or "the file"
