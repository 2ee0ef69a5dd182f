"""Registered before, judged after, losers kept; a kind that loses stops itself; what is held back is drawn by lot."""

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from shopify_app import cli
from shopify_app.analytics import outcomes
from shopify_app.analytics.outcomes import brake
from shopify_app.db import ledgers, measuring_settings, registrations, suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.outcome import Ruling
from shopify_app.usecases.decisions import decide
from shopify_app.usecases.outcomes import judge as judging
from shopify_app.usecases.outcomes import measuring
from shopify_app.usecases.outcomes import register as registering
from shopify_app.usecases.outcomes.history import monday_of
from shopify_app.usecases.outcomes.hold_back import hold_back
from tests.factories import make_run, make_suggestion, make_variant
from tests.stall import write
from tests.web.page_rows import set_settings

RULE = brake.judge_kind


def lines(shop):
    with transaction(shop.shop_id) as conn:
        return {line.suggestion_id: line for line in registrations.ledger_lines(conn, shop.shop_id)}


def shift_back(shop, weeks):
    """As if what was registered had been registered so many weeks ago."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT id, record FROM registrations WHERE shop_id = %s AND record IS NOT NULL",
            (shop.shop_id,),
        )
        for number, record in cur.fetchall():
            for name in ("pre_from", "first_on", "stop_on"):
                moved = date.fromisoformat(record[name][:10]) - timedelta(weeks=weeks)
                record[name] = moved.isoformat()
            cur.execute(
                "UPDATE registrations SET record = %s, first_on = %s, stop_on = %s WHERE shop_id = %s AND id = %s",
                (
                    outcomes_json(record),
                    record["first_on"][:10],
                    record["stop_on"][:10],
                    shop.shop_id,
                    number,
                ),
            )


def outcomes_json(record):
    from psycopg2.extras import Json

    return Json(record)


def test_a_registration_fixes_window_metric_and_comparison_before_the_write(stall):
    shop, ids, variants = stall
    decide.accept_suggestion(shop.shop_id, ids[0], accepted_by="42")
    assert registering.register_accepted(shop.shop_id, [ids[0]]) == 1
    assert registering.register_accepted(shop.shop_id, [ids[0]]) == 0

    line = lines(shop)[ids[0]]
    assert (line.state, line.kind) == ("measuring", "price_rise")
    assert line.first_on.weekday() == 0
    assert line.first_on > datetime.now(shop.zone).date()
    assert line.stop_on == line.first_on + timedelta(weeks=outcomes.WINDOW_PERIODS)
    with transaction(shop.shop_id) as conn:
        row = registrations.measured(conn, shop.shop_id)[0]
        compared = outcomes.registration_from(row.record).comparison_ids
        assert registrations.open_risk(conn, shop.shop_id) == row.risk == Decimal("27.69")
    assert str(variants[0]) not in compared
    assert len(compared) >= 10
    with transaction(shop.shop_id) as conn:
        assert suggestions.card(conn, shop.shop_id, ids[0]).measured_until == line.stop_on


def test_without_a_cost_or_a_history_the_ledger_says_why_it_is_not_measured(stall):
    shop, _, variants = stall
    new = make_variant(shop, title="Brand new")
    no_cost = make_suggestion(shop, variants[20], evidence={})
    no_history = make_suggestion(shop, new, evidence={"unit_cost": "9.00"})
    for number in (no_cost, no_history):
        write(shop, number)

    found = lines(shop)
    assert found[no_cost].not_measurable_because == "no_cost"
    assert found[no_history].not_measurable_because == "no_history"


def test_a_verdict_comes_once_after_the_stop_date_and_never_before(stall):
    shop, ids, _ = stall
    write(shop, ids[0])
    assert judging.judge_shop(shop.shop_id) == 0
    assert lines(shop)[ids[0]].outcome is None

    shift_back(shop, 8)
    assert judging.judge_shop(shop.shop_id) == 1
    assert judging.judge_shop(shop.shop_id) == 0

    line = lines(shop)[ids[0]]
    assert line.state == "judged"
    assert line.outcome in ("helped", "hurt", "could_not_tell")
    assert line.profit_low <= line.profit <= line.profit_high
    with transaction(shop.shop_id) as conn:
        ledger = ledgers.of_shop(conn, shop.shop_id)
    assert ledger.total.as_json()["decisions"] == 1
    assert set(ledger.rulings.as_json()) == {"price_rise", "price_cut"}


def test_an_undone_decision_stays_in_the_ledger_and_a_void_one_does_not(stall):
    shop, ids, _ = stall
    for number in ids[:2]:
        write(shop, number)
    today = datetime.now(shop.zone).date()
    with transaction(shop.shop_id) as conn:
        registrations.mark_ended(conn, shop.shop_id, ids[0], on=today, because="undone")
        registrations.make_void(conn, shop.shop_id, ids[1])

    found = lines(shop)
    assert set(found) == {ids[0]}
    assert found[ids[0]].not_measurable_because == "ended_early"


def test_the_merchants_later_edit_ends_the_window(stall):
    shop, ids, variants = stall
    write(shop, ids[0])
    shift_back(shop, 4)
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO price_history (shop_id, variant_id, price, seen_at, source, recorded_at)"
            " VALUES (%s, %s, 30, now(), 'merchant', clock_timestamp())",
            (shop.shop_id, variants[0]),
        )
    judging.judge_shop(shop.shop_id)

    line = lines(shop)[ids[0]]
    assert (line.ended_because, line.state) == ("edited", "measuring")


def test_a_restock_and_a_trend_are_in_the_ledger_and_not_measured(acme):
    from tests.web.page_rows import restock_row, trend_row

    for number in (restock_row(acme), trend_row(acme)):
        decide.accept_suggestion(acme.shop_id, number, accepted_by="42")

    assert {line.not_measurable_because for line in lines(acme).values()} == {"not_in_store"}


def ruling(kind, what):
    real = RULE(kind, [], loss_cap=100.0)
    return replace(real, ruling=what, reason="loses_money", judged=5, losers=5, profit=-90.0)


def test_a_kind_that_loses_stops_itself_its_planned_prices_stay_and_the_merchant_can_lift_it(
    stall, monkeypatch
):
    shop, ids, _ = stall
    write(shop, ids[0])
    when = decide.When(datetime.now(UTC) + timedelta(days=3))
    decide.accept_suggestion(shop.shop_id, ids[1], accepted_by="42", when=when)
    monkeypatch.setattr(
        brake,
        "judge_kind",
        lambda kind, *_, **__: ruling(kind, "stop" if kind == "price_rise" else "go"),
    )
    judging.judge_shop(shop.shop_id)

    with transaction(shop.shop_id) as conn:
        stopped = ledgers.brakes_on(conn, shop.shop_id)
        planned = suggestions.card(conn, shop.shop_id, ids[1])
        still_open = suggestions.card(conn, shop.shop_id, ids[2])
    assert [(one.kind, one.ruling.reason) for one in stopped] == [("price_rise", "loses_money")]
    assert (planned.change_state, planned.change_error_code) == ("failed", "brake")
    assert still_open.state == "superseded"

    assert measuring.lift_brake(shop.shop_id, "price_rise", lifted_by="42")
    assert not measuring.lift_brake(shop.shop_id, "price_rise", lifted_by="42")
    with transaction(shop.shop_id) as conn:
        assert ledgers.brakes_on(conn, shop.shop_id) == []


def test_what_was_decided_before_the_brake_was_lifted_is_not_held_against_a_kind_again(
    stall, monkeypatch
):
    shop, ids, _ = stall
    write(shop, ids[0])
    seen = {}
    monkeypatch.setattr(
        brake,
        "judge_kind",
        lambda kind, verdicts, **_: seen.update({kind: len(verdicts)}) or ruling(kind, "go"),
    )
    judging.judge_shop(shop.shop_id)
    assert seen["price_rise"] == 1
    with transaction(shop.shop_id) as conn:
        ledgers.pull_brake(
            conn, shop.shop_id, "price_rise", Ruling.of_json(asdict(ruling("price_rise", "stop")))
        )
    measuring.lift_brake(shop.shop_id, "price_rise", lifted_by="42")
    judging.judge_shop(shop.shop_id)

    assert seen["price_rise"] == 0


def test_nothing_is_held_back_without_consent_and_each_is_drawn_for_once(stall):
    shop, _, variants = stall
    today = datetime.now(shop.zone).date()
    run_id = make_run(shop)
    for variant in variants[6:46]:
        make_suggestion(shop, variant, evidence={"unit_cost": "9.00"}, run_id=run_id)
    assert hold_back(shop.shop_id, run_id=run_id, today=today) == 0

    set_settings(shop, holdback_share="0.20")
    held = hold_back(shop.shop_id, run_id=run_id, today=today)
    assert 9 <= held <= 10  # a fifth of 46, rounded up or down by the draw
    assert hold_back(shop.shop_id, run_id=run_id + 1, today=today) == 0

    kept_back = [line for line in lines(shop).values() if line.is_held_back]
    assert len(kept_back) == held
    assert {line.suggestion_state for line in kept_back} == {"held_back"}
    with transaction(shop.shop_id) as conn:
        resting = suggestions.resting_variants(conn, shop.shop_id, suggestions.SuggestionKind.PRICE, today)  # fmt: skip
        drawn = measuring_settings.drawn_variants(conn, shop.shop_id, today)
    assert len(drawn) == 46
    assert {v for v, is_held in drawn.items() if is_held} <= resting


def test_a_rival_sees_nothing_of_our_ledger(stall, rival):
    shop, ids, _ = stall
    write(shop, ids[0])
    with transaction(rival.shop_id) as conn, conn.cursor() as cur:
        for table in ("registrations", "ledgers", "verdicts", "brakes", "holdback_draws"):
            cur.execute(f"SELECT count(*) FROM {table}")
            assert cur.fetchone() == (0,), table
    assert lines(rival) == {}


def test_a_model_that_fails_does_not_keep_a_click_from_being_carried_out(stall, monkeypatch):
    shop, ids, _ = stall

    def broken(*_, **__):
        raise ZeroDivisionError("no weeks")

    monkeypatch.setattr(outcomes, "register", broken)
    write(shop, ids[0])

    assert lines(shop)[ids[0]].not_measurable_because == "not_registered"


def test_the_week_that_is_under_way_is_not_looked_at():
    assert monday_of(date(2026, 11, 25)) == date(2026, 11, 23)
    assert monday_of(date(2026, 11, 23)) == date(2026, 11, 23)


def test_the_operator_can_have_what_is_due_judged_now(stall, capsys):
    shop, ids, _ = stall
    write(shop, ids[0])
    shift_back(shop, 8)

    assert cli.main(["judge", "--shop", shop.domain, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["judged"], told["total"]["decisions"]) == (1, 1)
