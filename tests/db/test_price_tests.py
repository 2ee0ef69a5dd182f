"""Price tests as rows: one proposed, one under way, their prices kept, and none of it for another shop."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import price_tests
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.price_test import LeftReason, PriceTestState, StopReason
from tests.factories import make_run, make_variant, rows

PLAN = {"weeks": 8, "block_weeks": 2, "maximum_cost": 31.5, "expected_cost": 4.25, "series": []}
SOON = datetime.now(UTC) - timedelta(minutes=1)


def act(shop, call, *given, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given, **named)


@pytest.fixture
def proposed(acme):
    return act(acme, price_tests.propose, make_run(acme), PLAN, currency="GBP")


@pytest.fixture
def running(acme, proposed):
    """(test, variant): begun today, one product of it."""
    variant_id = make_variant(acme)
    product_id = rows(acme, "SELECT product_id FROM variants WHERE id = %(id)s", id=variant_id)[0][0]  # fmt: skip
    act(acme, price_tests.start, proposed, plan=PLAN, first_on=date.today(), by="42", due_at=SOON)  # noqa: DTZ011 -- any day
    act(acme, price_tests.add_prices, proposed, [product_id])
    return proposed, variant_id


def state(shop, test_id):
    return act(shop, price_tests.newest, test_id=test_id)[0].state


def test_a_proposal_stands_and_is_taken_back_where_nothing_is_to_be_proposed(acme, proposed):
    run_id = make_run(acme)
    assert act(acme, price_tests.propose, run_id, PLAN, currency="GBP") is None
    assert act(acme, price_tests.propose, run_id, None, currency="GBP") is None
    assert act(acme, price_tests.newest) == []


def test_nothing_is_proposed_beside_a_test_under_way(acme, running):
    assert act(acme, price_tests.propose, make_run(acme), PLAN, currency="GBP") is None
    assert not act(acme, price_tests.may_propose, declined_days=90, ended_days=28)
    assert act(acme, price_tests.under_way) == running[0]


def test_a_test_goes_from_state_to_state_once(acme, running):
    test_id, _ = running

    assert not act(acme, price_tests.decline, test_id, by="42")
    assert not act(acme, price_tests.end, test_id)
    assert act(acme, price_tests.stop, StopReason.MERCHANT, by="42", test_id=test_id)
    assert not act(acme, price_tests.stop, StopReason.FINISHED, by="keel", test_id=test_id)
    assert act(acme, price_tests.end, test_id)
    assert not act(acme, price_tests.end, test_id)
    found = act(acme, price_tests.newest)[0]
    assert (found.state, found.stop_because) == (PriceTestState.ENDED, StopReason.MERCHANT)


def test_a_price_is_asked_for_once_and_compared_with_the_one_that_the_test_wrote_last(acme, running):  # fmt: skip
    test_id, variant_id = running
    ask = {variant_id: Decimal("25.20")}

    assert act(acme, price_tests.queue_writes, test_id, ask, block=0, by="keel") == 1
    assert act(acme, price_tests.queue_writes, test_id, ask, block=0, by="keel") == 0
    rows(acme, "UPDATE price_changes SET state = 'applied', finished_at = now() RETURNING 1")
    back = {variant_id: Decimal(24)}
    assert act(acme, price_tests.queue_writes, test_id, back, block=None, by="keel") == 1
    assert rows(acme, "SELECT old_price, new_price, test_block FROM price_changes ORDER BY id") == [
        (Decimal("24.0000"), Decimal("25.2000"), 0),
        (Decimal("25.2000"), Decimal("24.0000"), None),
    ]


def test_what_has_left_or_is_back_is_no_longer_the_tests(acme, running):
    test_id, variant_id = running
    assert act(acme, price_tests.variants_under_test) == {variant_id}
    assert act(acme, price_tests.leave, test_id, [variant_id], LeftReason.EDITED) == 1
    assert act(acme, price_tests.mark_returned, test_id, [variant_id]) == 0
    assert act(acme, price_tests.variants_under_test) == set()
    ask = {variant_id: Decimal(25)}
    assert act(acme, price_tests.queue_writes, test_id, ask, block=0, by="keel") == 0


def test_what_is_due_is_taken_by_one_and_only_of_installed_shops(acme, running):
    with sweep_transaction() as conn:
        assert price_tests.due_shops(conn) == [acme.shop_id]
    number, until = act(acme, price_tests.claim, lease_seconds=60)
    assert act(acme, price_tests.claim, lease_seconds=60) is None
    assert act(acme, price_tests.finish, number, claimed_until=until, due_at=SOON)
    rows(acme, "UPDATE shops SET state = 'uninstalled', uninstalled_at = now() RETURNING 1")
    with sweep_transaction() as conn:
        assert price_tests.due_shops(conn) == []


def test_the_rival_sees_and_changes_nothing(acme, rival, running):
    test_id, variant_id = running
    for shop_id in (None, acme.shop_id):
        assert act(rival, price_tests.newest, shop_id=shop_id) == []
        assert act(rival, price_tests.prices, test_id, shop_id=shop_id) == []
        assert act(rival, price_tests.variants_under_test, shop_id=shop_id) == set()
        assert act(rival, price_tests.open_cost, shop_id=shop_id) == 0
        assert not act(rival, price_tests.stop, StopReason.MERCHANT, by="1", shop_id=shop_id)
        assert act(rival, price_tests.claim, lease_seconds=60, shop_id=shop_id) is None
        assert act(rival, price_tests.leave, test_id, [variant_id], LeftReason.EDITED, shop_id=shop_id) == 0  # fmt: skip
    assert state(acme, test_id) is PriceTestState.RUNNING
    assert act(acme, price_tests.open_cost) == Decimal("31.5000")
