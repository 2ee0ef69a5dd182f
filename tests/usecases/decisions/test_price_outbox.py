"""One click, one write; an edit in between is never overwritten; undo is exact or says why not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import price_changes, price_history
from shopify_app.db.connection import transaction
from shopify_app.domain.rollout import When
from shopify_app.errors import NotFoundError
from shopify_app.shopify import prices_api
from shopify_app.usecases.decisions import decide, price_outbox
from shopify_app.usecases.outcomes import register as registering
from shopify_app.usecases.shops import access
from tests.price_writes import accept, app_writes, card, send
from tests.web.page_rows import set_settings


def test_a_double_click_is_one_write_and_the_card_says_applied(world, apron):
    variant_id, suggestion_id = apron

    assert [accept(world, suggestion_id) for _ in range(3)] == [True, False, False]
    send(world)

    assert app_writes(world, variant_id) == [("24.00", "26.00")]
    assert card(world, suggestion_id).change_state == "applied"


def test_undo_restores_price_and_compare_at_exactly_and_only_once(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    send(world)

    assert decide.undo_suggestion(world.shop().shop_id, suggestion_id, asked_by="42").accepted
    send(world)

    assert app_writes(world, variant_id) == [("24.00", "26.00"), ("26.00", "24.00")]
    assert card(world, suggestion_id).state == "undone"
    assert (
        decide.undo_suggestion(world.shop().shop_id, suggestion_id, asked_by="42").refused_because
        == "not_accepted"
    )


def test_a_merchants_edit_before_the_write_is_a_conflict_and_stays(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    world.control(f"variants/{variant_id}/price", price="25.00")
    send(world)

    assert app_writes(world, variant_id) == []
    found = card(world, suggestion_id)
    assert (found.change_state, found.change_seen_price) == ("conflict", Decimal("25.00"))
    assert (
        decide.undo_suggestion(world.shop().shop_id, suggestion_id, asked_by="42").refused_because
        == "conflict"
    )


def test_undo_refuses_to_overwrite_what_the_merchant_set_since(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    send(world)
    world.control(f"variants/{variant_id}/price", price="27.00")
    decide.undo_suggestion(world.shop().shop_id, suggestion_id, asked_by="42")
    send(world)

    assert world.look("variants")[0]["price"] == "27.00"
    found = card(world, suggestion_id)
    assert (found.state, found.change_is_undo, found.change_state, found.change_seen_price) == (
        "accepted",
        True,
        "conflict",
        Decimal("27.00"),
    )


def test_a_lost_reply_is_settled_by_reading_and_written_once(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    world.faults(graphql_lose_reply=1.0)
    price_outbox.send_price_changes()
    assert card(world, suggestion_id).change_state == "approved"
    world.behave()
    send(world)

    assert app_writes(world, variant_id) == [("24.00", "26.00")]
    assert card(world, suggestion_id).change_state == "applied"


def test_a_lost_reply_and_then_an_edit_is_unknown_and_is_left_alone(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    world.faults(graphql_lose_reply=1.0)
    price_outbox.send_price_changes()
    world.behave()
    world.control(f"variants/{variant_id}/price", price="22.50")
    send(world)

    assert (card(world, suggestion_id).change_state, world.look("variants")[0]["price"]) == (
        "unknown",
        "22.50",
    )


def test_a_lost_reply_and_then_an_edit_back_is_not_written_over(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    world.faults(graphql_lose_reply=1.0)
    price_outbox.send_price_changes()
    world.behave()
    world.control(f"variants/{variant_id}/price", price="24.00")
    send(world)

    assert app_writes(world, variant_id) == [("24.00", "26.00")]
    found = card(world, suggestion_id)
    assert (found.change_state, found.change_seen_price) == ("unknown", Decimal("24.00"))
    assert world.look("variants")[0]["price"] == "24.00"


def test_a_write_that_shopify_turned_away_never_left_so_an_edit_is_a_conflict(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    world.faults(graphql_http_status=429, graphql_http_share=1.0)
    price_outbox.send_price_changes()
    world.behave()
    world.control(f"variants/{variant_id}/price", price="22.50")
    send(world)

    assert card(world, suggestion_id).change_state == "conflict"
    assert app_writes(world, variant_id) == []


def test_nothing_is_written_before_it_is_registered(world, apron):
    _, suggestion_id = apron
    shop_id = world.shop().shop_id
    accept(world, suggestion_id)
    with transaction(shop_id) as conn:
        assert price_changes.claim(conn, shop_id, limit=5, lease_seconds=60) == []
    send(world)

    with transaction(shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT r.registered_at < c.sent_at, r.evidence->'proposal'->>'price' FROM registrations r"
            " JOIN price_changes c USING (shop_id, suggestion_id) WHERE shop_id = %s",
            (shop_id,),
        )
        assert cur.fetchall() == [(True, "26.00")]


def test_a_planned_price_waits_for_its_moment_and_its_undo_costs_no_write(world, apron):
    variant_id, suggestion_id = apron
    shop_id = world.shop().shop_id
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    decide.accept_suggestion(shop_id, suggestion_id, accepted_by="42", when=When(tomorrow))

    assert price_outbox.send_price_changes() == 0
    assert card(world, suggestion_id).change_due_at == tomorrow
    assert decide.undo_suggestion(shop_id, suggestion_id, asked_by="42").accepted
    assert app_writes(world, variant_id) == []


def test_a_price_that_is_due_on_frozen_days_waits_for_the_thaw(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    last = datetime.now(world.shop().zone).date() + timedelta(days=2)
    set_settings(world.shop(), prices_frozen_first="2020-01-01", prices_frozen_last=str(last))

    assert price_outbox.send_price_changes() == 0
    due = card(world, suggestion_id).change_due_at.astimezone(world.shop().zone)
    assert (due.date(), due.hour) == (last + timedelta(days=1), 0)
    assert app_writes(world, variant_id) == []


@pytest.mark.parametrize(
    ("limits", "code"), [({"max_price_step": "0.08"}, "step"), ({"margin_floor": "0.90"}, "margin")]
)
def test_a_planned_price_beyond_the_limits_of_its_moment_is_not_written(world, apron, limits, code):
    variant_id, suggestion_id = apron
    shop_id = world.shop().shop_id
    soon = datetime.now(UTC) + timedelta(days=1)
    decide.accept_suggestion(shop_id, suggestion_id, accepted_by="42", when=When(soon))
    set_settings(world.shop(), **limits)
    send(world)

    found = card(world, suggestion_id)
    assert (found.change_state, found.change_error_code) == ("failed", code)
    assert app_writes(world, variant_id) == []
    assert world.look("variants")[0]["price"] == "24.00"
    with transaction(shop_id) as conn, conn.cursor() as cur:
        cur.execute("SELECT state FROM registrations WHERE suggestion_id = %s", (suggestion_id,))
        assert cur.fetchone() == ("void",)
    assert (
        decide.undo_suggestion(shop_id, suggestion_id, asked_by="42").refused_because == "not_sent"
    )


def test_an_undo_is_exact_after_the_limits_shrank(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    send(world)
    set_settings(world.shop(), max_price_step="0.01", margin_floor="0.95")

    assert decide.undo_suggestion(world.shop().shop_id, suggestion_id, asked_by="42").accepted
    send(world)

    assert app_writes(world, variant_id) == [("24.00", "26.00"), ("26.00", "24.00")]
    assert card(world, suggestion_id).state == "undone"


def test_one_that_left_without_an_answer_is_not_called_unsent_when_the_limits_shrank(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    shop_id = world.shop().shop_id
    registering.register_accepted(shop_id, [suggestion_id])
    with transaction(shop_id) as conn:
        (change,) = price_changes.claim(conn, shop_id, limit=5, lease_seconds=-1)
    stamp = access.with_api(shop_id, lambda api: prices_api.variant_prices(api, [variant_id]))
    with transaction(shop_id) as conn:
        stamps = {variant_id: stamp[variant_id].updated_at}
        price_changes.mark_sent(conn, shop_id, [change], lease_seconds=-1, stamps=stamps)
    set_settings(world.shop(), max_price_step="0.01")
    send(world)

    found = card(world, suggestion_id)
    assert (found.change_state, found.change_seen_price) == ("unknown", Decimal("24.00"))
    assert app_writes(world, variant_id) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"graphql_http_status": 429, "graphql_http_share": 0.6},
        {"graphql_internal_error": 0.5},
        {"graphql_http_status": 503, "graphql_http_share": 0.6},
    ],
)
def test_a_busy_shopify_delays_the_write_and_never_doubles_it(world, apron, fault):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    world.faults(**fault)
    price_outbox.send_price_changes()
    world.behave()
    send(world)

    assert app_writes(world, variant_id) == [("24.00", "26.00")]
    assert card(world, suggestion_id).change_state == "applied"


def test_what_shopify_refuses_fails_with_its_words(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    product_id = card(world, suggestion_id).product_id
    world.control(f"products/{product_id}/delete")
    send(world)

    found = card(world, suggestion_id)
    assert (found.change_state, app_writes(world, variant_id)) == ("failed", [])
    assert found.change_error


def test_a_change_that_has_not_left_is_withdrawn_without_a_write(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)

    assert decide.undo_suggestion(world.shop().shop_id, suggestion_id, asked_by="42").accepted
    send(world)

    assert app_writes(world, variant_id) == []
    assert card(world, suggestion_id).state == "undone"


def test_an_attempt_that_was_overtaken_cannot_write_the_end(world, apron):
    _, suggestion_id = apron
    accept(world, suggestion_id)
    shop_id = world.shop().shop_id
    registering.register_accepted(shop_id, [suggestion_id])
    with transaction(shop_id) as conn:
        paused = price_changes.claim(conn, shop_id, limit=5, lease_seconds=-1)[0]
    send(world)

    with transaction(shop_id) as conn:
        assert not price_changes.finish(conn, shop_id, paused, paused.state.FAILED)
        stamps = {paused.variant_id: paused.approved_at}
        assert (
            price_changes.mark_sent(conn, shop_id, [paused], lease_seconds=60, stamps=stamps)
            == set()
        )
    assert card(world, suggestion_id).change_state == "applied"


def test_writes_that_wait_end_with_the_uninstall_and_the_rival_cannot_accept_ours(
    world, apron, rival
):
    variant_id, suggestion_id = apron
    with pytest.raises(NotFoundError, match="suggestion"):
        decide.accept_suggestion(rival.shop_id, suggestion_id, accepted_by="7")
    accept(world, suggestion_id)
    world.control("uninstall")
    world.deliver()

    assert card(world, suggestion_id).change_state == "failed"
    assert app_writes(world, variant_id) == []


def test_the_echo_of_our_own_write_is_not_taken_for_the_merchants(world, apron):
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    send(world)
    world.deliver()
    world.control(f"variants/{variant_id}/price", price="29.00")
    world.deliver()

    shop = world.shop()
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT source, price::text FROM price_history WHERE shop_id = %s AND variant_id = %s ORDER BY id",
            (shop.shop_id, variant_id),
        )
        assert cur.fetchall() == [
            ("import", "24.0000"),
            ("app", "26.0000"),
            ("merchant", "29.0000"),
        ]


def test_an_echo_that_comes_hours_late_is_still_ours_and_the_merchants_same_price_is_theirs(
    world, apron
):
    variant_id, suggestion_id = apron
    world.faults(webhook_pause=True)
    accept(world, suggestion_id)
    send(world)
    shop = world.shop()
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE price_changes SET sent_at = sent_at - interval '5 hours'")
        cur.execute("UPDATE price_history SET recorded_at = recorded_at - interval '6 hours'")
    world.behave()
    world.deliver()
    for price in ("29.00", "26.00"):
        world.control(f"variants/{variant_id}/price", price=price)
        world.deliver()

    with transaction(shop.shop_id) as conn:
        spells = price_history.spells(conn, shop.shop_id, variant_id)
    assert [(spell.source, str(spell.price.normalize())) for spell in spells] == [
        ("merchant", "26"),
        ("merchant", "29"),
        ("app", "26"),
        ("import", "24"),
    ]
