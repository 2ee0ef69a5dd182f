"""What several decisions at once did not do, and why: carried over the redirect to the page that shows it."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from flask import request

from shopify_app.usecases.decisions.decide import AcceptAnswer, UndoAnswer
from shopify_app.web.wording import ACCEPT_REFUSALS, UNDO_REFUSALS

TABLES: Final = {"not_accepted": ACCEPT_REFUSALS, "not_undone": UNDO_REFUSALS}
"""Parameter of the page -> the words of its codes."""

MOST: Final = 100
"""Decisions of one request (`request_models.MOST_IDS`)."""


def refusals(
    answers: Iterable[tuple[int, AcceptAnswer]] | Iterable[tuple[int, UndoAnswer]],
) -> list[str]:
    """How many were refused for which reason, as `code:count` for the page's address."""
    counted = Counter(one.refused_because for _, one in answers if not one.accepted)
    return [f"{because}:{count}" for because, count in counted.most_common()]


def refused_lines() -> list[tuple[int, str]]:
    """(how many, why in words), as the address says; what it cannot have said is left out."""
    found: list[tuple[int, str]] = []
    for name, words in TABLES.items():
        for told in request.args.getlist(name):
            because, _, count = told.partition(":")
            if because in words and count.isdecimal() and 1 <= len(count) <= len(str(MOST)):
                found.append((int(count), str(words[because])))
    return found
