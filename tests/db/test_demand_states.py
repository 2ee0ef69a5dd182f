"""A shop's fit and states are kept, moved on and let go together, and are found by their own shop."""

from dataclasses import replace
from datetime import date

import pytest

from shopify_app.db import demand_states
from shopify_app.db.connection import transaction
from shopify_app.domain.demand_state import DemandFit, DemandState
from tests.factories import make_variant

MONDAY = date(2026, 11, 2)
NEXT = date(2026, 11, 9)
FIT = DemandFit(MONDAY, MONDAY, "3", 8, b"\x00learned")


def keep(shop, fit, rows):
    with transaction(shop.shop_id) as conn:
        demand_states.keep(conn, shop.shop_id, fit, rows)


def found(shop, closed_on=MONDAY, shop_id=None):
    with transaction(shop.shop_id) as conn:
        asked = shop_id or shop.shop_id
        return (
            demand_states.newest_fit(conn, asked),
            demand_states.states_of(conn, asked, closed_on),
        )


@pytest.fixture
def rows(acme):
    return [
        DemandState(make_variant(acme), -(2**62), b"\x00\xff"),
        DemandState(make_variant(acme), 5, b""),
    ]


def test_what_is_kept_comes_back_to_the_bit(acme, rows):
    keep(acme, FIT, rows)

    assert found(acme) == (FIT, sorted(rows, key=lambda one: one.variant_id))


def test_a_state_that_changed_takes_the_place_of_its_variants(acme, rows):
    keep(acme, FIT, rows)
    changed = replace(rows[0], mark=6, state=b"new")
    keep(acme, FIT, [changed])

    assert {one.variant_id: one for one in found(acme)[1]} == {
        changed.variant_id: changed,
        rows[1].variant_id: rows[1],
    }


def test_states_left_behind_by_a_close_go(acme, rows):
    keep(acme, FIT, rows)
    keep(acme, replace(FIT, closed_on=NEXT), rows[:1])

    assert found(acme, MONDAY)[1] == []
    assert found(acme, NEXT) == (replace(FIT, closed_on=NEXT), rows[:1])


def test_a_variant_deleted_meanwhile_is_passed_over(acme, rows):
    keep(acme, FIT, [*rows, DemandState(987_654_321, 1, b"x")])

    assert len(found(acme)[1]) == 2


def test_the_rival_finds_nothing_of_ours(acme, rival, rows):
    keep(acme, FIT, rows)

    assert found(rival, shop_id=acme.shop_id) == (None, [])
