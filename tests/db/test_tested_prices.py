"""The prices under a test as rows: asked for once, given up once, and none of it for another shop."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from shopify_app.db import price_tests, tested_prices
from shopify_app.db.connection import transaction
from shopify_app.domain.price_test import LeftReason, PriceTestPlan
from shopify_app.domain.suggestion import PriceChangeState
from tests.factories import make_run, make_variant, rows
from tests.web.page_rows import plan_record

PLAN = PriceTestPlan.of_json(
    plan_record([], weeks=8, block_weeks=2, maximum_cost=31.5, expected_cost=4.25)
)


def act(shop, call, *given, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given, **named)


@pytest.fixture
def running(acme):
    """(test, variant): begun today, one product of it."""
    test_id = act(acme, price_tests.propose, make_run(acme), PLAN, currency="GBP")
    variant_id = make_variant(acme)
    [(product_id,)] = rows(acme, "SELECT product_id FROM variants WHERE id = %(id)s", id=variant_id)
    act(
        acme,
        price_tests.start,
        test_id,
        plan=PLAN,
        first_on=date(2026, 11, 2),
        by="42",
        due_at=datetime.now(UTC),
    )
    assert act(acme, tested_prices.add, test_id, [product_id]) == 1
    return test_id, variant_id


def only_price(shop, test_id):
    [found] = act(shop, tested_prices.of_test, test_id)
    return found


def test_a_price_is_asked_for_once_and_compared_with_the_one_that_the_test_wrote_last(
    acme, running
):
    test_id, variant_id = running
    ask = {variant_id: Decimal("25.20")}

    assert act(acme, tested_prices.queue_writes, test_id, ask, block=0, by="keel") == 1
    assert act(acme, tested_prices.queue_writes, test_id, ask, block=0, by="keel") == 0
    rows(acme, "UPDATE price_changes SET state = 'applied', finished_at = now() RETURNING 1")
    back = {variant_id: Decimal(24)}
    assert act(acme, tested_prices.queue_writes, test_id, back, block=None, by="keel") == 1
    assert rows(acme, "SELECT old_price, new_price, test_block FROM price_changes ORDER BY id") == [
        (Decimal("24.0000"), Decimal("25.2000"), 0),
        (Decimal("25.2000"), Decimal("24.0000"), None),
    ]


def test_what_has_left_or_is_back_is_no_longer_the_tests(acme, running):
    test_id, variant_id = running
    assert act(acme, tested_prices.variants_under_test) == {variant_id}
    assert act(acme, tested_prices.leave, test_id, [variant_id], LeftReason.EDITED) == 1
    assert act(acme, tested_prices.mark_returned, test_id, [variant_id]) == 0
    assert act(acme, tested_prices.variants_under_test) == set()
    ask = {variant_id: Decimal(25)}
    assert act(acme, tested_prices.queue_writes, test_id, ask, block=0, by="keel") == 0


def test_a_blocks_price_is_withdrawn_as_long_as_it_has_never_left_for_the_store(acme, running):
    test_id, variant_id = running
    act(acme, tested_prices.queue_writes, test_id, {variant_id: Decimal(25)}, block=0, by="keel")
    rows(acme, "UPDATE price_changes SET sent_at = now() RETURNING 1")  # tried once, waits again
    found = only_price(acme, test_id)
    assert (found.change_state, found.change_block) == (PriceChangeState.APPROVED, 0)
    assert found.change_sent_at is not None
    assert act(acme, tested_prices.withdraw_waiting, test_id) == 0

    rows(acme, "UPDATE price_changes SET sent_at = NULL RETURNING 1")
    assert only_price(acme, test_id).change_sent_at is None
    assert act(acme, tested_prices.withdraw_waiting, test_id) == 1
    assert only_price(acme, test_id).change_state is PriceChangeState.UNDONE


def test_the_rival_sees_and_changes_nothing(acme, rival, running):
    test_id, variant_id = running
    ask = {variant_id: Decimal(25)}
    act(acme, tested_prices.queue_writes, test_id, ask, block=0, by="keel")
    for shop_id in (None, acme.shop_id):
        mine = {"shop_id": shop_id}
        assert act(rival, tested_prices.of_test, test_id, **mine) == []
        assert act(rival, tested_prices.variants_under_test, **mine) == set()
        assert act(rival, tested_prices.withdraw_waiting, test_id, **mine) == 0
        assert act(rival, tested_prices.mark_returned, test_id, [variant_id], **mine) == 0
        assert (
            act(rival, tested_prices.leave, test_id, [variant_id], LeftReason.EDITED, **mine) == 0
        )
        assert act(rival, tested_prices.queue_writes, test_id, ask, block=1, by="1", **mine) == 0
    assert only_price(acme, test_id).is_in_test
