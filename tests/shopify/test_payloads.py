"""A webhook's body becomes our nouns or is poison: nothing else, whatever is missing, null, huge or of another kind."""

import json
from contextlib import suppress
from copy import deepcopy
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopify_app.errors import PoisonError
from shopify_app.shopify import payloads
from shopify_app.shopify.hostile_json import parse_object

ORDER = {
    "id": 5001, "name": "#1", "created_at": "2026-11-20T10:00:00+00:00", "processed_at": "2026-11-20T10:00:00+00:00",
    "updated_at": "2026-11-20T10:00:00Z", "cancelled_at": None, "currency": "GBP", "financial_status": "paid", "source_name": "web", "test": False,
    "line_items": [
        {"id": 1, "product_id": 7, "variant_id": 8, "quantity": 2, "current_quantity": 1, "price": "5.00", "title": "Mug", "sku": "M", "gift_card": False,
         "tax_lines": [{"price": "0.83"}], "discount_allocations": [{"amount": "1.50"}, {"amount": "0.25"}]},
    ],
}  # fmt: skip
REFUND = {
    "id": 9, "order_id": 5001, "created_at": "2026-11-21T10:00:00Z", "processed_at": None,
    "refund_line_items": [{"id": 3, "line_item_id": 1, "quantity": 1, "restock_type": "RETURN", "subtotal": 4.1, "total_tax": 0.1}],
}  # fmt: skip
PRODUCT = {
    "id": 7, "title": "Mug", "status": "active", "vendor": "Northmill", "product_type": "", "tags": "a, b", "handle": "mug",
    "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "published_at": None, "image": None,
    "variants": [{"id": 8, "product_id": 7, "title": "Red", "price": "5.00", "compare_at_price": None, "sku": None, "position": 1, "inventory_policy": "deny",
                  "inventory_item_id": 80, "inventory_management": "shopify", "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z"}],
}  # fmt: skip
LEVEL = {
    "inventory_item_id": 80,
    "location_id": 1,
    "available": None,
    "updated_at": "2026-11-20T10:00:00Z",
}
ITEM = {"id": 80, "tracked": True, "cost": None, "updated_at": "2026-11-20T10:00:00Z"}
LOCATION = {"id": 1, "name": "Shop", "active": True, "updated_at": "2026-11-20T10:00:00Z"}
REFUND = parse_object(json.dumps(REFUND).encode())  # its floats as the inbox reads them
READ = {
    "order": (ORDER, payloads.order),
    "refund": (REFUND, payloads.refund),
    "product": (PRODUCT, payloads.product),
    "variants": (PRODUCT, payloads.variants),
    "items": (PRODUCT, payloads.tracked_items),
    "level": (LEVEL, payloads.inventory_level),
    "item": (ITEM, payloads.inventory_item),
    "location": (LOCATION, payloads.location),
}
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False), st.text(max_size=20), st.just("9" * 40), st.just("NaN"),
    st.just("-1.005"), st.just("2026-13-99T00:00:00Z"), st.just("2026-11-20"), st.lists(st.integers(), max_size=2), st.just({}), st.just([{}]), st.just("\x00"),
)  # fmt: skip


def paths(value, at=()):
    """Every place in a body."""
    yield at
    if isinstance(value, dict):
        for key, below in value.items():
            yield from paths(below, (*at, key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from paths(below, (*at, number))


def changed(body, path, odd, *, remove):
    body = deepcopy(body)
    target = body
    for step in path[:-1]:
        target = target[step]
    if remove and isinstance(target, dict):
        del target[path[-1]]
    else:
        target[path[-1]] = odd
    return body


@pytest.mark.parametrize("name", list(READ))
@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_body_with_anything_anywhere_is_read_or_is_poison(name, data):
    body, read = READ[name]
    path = data.draw(st.sampled_from([place for place in paths(body) if place]))
    odd = changed(body, path, data.draw(ODD), remove=data.draw(st.booleans()))

    with suppress(PoisonError):
        read(odd)


@pytest.mark.parametrize("name", list(READ))
def test_the_body_itself_is_read(name):
    body, read = READ[name]
    assert read(body) is not None


def test_money_is_what_the_allocations_come_to_and_a_null_time_falls_back():
    order = payloads.order(parse_object(json.dumps(ORDER).encode()))
    refund = payloads.refund(REFUND)
    (line,) = order.lines

    assert (line.unit_price, line.discount, line.tax, line.current_quantity) == (
        Decimal("5.00"),
        Decimal("1.75"),
        Decimal("0.83"),
        1,
    )
    assert (refund.lines[0].subtotal, refund.lines[0].restock_type) == (Decimal("4.1"), "return")
    assert refund.processed_at.day == 21


@pytest.mark.parametrize(
    ("shipping", "paid"),
    [
        (
            {
                "price": "10.00",
                "discounted_price": "10.00",
                "discount_allocations": [{"amount": "5.00"}],
            },
            "5.00",
        ),
        (
            {
                "price": "10.00",
                "discounted_price": "5.00",
                "discount_allocations": [{"amount": "5.00"}],
            },
            "5.00",
        ),
        ({"price": "10.00", "discounted_price": "4.00", "discount_allocations": []}, "4.00"),
        ({"price": "10.00", "discount_allocations": [{"amount": "10.00"}]}, "0.00"),
        ({"price": "10.00", "discounted_price": None, "discount_allocations": None}, "10.00"),
    ],
    ids=["off the order", "off the shipping", "told without parts", "free", "without"],
)
def test_shipping_is_what_is_left_of_it_whichever_discount_took_it_off(shipping, paid):
    """Shopify's reference of the Order, `shipping_lines`: the discounted price knows nothing of the order's own discounts."""
    order = payloads.order(ORDER | {"shipping_lines": [shipping | {"tax_lines": []}]})

    assert order.shipping == Decimal(paid)


@pytest.mark.parametrize("name", ["myshopify_domain", "shop_domain"])
def test_a_body_that_names_another_shop_is_poison(name):
    payloads.check_shop({name: "acme.myshopify.com"}, "acme.myshopify.com")
    payloads.check_shop({"domain": "www.acme.com"}, "acme.myshopify.com")
    for other in ("rival.myshopify.com", "", 7, ["acme.myshopify.com"]):
        with pytest.raises(PoisonError):
            payloads.check_shop({name: other}, "acme.myshopify.com")


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None, derandomize=True)
def test_any_bytes_are_an_object_or_poison(raw):
    with suppress(PoisonError):
        assert isinstance(parse_object(raw), dict)


def test_poison_names_each_wrong_field_by_its_path():
    body = deepcopy(ORDER)
    body["currency"] = None
    body["line_items"][0] |= {"price": "NaN", "quantity": True, "id": 2**63}

    with pytest.raises(PoisonError) as poison:
        payloads.order(body)

    for path in ("currency", "line_items.0.price", "line_items.0.quantity", "line_items.0.id"):
        assert f"{path}: " in str(poison.value)


def test_what_we_do_not_read_may_be_anything():
    body = ORDER | {"customer": "\ud800", "total_weight": "much", "note_attributes": 7}

    assert payloads.order(body) == payloads.order(ORDER)


@pytest.mark.parametrize(
    ("text", "kept"), [("a\0b", "a\ufffdb"), ("\ud800!", "?!"), ("Blå", "Blå")]
)
def test_a_text_that_postgres_cannot_keep_is_cleaned(text, kept):
    assert payloads.order(ORDER | {"name": text}).name == kept
