"""No kind of suggestion is asked for outside advice, the cards and the one module of use cases that carries decisions out."""

import ast
import re

import pytest

from launch.processes import ROOT
from shopify_app.advice import work_out
from shopify_app.domain.evidence import DOCUMENTS, SuggestionKind
from shopify_app.usecases.decisions import carry_out
from shopify_app.web.cards.kinds import KINDS

MAY_ASK = (
    "shopify_app/advice/",
    "shopify_app/web/cards/",
    "shopify_app/usecases/decisions/carry_out.py",
)
NAMES = {kind.value for kind in SuggestionKind}
SOURCES = [
    path
    for folder in ("shopify_app", "workers")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.relative_to(ROOT).as_posix().startswith(MAY_ASK)
]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def is_kind(node):
    """`SuggestionKind.PRICE`, or the text of one beside a `.kind`."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "SuggestionKind"
        and node.attr in SuggestionKind.__members__
    )


def asks_for_a_kind(tree):
    """Lines on which a kind is compared with, matched, or the key of a table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            texts = {side.value for side in sides if isinstance(side, ast.Constant)}
            of_kind = any(isinstance(side, ast.Attribute) and side.attr == "kind" for side in sides)
            if any(map(is_kind, sides)) or (of_kind and texts & NAMES):
                yield node.lineno
        elif (isinstance(node, ast.MatchValue) and is_kind(node.value)) or (
            isinstance(node, ast.Dict) and any(key and is_kind(key) for key in node.keys)
        ):
            yield node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_kind_is_asked_for_elsewhere(path):
    found = list(asks_for_a_kind(ast.parse(path.read_text())))

    if path.name == "evidence.py" and path.parent.name == "domain":
        found = found[1:]  # `DOCUMENTS`, the table of what each kind is kept as
    assert found == []


def test_no_template_asks_for_a_kind():
    asked = re.compile(r"\bkind\s*[!=]=\s*['\"](" + "|".join(sorted(NAMES)) + r")['\"]")

    assert [path.name for path in TEMPLATES if asked.search(path.read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "if card.kind is SuggestionKind.PRICE: pass",
        "if card.kind != 'trend': pass",
        "words = {SuggestionKind.RESTOCK: 'Add to order'}[card.kind]",
        "match kind:\n    case SuggestionKind.TREND: pass",
    ],
)
def test_a_question_for_a_kind_is_seen(source):
    assert list(asks_for_a_kind(ast.parse(source)))


def test_every_kind_is_kept_advised_and_shown():
    assert set(DOCUMENTS) == set(work_out.KINDS) == set(KINDS) == set(SuggestionKind)
    assert set(carry_out.KINDS) <= set(SuggestionKind)
    for kind, kept in DOCUMENTS.items():
        assert kept.proposal.kind is kind
