"""Kinds of moves as the brake tells them apart, and what a decision rested on."""

from types import SimpleNamespace

import pytest

from shopify_app.domain.outcome import Ledger, MoveKind, decision_evidence, move_kind


@pytest.mark.parametrize(
    ("kind", "price", "old_price", "move"),
    [
        ("price", "26.00", "24.00", "price_rise"),
        ("price", "9.50", "10.00", "price_cut"),  # by the figure: as text 9.50 is the greater
        ("restock", None, None, "restock"),
        ("trend", None, None, "trend"),
    ],
)
def test_a_price_that_goes_up_is_another_kind_than_one_that_goes_down(kind, price, old_price, move):
    assert move_kind(kind, {"price": price, "old_price": old_price}) == move


def test_only_kinds_that_the_brake_holds_are_waiting():
    rulings = {"price_rise": {"ruling": "wait"}, "price_cut": {"ruling": "go"}, "restock": {}}

    assert Ledger(None, None, rulings, None).waiting == {MoveKind.PRICE_RISE: {"ruling": "wait"}}


def test_what_a_decision_rested_on_is_kept_and_nothing_beside_it():
    card = SimpleNamespace(
        evidence={"run_id": 3, "seed": 0, "curve": [1, 2, 3]},
        proposal={"units": 4},
        value_low=-1,
        value_mid=2,
        value_high=5,
        value_unit="gross_profit_per_month",
    )

    assert decision_evidence(card) == {
        "run_id": 3,
        "seed": 0,
        "proposal": {"units": 4},
        "value": ["-1", "2", "5"],
        "value_unit": "gross_profit_per_month",
    }
