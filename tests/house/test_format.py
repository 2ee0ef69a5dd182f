"""The formatter lays out every line: what it cannot lay out well is written another way."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("shopify_app", "workers", "simulator", "launch", "bench")
SWITCHES = ("fmt: " + "skip", "fmt: " + "off", "yapf: " + "disable")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_formatter_is_never_switched_off(folder):
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(switch in line for switch in SWITCHES)
    ]

    assert found == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_there_is_something_to_look_through(folder):
    assert list((ROOT / folder).rglob("*.py"))
