"""One click, one write; an edit in between is never overwritten; undo is exact or says why not."""

from decimal import Decimal

import pytest

from shopify_app.db import price_changes, suggestions
from shopify_app.db.connection import transaction
from shopify_app.errors import NotFoundError
from shopify_app.usecases import decide, price_outbox
from tests.factories import make_suggestion
from tests.simulated import install


@pytest.fixture
def apron(world):
    """An open price suggestion for the linen apron: 24.00 -> 26.00."""
    install(world)
    variant = next(one for one in world.look("variants") if one["product_title"] == "Linen apron")
    shop = world.shop()
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE suggestions SET state = 'superseded' WHERE shop_id = %s AND state = 'open'",
            (shop.shop_id,),
        )
    return variant["id"], make_suggestion(shop, variant["id"])


def accept(world, suggestion_id):
    return decide.accept_suggestion(world.shop().shop_id, suggestion_id, accepted_by="42")


def send(world):
    shop_id = world.shop().shop_id
    for _ in range(20):
        with transaction(shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                "UPDATE price_changes SET next_at = now() WHERE shop_id = %s AND state = 'approved'",
                (shop_id,),
            )
        if not price_outbox.send_price_changes():
            return


def card(world, suggestion_id):
    shop_id = world.shop().shop_id
    with transaction(shop_id) as conn:
        return suggestions.card(conn, shop_id, suggestion_id)


def app_writes(world, variant_id):
    return [
        (w["before_price"], w["after_price"])
        for w in world.look("price-writes", variant_id=variant_id)
        if w["actor"] == "app"
    ]


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
    with transaction(shop_id) as conn:
        paused = price_changes.claim(conn, shop_id, limit=5, lease_seconds=-1)[0]
    send(world)

    with transaction(shop_id) as conn:
        assert not price_changes.finish(conn, shop_id, paused, paused.state.FAILED)
        assert price_changes.mark_sent(conn, shop_id, [paused], lease_seconds=60) == set()
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
