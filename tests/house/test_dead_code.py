"""What nothing uses does not stay: a test alone is no use."""

import ast
import re
from pathlib import Path

import pytest
from vulture import Vulture

from launch.processes import ROOT

WHERE = ("shopify_app", "workers", "simulator", "launch", "bench", "run")
CALLED_BY_A_LIBRARY = [
    "@*.get",
    "@*.post",
    "@*.put",
    "@*.delete",
    "@*.route",
    "@*.command",
    "@*.connect",
    "@*.task",
    "@*_validator",
    "@as_json.register",
]
"""Routes, commands, signals, tasks, validators and JSON twins: Flask, Click, Celery, Pydantic and `singledispatch` call them."""

MEANT = {
    "autocommit": "psycopg2 reads it",
    "minconn": "psycopg2's pool reads it",
    "row_factory": "sqlite3 reads it",
    "timeout": "http.client reads it",
    "sort_keys": "Flask reads it",
    "max_content_length": "Flask reads it",
    "trim_blocks": "Jinja reads it",
    "lstrip_blocks": "Jinja reads it",
    "command_class": "Click reads it",
    "_missing_": "Enum calls it for a value it does not know",
    "handle_starttag": "html.parser calls it",
    "handle_endtag": "html.parser calls it",
    "handle_data": "html.parser calls it",
    "abstract": "Celery reads it",
    "load_config": "gunicorn calls it",
    "is_document": "web/headers.py asks Flask's `g` for it by name",
    "frame_ancestors": "web/headers.py asks Flask's `g` for it by name",
    "begin_url": "the simulator's store for tests of the fallback grant: no admin shows it",
    "is_up_to_date": "the house asks it of the catalogues",
    "PRICE_CHANGE_FOLLOWERS": "the states as documented: a test holds the statements to it",
}
"""What looks unused, and who uses it."""


def fields():
    """(file, line) of every field of a record and member of an enum: data, read whole by rows, JSON and tables."""
    for folder in WHERE:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    yield from (
                        (path, part.lineno)
                        for part in node.body
                        if isinstance(part, (ast.AnnAssign, ast.Assign))
                    )


def unused(paths):
    """Names that no code and no template uses: `file:line name`. Imports are ruff's, which reads quoted types too."""
    finder = Vulture(ignore_names=list(MEANT), ignore_decorators=CALLED_BY_A_LIBRARY)
    finder.scavenge([str(path) for path in paths])
    data = set(fields())
    registry = (ROOT / "shopify_app/usecases/doorbells.py").read_text()
    shown = set(
        re.findall(
            r"\w+", " ".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
        )
    )
    shown |= set(re.findall(r'"[a-z_.]+:([a-z_]+)"', registry))
    return [
        f"{Path(found.filename).name}:{found.first_lineno} {found.name}"
        for found in finder.get_unused_code(min_confidence=60)
        if found.typ != "import"
        and found.name not in shown
        and (Path(found.filename), found.first_lineno) not in data
    ]


@pytest.mark.timeout(300)
def test_everything_is_used_by_something_other_than_its_test():
    assert unused(ROOT / name for name in WHERE) == []


def test_a_function_that_nothing_calls_is_found(tmp_path):
    (tmp_path / "spare.py").write_text("def spare_wheel():\n    return 4\n")

    assert unused([tmp_path]) == ["spare.py:1 spare_wheel"]
