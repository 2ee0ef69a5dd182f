"""Price tests as rows: one proposed, one under way, and none of it for another shop."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import price_tests
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.price_test import PriceTestPlan, PriceTestState, StopReason
from tests.factories import make_run, rows
from tests.web.page_rows import plan_record

PLAN = PriceTestPlan.of_json(
    plan_record([], weeks=8, block_weeks=2, maximum_cost=31.5, expected_cost=4.25)
)
SOON = datetime.now(UTC) - timedelta(minutes=1)


def act(shop, call, *given, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given, **named)


@pytest.fixture
def proposed(acme):
    return act(acme, price_tests.propose, make_run(acme), PLAN, currency="GBP")


@pytest.fixture
def running(acme, proposed):
    """A test begun today."""
    act(acme, price_tests.start, proposed, plan=PLAN, first_on=date.today(), by="42", due_at=SOON)  # noqa: DTZ011 -- any day
    return proposed


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
    assert act(acme, price_tests.under_way) == running


def test_a_test_goes_from_state_to_state_once(acme, running):
    test_id = running

    assert not act(acme, price_tests.decline, test_id, by="42")
    assert not act(acme, price_tests.end, test_id)
    assert act(acme, price_tests.stop, StopReason.MERCHANT, by="42", test_id=test_id)
    assert not act(acme, price_tests.stop, StopReason.FINISHED, by="keel", test_id=test_id)
    assert act(acme, price_tests.end, test_id)
    assert not act(acme, price_tests.end, test_id)
    found = act(acme, price_tests.newest)[0]
    assert (found.state, found.stop_because) == (PriceTestState.ENDED, StopReason.MERCHANT)


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
    for shop_id in (None, acme.shop_id):
        assert act(rival, price_tests.newest, shop_id=shop_id) == []
        assert act(rival, price_tests.open_cost, shop_id=shop_id) == 0
        assert not act(rival, price_tests.stop, StopReason.MERCHANT, by="1", shop_id=shop_id)
        assert act(rival, price_tests.claim, lease_seconds=60, shop_id=shop_id) is None
    assert state(acme, running) is PriceTestState.RUNNING
    assert act(acme, price_tests.open_cost) == Decimal("31.5000")
