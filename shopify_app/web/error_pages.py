"""Errors as a page, a fragment or JSON. The only place of the web that catches everything."""

from collections.abc import Mapping

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from shopify_app.errors import (
    AppError,
    InvalidInputError,
    NotFoundError,
    NotJsonError,
    ShopUnavailableError,
    TransientError,
)
from shopify_app.web.reading import wants_json

log = structlog.get_logger()


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(Exception, _defect)


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:  # abort(Response): whoever made it has said everything
        return make_response(error.response)
    return _answer(error.code or 500, error.name.lower().replace(" ", "_"))


def _app_error(error: AppError) -> Response:
    if isinstance(error, NotFoundError):
        return _answer(404, "not_found")
    if isinstance(error, InvalidInputError):
        return _answer(
            422,
            "invalid_input",
            detail=str(error),
            field=error.field,
            wrong_fields=error.wrong_fields,
        )
    if isinstance(error, NotJsonError):
        return _answer(400, "bad_request", detail=str(error))
    if isinstance(error, TransientError):
        log.warning("page_unavailable", error=type(error).__name__)
        return _answer(503, "try_again")
    if isinstance(error, ShopUnavailableError):
        return _answer(409, error.reason)
    log.error("page_failed", error=type(error).__name__, exc_info=error)
    return _answer(500, "failed")


def _defect(error: Exception) -> Response:
    log.error("page_failed", error=type(error).__name__, exc_info=error)
    return _answer(500, "failed")


class ErrorBody(BaseModel):
    """What went wrong. `errors` has every wrong field by its path (`ids.2`); `field` is the first of them, `detail` its words."""

    error: str
    request_id: str
    detail: str | None = None
    field: str | None = None
    errors: dict[str, str] | None = None


def _answer(
    status: int,
    code: str,
    *,
    detail: str = "",
    field: str = "",
    wrong_fields: Mapping[str, str] | None = None,
) -> Response:
    if wants_json() or not _has_reader():
        body = ErrorBody(
            error=code,
            request_id=g.get("request_id", ""),
            detail=detail or None,
            field=field or None,
            errors=dict(wrong_fields or {}) or None,
        )
        made = jsonify(body.model_dump(exclude_none=True))
    else:
        made = make_response(
            render_template("errors/page.html", words=_words(status), status=status)
        )
    made.status_code = status
    if status == 503:
        made.headers["Retry-After"] = "5"
    return made


def _has_reader() -> bool:
    """Whether a person may read the answer: webhooks and probes get JSON."""
    return not request.path.startswith("/webhooks") and "text/html" in request.headers.get(
        "Accept", "text/html"
    )


def _words(status: int) -> str:
    if status == 404:
        return gettext("This page does not exist.")
    if status == 503:
        return gettext("We could not reach our own data. Try again in a moment.")
    if status in (401, 403):
        return gettext("This link is no longer good. Open the page again from Keel.")
    return gettext("This page could not be loaded.")
