"""Every room says what is in it, every module has its tests, and no test leans on another."""

import ast
import re
import socket

import pytest

from launch.processes import ROOT

DOORS = [
    door
    for floor in ("advice", "analytics", "usecases", "web")
    for door in sorted((ROOT / "shopify_app" / floor).rglob("__init__.py"))
]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
MODULES = [
    path
    for folder in ("shopify_app", "workers")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "__init__.py"
]


def imported(path):
    """The dotted names that a file imports, modules and what is taken from them alike."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    "door", DOORS, ids=lambda door: ".".join(door.relative_to(ROOT).parts[1:-1])
)
def test_the_door_of_a_room_names_what_is_in_it_and_nothing_else(door):
    inside = {path.stem for path in door.parent.glob("*.py")} - {"__init__"}
    inside |= {path.parent.name for path in door.parent.glob("*/__init__.py")}
    _, _, listed = ast.get_docstring(ast.parse(door.read_text())).partition("\n")
    entries = re.findall(r"^ *([a-z_]+(?:, [a-z_]+)*) {2,}\S", listed, re.MULTILINE)

    assert {name for entry in entries for name in entry.split(", ")} == inside


def test_no_test_imports_a_test():
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "tests").rglob("*.py")
        for name in imported(path)
        if re.match(r"tests\..*\btest_", name)
    ]
    assert found == []


def test_no_test_leaves_this_computer():
    with pytest.raises(UserWarning, match="tried to use socket"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
