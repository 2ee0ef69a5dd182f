"""Registered decisions: once each, ended early or late, judged once; another shop moves none of them."""

from datetime import timedelta
from decimal import Decimal

from shopify_app.db import registrations
from shopify_app.db.connection import transaction
from shopify_app.domain.outcome import (
    MoveKind,
    NewRegistration,
    NewVerdict,
    RegistrationState,
    VerdictOutcome,
)
from tests.factories import NOW, basis, make_suggestion, make_variant, rows

DAY = NOW.date()


def act(shop, call, *given, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given, **named)


def registered(shop, risk="12.00"):
    """A price rise that is measured; (suggestion, variant, row)."""
    variant_id = make_variant(shop)
    number = make_suggestion(shop, variant_id, state="accepted")
    made = NewRegistration(
        number, variant_id, MoveKind.PRICE_RISE, False, RegistrationState.MEASURING, "orders", None, DAY,
        DAY + timedelta(weeks=8), {"seed": 0}, basis(), Decimal(risk),
    )  # fmt: skip
    assert act(shop, registrations.add, [made]) == 1
    assert act(shop, registrations.add, [made]) == 0
    return number, variant_id


def state(shop):
    return rows(shop, "SELECT state, ended_on, not_measurable_because FROM registrations")[0]


def test_what_is_measured_counts_as_open_risk_and_under_change_in_its_shop_only(acme, rival):
    number, variant_id = registered(acme)

    assert [one.suggestion_id for one in act(acme, registrations.measured)] == [number]
    assert act(acme, registrations.open_risk) == Decimal(12)
    assert act(acme, registrations.under_change, DAY) == [variant_id]
    for shop_id in (None, acme.shop_id):
        assert act(rival, registrations.measured, shop_id=shop_id) == []
        assert act(rival, registrations.open_risk, shop_id=shop_id) == 0
        assert act(rival, registrations.under_change, DAY, shop_id=shop_id) == []
        assert act(rival, registrations.ledger_lines, shop_id=shop_id) == []


def test_what_ends_on_its_first_day_is_not_measured_and_later_it_is(acme, rival):
    number, _ = registered(acme)
    other, _ = registered(rival)

    act(rival, registrations.mark_ended, number, on=DAY, because="undone", shop_id=acme.shop_id)
    assert state(acme)[0] == "measuring"
    act(acme, registrations.mark_ended, number, on=DAY, because="undone")
    act(rival, registrations.mark_ended, other, on=DAY + timedelta(days=9), because="undone")

    assert tuple(state(acme)) == ("not_measured", DAY, "ended_early")
    assert tuple(state(rival)) == ("measuring", DAY + timedelta(days=9), None)


def test_a_verdict_stands_once_and_no_other_shop_gives_it(acme, rival):
    registered(acme)
    (row,) = act(acme, registrations.measured)
    verdict = NewVerdict(row.id, VerdictOutcome.HELPED, Decimal(30), Decimal(10), Decimal(50), {})

    assert act(acme, registrations.add_verdicts, [verdict], currency="GBP", as_of=DAY) == 1
    assert act(acme, registrations.add_verdicts, [verdict], currency="GBP", as_of=DAY) == 0
    assert state(acme)[0] == "judged"
    (line,) = act(acme, registrations.ledger_lines)
    assert (line.outcome, line.profit) == ("helped", Decimal(30))
    assert act(rival, registrations.ledger_lines) == []


def test_a_decision_whose_write_never_left_is_void_in_its_shop_only(acme, rival):
    number, _ = registered(acme)

    act(rival, registrations.make_void, number, shop_id=acme.shop_id)
    assert state(acme)[0] == "measuring"
    act(acme, registrations.make_void, number)
    assert state(acme)[0] == "void"
