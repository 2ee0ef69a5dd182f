"""Suggestions: decided once, replaced by what is found now, quiet after a decision, the rival's not found."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shopify_app.db import suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.evidence import PriceEvidence, PriceProposal, SuggestionKind
from shopify_app.domain.suggestion import NewSuggestion
from tests.factories import NOW, make_run, make_suggestion, make_variant, rows

TODAY = NOW.date()


PRICE = PriceProposal(price=Decimal("26.00"), old_price=Decimal("24.00"))
OTHER_PRICE = PriceProposal(price=Decimal("27.00"), old_price=Decimal("24.00"))


def act(shop, what, *args, **named):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, *args, **named)


def found(variant_id, **changed):
    made = NewSuggestion(
        kind=SuggestionKind.PRICE, variant_id=variant_id, proposal=PRICE, evidence=PriceEvidence(seed=0), value_low=Decimal(1),
        value_mid=Decimal(2), value_high=Decimal(3), value_unit="profit_a_month", currency="GBP", rank_score=1.0, is_urgent=False, as_of=TODAY,
    )  # fmt: skip
    return replace(made, **changed)


def states(shop):
    return dict(rows(shop, "SELECT id, state FROM suggestions ORDER BY id"))


def test_a_suggestion_is_accepted_once(acme):
    number = make_suggestion(acme, make_variant(acme))

    assert act(acme, suggestions.mark_accepted, number, accepted_by="42")
    assert not act(acme, suggestions.mark_accepted, number, accepted_by="43")
    assert rows(acme, "SELECT decided_by FROM suggestions") == [("42",)]


def test_what_is_decided_cannot_be_dismissed_and_what_is_dismissed_can_be_reopened(acme):
    one, two = make_suggestion(acme, make_variant(acme)), make_suggestion(acme, make_variant(acme))
    act(acme, suggestions.mark_accepted, one, accepted_by="42")
    dismissal = {"reason": "not_now", "dismissed_by": "42", "until": TODAY + timedelta(days=30)}

    assert not act(acme, suggestions.mark_dismissed, one, **dismissal)
    assert act(acme, suggestions.mark_dismissed, two, **dismissal)
    assert not act(acme, suggestions.reopen, one)
    assert act(acme, suggestions.reopen, two)
    assert states(acme) == {one: "accepted", two: "open"}


def test_a_dismissal_is_not_taken_back_over_a_newer_suggestion(acme):
    variant_id = make_variant(acme)
    old = make_suggestion(acme, variant_id, state="dismissed")
    make_suggestion(acme, variant_id)

    assert not act(acme, suggestions.reopen, old)


def test_an_unchanged_proposal_keeps_its_id_another_supersedes_and_one_not_found_goes(acme):
    same, other, gone = make_variant(acme), make_variant(acme), make_variant(acme)
    run = make_run(acme)
    act(acme, suggestions.replace_open, run, [found(same), found(other), found(gone)])
    first = dict(rows(acme, "SELECT variant_id, id FROM suggestions WHERE state = 'open'"))

    opened = act(
        acme,
        suggestions.replace_open,
        make_run(acme),
        [found(same, evidence=PriceEvidence(seed=1)), found(other, proposal=OTHER_PRICE)],
    )

    now = dict(rows(acme, "SELECT variant_id, id FROM suggestions WHERE state = 'open'"))
    assert opened == 1
    assert now[same] == first[same] and now[other] != first[other] and gone not in now
    assert rows(
        acme, "SELECT evidence->>'seed' FROM suggestions WHERE id = %(id)s", id=now[same]
    ) == [("1",)]
    assert states(acme)[first[gone]] == "superseded"


def test_decided_suggestions_are_left_by_a_new_run(acme):
    variant_id = make_variant(acme)
    number = make_suggestion(acme, variant_id, state="accepted")
    act(acme, suggestions.replace_open, make_run(acme), [])

    assert states(acme) == {number: "accepted"}


@pytest.mark.parametrize(("days", "rests"), [(-1, False), (1, True)])
def test_a_dismissed_variant_rests_until_its_day(acme, days, rests):
    variant_id = make_variant(acme)
    number = make_suggestion(acme, variant_id)
    act(
        acme,
        suggestions.mark_dismissed,
        number,
        reason="not_now",
        dismissed_by="42",
        until=TODAY + timedelta(days=days),
    )

    assert act(acme, suggestions.resting_variants, SuggestionKind.PRICE, TODAY) == (
        {variant_id} if rests else set()
    )
    assert act(acme, suggestions.resting_variants, SuggestionKind.TREND, TODAY) == set()


def test_cards_come_the_most_worth_deciding_first(acme):
    numbers = [
        make_suggestion(acme, make_variant(acme), rank_score=score) for score in (1.0, 3.0, 2.0)
    ]

    assert [card.id for card in act(acme, suggestions.cards)] == [
        numbers[1],
        numbers[2],
        numbers[0],
    ]
    assert len(act(acme, suggestions.cards, limit=2)) == 2


def test_the_rivals_suggestion_is_not_found_not_decided_and_not_replaced(acme, rival):
    theirs = make_suggestion(rival, make_variant(rival))

    assert act(acme, suggestions.cards) == []
    with transaction(acme.shop_id) as conn:
        for shop_id in (acme.shop_id, rival.shop_id):
            assert suggestions.card(conn, shop_id, theirs) is None
            assert not suggestions.mark_accepted(conn, shop_id, theirs, accepted_by="42")
            assert not suggestions.mark_dismissed(
                conn, shop_id, theirs, reason="not_now", dismissed_by="42", until=TODAY
            )
            assert not suggestions.mark_undone(conn, shop_id, theirs)
            assert not suggestions.reopen(conn, shop_id, theirs)
            assert suggestions.resting_variants(conn, shop_id, SuggestionKind.PRICE, TODAY) == set()
    act(acme, suggestions.replace_open, make_run(acme), [])
    assert states(rival) == {theirs: "open"}
