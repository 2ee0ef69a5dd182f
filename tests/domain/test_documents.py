"""What was kept as JSON before it had types is read and written back to the letter (`documents_of_before.json`, made by runs of then)."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from shopify_app.domain.evidence import DOCUMENTS, PriceProposal, RestockProposal, SuggestionKind
from shopify_app.domain.outcome import Rulings
from shopify_app.domain.price_test import PriceTestPlan
from shopify_app.domain.run import NamedMove, OrderBudget, RunCounts, RunSettings

BEFORE = json.loads((Path(__file__).parent / "documents_of_before.json").read_text())


def again(wanted, kept):
    return json.dumps(wanted.of_json(kept).as_json())


@pytest.mark.parametrize("part", ["proposal", "evidence"])
@pytest.mark.parametrize("kept", BEFORE["suggestions"], ids=lambda kept: kept["kind"])
def test_a_suggestion_of_before_is_written_back_to_the_letter(kept, part):
    wanted = getattr(DOCUMENTS[SuggestionKind(kept["kind"])], part)

    assert again(wanted, kept[part]) == json.dumps(kept[part])
    assert not wanted.of_json(kept[part]).model_extra  # every name has its type


def test_a_run_of_before_is_written_back_to_the_letter():
    for wanted, name in (
        (RunCounts, "counts"),
        (OrderBudget, "order_budget"),
        (PriceTestPlan, "plan"),
        (Rulings, "rulings"),
    ):
        assert again(wanted, BEFORE[name]) == json.dumps(BEFORE[name])
    assert [again(NamedMove, one) for one in BEFORE["moves"]] == [
        json.dumps(one) for one in BEFORE["moves"]
    ]


def test_settings_of_before_give_the_same_text_so_that_a_snapshots_digest_stands():
    told = RunSettings.of_json(json.loads(BEFORE["settings"]))

    assert json.dumps(told.as_json(), sort_keys=True) == BEFORE["settings"]
    assert told.raised_while_short[0].proposal.old_compare_at_price == Decimal("25.00")
    assert told.price_switches[0][1:] == (date(2026, 10, 5), False)


def test_what_was_not_known_then_is_not_written_and_what_is_not_known_now_is_kept():
    kept = {"price": "26.00", "old_price": "24.00", "a_later_name": [1, {"deep": 2.0}]}

    asked = PriceProposal.of_json(kept)

    assert (asked.back_from, asked.compare_at_price) == (None, None)
    assert json.dumps(asked.as_json()) == json.dumps(kept)


def test_a_decimal_stays_text_and_a_whole_number_whole():
    kept = {"units": 120, "order_by": "2026-11-26", "unit_cost": "9.00"}

    asked = RestockProposal.of_json(kept)

    assert (asked.ordered_units, asked.ordered_cost) == (120, Decimal("1080.00"))
    assert asked.with_changes(chosen_units=90).as_json()["chosen_units"] == 90
    assert again(RestockProposal, kept) == json.dumps(
        {"units": 120, "order_by": "2026-11-26", "unit_cost": "9.00"}
    )


@pytest.mark.parametrize("kept", [{"price": "26.00"}, {"price": "dear", "old_price": "24.00"}])
def test_a_proposal_that_is_none_is_refused(kept):
    with pytest.raises(ValidationError):
        PriceProposal.of_json(kept)
