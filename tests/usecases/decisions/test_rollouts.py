"""Several prices together: what is at stake is seen first, limits hold, stages are drawn, the rest can be stopped."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import ledgers, rollouts, suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.outcome import Ruling
from shopify_app.domain.rollout import Plan
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.decisions import rollouts as plans
from tests.factories import make_run, make_suggestion, make_variant
from tests.web.page_rows import set_change, set_settings


def at_once():
    """All prices now: a plan made when tests are gathered may be past when its test's turn comes."""
    return Plan(datetime.now(UTC))


@pytest.fixture
def shelf(acme):
    """Nine prices of six products, each a hundredth of the shop's sales."""
    run_id, ids, product = make_run(acme), [], None
    everything = make_variant(acme, title="All the rest")
    day = datetime.now(acme.zone).date() - timedelta(days=5)
    for number in range(9):
        variant = make_variant(
            acme, title=f"Thing {number}", product_id=product if number % 3 == 2 else None
        )
        with transaction(acme.shop_id) as conn, conn.cursor() as cur:
            cur.execute("SELECT product_id FROM variants WHERE id = %s", (variant,))
            product = cur.fetchone()[0]
            for one, revenue in ((variant, 100), (everything, 9_100 if number == 0 else 0)):
                cur.execute(
                    "INSERT INTO daily_sales VALUES (%s, %s, %s, 4, 0, 4, 1, %s, %s) ON CONFLICT DO NOTHING",
                    (acme.shop_id, one, day, revenue, revenue),
                )
        evidence = {"unit_cost": "9.00", "margin_then": 0.65}
        ids.append(
            make_suggestion(
                acme, variant, evidence=evidence, run_id=run_id, value=("-10", "40", "90")
            )
        )
    set_settings(acme, loss_cap="500")
    return acme, ids


def cards(shop, ids):
    with transaction(shop.shop_id) as conn:
        return [suggestions.card(conn, shop.shop_id, number) for number in ids]


def test_a_preview_says_what_is_at_stake_and_changes_nothing(shelf):
    shop, ids = shelf

    found = plans.preview(shop.shop_id, ids, at_once()).exposure

    assert (found.prices, found.products) == (9, 6)
    assert found.share_of_sales == found.share_under_change == Decimal("0.09")
    assert (found.worst, found.expected, found.best) == (-90, 360, 810)
    assert found.may_go
    assert {limit.code for limit in found.limits} == {
        "step", "margin", "frozen", "exposure", "loss_cap", "brake", "under_way",
    }  # fmt: skip
    assert {card.state for card in cards(shop, ids)} == {"open"}


@pytest.mark.parametrize(("settings", "code"), [
    ({"exposure_limit": "0.05"}, "exposure"), ({"loss_cap": "100"}, "loss_cap"), ({"max_price_step": "0.05"}, "step"),
    ({"margin_floor": "0.70"}, "margin"), ({"prices_frozen_first": "2020-01-01", "prices_frozen_last": "2099-01-01"}, "frozen"),
])  # fmt: skip
def test_a_limit_that_is_not_kept_refuses_the_whole_by_name(shelf, settings, code):
    shop, ids = shelf
    set_settings(shop, **settings)

    with pytest.raises(InvalidInputError) as refused:
        plans.confirm(shop.shop_id, ids, at_once(), confirmed_by="42")
    assert refused.value.field == code
    assert {card.state for card in cards(shop, ids)} == {"open"}


def test_a_price_whose_cost_is_gone_is_refused_by_name(shelf):
    shop, ids = shelf
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE inventory_items i SET unit_cost = NULL FROM variants v, suggestions s"
            " WHERE v.inventory_item_id = i.id AND s.variant_id = v.id AND s.id = %s",
            (ids[0],),
        )

    with pytest.raises(InvalidInputError) as refused:
        plans.confirm(shop.shop_id, ids, at_once(), confirmed_by="42")
    assert refused.value.field == "no_cost"


def test_a_way_back_is_no_step_that_the_limits_hold(shelf):
    shop, ids = shelf
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE suggestions SET proposal = proposal || jsonb_build_object('back_from', id) WHERE id = ANY (%s)",
            (ids,),
        )
    set_settings(shop, max_price_step="0.01", margin_floor="0.90")

    found = plans.preview(shop.shop_id, ids, at_once()).exposure

    assert found.may_go


def test_a_stopped_kind_is_refused(shelf):
    shop, ids = shelf
    with transaction(shop.shop_id) as conn:
        ledgers.pull_brake(conn, shop.shop_id, "price_rise", Ruling(reason="loses_money"))

    with pytest.raises(InvalidInputError) as refused:
        plans.confirm(shop.shop_id, ids, at_once(), confirmed_by="42")
    assert refused.value.field == "brake"


def test_stages_are_a_third_a_week_products_whole_and_at_the_merchants_hour(shelf):
    shop, ids = shelf
    first = (datetime.now(shop.zone) + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0)  # fmt: skip

    number = plans.confirm(shop.shop_id, ids, Plan(first, 3, 7), confirmed_by="42")

    with transaction(shop.shop_id) as conn:
        stages = rollouts.stages_of(conn, shop.shop_id, number)
        plan = rollouts.newest(conn, shop.shop_id)[0]
    assert [due.astimezone(shop.zone).hour for _, due, _ in stages] == [9, 9, 9]
    assert [due.astimezone(shop.zone).date() for _, due, _ in stages] == [
        first.date() + timedelta(days=7 * stage) for stage in range(3)
    ]
    assert sum(prices for *_, prices in stages) == plan.prices == plan.waiting == 9
    by_product = {}
    for card in cards(shop, ids):
        by_product.setdefault(card.product_id, set()).add(card.change_due_at)
    assert {len(moments) for moments in by_product.values()} == {1}
    assert plan.exposure["worst"] == "-90.00"


def test_stopping_leaves_what_went_out_and_withdraws_the_rest(shelf):
    shop, ids = shelf
    first = datetime.now(UTC) + timedelta(hours=1)
    number = plans.confirm(shop.shop_id, ids, Plan(first, 2), confirmed_by="42")
    set_change(shop, ids[0], "applied", seen="26.00")

    assert plans.stop(shop.shop_id, number, asked_by="42") == 8

    states = [card.state for card in cards(shop, ids)]
    assert (states[0], set(states[1:])) == ("accepted", {"undone"})
    with transaction(shop.shop_id) as conn:
        assert rollouts.newest(conn, shop.shop_id)[0].stopped_because == "merchant"


def test_undoing_a_plan_undoes_each_for_itself_and_names_what_cannot_be(shelf):
    shop, ids = shelf
    number = plans.confirm(
        shop.shop_id, ids, Plan(datetime.now(UTC) + timedelta(hours=1)), confirmed_by="42"
    )
    set_change(shop, ids[0], "conflict", seen="25.00")

    answers = dict(plans.undo(shop.shop_id, number, asked_by="42"))

    assert answers[ids[0]].refused_because == "conflict"
    assert all(answers[one].accepted for one in ids[1:])


def test_a_price_under_way_is_not_taken_a_second_time(shelf):
    shop, ids = shelf
    plans.confirm(shop.shop_id, ids[:2], at_once(), confirmed_by="42")
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE suggestions SET state = 'open' WHERE id = %s", (ids[0],))

    with pytest.raises(InvalidInputError) as refused:
        plans.confirm(shop.shop_id, ids, at_once(), confirmed_by="42")
    assert refused.value.field == "under_way"


@pytest.mark.parametrize(("plan", "field"), [
    (Plan(datetime.now(UTC) - timedelta(days=1)), "first_at"), (Plan(datetime.now(UTC) + timedelta(days=200)), "first_at"),
    (Plan(datetime.now(UTC), 13), "stages"), (Plan(datetime.now(UTC), 2, 0), "every_days"),
])  # fmt: skip
def test_a_plan_has_bounds(shelf, plan, field):
    shop, ids = shelf
    with pytest.raises(InvalidInputError) as refused:
        plans.confirm(shop.shop_id, ids, plan, confirmed_by="42")
    assert refused.value.field == field


def test_a_rival_can_neither_see_nor_stop_nor_undo_our_plan(shelf, rival):
    shop, ids = shelf
    number = plans.confirm(shop.shop_id, ids, at_once(), confirmed_by="42")

    for act in (plans.stop, plans.undo):
        with pytest.raises(NotFoundError, match="rollout"):
            act(rival.shop_id, number, asked_by="7")
    with pytest.raises(NotFoundError, match="open price"):
        plans.preview(rival.shop_id, ids, at_once())
    with transaction(rival.shop_id) as conn:
        assert rollouts.newest(conn, rival.shop_id) == []
