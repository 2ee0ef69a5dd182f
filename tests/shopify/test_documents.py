"""Every GraphQL document of the app is valid against Shopify's real schema."""

import gzip
import importlib
import pkgutil

import pytest
from graphql import build_schema, parse, validate

import shopify_app.shopify
from launch.processes import ROOT
from shopify_app.shopify.orders_api import bulk_orders_query


def documents():
    for module in pkgutil.iter_modules(shopify_app.shopify.__path__):
        loaded = importlib.import_module(f"shopify_app.shopify.{module.name}")
        for name, value in vars(loaded).items():
            if (
                name.isupper()
                and isinstance(value, str)
                and value.strip().startswith(("query", "mutation", "{"))
            ):
                yield pytest.param(value.replace("__QUERY__", ""), id=f"{module.name}.{name}")


@pytest.fixture(scope="module")
def schema():
    return build_schema(
        gzip.decompress(
            (ROOT / "simulator/graphql/admin-2026-10.graphql.gz").read_bytes()
        ).decode(),
        assume_valid=True,
    )


@pytest.mark.parametrize("document", list(documents()))
def test_the_document_is_valid_and_asks_for_no_person(document, schema):
    assert validate(schema, parse(document)) == []
    assert not {
        "customer",
        "email",
        "phone",
        "shippingAddress",
        "billingAddress",
        "note",
        "customAttributes",
    } & set(document.split())


def test_the_collection_finds_the_documents_there_are():
    assert len(list(documents())) >= 15


def test_a_bulk_query_for_recent_orders_names_its_first_moment():
    from datetime import UTC, datetime

    assert "created_at:>='2026-11-01T00:00:00+00:00'" in bulk_orders_query(
        datetime(2026, 11, 1, tzinfo=UTC)
    )
