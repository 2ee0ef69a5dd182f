"""One answer, as a page, a fragment or JSON: the caller's Accept header decides."""

import json
from typing import Any

from flask import Response, jsonify, make_response, render_template

from shopify_app.web.json_twin import as_json
from shopify_app.web.reading import wants_json


def answer(template: str, page: object, *, status: int = 200) -> Response:
    """A page's dataclass: as JSON to who asks for JSON, else in its template, which knows it as `page`."""
    if wants_json():
        made = jsonify(as_json(page))
    else:
        made = make_response(render_template(template, page=page))
    made.status_code = status
    return made


def answer_fragment(
    template: str, body: dict[str, Any], *, status: int = 200, **shown: Any
) -> Response:
    """`body` as JSON to who asks for JSON, else a part of a page with what it shows."""
    made = jsonify(body) if wants_json() else make_response(render_template(template, **shown))
    made.status_code = status
    return made


def with_toast(made: Response, words: str, *, undo_url: str | None = None) -> Response:
    """Ask the page's script for a toast of the admin (JSON escapes to ASCII: safe in a header)."""
    made.headers["HX-Trigger"] = json.dumps({"app:toast": {"words": words, "undo": undo_url}})
    return made
