"""Plans of several prices: how far they are, stopped once, none of it for another shop."""

from datetime import timedelta
from decimal import Decimal

import pytest

from shopify_app.db import price_changes, rollouts
from shopify_app.db.connection import transaction
from shopify_app.domain.rollout import Exposure, Plan, When
from tests.factories import NOW, make_suggestion, make_variant

EXPOSURE = Exposure(2, 2, *[Decimal(1)] * 6, "GBP", [])


def act(shop, call, *given, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given, **named)


@pytest.fixture
def plan(acme):
    """Two prices, a week apart; (plan, their suggestions)."""
    number = act(acme, rollouts.add, Plan(NOW, stages=2), EXPOSURE, created_by="42")
    made = []
    for stage in (1, 2):
        variant_id = make_variant(acme)
        made.append(make_suggestion(acme, variant_id, state="accepted"))
        with transaction(acme.shop_id) as conn:
            price_changes.add(
                conn, acme.shop_id, suggestion_id=made[-1], undo_of=None, product_id=1, variant_id=variant_id,
                old=(Decimal(24), None), new=(Decimal(26), None), currency="GBP", click_key=f"k{stage}", approved_by="42",
                when=When(NOW + timedelta(weeks=stage - 1), number, stage),
            )  # fmt: skip
    return number, made


def test_a_plan_tells_its_prices_by_stage(acme, plan):
    number, made = plan

    (found,) = act(acme, rollouts.newest)
    assert (found.id, found.prices, found.waiting, found.applied) == (number, 2, 2, 0)
    assert act(acme, rollouts.suggestion_ids, number, waiting_only=True) == made
    assert [(stage, prices) for stage, _, prices in act(acme, rollouts.stages_of, number)] == [(1, 1), (2, 1)]  # fmt: skip


def test_a_plan_is_stopped_once_and_by_its_own_shop_only(acme, rival, plan):
    number, _ = plan

    assert not act(rival, rollouts.mark_stopped, number, because="merchant")
    assert not act(rival, rollouts.mark_stopped, number, because="merchant", shop_id=acme.shop_id)
    assert act(acme, rollouts.mark_stopped, number, because="merchant")
    assert not act(acme, rollouts.mark_stopped, number, because="merchant")


def test_the_rival_sees_no_plan(acme, rival, plan):
    number, _ = plan

    for shop_id in (None, acme.shop_id):
        assert act(rival, rollouts.newest, shop_id=shop_id) == []
        assert act(rival, rollouts.stages_of, number, shop_id=shop_id) == []
        assert (
            act(rival, rollouts.suggestion_ids, number, waiting_only=False, shop_id=shop_id) == []
        )
        assert act(rival, rollouts.mark_braked, shop_id=shop_id) == 0
