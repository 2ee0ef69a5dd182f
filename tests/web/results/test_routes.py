"""Results and bulk changes as pages and JSON: ranges with every figure, losers shown, a rival sees nothing."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import calibrations, issued_ranges, ledgers, registrations
from shopify_app.db.calibrations import CalibrationRow
from shopify_app.db.connection import transaction
from shopify_app.db.issued_ranges import NewRange
from shopify_app.domain.outcome import (
    LedgerTotal,
    MoveKind,
    NewRegistration,
    NewVerdict,
    RegistrationState,
    Ruling,
    Rulings,
    VerdictOutcome,
)
from shopify_app.usecases.decisions import decide
from shopify_app.web import create_app, wording
from tests.factories import basis, make_variant
from tests.web.openapi import check
from tests.web.page_rows import as_json, bearer, price_row, restock_row, set_change, set_settings

DAY = datetime.now(UTC).date()
TOTAL = {
    "outcome": "helped",
    "basis": "held_back",
    "profit": 310.0,
    "profit_low": 40.0,
    "profit_high": 580.0,
}


@pytest.fixture
def client(database):
    return create_app().test_client()


def judged(shop, outcome, profit, *, title, is_held_back=False):
    """An accepted price with its verdict."""
    number = price_row(shop, title=title)
    decide.accept_suggestion(shop.shop_id, number, accepted_by="42")
    set_change(shop, number, "applied", seen="26.00")
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("SELECT variant_id FROM suggestions WHERE id = %s", (number,))
        variant_id = cur.fetchone()[0]
        registrations.add(
            conn,
            shop.shop_id,
            [
                NewRegistration(
                    number,
                    variant_id,
                    MoveKind.PRICE_RISE,
                    is_held_back,
                    RegistrationState.MEASURING,
                    "gross_profit",
                    None,
                    DAY,
                    DAY + timedelta(days=42),
                    {},
                    basis(),
                    Decimal(0),
                )
            ],
        )
        if outcome:
            registration = registrations.measured(conn, shop.shop_id)[-1]
            low, mid, high = (Decimal(value) for value in profit)
            registrations.add_verdicts(
                conn,
                shop.shop_id,
                [NewVerdict(registration.id, VerdictOutcome(outcome), mid, low, high, {})],
                currency=shop.currency,
                as_of=DAY,
            )
    return number


def keep_total(shop, total, rulings=None):
    with transaction(shop.shop_id) as conn:
        ledgers.keep(
            conn,
            shop.shop_id,
            as_of=DAY,
            total=None if total is None else LedgerTotal.of_json(total),
            rulings=Rulings.of_json(rulings or {}),
        )


def test_the_ledger_shows_losers_with_their_ranges_and_what_is_still_measured(client, acme):
    judged(acme, "helped", ("12", "71", "133"), title="Winner")
    judged(acme, "hurt", ("-80", "-40", "-5"), title="Loser")
    judged(acme, None, None, title="Waiting")
    keep_total(acme, TOTAL)

    page = client.get("/results", headers=bearer(acme)).text
    body = client.get("/results", headers=as_json(acme))

    assert "Your price changes have brought about +£310" in page
    assert "likely +£40 to +£580" in page
    for words in ("Loser", "−£40", "−£80 to −£5", "Hurt", "Being measured", "held back by lot"):
        assert words in page
    check(body, "/results")
    assert [line["verdict"] and line["verdict"]["outcome"] for line in body.json["decisions"]] == [
        None,
        "hurt",
        "helped",
    ]


@pytest.mark.parametrize(
    ("total", "words"),
    [
        (None, "Nothing measured yet"),
        ({"outcome": "too_early", "basis": "none", "profit": None}, "Too early to tell"),
        (
            TOTAL | {"outcome": "could_not_tell", "profit_low": -20.0, "basis": "matched"},
            "We cannot tell yet",
        ),
        (
            TOTAL
            | {"outcome": "hurt", "profit": -90.0, "profit_low": -150.0, "profit_high": -20.0},
            "have cost about −£90",
        ),
    ],
)
def test_the_total_never_says_more_than_was_measured(client, acme, total, words):
    keep_total(acme, total)

    assert words in client.get("/results", headers=bearer(acme)).text


def test_a_receipt_says_what_it_was_until_when_it_is_measured_and_the_verdict(client, acme):
    waiting = judged(acme, None, None, title="Waiting")
    hurt = judged(acme, "hurt", ("-80", "-40", "-5"), title="Loser")

    shown = client.get(f"/suggestions/{waiting}", headers=as_json(acme)).json["suggestion"]
    loser = client.get(f"/suggestions/{hurt}", headers=as_json(acme)).json["suggestion"]

    assert "was £24.00" in shown["outcome"]
    assert "Measuring until" in shown["outcome"]
    assert "Hurt: −£40, likely −£80 to −£5." in loser["outcome"]
    assert loser["verdict"] == {
        "outcome": "hurt",
        "profit": "-40.00",
        "low": "-80.00",
        "high": "-5.00",
    }


def test_an_unknown_end_names_both_prices(client, acme):
    number = price_row(acme)
    decide.accept_suggestion(acme.shop_id, number, accepted_by="42")
    set_change(acme, number, "unknown", seen="25.00")

    page = client.get(f"/suggestions/{number}", headers=bearer(acme)).text
    assert "when we set £26.00, and your store now shows £25.00" in page


def test_the_brake_says_why_and_only_the_merchant_lifts_it(client, acme, rival):
    with transaction(acme.shop_id) as conn:
        ledgers.pull_brake(conn, acme.shop_id, "price_rise", Ruling(reason="loses_money", judged=5))

    page = client.get("/results", headers=bearer(acme)).text
    assert "We have stopped suggesting price rises" in page
    assert "they lose money in your store (5 measured)" in page
    release = "/results/brakes/price_rise/release"
    path = "/results/brakes/{kind}/release"
    check(client.post(release, headers=as_json(rival)), path, "post")
    assert client.post(release, headers=as_json(rival)).status_code == 404
    check(client.post(release, headers=as_json(acme)), path, "post")
    assert "We have stopped" not in client.get("/pricing", headers=bearer(acme)).text


def test_a_kind_that_waits_says_so(client, acme):
    keep_total(acme, None, {"price_cut": {"ruling": "wait", "reason": "cap_near"}})

    assert "We wait with price cuts" in client.get("/pricing", headers=bearer(acme)).text


def test_preview_confirm_show_stop_and_undo_answer_as_documented(client, acme, rival):
    ids = [price_row(acme, title=f"Thing {number}") for number in range(3)]
    sent = {
        "ids": ids,
        "first_at": (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT09:00"),
        "stages": 3,
    }

    seen = client.post("/rollouts/previews", json=sent, headers=as_json(acme))
    check(seen, "/rollouts/previews", "post")
    assert seen.json["may_go"]
    check(
        client.post("/rollouts/previews", json=sent, headers=as_json(rival)),
        "/rollouts/previews",
        "post",
    )
    made = client.post("/rollouts", json=sent, headers=as_json(acme))
    check(made, "/rollouts", "post")
    number = made.json["rollout"]["id"]
    assert [stage["prices"] for stage in made.json["stages"]] == [1, 1, 1]
    for asking in (acme, rival):
        check(client.get(f"/rollouts/{number}", headers=as_json(asking)), "/rollouts/{rollout_id}")
        for act in ("stop", "undo"):
            answer = client.post(f"/rollouts/{number}/{act}", headers=as_json(asking))
            check(answer, f"/rollouts/{{rollout_id}}/{act}", "post")
    assert client.get(f"/rollouts/{number}", headers=as_json(rival)).status_code == 404


def test_the_page_of_a_preview_names_every_limit_and_a_broken_one_keeps_the_button_away(
    client, acme
):
    number = price_row(acme)
    good = client.post("/rollouts/previews", data={"ids": [number]}, headers=bearer(acme)).text
    set_settings(acme, max_price_step="0.05")
    bad = client.post("/rollouts/previews", data={"all": "1"}, headers=bearer(acme)).text
    refused = client.post("/rollouts", data={"ids": [number]}, headers=bearer(acme))

    assert "Change 1 price<" in good
    assert "Largest step 8%; your limit is 5%." in bad
    assert "Change 1 price<" not in bad
    assert refused.status_code == 422
    assert "A limit is not kept, so nothing was changed." in refused.text


def test_several_are_undone_each_with_its_reason(client, acme):
    done, conflict = restock_row(acme), price_row(acme)
    for number in (done, conflict):
        decide.accept_suggestion(acme.shop_id, number, accepted_by="42")
    set_change(acme, conflict, "conflict", seen="25.00")

    answer = client.post(
        "/suggestions/undos", json={"ids": [done, conflict, 999]}, headers=as_json(acme)
    )

    check(answer, "/suggestions/undos", "post")
    assert [r["refused_because"] for r in answer.json["results"]] == [None, "conflict", "not_found"]


def test_a_rival_sees_none_of_our_results(client, acme, rival):
    judged(acme, "helped", ("12", "71", "133"), title="Winner")
    keep_total(acme, TOTAL)

    body = client.get("/results", headers=as_json(rival)).json
    assert (body["decisions"], body["held_back"], body["total"], body["stopped"]) == (
        [],
        [],
        None,
        [],
    )


def test_settings_keep_consent_and_cap_and_say_what_is_wrong(client, acme):
    assert (
        client.get("/settings", headers=as_json(acme)).json["settings"]["holdback_share"] == "0.00"
    )
    saved = client.post(
        "/settings", json={"holdback_share": 10, "loss_cap": 250}, headers=as_json(acme)
    )
    assert saved.json["settings"]["holdback_share"] == "0.10"
    assert saved.json["settings"]["loss_cap"] == "250.00"
    wrong = client.post("/settings", json={"holdback_share": 40}, headers=as_json(acme))
    assert set(wrong.json["errors"]) == {"holdback_share"}


def test_every_reason_and_limit_has_its_words():
    assert set(wording.LIMITS) == set(wording.LIMITS_BROKEN)
    assert set(wording.VERDICTS) == {outcome.value for outcome in VerdictOutcome}
    assert {"prices_frozen", "not_found", "conflict", "unknown"} <= set(wording.UNDO_REFUSALS)


def keep_ranges(shop, **level):
    record = {
        "level": 0.8,
        "count": 240,
        "weeks": 6,
        "held": 0.79,
        "held_low": 0.76,
        "held_high": 0.82,
        "below": 0.11,
        "above": 0.10,
        "held_plainly": 0.83,
        "is_known": True,
    } | level
    with transaction(shop.shop_id) as conn:
        found = CalibrationRow(
            DAY, {"levels": [record], "parts": [], "left_out": 12}, {"0.8": 0.81}
        )
        calibrations.keep(conn, shop.shop_id, found)


def test_before_any_range_is_due_the_page_says_when_the_first_will_be(client, acme):
    assert "No range has been given yet." in client.get("/results", headers=bearer(acme)).text
    variant_id, due_on = make_variant(acme), date(2026, 12, 23)
    given = NewRange(variant_id, due_on - timedelta(days=28), due_on, 0.8, 0.8, 3.0, 1, 6, 0.5, 0.5)
    with transaction(acme.shop_id) as conn:
        issued_ranges.add(conn, acme.shop_id, [given])

    body = client.get("/results", headers=as_json(acme))

    assert (
        "The first ranges come due on Dec 23." in client.get("/results", headers=bearer(acme)).text
    )
    check(body, "/results")
    assert (body.json["ranges"], body.json["next_ranges_due_on"]) == (None, "2026-12-23")


@pytest.mark.parametrize(
    ("level", "words", "is_bad"),
    [
        (
            {},
            "That is as we said, as far as can be told. 11% sold less than the range, 10% sold more.",
            False,
        ),
        (
            {"held": 0.6, "held_low": 0.55, "held_high": 0.65},
            "less than we said: we have been too sure",
            True,
        ),
        ({"held": 0.9, "held_low": 0.87, "held_high": 0.93}, "wider than they need be", False),
        (
            {"count": 29, "is_known": False, "held": 0.2},
            "29 ranges have come due: too few to say how often they hold.",
            False,
        ),
    ],
)
def test_ranges_that_did_not_hold_are_said_as_plainly_as_those_that_did(
    client, acme, level, words, is_bad
):
    keep_ranges(acme, **level)

    page = client.get("/results", headers=bearer(acme)).text
    body = client.get("/results", headers=as_json(acme))

    assert words in page
    assert ("Too sure" in page) == is_bad
    assert "12 more are left out" in page
    check(body, "/results")
    assert body.json["ranges"]["levels"][0]["count"] == level.get("count", 240)


def test_the_share_that_held_stands_with_its_range_in_both_languages(client, acme, rival):
    keep_ranges(acme)

    english = client.get("/results", headers=bearer(acme)).text
    chinese = client.get("/results?locale=zh-CN", headers=bearer(acme)).text
    other = client.get("/results", headers=as_json(rival)).json

    assert "Of our last 240 ranges marked 80%, 79% held (76% to 82%)." in english
    assert "最近 240 个标为 80% 的区间中，79% 命中（76% 至 82%）。" in chinese
    assert (other["ranges"], other["ranges_words"]) == (None, "No range has been given yet.")
