"""One meaning a word, one word a thing: the glossary keeps to it, and the code to the glossary."""

import re
from collections import Counter

from launch.processes import ROOT

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/glossary.md").read_text().splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| word |"))
]
SOURCES = [
    path.read_text()
    for folder, kind in (("shopify_app", "*.py"), ("migrations", "*.sql"))
    for path in (ROOT / folder).rglob(kind)
]
MERCHANTS_WORDS = (
    "web/cards/outcomes.py",
    "web/cards/price_outcomes.py",
    "web/cards/restock.py",
    "web/wording.py",
)
"""Pages that say "supplier", as merchants do."""


def words(cell):
    """The words of a cell, without what stands in brackets."""
    return [word for word in re.split(r"[,;]\s*", re.sub(r"\(.*?\)", "", cell).lower()) if word]


def twice(found):
    return {word for word, count in Counter(found).items() if count > 1}


def test_every_row_has_a_word_a_meaning_and_what_else_it_is_called():
    assert len(ROWS) > 60
    assert all(len(row) == 3 and row[0] and row[1] for row in ROWS)


def test_no_word_stands_twice():
    assert not twice(word.strip() for row in ROWS for word in words(row[0]))


def test_what_else_a_thing_is_called_is_no_other_things_word():
    own = {word.strip() for row in ROWS for word in words(row[0])}
    other = [word.strip() for row in ROWS for word in words(row[2])]
    assert not twice(other)
    assert not own & set(other)


def test_each_name_in_backticks_is_in_the_code():
    names = {name for row in ROWS for cell in row for name in re.findall(r"`([A-Za-z_]+)`", cell)}
    assert len(names) > 20
    assert not [
        name
        for name in sorted(names)
        if not any(re.search(rf"\b{name}\b", source) for source in SOURCES)
    ]


def test_a_vendor_is_called_nothing_else_in_code():
    found = {
        str(path.relative_to(ROOT / "shopify_app"))
        for path in (ROOT / "shopify_app").rglob("*.py")
        if re.search(r"(?<![a-z_])suppliers?\b", path.read_text().lower())
    }
    assert found <= set(MERCHANTS_WORDS)
