"""docs/openapi.yaml is kept true: every route is in it, and real answers are what it says."""

import re

import pytest
from openapi_spec_validator import validate

from launch import openapi
from shopify_app.web import create_app
from tests.web.openapi import DOCUMENT, check
from tests.web.page_rows import as_json, price_row, restock_row, trend_row

UNDOCUMENTED = ("assets.", "webhooks.", "patch_id_token", "oauth.")
"""Files, Shopify's own calls and App Bridge's own page: nobody programs against them."""


def test_the_document_is_valid():
    validate(DOCUMENT)


def test_what_is_made_from_the_models_is_current():
    text = openapi.DOCUMENT.read_text()

    assert openapi.written_anew(text) == text, "run: python -m launch openapi"


def test_every_model_that_is_posted_to_a_route_is_a_request_body_of_the_document():
    bodies = {
        post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        for item in DOCUMENT["paths"].values()
        if "requestBody" in (post := item.get("post", {}))
    }

    assert bodies == openapi.schemas().keys() - {"ErrorBody"}


def test_a_refusal_of_a_body_answers_as_documented(acme):
    client = create_app().test_client()
    for path in ("/suggestions/undos", "/rollouts/previews", "/purchase-orders/receipts"):
        check(client.post(path, json=[], headers=as_json(acme)), path, "post")
        check(client.post(path, json={}, headers=as_json(acme)), path, "post")


def test_every_route_is_documented_and_no_other(settings_env):
    rules = [
        r for r in create_app().url_map.iter_rules() if not r.endpoint.startswith(UNDOCUMENTED)
    ]
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    documented = {
        (path, m) for path, item in DOCUMENT["paths"].items() for m in item if m in ("get", "post")
    }

    assert routes == documented


@pytest.mark.parametrize(
    "path", ["/", "/welcome", "/pricing", "/restock", "/trends", "/settings", "/healthz", "/readyz"]
)
def test_pages_answer_as_documented(acme, path):
    price_row(acme), restock_row(acme), trend_row(acme)

    check(create_app().test_client().get(path, headers=as_json(acme)), path)


@pytest.mark.parametrize(
    ("make", "folder"), [(price_row, "pricing"), (restock_row, "restock"), (trend_row, "trends")]
)
def test_details_answer_as_documented(acme, make, folder):
    client, number = create_app().test_client(), make(acme)

    check(client.get(f"/{folder}/{number}", headers=as_json(acme)), f"/{folder}/{{suggestion_id}}")
    check(client.get(f"/{folder}/999", headers=as_json(acme)), f"/{folder}/{{suggestion_id}}")


def test_decisions_answer_as_documented(acme):
    client, number = create_app().test_client(), restock_row(acme)
    for act in ("acceptance", "undo", "undo"):
        check(
            client.post(f"/suggestions/{number}/{act}", headers=as_json(acme)),
            f"/suggestions/{{suggestion_id}}/{act}",
            "post",
        )
    check(
        client.get(f"/suggestions/{number}", headers=as_json(acme)), "/suggestions/{suggestion_id}"
    )
    other = price_row(acme)
    dismissal = f"/suggestions/{other}/dismissal"
    check(
        client.post(dismissal, json={"reason": "?"}, headers=as_json(acme)),
        "/suggestions/{suggestion_id}/dismissal",
        "post",
    )
    check(
        client.post(dismissal, json={"reason": "other"}, headers=as_json(acme)),
        "/suggestions/{suggestion_id}/dismissal",
        "post",
    )


def test_bulk_and_exports_answer_as_documented(acme):
    client, number = create_app().test_client(), restock_row(acme)
    check(
        client.post("/suggestions/acceptances", json={"ids": [number, 999]}, headers=as_json(acme)),
        "/suggestions/acceptances",
        "post",
    )
    check(
        client.post("/suggestions/acceptances", json={"ids": ["x"]}, headers=as_json(acme)),
        "/suggestions/acceptances",
        "post",
    )
    check(
        client.post(
            "/purchase-orders/exports", json={"vendor": "Norrland Mill"}, headers=as_json(acme)
        ),
        "/purchase-orders/exports",
        "post",
    )
    check(
        client.post("/settings", json={"margin_floor": "x"}, headers=as_json(acme)),
        "/settings",
        "post",
    )
    check(
        client.post("/settings", json={"margin_floor": 30}, headers=as_json(acme)),
        "/settings",
        "post",
    )
