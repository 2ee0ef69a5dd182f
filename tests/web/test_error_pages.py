"""An error is told as a page or as JSON, with its status, and a defect tells nothing of itself."""

import pytest

from shopify_app.errors import (
    InvalidInputError,
    NotFoundError,
    PoisonError,
    ShopUnavailableError,
    TransientError,
)
from shopify_app.web import create_app
from shopify_app.web.auth import public

SECRET = "postgresql://keel:secret@db"
ERRORS = [
    (NotFoundError("suggestion"), 404, {"error": "not_found"}),
    (
        InvalidInputError("not a number", field="budget"),
        422,
        {
            "error": "invalid_input",
            "detail": "not a number",
            "field": "budget",
            "errors": {"budget": "not a number"},
        },
    ),
    (TransientError(SECRET), 503, {"error": "try_again"}),
    (ShopUnavailableError("uninstalled"), 409, {"error": "uninstalled"}),
    (PoisonError(SECRET), 500, {"error": "failed"}),
    (ZeroDivisionError(SECRET), 500, {"error": "failed"}),
]


@pytest.fixture
def ask(settings_env):
    def ask(error, **headers):
        def view():
            raise error

        app = create_app()
        app.add_url_rule("/broken", "broken", public(view))
        return app.test_client().get("/broken", headers=headers)

    return ask


@pytest.mark.parametrize(
    ("error", "status", "said"), ERRORS, ids=[type(one[0]).__name__ for one in ERRORS]
)
def test_each_error_has_its_status_and_its_code(ask, error, status, said):
    answer = ask(error, Accept="application/json")

    assert answer.status_code == status
    assert {name: text for name, text in answer.json.items() if name != "request_id"} == said
    assert answer.json["request_id"]


@pytest.mark.parametrize(("error", "status", "said"), ERRORS[2:], ids=lambda one: str(one)[:12])
def test_a_reader_gets_a_page_and_no_word_of_the_cause(ask, error, status, said):
    answer = ask(error, Accept="text/html")

    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "secret" not in answer.text


def test_what_will_be_good_again_says_when_to_ask(ask):
    assert ask(TransientError("busy")).headers["Retry-After"] == "5"
    assert "Retry-After" not in ask(ZeroDivisionError()).headers
