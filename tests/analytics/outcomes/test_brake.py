"""A kind that loses stops or waits, one that helps goes on, whatever day one looks."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopify_app.analytics.outcomes.brake import boundary, judge_kind, worst_loss
from shopify_app.analytics.outcomes.records import Verdict


def verdict(profit, sd=10.0, weeks=6, kind="price_rise", is_held_back=False):
    return Verdict(
        decision_id="d",
        series_id="p",
        kind=kind,
        outcome="too_early",
        first_on="2025-01-06",
        judged_through="2025-02-17",
        is_held_back=is_held_back,
        profit=profit,
        profit_low=None,
        profit_high=None,
        profit_low_90=None,
        profit_high_90=None,
        profit_sd=sd,
        units=None,
        units_low=None,
        units_high=None,
        counts_seen=None,
        counts_expected=None,
        p_value=None,
        periods_judged=weeks,
        comparisons_used=199,
        reason=None,
    )


def test_a_new_kind_may_open_a_few_and_no_more():
    first = judge_kind("price_rise", [], loss_cap=100)
    full = judge_kind("price_rise", [], loss_cap=100, open_risks=[5] * 4)

    assert (first.ruling, first.reason, first.may_open) == ("go", "new", 4)
    assert first.risk_room < 100
    assert full.may_open == 0


def test_four_clear_losers_stop_a_kind():
    ruling = judge_kind("price_rise", [verdict(-25.0)] * 4, loss_cap=10_000)

    assert (ruling.ruling, ruling.reason, ruling.may_open) == ("stop", "loses_money", 0)
    assert ruling.losers == 4 and ruling.profit == -100 and ruling.profit_high < 0


def test_four_that_look_like_losing_wait_and_stop_after_two_windows():
    early = judge_kind("price_rise", [verdict(-9.0)] * 4, loss_cap=10_000)
    late = judge_kind("price_rise", [verdict(-9.0, weeks=12)] * 4, loss_cap=10_000)

    assert (early.ruling, early.reason, early.may_open) == ("wait", "first_ones_lost", 0)
    assert (late.ruling, late.reason) == ("stop", "loses_money")


def test_a_kind_that_earned_may_have_more_open():
    ruling = judge_kind("price_rise", [verdict(8.0)] * 5, loss_cap=10_000, open_risks=[1.0] * 5)

    assert (ruling.ruling, ruling.reason) == ("go", "measured_well")
    assert ruling.may_open == 15


def test_a_loss_near_the_cap_stops_what_looks_bad_and_holds_what_does_not():
    bad = judge_kind("price_rise", [verdict(-9.0)] * 4, loss_cap=40, open_risks=[5])
    unknown = judge_kind("price_rise", [verdict(-1.0)] * 2, loss_cap=40, open_risks=[40])

    assert (bad.ruling, bad.reason) == ("stop", "cap_near")
    assert (unknown.ruling, unknown.reason, unknown.may_open) == ("wait", "cap_near", 0)
    assert unknown.risk_room == 0


def test_other_kinds_and_what_was_held_back_say_nothing_of_this_one():
    ruling = judge_kind(
        "price_rise",
        [verdict(-99.0, kind="price_cut"), verdict(-99.0, is_held_back=True), verdict(None)],
        loss_cap=100,
    )

    assert ruling.judged == 0 and ruling.reason == "new"


def test_one_wholesale_order_stops_no_kind():
    ruling = judge_kind("price_rise", [verdict(5.0)] * 6 + [verdict(-900.0)], loss_cap=10_000)

    assert ruling.ruling == "go"


def test_looking_every_week_seldom_stops_a_kind_that_does_nothing():
    stopped = 0
    for seed in range(200):
        path = np.random.default_rng(seed).normal(0, 10, 100).cumsum()
        stopped += any(path[n] < -boundary(100.0 * (n + 1), [10.0] * (n + 1)) for n in range(100))

    assert stopped / 200 <= 0.05 + 0.04


def test_a_kind_that_loses_a_lot_is_stopped_by_most_paths_within_ten():
    stopped = 0
    for seed in range(200):
        each = np.random.default_rng(seed).normal(-15, 10, 10)
        stopped += any(
            judge_kind("price_rise", [verdict(p) for p in each[:n]], loss_cap=1e9).ruling == "stop"
            for n in range(2, 11)
        )

    assert stopped / 200 > 0.9


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-100, 100), max_size=12),
    st.lists(st.floats(0, 50), max_size=6),
    st.floats(1, 1000),
)
def test_a_ruling_adds_up_whatever_came(profits, risks, cap):
    ruling = judge_kind("price_rise", [verdict(p) for p in profits], loss_cap=cap, open_risks=risks)

    assert ruling.ruling == "go" or ruling.may_open == 0
    assert ruling.losers + ruling.winners <= ruling.judged == len(profits)
    assert (
        ruling.loss_so_far + ruling.open_risk + ruling.risk_room
        <= max(cap, ruling.loss_so_far + ruling.open_risk) + 1e-6
    )
    json.dumps(asdict(ruling), allow_nan=False)


def test_what_a_price_may_lose_is_more_for_longer_and_for_larger_steps():
    month = worst_loss(100, 4, price_change=0.1, margin_share=0.5)

    assert 0 < month < worst_loss(100, 8, price_change=0.1, margin_share=0.5)
    assert worst_loss(100, 4, price_change=-0.1, margin_share=0.5) > worst_loss(
        100, 4, price_change=-0.05, margin_share=0.5
    )


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="cap"):
        judge_kind("price_rise", [], loss_cap=0)
    with pytest.raises(ValueError, match="risks"):
        judge_kind("price_rise", [], loss_cap=1, open_risks=[-1])
