"""States: what the words say, what the tables allow and what the statements do are one and the same."""

import itertools
import re

import psycopg2
import pytest

from launch.processes import ROOT
from shopify_app.db import price_changes
from shopify_app.db.connection import transaction
from shopify_app.domain.suggestion import (
    DISMISS_REASONS,
    PRICE_CHANGE_FOLLOWERS,
    PriceChangeState,
    SuggestionKind,
    SuggestionState,
)
from shopify_app.web.wording import DISMISS_REASONS as REASON_WORDS
from tests.domain.allowed_words import allowed
from tests.factories import NOW, make_suggestion, make_variant, rows
from tests.price_change_rows import NEW, add

ENDED = {"applied", "conflict", "failed", "unknown", "undone"}


def test_the_words_of_the_code_are_the_words_of_the_tables(database):
    assert allowed(database, "suggestions") == {state.value for state in SuggestionState}
    assert allowed(database, "suggestions", "kind") == {kind.value for kind in SuggestionKind}
    assert allowed(database, "price_changes") == {state.value for state in PriceChangeState}


def test_every_state_is_drawn_in_the_documentation():
    text = (ROOT / "docs/states.md").read_text()

    for state in (*SuggestionState, *PriceChangeState):
        assert re.search(rf"\b{state.value}\b", text), state


def test_every_reason_to_dismiss_has_its_words():
    assert set(DISMISS_REASONS) == set(REASON_WORDS)


def test_every_state_of_a_write_says_what_follows_and_only_an_undo_follows_an_end():
    assert set(PRICE_CHANGE_FOLLOWERS) == set(PriceChangeState)
    ends = {
        state: follow for state, follow in PRICE_CHANGE_FOLLOWERS.items() if state.value in ENDED
    }
    assert {state: follow for state, follow in ends.items() if follow} == {
        PriceChangeState.APPLIED: {PriceChangeState.UNDONE}
    }


def in_state(shop, state):
    """A write that stands in a state, claimed once."""
    change_id = add(shop, undo_of=add(shop))
    rows(
        shop,
        "UPDATE price_changes SET state = %(state)s, attempts = 1, due_at = now(),"
        " lease_until = CASE WHEN %(state)s = 'sending' THEN now() + interval '1 minute' END,"
        " finished_at = CASE WHEN %(ended)s THEN now() END WHERE id = %(id)s RETURNING 1",
        state=state.value, ended=state.value in ENDED, id=change_id,
    )  # fmt: skip
    with transaction(shop.shop_id) as conn:
        return price_changes.by_id(conn, shop.shop_id, change_id)


ACTS = {
    "claim": lambda conn, shop_id, _: price_changes.claim(conn, shop_id, limit=9, lease_seconds=60),
    "mark sent": lambda conn, shop_id, c: price_changes.mark_sent(
        conn, shop_id, [c], lease_seconds=60, stamps={c.variant_id: NOW}
    ),
    "put back": lambda conn, shop_id, c: price_changes.put_back(
        conn, shop_id, c, in_seconds=9, error="x"
    ),
    "withdraw": lambda conn, shop_id, c: price_changes.withdraw(conn, shop_id, c.id),
    "mark undone": lambda conn, shop_id, c: price_changes.mark_undone(conn, shop_id, c.id),
    "cancel": lambda conn, shop_id, _: price_changes.cancel_waiting(conn, shop_id, error_code="x"),
    **{
        f"finish {end}": lambda conn, shop_id, c, end=end: price_changes.finish(
            conn, shop_id, c, PriceChangeState(end), seen=NEW
        )
        for end in sorted(ENDED - {"undone"})
    },
}


def test_no_statement_leads_where_the_rules_do_not_and_every_rule_is_led_by_one(acme):
    led = {state: set() for state in PriceChangeState}
    for state, (name, act) in itertools.product(PriceChangeState, ACTS.items()):
        change = in_state(acme, state)
        with transaction(acme.shop_id) as conn:
            act(conn, acme.shop_id, change)
        now = PriceChangeState(
            rows(acme, "SELECT state FROM price_changes WHERE id = %(id)s", id=change.id)[0][0]
        )
        assert now == state or now in PRICE_CHANGE_FOLLOWERS[state], f"{state} -- {name} --> {now}"
        led[state] |= {now} - {state}
        rows(acme, "DELETE FROM price_changes RETURNING 1")

    assert led == {state: set(follow) for state, follow in PRICE_CHANGE_FOLLOWERS.items()}


@pytest.mark.parametrize(
    "change",
    ["state = 'sending', lease_until = NULL", "state = 'applied', finished_at = NULL", "state = 'approved', finished_at = now()", "new_price = 0",
     "state = 'made up'"],
)  # fmt: skip
def test_the_table_refuses_a_write_in_an_impossible_state(acme, change):
    add(acme)
    with pytest.raises(psycopg2.errors.CheckViolation):
        rows(acme, f"UPDATE price_changes SET {change} RETURNING 1")


@pytest.mark.parametrize(
    "change",
    ["state = 'accepted', decided_at = NULL", "state = 'dismissed', decided_at = now(), dismiss_reason = NULL", "value_low = value_high + 1",
     "state = 'made up'", "kind = 'made up'"],
)  # fmt: skip
def test_the_table_refuses_a_suggestion_in_an_impossible_state(acme, change):
    make_suggestion(acme, make_variant(acme))
    with pytest.raises(psycopg2.errors.CheckViolation):
        rows(acme, f"UPDATE suggestions SET {change} RETURNING 1")


def test_a_variant_has_one_open_suggestion_of_a_kind(acme):
    variant_id = make_variant(acme)
    make_suggestion(acme, variant_id)
    make_suggestion(acme, variant_id, kind="trend")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        make_suggestion(acme, variant_id)
