"""Kinds of moves as the brake tells them apart, and what a decision rested on."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from shopify_app.domain.evidence import (
    MoveKind,
    PriceProposal,
    RestockEvidence,
    RestockProposal,
    TrendProposal,
)
from shopify_app.domain.outcome import Ledger, Ruling, Rulings, decision_evidence

ORDER = RestockProposal(units=4, order_by=date(2026, 12, 3))


@pytest.mark.parametrize(
    ("price", "old_price", "move"),
    [
        ("26.00", "24.00", "price_rise"),
        ("9.50", "10.00", "price_cut"),  # by the figure: as text 9.50 is the greater
    ],
)
def test_a_price_that_goes_up_is_another_kind_than_one_that_goes_down(price, old_price, move):
    assert PriceProposal(price=Decimal(price), old_price=Decimal(old_price)).move == move


def test_what_is_no_price_is_of_its_own_kind():
    assert ORDER.move == "restock"
    assert TrendProposal(direction="rising").move == "trend"


def test_only_kinds_that_the_brake_holds_are_waiting():
    rulings = Rulings(price_rise=Ruling(ruling="wait"), price_cut=Ruling(ruling="go"))

    assert Ledger(None, None, rulings, None).waiting == {MoveKind.PRICE_RISE: Ruling(ruling="wait")}


def test_what_a_decision_rested_on_is_kept_and_nothing_beside_it():
    card = SimpleNamespace(
        evidence=RestockEvidence(run_id=3, seed=0),
        proposal=ORDER,
        value_low=Decimal(-1),
        value_mid=Decimal(2),
        value_high=Decimal(5),
        value_unit="gross_profit_per_month",
    )

    kept = decision_evidence(card).as_json()
    assert {name: kept[name] for name in ("run_id", "seed", "value", "value_unit")} == {
        "run_id": 3,
        "seed": 0,
        "value": ["-1", "2", "5"],
        "value_unit": "gross_profit_per_month",
    }
    assert kept["proposal"]["units"] == 4
    assert "history" not in kept
