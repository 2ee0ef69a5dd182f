"""The one way into every route that is posted to: a form or a JSON object, read as that route's model.

JSON is parsed strictly, once, for every route, also for those that expect no body: what is broken, too
deep, not finite or no object is a 400 before the route begins. What is wrong with fields is one 422
that names them all, each by its path.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

from flask import Flask, current_app, g, request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.datastructures import MultiDict

from shopify_app.errors import InvalidInputError, NotJsonError
from shopify_app.strict_json import parse_typed

NUL: Final = "a text holds NUL"
"""Postgres keeps none: what holds one was not typed by anybody."""

MOST_WRONG_FIELDS: Final = 100
"""Named in one answer."""


class Posted(BaseModel):
    """What a request may say. Fields it does not have are ignored, so that none can be slipped in.

    A subclass puts into `messages` what is said of a field whose type is wrong or that is missing.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    messages: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def of_form(cls, form: "MultiDict[str, str]") -> dict[str, Any]:
        """A form's fields as the model names them."""
        return form.to_dict()


M = TypeVar("M", bound=Posted)


def install(app: Flask) -> None:
    """Refuse bodies that are none before any route begins; call after `auth.install`."""
    app.before_request(_refuse_what_is_no_body)


def posted(model: type[M]) -> M:
    """What was posted, as a form or as JSON.

    Raises
    ------
    InvalidInputError
        Names every field that is wrong.
    """
    return _read(model, json_object() if request.is_json else model.of_form(request.form))


def asked(model: type[M]) -> M:
    """What stands in the address behind the `?`, with the same errors as `posted`."""
    return _read(model, model.of_form(request.args))


def json_object() -> dict[str, Any]:
    """The JSON object that was posted; empty where the body is."""
    found: dict[str, Any] = g.posted
    return found


def wrong_fields(error: ValidationError, messages: Mapping[str, str]) -> dict[str, str]:
    """Path (`ids.2`) -> what is wrong there, in the order of the model."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False)[:MOST_WRONG_FIELDS]:
        path = ".".join(str(step) for step in one["loc"])
        is_ours = one["type"] == OURS
        found[path] = one["msg"] if is_ours else messages.get(str(one["loc"][0]), one["msg"])
    return found


OURS: Final = "keel"
"""Type of the errors whose message is ours (`request_models`)."""


def _read(model: type[M], told: Mapping[str, Any]) -> M:
    try:
        return model.model_validate(told)
    except ValidationError as error:
        wrong = wrong_fields(error, model.messages)
        path, message = next(iter(wrong.items()))
        field = path.partition(".")[0]
        raise InvalidInputError(message, field=field, wrong_fields=wrong) from error


def _refuse_what_is_no_body() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method != "POST" or view is None or getattr(view, "is_public", False):
        return
    if not request.is_json:
        has_nul = any("\0" in text for pair in request.form.items(multi=True) for text in pair)
        if has_nul:
            raise NotJsonError(NUL)
        return
    raw = request.get_data(cache=True)
    if rb"\u0000" in raw:
        raise NotJsonError(NUL)
    body = parse_typed(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise NotJsonError("the body must be a JSON object")
    g.posted = body
