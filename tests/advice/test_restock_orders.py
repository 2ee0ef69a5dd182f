"""Orders that go out together: a vendor's least order is met or nothing is asked of it, and every budget has its plan."""

from dataclasses import replace
from decimal import Decimal

import pytest

from shopify_app.db import pages, shop_settings, suggestion_runs, suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.shop import VendorLeadTime
from shopify_app.usecases.decisions import decide
from shopify_app.usecases.suggestions import explain, suggest
from tests.kept_worlds import installed


def restocks(shop):
    with transaction(shop.shop_id) as conn:
        return suggestions.cards(conn, shop.shop_id, kinds=("restock",), limit=100)


def ask(shop, vendor, **terms):
    """A vendor's least order, then a new run."""
    told = replace(VendorLeadTime(vendor, 14, 1, 0), **terms)
    with transaction(shop.shop_id) as conn:
        shop_settings.save_vendor_lead_times(conn, shop.shop_id, [told])
    suggest.refresh_suggestions(shop.shop_id)
    return [card for card in restocks(shop) if card.vendor == vendor]


def cost(cards):
    """An unknown cost is taken as half the price, so as what the other half earns."""
    return sum(
        card.proposal.units * (card.proposal.unit_cost or card.evidence.unit_margin)
        for card in cards
    )


@pytest.fixture
def shop(world):
    return installed(world)


def test_every_budget_has_a_plan_and_the_last_one_is_what_the_cards_say(shop):
    with transaction(shop.shop_id) as conn:
        budget = suggestion_runs.newest_order_budget(conn, shop.shop_id)
    cards = {card.variant_id: card for card in restocks(shop) if card.proposal.order_cost}

    assert {line.variant_id for line in budget.lines} == set(cards)
    assert set(budget.plans[0]) == {0}
    for line, level in zip(budget.lines, budget.plans[-1], strict=True):
        card = cards[line.variant_id]
        units, value = line.levels[level]
        assert units == card.proposal.units
        assert value == pytest.approx(card.evidence.expected_gain, abs=0.01)


def test_a_vendor_below_its_least_order_is_filled_up_and_every_number_comes_out_again(shop):
    vendor = next(card.vendor for card in restocks(shop) if card.proposal.order_cost)
    before = cost(ask(shop, vendor))

    cards = ask(shop, vendor, order_minimum=Decimal(round(before * Decimal("1.15"))))

    assert cost(cards) >= Decimal(round(before * Decimal("1.15")))
    assert any("supplier_minimum" in card.evidence.binding_rules for card in cards)
    for card in cards:
        found = explain.explain(shop.shop_id, card.id)
        assert found.matches, found.differences


def test_a_least_order_in_units_counts_units(shop):
    vendor = restocks(shop)[0].vendor
    before = sum(card.proposal.units for card in ask(shop, vendor))

    cards = ask(shop, vendor, order_minimum=Decimal(before + 5), order_minimum_in="units")

    assert sum(card.proposal.units for card in cards) >= before + 5


def test_an_order_not_worth_its_vendors_minimum_is_not_suggested_and_the_run_says_so(shop):
    vendor = restocks(shop)[0].vendor
    others = len([card for card in restocks(shop) if card.vendor != vendor])

    assert ask(shop, vendor, order_minimum=Decimal(100_000_000)) == []
    assert len(restocks(shop)) == others
    with transaction(shop.shop_id) as conn:
        run = pages.latest_run(conn, shop.shop_id)
    assert run.counts.not_sure["below_supplier_minimum"] > 0


def test_what_is_on_the_draft_counts_towards_the_least_order(shop):
    vendor = restocks(shop)[0].vendor
    cards = ask(shop, vendor)
    least = sum(card.proposal.units for card in cards)
    decide.accept_suggestion(shop.shop_id, cards[0].id, accepted_by="42")

    left = ask(shop, vendor, order_minimum=Decimal(least), order_minimum_in="units")

    assert {card.variant_id for card in left} == {card.variant_id for card in cards[1:]}
    assert not any("supplier_minimum" in card.evidence.binding_rules for card in left)
