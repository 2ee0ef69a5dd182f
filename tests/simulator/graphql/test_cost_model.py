"""What documents cost: by hand after the rules, and as recorded from the fitted model over the validated documents."""

import json
from pathlib import Path

import pytest
from graphql import parse, validate

from simulator.graphql.cost_model import page_points, requested_cost
from simulator.graphql.schema import schema

RECORDED = json.loads(Path(__file__).with_name("recorded_costs.json").read_text())
"""Documents that Shopify's schema takes, each with variables and what the model as it was fitted said."""


def cost(text, operation_name=None, **variables):
    document = parse(text)
    assert validate(schema(), document) == []
    return requested_cost(schema(), document, variables, operation_name)


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: one["name"])
def test_a_document_costs_what_the_fitted_model_said(one):
    assert cost(one["document"], **one["variables"]) == one["cost"]


def test_the_recorded_documents_are_of_every_sort():
    costs = {one["cost"] for one in RECORDED}
    assert len(RECORDED) > 90
    assert 1 in costs and 10 in costs and max(costs) > 100


@pytest.mark.parametrize(
    ("size", "points"),
    [
        (-1, 0),
        (0, 0),
        (1, 1),
        (2, 1),
        (3, 2),
        (5, 3),
        (10, 4),
        (20, 5),
        (50, 7),
        (100, 9),
        (250, 11),
    ],
)
def test_a_page_is_charged_by_the_logarithm_of_its_size(size, points):
    assert page_points(size) == points


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("{ shop { id name } }", 1),
        ("{ shop { shopAddress { countryCodeV2 } } }", 1),
        ("{ __typename }", 1),
        ("{ orders(first: 10) { nodes { id } } }", 2 + 4 * 1),
        (
            "{ orders(last: 10) { edges { cursor node { id } } pageInfo { hasNextPage } } }",
            2 + 4 * 1,
        ),
        ("{ orders(first: 10) { pageInfo { hasNextPage } } }", 2),
        (
            "{ orders(first: 10) { nodes { lineItems(first: 3) { nodes { id } } } } }",
            2 + 4 * (1 + 2 + 2 * 1),
        ),
        (
            "{ orders(first: 1) { nodes { refunds { id } totalRefundedSet { shopMoney { amount } } } } }",
            2 + 1 * (1 + 1),
        ),
        ("{ productsCount { count } }", 10),
        ('{ nodes(ids: ["gid://shopify/Order/1", "gid://shopify/Order/2"]) { id } }', 1),
        (
            '{ node(id: "gid://shopify/Order/1") { id ... on Order { refunds { id } } ... on Product { id } } }',
            1 + 1,
        ),
        ("{ a: shop { id } b: shop { id } }", 1 + 1),
        ("{ shop { plan { shopifyPlus } } shop { plan { partnerDevelopment } } }", 1 + 1),
        (
            'mutation { tagsAdd(id: "gid://shopify/Order/1", tags: []) { node { id } userErrors { message } } }',
            10,
        ),
        ('mutation { tagsAdd(id: "gid://shopify/Order/1", tags: []) { __typename } }', 10),
    ],
)
def test_each_rule_by_hand(text, points):
    assert cost(text) == points


def test_a_size_comes_from_a_variable_or_its_default():
    text = "query($n: Int = 3) { orders(first: $n) { nodes { id } } }"
    assert (cost(text), cost(text, n=10)) == (2 + 2, 2 + 4)


def test_a_fragment_costs_what_it_selects():
    text = "{ orders(first: 10) { nodes { ...f } } } fragment f on Order { id refunds { id } }"
    assert cost(text) == 2 + 4 * (1 + 1)


def test_the_operation_that_is_named_is_charged():
    text = "query a { shop { id } } query b { productsCount { count } }"
    assert (cost(text), cost(text, "a"), cost(text, "b")) == (1, 1, 10)
