"""Cases in the shapes of before are read as they are."""

import pytest

from simulator.cases.reading import BadCaseError, parsed

ORDER = {"id": 9001, "line_items": [{"id": 1, "variant_id": 2005000000003, "quantity": 2}]}


def test_bodies_are_sent_in_the_order_in_which_they_are_told_to_a_tiny_shop():
    case = parsed(
        {
            "scopes": "no read_all_orders (the default)",
            "a": [["orders/updated", ORDER], ["refunds/create", {"id": 3}]],
            "b": [["orders/create", {"id": 4}]],
            "expected": "it stays",
        },
        name="",
    )

    assert case.shop.kind == "tiny"
    assert "read_all_orders" not in case.shop.scopes
    assert [(one.topic, one.body["id"]) for one in case.webhooks] == [
        ("orders/updated", 9001),
        ("refunds/create", 3),
        ("orders/create", 4),
    ]
    assert "it stays" in case.note


def test_an_id_of_a_shop_of_before_is_the_same_thing_of_the_new_one():
    case = parsed({"post": [["orders/create", ORDER]]}, name="")

    assert case.webhooks[0].body["line_items"][0] == {
        "id": 1,
        "variant_id": "$made:3",
        "quantity": 2,
    }


def test_products_without_a_topic_are_updates():
    case = parsed({"first": {"id": 1}, "then": {"id": 2}, "later": {"id": 3}}, name="")

    assert [(one.topic, one.body["id"]) for one in case.webhooks] == [
        ("products/update", 1),
        ("products/update", 2),
        ("products/update", 3),
    ]


def test_a_body_told_in_words_is_the_shops_own_with_the_change():
    case = parsed({"post": [["products/update", "same body, status: unlisted"]]}, name="")

    assert (case.webhooks[0].about, case.webhooks[0].body) == (
        "$product:Oak board",
        {"status": "unlisted"},
    )


def variant_with(*sales):
    variant = {"title": "Default Title", "price": "20.00", "cost": "8.00", "available": 0}
    return {
        "currency": "GBP",
        "created_days_ago": 200,
        "products": [{"title": "P", "variants": [variant | {"sales": list(sales)}]}],
    }


def test_a_list_of_sales_is_a_shop_that_sold_so():
    case = parsed(variant_with([200, 1, "20.00", "0.00", None, None]), name="")

    product = case.shop.products[0]
    sold = product.variants[0].sales[0]
    assert product.created == "200"
    assert (sold.on, sold.units, str(sold.price), str(sold.discount)) == ("200", 1, "20.00", "0.00")


def test_what_is_not_understood_of_a_sale_is_refused_by_name():
    with pytest.raises(BadCaseError, match=r"^f: products\[0\].variants\[0\].sales\[0\]: the last"):
        parsed(variant_with([200, 1, "20.00", "0.00", 1, None]), name="f")
