"""Trends from what the shop's rows tell: discounts by their days, deliveries by their vendor; all of it comes out again."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from shopify_app.advice import trend as trend_advice
from shopify_app.db import daily_sales, orders, purchase_orders, suggestions
from shopify_app.db.connection import transaction
from shopify_app.usecases.suggestions import explain, suggest
from shopify_app.usecases.suggestions.read_inputs import read_inputs
from tests.factories import NOW, line_of, make_suggestion, make_variant, order_of, rows

WEEKS = 40
VARIANTS = 24
RISE_DAYS = 28
AS_OF = [NOW.date() + timedelta(days=days) for days in (0, 4)]
"""A day within the shop's own week, and the day on which it closes."""


def sell(shop, as_of):
    """Forty weeks of a shop; in the last four the first variant sells more at 40 % off, the second at its price."""
    variants = [make_variant(shop, title=f"Apron {n}", product_type=None) for n in range(VARIANTS)]
    rng, numbers, made = np.random.default_rng(3), iter(range(1, 10**6)), []
    for days in range(1, 7 * WEEKS + 1):
        at = datetime.combine(as_of - timedelta(days=days), time(12), UTC)
        bought = list(rng.choice(variants, 10, replace=False))
        risen = days <= RISE_DAYS
        baskets = [bought, *[variants[:2]] * (2 * risen)]
        made += [
            order_of(next(numbers), *[_line(next(numbers), v, risen and v == variants[0]) for v in basket], at=at)
            for basket in baskets
        ]  # fmt: skip
    with transaction(shop.shop_id) as conn:
        applied = orders.upsert_many(conn, shop.shop_id, shop.zone, made)
        daily_sales.touch(conn, shop.shop_id, applied.days)
        daily_sales.recount(conn, shop.shop_id, limit_days=999)
    return variants


def _line(number, variant_id, is_discounted):
    discount = Decimal(4 if is_discounted else 0)
    return line_of(number, int(variant_id), price="10.00", discount=discount)


def deliver(shop, variant_id, as_of, days):
    """Three orders to the variant's vendor that took so long."""
    for ago in (200, 150, 100):
        number = make_suggestion(shop, variant_id, kind="restock", state="accepted")
        at = datetime.combine(as_of - timedelta(days=ago), time(12), UTC)
        with transaction(shop.shop_id) as conn:
            purchase_orders.add_line(
                conn, shop.shop_id, number, variant_id, vendor="Northmill", units=10,
                unit_cost=None, currency="GBP", order_by=at.date(), added_by="42",
            )  # fmt: skip
        rows(
            shop,
            "UPDATE purchase_order_lines SET exported_at = %(at)s, arrived_at = %(came)s, arrival_seen_by = 'merchant'"
            " WHERE suggestion_id = %(id)s RETURNING 1",
            at=at, came=at + timedelta(days=days), id=number,
        )  # fmt: skip


def trends(shop):
    with transaction(shop.shop_id) as conn:
        cards = suggestions.cards(conn, shop.shop_id, kinds=("trend",), limit=100)
    return {card.variant_id: card for card in cards}


def read(shop, as_of):
    with transaction(shop.shop_id) as conn:
        return read_inputs(conn, shop, as_of)


@pytest.mark.parametrize("as_of", AS_OF, ids=["within a week", "on its close"])
def test_a_rise_at_a_discount_is_a_promotion_and_one_at_its_price_is_not(acme, as_of):
    discounted, risen, *_ = sell(acme, as_of)
    history = trend_advice._history(read(acme, as_of))
    suggest.refresh_suggestions(acme.shop_id, as_of=as_of)

    promoted = history[history["on_promotion"] >= 0.3]
    weeks = (pd.Timestamp(as_of) - promoted["period"]).dt.days // 7
    assert set(promoted["series_id"]) == {discounted}
    assert {1, 2, 3, 4} <= set(weeks) <= {1, 2, 3, 4, 5}
    assert history["on_promotion"].between(0, 1).all()
    assert not history.duplicated(["series_id", "period"]).any()
    cards = trends(acme)
    assert cards[discounted].evidence.cause == "promotion"
    assert cards[risen].evidence.cause == "demand"
    assert cards[discounted].evidence.lasting < cards[risen].evidence.lasting


def test_deliveries_that_take_longer_make_it_less_likely_that_a_rise_is_still_there(acme, rival):
    as_of = AS_OF[0]
    _, risen, *_ = sell(acme, as_of)
    suggest.refresh_suggestions(acme.shop_id, as_of=as_of)
    stated = trends(acme)[risen].evidence.lasting
    before = trend_advice._lead_weeks(read(acme, as_of))[risen]

    deliver(acme, risen, as_of, days=60)
    suggest.refresh_suggestions(acme.shop_id, as_of=as_of)

    assert trend_advice._lead_weeks(read(acme, as_of))[risen] > before + 1
    assert trends(acme)[risen].evidence.lasting < stated
    assert trend_advice._lead_weeks(read(rival, as_of)).empty


@pytest.mark.parametrize("as_of", AS_OF, ids=["within a week", "on its close"])
def test_every_number_of_a_trend_comes_out_again(acme, as_of):
    _, risen, *_ = sell(acme, as_of)
    deliver(acme, risen, as_of, days=30)
    suggest.refresh_suggestions(acme.shop_id, as_of=as_of)

    for card in trends(acme).values():
        found = explain.explain(acme.shop_id, card.id)
        assert found.matches, found.differences


def test_a_shop_without_a_sale_has_no_trends(acme):
    assert trend_advice.suggest(read(acme, AS_OF[0]), seed=0) == []
