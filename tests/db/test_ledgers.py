"""The ledger is kept; brakes are pulled once and lifted; the rival's stay."""

from datetime import UTC, datetime

from shopify_app.db import ledgers
from shopify_app.db.connection import transaction
from shopify_app.domain.outcome import LedgerTotal, Ruling, Rulings
from tests.factories import make_suggestion, make_variant

NOW = datetime.now(UTC)


LOST = Ruling(reason="loses_money")


def act(shop, call, *given, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given, **named)


def test_what_was_worked_out_is_kept_and_a_total_stays_where_none_is_new(acme, rival):
    for total in (LedgerTotal(profit=9), None):
        act(acme, ledgers.keep, as_of=NOW.date(), total=total, rulings=Rulings())

    assert act(acme, ledgers.of_shop).total == LedgerTotal(profit=9)
    assert act(rival, ledgers.of_shop).total is None
    assert act(rival, ledgers.of_shop, shop_id=acme.shop_id).total is None


def test_a_brake_is_pulled_once_and_lifted_by_its_own_merchant_only(acme, rival):
    assert act(acme, ledgers.pull_brake, "price_rise", LOST)
    assert not act(acme, ledgers.pull_brake, "price_rise", Ruling())

    assert not act(rival, ledgers.lift_brake, "price_rise", by="7")
    assert not act(rival, ledgers.lift_brake, "price_rise", by="7", shop_id=acme.shop_id)
    assert (
        act(rival, ledgers.brakes_on) == act(rival, ledgers.brakes_on, shop_id=acme.shop_id) == []
    )
    assert [one.ruling for one in act(acme, ledgers.brakes_on)] == [LOST]
    assert act(acme, ledgers.lift_brake, "price_rise", by="42")
    assert act(acme, ledgers.brakes_on) == []
    assert act(acme, ledgers.last_lift, "price_rise") is not None
    assert act(rival, ledgers.last_lift, "price_rise") is None


def test_open_suggestions_of_a_stopped_kind_leave_the_pages_of_their_shop_only(acme, rival):
    for shop in (acme, rival):
        make_suggestion(shop, make_variant(shop))  # 24.00 to 26.00

    assert act(acme, ledgers.close_open, ["price_rise"], shop_id=rival.shop_id) == 0
    assert act(acme, ledgers.close_open, ["price_cut"]) == 0
    assert act(acme, ledgers.close_open, ["price_rise"]) == 1
    assert act(rival, ledgers.close_open, ["price_rise"]) == 1
