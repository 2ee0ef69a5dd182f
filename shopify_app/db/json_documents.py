"""JSON columns as types: the one place where a document is read from a row and made into a column.

A field's annotation says what its column holds (`connection.rows_as`); a suggestion's proposal and evidence are those of
its kind, which the row says (`domain.evidence.DOCUMENTS`).
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from psycopg2.extras import Json

from shopify_app.domain.documents import Document
from shopify_app.domain.evidence import DOCUMENTS, Evidence, Proposal, kind_of_move

ReadColumn = Callable[[Any, Mapping[str, Any]], Any]
"""A column's value and its row -> what the field holds."""


def column(document: Document | None) -> Json | None:
    """A document as a statement's parameter; None: no value."""
    return None if document is None else Json(document.as_json())


def reader_of(hint: Any) -> ReadColumn | None:
    """How a field with an annotation is read from JSON; None where it is no document."""
    for wanted in (hint, *get_args(hint)):
        if wanted is Proposal:
            return lambda kept, row: _of_kind(row).proposal.of_json(kept)
        if wanted is Evidence:
            return lambda kept, row: _of_kind(row).evidence.of_json(kept)
        if isinstance(wanted, type) and issubclass(wanted, Document):
            return lambda kept, _, wanted=wanted: wanted.of_json(kept)
    return None


def _of_kind(row: Mapping[str, Any]) -> Any:
    return DOCUMENTS[kind_of_move(row["kind"])]
