"""A price fixed in a market's list does not move with the base price: we know of it and say so, if we may see it."""

import pytest

from shopify_app.db import price_history
from shopify_app.db.connection import transaction
from shopify_app.usecases.history import market_prices
from shopify_app.web import create_app
from tests.factories import make_suggestion
from tests.simulated import install
from tests.web.page_rows import as_json, bearer, price_evidence


@pytest.fixture
def apron(world):
    variant = next(one for one in world.look("variants") if one["product_title"] == "Linen apron")
    world.control(
        "fixed-prices", market="Germany", currency="EUR", variant_id=variant["id"], price="29.00"
    )
    return variant["id"]


def fixed(world, variant_id):
    shop = world.shop()
    with transaction(shop.shop_id) as conn:
        return price_history.fixed_prices(conn, shop.shop_id, [variant_id]).get(variant_id, [])


def test_fixed_prices_are_read_with_the_nightly_run_and_shown_on_the_card(world, apron):
    shop = install(world)

    assert [(one.name, str(one.price), one.currency) for one in fixed(world, apron)] == [
        ("Germany", "29.0000", "EUR")
    ]
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE suggestions SET state = 'superseded' WHERE state = 'open'")
    number = make_suggestion(shop, apron, evidence=price_evidence())
    client = create_app().test_client()
    assert "fixed in: Germany" in client.get("/", headers=bearer(shop)).text
    assert "€29.00" in client.get(f"/pricing/{number}", headers=bearer(shop)).text
    shown = client.get(f"/suggestions/{number}", headers=as_json(shop)).json["suggestion"]
    assert shown["fixed_in_markets"] == ["Germany"]


def test_a_price_that_is_let_go_is_forgotten_and_a_fresh_answer_is_not_asked_again(world, apron):
    shop = install(world)
    world.control("fixed-prices", market="Germany", currency="EUR", variant_id=apron, price=None)

    assert market_prices.read_market_prices(shop.shop_id) is None
    assert market_prices.read_market_prices(shop.shop_id, even_if_fresh=True) == 0
    assert fixed(world, apron) == []


def test_without_the_scope_nothing_is_asked_and_the_page_says_what_we_cannot_see(world, apron):
    world.control("install", scopes=["read_inventory", "read_locations", "read_orders", "write_products"])  # fmt: skip
    assert world.open_app().status_code == 200
    world.work()
    shop = world.shop()
    number = make_suggestion(shop, apron, evidence=price_evidence())

    assert market_prices.read_market_prices(shop.shop_id, even_if_fresh=True) is None
    page = create_app().test_client().get(f"/pricing/{number}", headers=bearer(shop)).text
    assert "We may not see your markets" in page
