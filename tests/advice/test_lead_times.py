"""Lead times from deliveries: stated until one came, learned after, the merchant's own where it must stand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from shopify_app.advice import inputs as advice_inputs
from shopify_app.advice import restock as restock_advice
from shopify_app.advice.inputs import RECEIPTS, VENDORS
from shopify_app.advice.lead_times import vendor_times
from shopify_app.db import purchase_orders, suggestions
from shopify_app.db.connection import transaction
from shopify_app.usecases.decisions import decide, order_receipts, purchase_order_exports
from shopify_app.usecases.suggestions import explain, suggest
from tests.factories import rows, run_settings


def told(inputs, *receipts, vendor="Northmill", stated=14, is_fixed=False):
    """Inputs of one vendor with so many (days, is_open)."""
    vendors = pd.DataFrame([(vendor, stated, 1, 0, 0.0, "money", is_fixed)], columns=list(VENDORS))
    found = pd.DataFrame([(vendor, *one) for one in receipts], columns=list(RECEIPTS))
    variants = inputs.variants.assign(vendor=vendor)
    return replace(
        inputs, vendors=vendors.astype(VENDORS), receipts=found.astype(RECEIPTS), variants=variants
    )


@pytest.fixture(scope="module")
def inputs():
    frame = pd.DataFrame({"vendor": ["Northmill"], "is_tracked": [True]})
    settings = run_settings(lead_time_days=14)
    return advice_inputs.Inputs(
        datetime(2026, 11, 20, tzinfo=UTC).date(), frame, pd.DataFrame(), pd.DataFrame(), settings
    )


def weeks(inputs):
    return vendor_times(inputs).distribution.probabilities[0]


def test_without_a_delivery_the_stated_time_stands_without_doubt(inputs):
    assert weeks(told(inputs)).tolist() == [0, 0, 1]
    assert vendor_times(told(inputs)).told == {}


def test_an_order_still_on_its_way_alone_teaches_nothing(inputs):
    assert weeks(told(inputs, (20.0, True), (80.0, True))).tolist() == [0, 0, 1]


def test_late_deliveries_make_the_time_longer_and_say_so(inputs):
    late = told(inputs, (16.0, False), (19.5, False), (23.0, False))
    on_time = told(inputs, (13.0, False), (14.0, False), (14.0, False))

    times = vendor_times(late)

    assert times.distribution.mean[0] > vendor_times(on_time).distribution.mean[0]
    assert times.told["Northmill"].as_json() == {
        "stated_days": 14, "deliveries": 3, "days_low": 16, "days_high": 23, "is_fixed": False,
    }  # fmt: skip
    assert weeks(late).sum() == pytest.approx(1)


def test_many_deliveries_outweigh_what_was_stated(inputs):
    found = weeks(told(inputs, *[(28.0, False)] * 60))

    assert found[4] > 0.8


def test_an_order_that_nobody_saw_come_is_not_taken_for_ever_late(inputs):
    came = [(14.0, False)] * 3

    np.testing.assert_allclose(
        weeks(told(inputs, *came, (300.0, True))), weeks(told(inputs, *came))
    )


def test_a_merchant_who_says_always_is_taken_at_his_word(inputs):
    fixed = told(inputs, *[(28.0, False)] * 9, is_fixed=True)

    assert weeks(fixed).tolist() == [0, 0, 1]
    assert vendor_times(fixed).told["Northmill"].is_fixed


def restocks(shop):
    with transaction(shop.shop_id) as conn:
        return suggestions.cards(conn, shop.shop_id, kinds=("restock",), limit=100)


def test_a_delivery_changes_the_next_orders_and_every_number_comes_out_again(world, home, rival):
    shop = home
    card = next(
        one
        for one in restocks(shop)
        if len([o for o in restocks(shop) if o.vendor == one.vendor]) > 1
    )
    decide.accept_suggestion(shop.shop_id, card.id, accepted_by="42")
    purchase_order_exports.close_draft(shop.shop_id, card.vendor)
    sent_at = datetime.now(UTC) - timedelta(days=34)
    rows(shop, "UPDATE purchase_order_lines SET exported_at = %(at)s RETURNING 1", at=sent_at)
    came = (datetime.now(UTC) - timedelta(days=4)).astimezone(shop.zone).date()

    assert order_receipts.order_arrived(rival.shop_id, card.vendor, sent_at) == 0
    assert order_receipts.order_arrived(shop.shop_id, card.vendor, sent_at, came) == 1
    suggest.refresh_suggestions(shop.shop_id)

    of_vendor = [one for one in restocks(shop) if one.vendor == card.vendor]
    assert of_vendor
    for one in of_vendor:
        assert one.evidence.lead_time.deliveries == 1
        assert 29 <= one.evidence.lead_time.days_low <= 31
        found = explain.explain(shop.shop_id, one.id)
        assert found.matches, found.differences
    others = [one for one in restocks(shop) if one.vendor != card.vendor]
    assert all(one.evidence.lead_time is None for one in others)
    with transaction(rival.shop_id) as conn:
        assert purchase_orders.receipts(conn, rival.shop_id, sent_at - timedelta(days=1)) == []
        assert purchase_orders.receipts(conn, shop.shop_id, sent_at - timedelta(days=1)) == []


def test_a_longer_doubt_reaches_further_than_twice_what_is_stated(inputs):
    late = told(inputs, *[(40.0, False)] * 5)
    variants = late.variants.assign(unit_cost=1.0, price=2.0)

    horizon = restock_advice.horizon_weeks(replace(late, variants=variants))

    times = vendor_times(late)
    assert horizon >= times.longest_of(late.variants["vendor"]).max() + 1
