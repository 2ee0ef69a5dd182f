"""A decision is whole or is not: one click one row, its reasons kept, taken back only if that is exact, ours alone."""

from datetime import UTC, datetime, timedelta

import pytest

from shopify_app.db import decision_log, price_changes, purchase_orders, suggestions
from shopify_app.db.connection import transaction
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.decisions import decide
from tests.factories import make_suggestion, make_variant, rows
from tests.web.page_rows import price_row, restock_row, set_change, set_settings, trend_row


def card(shop, suggestion_id):
    with transaction(shop.shop_id) as conn:
        return suggestions.card(conn, shop.shop_id, suggestion_id)


def accept(shop, suggestion_id, **said):
    return decide.accept_suggestion(shop.shop_id, suggestion_id, accepted_by="42", **said)


def undo(shop, suggestion_id):
    return decide.undo_suggestion(shop.shop_id, suggestion_id, asked_by="42")


def log_of(shop):
    return rows(shop, "SELECT action, actor FROM decision_log ORDER BY id")


def outbox(shop):
    return rows(
        shop,
        "SELECT old_price::float, new_price::float, state, approved_by, undo_of IS NOT NULL FROM price_changes ORDER BY id",
    )


def test_a_second_click_writes_no_second_row_nor_a_second_line_in_the_log(acme):
    number = price_row(acme)

    assert [accept(acme, number), accept(acme, number)] == [True, False]

    assert outbox(acme) == [(24.0, 26.0, "approved", "42", False)]
    assert log_of(acme) == [("accepted", "42")]


def test_a_price_that_cannot_go_out_is_not_accepted_either(acme, monkeypatch):
    number = price_row(acme)
    monkeypatch.setattr(price_changes, "add", lambda *args, **said: None)

    with pytest.raises(InvalidInputError, match="under way"):
        accept(acme, number)

    assert card(acme, number).state == "open"
    assert log_of(acme) == []


def test_nothing_waits_to_be_sent_if_the_click_was_not_kept(acme, monkeypatch):
    number = price_row(acme)

    def the_log_is_away(*args, **said):
        raise ConnectionError

    monkeypatch.setattr(decision_log, "add", the_log_is_away)
    with pytest.raises(ConnectionError):
        accept(acme, number)

    assert outbox(acme) == []
    assert card(acme, number).state == "open"


@pytest.mark.parametrize("units", [45, 30, 0, -10, 1_000_010])
def test_units_that_are_no_whole_packs_or_below_the_least_are_refused(acme, units):
    number = restock_row(acme)  # packs of ten, forty at least

    with pytest.raises(InvalidInputError) as refused:
        accept(acme, number, units=units)

    assert refused.value.field == "units"
    assert card(acme, number).state == "open"
    assert rows(acme, "SELECT count(*) FROM purchase_order_lines") == [(0,)]


def test_units_that_the_merchant_chose_go_on_the_draft_and_the_proposal_is_kept(acme):
    number = restock_row(acme)

    accept(acme, number, units=60)

    assert rows(acme, "SELECT units, added_by FROM purchase_order_lines") == [(60, "42")]
    found = card(acme, number).proposal
    assert (found.units, found.chosen_units) == (150, 60)


def test_units_of_a_price_are_refused(acme):
    with pytest.raises(InvalidInputError, match="only a restock"):
        accept(acme, price_row(acme), units=10)


def test_a_restock_and_a_trend_write_nothing_to_the_store_and_are_in_the_ledger(acme):
    for number in (restock_row(acme), trend_row(acme)):
        accept(acme, number)

    assert outbox(acme) == []
    assert (
        rows(acme, "SELECT state, not_measurable_because FROM registrations ORDER BY suggestion_id")
        == [("not_measured", "not_in_store")] * 2
    )


def test_one_that_cannot_be_accepted_stops_none_of_the_others_and_each_is_asked_once(acme, rival):
    first, theirs = price_row(acme), price_row(rival)
    bad, last = restock_row(acme), restock_row(acme, title="Rug")

    answers = decide.accept_suggestions(
        acme.shop_id, [first, theirs + 500, bad, first, last], accepted_by="42", units={bad: 33}
    )

    assert [(number, said.accepted, said.refused_because) for number, said in answers] == [
        (first, True, None),
        (theirs + 500, False, "not_found"),
        (bad, False, "units"),
        (last, True, None),
    ]
    assert rows(acme, "SELECT count(*) FROM purchase_order_lines") == [(1,)]
    assert outbox(rival) == []


def test_a_dismissed_suggestion_rests_for_a_month_and_says_why(acme):
    number = trend_row(acme)

    assert decide.dismiss_suggestion(
        acme.shop_id, number, reason="not_now", dismissed_by="42"
    ) and not decide.dismiss_suggestion(acme.shop_id, number, reason="other", dismissed_by="7")

    until = datetime.now(UTC).date() + timedelta(days=decide.REST_DAYS)
    assert rows(acme, "SELECT dismiss_reason, snoozed_until, decided_by FROM suggestions") == [
        ("not_now", until, "42")
    ]
    assert rows(acme, "SELECT action, detail->>'reason' FROM decision_log") == [
        ("dismissed", "not_now")
    ]


def test_a_reason_that_is_not_on_the_list_decides_nothing(acme):
    number = trend_row(acme)

    with pytest.raises(InvalidInputError) as refused:
        decide.dismiss_suggestion(acme.shop_id, number, reason="'; --", dismissed_by="42")

    assert refused.value.field == "reason"
    assert card(acme, number).state == "open"


def test_a_dismissal_is_not_taken_back_over_newer_advice(acme):
    variant_id = make_variant(acme)
    old = make_suggestion(acme, variant_id)
    decide.dismiss_suggestion(acme.shop_id, old, reason="not_now", dismissed_by="42")
    make_suggestion(acme, variant_id)

    assert undo(acme, old).refused_because == "newer_suggestion"
    assert log_of(acme) == [("dismissed", "42")]


def test_a_line_that_went_to_the_vendor_is_not_taken_back(acme):
    number = restock_row(acme)
    accept(acme, number)
    rows(acme, "UPDATE purchase_order_lines SET exported_at = now() RETURNING 1")

    assert undo(acme, number).refused_because == "already_exported"

    assert card(acme, number).state == "accepted"
    with transaction(acme.shop_id) as conn:
        ordered = purchase_orders.ordered_units(
            conn, acme.shop_id, datetime.now(UTC).date(), default_days=14
        )
    assert list(ordered.values()) == [150]


def test_a_price_that_stands_is_taken_back_by_the_opposite_write_and_never_beside_another(acme):
    number = price_row(acme)
    accept(acme, number)
    set_change(acme, number, "applied", seen="26.00")

    assert [undo(acme, number).accepted, undo(acme, number).refused_because] == [True, "under_way"]

    assert outbox(acme) == [
        (24.0, 26.0, "applied", "42", False),
        (26.0, 24.0, "approved", "42", True),
    ]


def test_a_change_that_was_refused_has_nothing_to_take_back(acme):
    number = price_row(acme)
    accept(acme, number)
    set_change(acme, number, "failed", error="Price is too high")

    assert undo(acme, number).refused_because == "failed"
    assert len(outbox(acme)) == 1


def test_frozen_prices_keep_the_undo_of_one_and_not_of_the_other(acme):
    written, waiting, order = price_row(acme), price_row(acme, title="Bowl"), restock_row(acme)
    for number in (written, waiting, order):
        accept(acme, number)
    set_change(acme, written, "applied", seen="26.00")
    set_settings(acme, prices_frozen_first="2020-01-01", prices_frozen_last="2099-01-01")

    answers = decide.undo_suggestions(acme.shop_id, [written, waiting, order, 10**6], asked_by="42")

    assert [(one, said.accepted, said.refused_because) for one, said in answers] == [
        (written, False, "prices_frozen"),  # a write
        (waiting, True, None),  # never left
        (order, True, None),
        (10**6, False, "not_found"),
    ]
    assert [row[2] for row in outbox(acme)] == ["applied", "undone"]


BEYOND = [
    ({"max_price_step": "0.08"}, "9.00", "step"),  # 24 to 26 is 8.3 %
    ({"margin_floor": "0.66"}, "9.00", "margin"),  # 17 of 26 is 65.4 %
    ({"margin_floor": "0.20"}, None, "no_cost"),
]


@pytest.mark.parametrize(("limits", "cost", "code"), BEYOND)
def test_a_price_beyond_the_limits_of_now_is_not_put_in_the_outbox(acme, rival, limits, cost, code):
    number = price_row(acme, variant_id=make_variant(acme, cost=cost))
    theirs = price_row(rival)
    set_settings(acme, **limits)

    with pytest.raises(InvalidInputError) as refused:
        accept(acme, number)

    assert refused.value.field == code
    assert (card(acme, number).state, outbox(acme), log_of(acme)) == ("open", [], [])
    assert accept(rival, theirs)  # whose limits are its own


def test_a_price_at_its_limits_goes_out(acme):
    fair = {
        "price": "26.40",
        "compare_at_price": None,
        "old_price": "24.00",
        "old_compare_at_price": None,
    }
    number = price_row(acme, proposal=fair, variant_id=make_variant(acme, cost="21.12"))
    set_settings(acme, max_price_step="0.10", margin_floor="0.20")  # 2.40 of 24, 5.28 of 26.40

    assert accept(acme, number)


def test_the_way_back_and_the_undo_go_to_the_old_price_whatever_the_limits_are_now(acme):
    back = {
        "price": "24.00",
        "compare_at_price": None,
        "old_price": "26.00",
        "old_compare_at_price": None,
    }
    raised, written = price_row(acme), price_row(acme, title="Bowl")
    number = price_row(acme, title="Rug", proposal=back | {"back_from": raised})
    accept(acme, written)
    set_change(acme, written, "applied", seen="26.00")
    set_settings(acme, max_price_step="0.01", margin_floor="0.90")

    assert accept(acme, number)
    assert undo(acme, written).accepted

    assert [row[:2] for row in outbox(acme)] == [(24.0, 26.0), (26.0, 24.0), (26.0, 24.0)]


def test_several_are_refused_each_with_its_own_reason(acme):
    steep, costless = price_row(acme), price_row(acme, variant_id=make_variant(acme, cost=None))
    done, gentle = (
        price_row(acme, title="Bowl"),
        price_row(
            acme,
            title="Rug",
            proposal={
                "price": "25.00",
                "compare_at_price": None,
                "old_price": "24.00",
                "old_compare_at_price": None,
            },
        ),
    )
    accept(acme, done)
    set_settings(acme, max_price_step="0.05")
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            'UPDATE suggestions SET proposal = proposal || \'{"price": "25.00"}\' WHERE id = %s',
            (costless,),
        )

    answers = decide.accept_suggestions(
        acme.shop_id, [steep, costless, done, gentle], accepted_by="42"
    )

    assert [said.refused_because for _, said in answers] == [
        "step",
        "no_cost",
        "decided_before",
        None,
    ]


def test_an_undo_of_what_we_did_not_send_says_so(acme):
    number = price_row(acme)
    accept(acme, number)
    set_change(acme, number, "failed", error_code="step")

    assert undo(acme, number).refused_because == "not_sent"


def test_the_rival_decides_nothing_of_ours(acme, rival):
    number = price_row(acme)

    for act in (
        lambda: decide.accept_suggestion(rival.shop_id, number, accepted_by="7"),
        lambda: decide.dismiss_suggestion(rival.shop_id, number, reason="other", dismissed_by="7"),
        lambda: decide.undo_suggestion(rival.shop_id, number, asked_by="7"),
    ):
        with pytest.raises(NotFoundError):
            act()

    assert (card(acme, number).state, outbox(acme), log_of(acme)) == ("open", [], [])
