"""Ranges of a run are given once a shop's week, scored when due, left out where nothing could be sold."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shopify_app.advice import inputs as advice_inputs
from shopify_app.advice import work_out
from shopify_app.db import calibrations, issued_ranges, suggestions
from shopify_app.db.calibrations import CalibrationRow
from shopify_app.db.connection import transaction
from shopify_app.usecases.suggestions import explain, suggest
from shopify_app.usecases.suggestions import ranges as range_upkeep
from tests.factories import rows
from tests.kept_worlds import installed


def standing(shop):
    """The run's own inputs of today."""
    found = rows(shop, "SELECT inputs FROM suggestion_runs ORDER BY id DESC LIMIT 1")
    return advice_inputs.from_bytes(bytes(found[0][0]))


def given(shop):
    return rows(
        shop,
        "SELECT variant_id, issued_on, due_on, low, high, actual, left_out_because FROM issued_ranges ORDER BY 2, 1",
    )


def known(shop):
    with transaction(shop.shop_id) as conn:
        return calibrations.of_shop(conn, shop.shop_id)


def come_true(shop, units_of):
    """Let every variant sell so many units within its range's days, and never be short of stock."""
    ranges = given(shop)
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        for variant_id, first, *_, low, high, _, _ in ranges:
            cur.execute(
                "DELETE FROM daily_sales WHERE variant_id = %s AND sold_on >= %s",
                (variant_id, first),
            )
            cur.execute(
                "INSERT INTO daily_sales VALUES (%s, %s, %s, %s, 0, 1, 1, 10, 10)",
                (shop.shop_id, variant_id, first + timedelta(days=3), units_of(low, high)),
            )
        cur.execute("DELETE FROM inventory_history")


def too_sure(shop, used):
    """Let the shop's past ask for another level in place of 80 %."""
    day = rows(shop, "SELECT max(as_of) FROM suggestion_runs")[0][0]
    with transaction(shop.shop_id) as conn:
        calibrations.keep(conn, shop.shop_id, CalibrationRow(day, {"levels": []}, {"0.8": used}))


@pytest.fixture
def shop(world):
    return installed(world)


def test_a_run_gives_a_range_of_each_tracked_variant_and_none_twice_in_a_week(shop):
    inputs = standing(shop)
    first = given(shop)
    tracked = inputs.variants.loc[inputs.variants["is_tracked"], "variant_id"]
    suggest.refresh_suggestions(shop.shop_id)
    range_upkeep.keep_up(shop, replace(inputs, as_of=inputs.closed_on + timedelta(days=6)))

    assert sorted(one[0] for one in first) == sorted(tracked)
    assert {one[1:3] for one in first} == {(inputs.as_of, inputs.as_of + timedelta(days=28))}
    assert given(shop) == first
    range_upkeep.keep_up(shop, replace(inputs, as_of=inputs.closed_on + timedelta(days=7)))
    assert len(given(shop)) == 2 * len(first)


def test_only_the_best_sellers_of_a_large_shop_get_one(shop, monkeypatch):
    inputs = standing(shop)
    monkeypatch.setattr(range_upkeep, "MOST", 3)
    forecast = inputs.demand.forecast
    expected = forecast.mean[:, :4].sum(axis=1)

    made = range_upkeep.ranges_to_give(inputs)

    assert sorted(one.expected for one in made) == pytest.approx(sorted(expected)[-3:])
    by_variant = dict(zip(forecast.series_ids, expected, strict=True))
    assert all(one.expected == pytest.approx(by_variant[one.variant_id]) for one in made)


@pytest.mark.parametrize(
    ("units_of", "held", "above"),
    [(lambda low, high: high + 1, 0.0, 1.0), (lambda low, high: (low + high) // 2, None, 0.0)],
)
def test_what_is_due_is_held_against_what_came(shop, units_of, held, above):
    inputs = standing(shop)
    come_true(shop, units_of)
    due_on = inputs.as_of + timedelta(days=28)
    range_upkeep.keep_up(shop, replace(inputs, as_of=due_on))
    assert known(shop) is None  # the last day's orders may still come in
    range_upkeep.keep_up(shop, replace(inputs, as_of=due_on + timedelta(days=1)))

    level = known(shop).record["levels"][0]
    first = [one for one in given(shop) if one[1] == inputs.as_of]
    assert [one[5] for one in first] == [units_of(one[3], one[4]) for one in first]
    assert (level["level"], level["count"], level["above"]) == (0.8, len(first), above)
    assert level["held"] == held if held is not None else level["held"] > 0.7
    assert level["is_known"] == (len(first) >= 30)
    assert known(shop).record["left_out"] == 0


def test_a_variant_that_was_out_of_stock_is_left_out(shop):
    inputs = standing(shop)
    come_true(shop, lambda low, high: high)
    gone = given(shop)[0][0]
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO inventory_history SELECT v.shop_id, v.inventory_item_id, l.id, %s, 0"
            " FROM variants v, (SELECT min(id) AS id FROM locations) l WHERE v.id = %s",
            (inputs.as_of + timedelta(days=3), gone),
        )
    range_upkeep.keep_up(shop, replace(inputs, as_of=inputs.as_of + timedelta(days=29)))

    first = [one for one in given(shop) if one[1] == inputs.as_of]
    assert [one[0] for one in first if one[6] == "out_of_stock" and one[5] is None] == [gone]
    assert known(shop).record["left_out"] == 1
    assert known(shop).record["levels"][0]["count"] == len(first) - 1


def test_a_shop_that_tracks_nothing_gives_none_and_a_rivals_run_touches_none_of_ours(shop, rival):
    inputs = standing(shop)
    come_true(shop, lambda low, high: high)
    before = given(shop)
    range_upkeep.keep_up(rival, replace(inputs, as_of=inputs.as_of + timedelta(days=60)))
    range_upkeep.keep_up(rival, replace(inputs, demand=None))

    assert given(rival) == []
    assert (given(shop), known(shop), known(rival)) == (before, None, None)
    with transaction(rival.shop_id) as conn:
        assert issued_ranges.last_issued_on(conn, rival.shop_id) is None


def test_a_correction_in_force_is_in_the_ranges_given_and_on_cards_and_orders_stay(shop):
    first = standing(shop)
    before = {one.variant_id: one for one in work_out.work_out(first, seed=0).suggestions}
    plain = {one.variant_id: one for one in range_upkeep.ranges_to_give(first)}
    too_sure(shop, 0.95)
    suggest.refresh_suggestions(shop.shop_id, as_of=first.as_of)
    inputs = standing(shop)
    asked = {one.variant_id: one for one in range_upkeep.ranges_to_give(inputs)}

    assert inputs.range_level == 0.95
    assert {(one.level, one.used_level) for one in asked.values()} == {(0.8, 0.95)}
    assert all(one.high >= plain[variant].high for variant, one in asked.items())
    assert any(one.high > plain[variant].high for variant, one in asked.items())
    with transaction(shop.shop_id) as conn:
        cards = suggestions.cards(conn, shop.shop_id, kinds=("restock",))
    assert cards
    for card in cards:
        usual = before[card.variant_id]
        assert card.proposal.units == usual.proposal.units
        assert card.evidence.expected_demand == usual.evidence.expected_demand
        assert card.evidence.demand_high > usual.evidence.demand_high
        assert card.evidence.range_level_asked == 0.95
        assert explain.explain(shop.shop_id, card.id).matches


def test_evidence_comes_out_again_after_the_correction_has_moved_on(shop):
    too_sure(shop, 0.9)
    suggest.refresh_suggestions(shop.shop_id)
    with transaction(shop.shop_id) as conn:
        card = suggestions.cards(conn, shop.shop_id, kinds=("restock",))[0]
    too_sure(shop, 0.6)

    assert explain.explain(shop.shop_id, card.id).matches


def test_a_range_is_judged_as_given_and_no_step_is_taken_on_a_step(shop):
    """Of ranges asked for at 95 %, 80 % hold: as said, so the next are asked for at 95 % again, not wider."""
    inputs = standing(shop)
    corrected = replace(inputs, settings=inputs.settings.with_changes(range_levels={"0.8": 0.95}))
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("DELETE FROM issued_ranges")
        for week in range(20):
            day = inputs.closed_on + timedelta(days=7 * week)
            given_then = range_upkeep.ranges_to_give(replace(corrected, as_of=day))
            issued_ranges.add(conn, shop.shop_id, given_then)
        cur.execute(
            "UPDATE issued_ranges SET low_share = 1, high_share = 1,"
            " actual = CASE WHEN (variant_id + (issued_on - %s)) %% 5 = 0 THEN high + 1 ELSE high END",
            (inputs.closed_on,),
        )
        found = range_upkeep._worked_out(conn, shop, inputs.closed_on + timedelta(days=7 * 24))

    level = found.record["levels"][0]
    assert (level["level"], level["is_known"]) == (0.8, True)
    assert level["held"] == pytest.approx(0.8, abs=0.06)
    assert found.corrections["0.8"] == pytest.approx(0.95, abs=0.02)
