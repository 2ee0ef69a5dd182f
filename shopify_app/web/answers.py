"""One answer, as a page, a fragment or JSON: the caller's Accept header decides."""

import json
from typing import Any

from flask import Response, jsonify, make_response, render_template

from shopify_app.web.reading import wants_json


def answer(template: str, body: dict[str, Any], *, status: int = 200, **shown: Any) -> Response:
    """`body` as JSON to who asks for JSON, else `template` with what it shows."""
    made = jsonify(body) if wants_json() else make_response(render_template(template, **shown))
    made.status_code = status
    return made


def with_toast(made: Response, words: str, *, undo_url: str | None = None) -> Response:
    """Ask the page's script for a toast of the admin (JSON escapes to ASCII: safe in a header)."""
    made.headers["HX-Trigger"] = json.dumps({"app:toast": {"words": words, "undo": undo_url}})
    return made
