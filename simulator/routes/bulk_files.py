"""The files of finished bulk operations: there for a week; byte ranges are served, as storage does."""

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, abort, send_file

from simulator.state import simulator
from simulator.store import from_iso

bp = Blueprint("bulk_files", __name__)

FILE_DAYS: Final = 7
"""A result's address is good this long, by the shop's clock."""


@bp.get("/<shop>/bulk-files/<token>.jsonl")
def bulk_file(shop: str, token: str) -> Response:
    """The file of an operation that has ended."""
    store = simulator().store
    row = (
        store.connection()
        .execute("SELECT * FROM bulk_operations WHERE shop = ? AND url_token = ?", (shop, token))
        .fetchone()
    )
    if row is None or row["completed_at"] is None:
        abort(404)
    if store.now(shop) - from_iso(row["completed_at"]) > timedelta(days=FILE_DAYS):
        abort(403)
    return send_file(row["path"], mimetype="application/jsonl", conditional=True, etag=False)
