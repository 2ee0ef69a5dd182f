"""Nothing is not called something; a known effect is found and held; losers are shown; all of it is JSON."""

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shopify_app.analytics.outcomes.portfolio import hold_back, judge_portfolio
from shopify_app.analytics.outcomes.records import Decision, registration_from, verdict_from
from shopify_app.analytics.outcomes.registration import register
from shopify_app.analytics.outcomes.verdicts import judge

WEEK = np.timedelta64(7, "D")
START = np.datetime64("2025-01-06", "s")
FIRST, STOP = START + 32 * WEEK, START + 38 * WEEK


def counts(seed, n=300, weeks=38):
    """A shop with a shock of the whole shop in the window, and products that wander on their own."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(1.0, 0.7, (n, 1)) + 0.08 * rng.normal(size=(n, weeks)).cumsum(1))
    shop = np.where(np.arange(weeks) >= 32, 1.6, 1.0)
    return rng.poisson(level * shop).astype(float)


def as_history(units):
    n, weeks = units.shape
    return pd.DataFrame(
        {
            "series_id": np.repeat([f"p{row}" for row in range(n)], weeks),
            "period": np.tile(START + np.arange(weeks) * WEEK, n),
            "units": units.ravel(),
        }
    )


def decisions(rows, before=5.0, after=5.0):
    return [Decision(f"d{row}", f"p{row}", "price_rise", before, after) for row in rows]


def test_a_shock_of_the_whole_shop_is_not_called_an_effect():
    outcomes = []
    for seed in range(4):
        history = as_history(counts(seed))
        found = register(history, decisions(range(60)), first_on=FIRST)
        outcomes += [v.outcome for v in judge(history, found, as_of=STOP)]
    claims = np.isin(outcomes, ["helped", "hurt"]).mean()

    # 240 products, nominal .10: four deviations of chance are .077
    assert 0.10 - 0.078 <= claims <= 0.10 + 0.078
    assert "not_measurable" not in outcomes[:10]


def test_eighty_percent_ranges_hold_a_true_nothing():
    held = []
    for seed in range(4, 8):
        history = as_history(counts(seed))
        for v in judge(
            history, register(history, decisions(range(60)), first_on=FIRST), as_of=STOP
        ):
            held.append(v.profit_low <= 0 <= v.profit_high)

    assert 0.70 <= np.mean(held) <= 0.90


def test_a_portfolio_that_helped_is_found_and_its_range_holds_the_truth():
    found, held = [], []
    for seed in range(8):
        units, rng = counts(seed, n=400), np.random.default_rng(seed)
        plain = as_history(units)
        registrations = register(
            plain,
            decisions(range(100)),
            first_on=FIRST,
            held_back=[f"d{r}" for r in range(85, 100)],
        )
        more = rng.binomial(units[:85, 32:].astype(int), 0.25)
        units[:85, 32:] += more
        verdict = judge_portfolio(as_history(units), registrations, as_of=STOP, draws=299)
        found.append(verdict.outcome == "helped")
        held.append(verdict.profit_low <= 5.0 * more.sum() <= verdict.profit_high)

    assert sum(found) >= 7
    assert sum(held) >= 4  # eight ranges of 80 %: fewer than four hold in one run of a hundred


def test_a_dearer_price_that_loses_too_many_sales_hurts_and_is_listed():
    units = counts(1, n=400)
    registrations = register(as_history(units), decisions(range(80), 5.0, 5.5), first_on=FIRST)
    units[:80, 32:] = np.random.default_rng(2).binomial(units[:80, 32:].astype(int), 0.55)
    history = as_history(units)
    verdict = judge_portfolio(history, registrations, as_of=STOP)

    assert verdict.outcome == "hurt" and verdict.profit_high_90 < 0
    assert verdict.losers_profit < 0 and len(verdict.loser_ids) > 40
    assert verdict.basis == "matched" and verdict.drawn_p_value is None


def test_before_the_stop_date_nothing_is_said():
    history = as_history(counts(3))
    registrations = register(history, decisions(range(5)), first_on=FIRST)
    early = judge(history, registrations, as_of=STOP - WEEK)
    running = judge(history, registrations, as_of=STOP - WEEK, is_running=True)

    assert {v.outcome for v in early} == {"too_early"} and all(v.profit is None for v in early)
    assert {v.outcome for v in running} == {"too_early"}
    assert all(v.profit is not None for v in running)
    assert judge_portfolio(history, registrations, as_of=STOP - WEEK).outcome == "too_early"


def test_a_decision_undone_is_judged_on_the_weeks_it_stood():
    history = as_history(counts(3))
    registrations = register(history, decisions(range(2)), first_on=FIRST)
    ended = {"d0": FIRST + 4 * WEEK, "d1": FIRST + WEEK}
    short, never = judge(history, registrations, as_of=STOP, ended=ended)

    assert short.periods_judged == 4 and short.outcome != "too_early"
    assert never.outcome == "not_measurable" and never.reason == "ended_early"


def test_who_is_compared_with_is_fixed_before_and_leaves_out_substitutes_and_what_changes():
    history = as_history(counts(5))
    (one,) = register(
        history,
        [Decision("d0", "p0", "price_rise", 5.0, 5.5, substitutes=("p7", "p8"))],
        first_on=FIRST,
        under_change=["p9"],
    )

    assert not {"p0", "p7", "p8", "p9"} & set(one.comparison_ids)
    assert len(one.comparison_ids) == 199 and one.stop_on == "2025-09-29"
    later = history.assign(units=np.where(history["period"] >= FIRST, 99.0, history["units"]))
    assert register(
        later,
        [Decision("d0", "p0", "price_rise", 5.0, 5.5, substitutes=("p7", "p8"))],
        first_on=FIRST,
        under_change=["p9"],
    ) == [one]


def test_a_comparison_product_whose_price_changed_since_leaves():
    history = as_history(counts(5))
    registrations = register(history, decisions([0]), first_on=FIRST)
    gone = registrations[0].comparison_ids[:50]

    assert judge(history, registrations, as_of=STOP, changed=gone)[0].comparisons_used == 149


def test_a_product_without_a_past_or_a_shop_too_small_says_so():
    units = counts(6, n=15)
    units[0, :30] = 0
    history = as_history(units)
    new, small = register(history[history["units"] > 0], decisions([0, 1]), first_on=FIRST)

    assert new.not_measurable_because == "no_history"
    assert small.not_measurable_because == "too_few_comparisons"
    assert {v.outcome for v in judge(history, [new, small], as_of=STOP)} == {"not_measurable"}


def test_more_sales_tell_a_smaller_effect():
    units = counts(7)
    units[0], units[1] = 200 + units[0], np.minimum(units[1], 2)
    many, few = register(as_history(units), decisions([0, 1]), first_on=FIRST)

    assert many.detectable_share < 1
    assert few.detectable_share is None or few.detectable_share > many.detectable_share


def test_records_go_through_json_and_come_back():
    history = as_history(counts(8))
    registrations = register(history, decisions(range(6)), first_on=FIRST, held_back=["d0"])
    verdicts = judge(history, registrations, as_of=STOP)
    total = judge_portfolio(history, registrations, as_of=STOP, draws=99)

    for one in registrations:
        assert registration_from(json.loads(json.dumps(asdict(one), allow_nan=False))) == one
    for one in verdicts:
        assert verdict_from(json.loads(json.dumps(asdict(one), allow_nan=False))) == one
    json.dumps(asdict(total), allow_nan=False)
    assert total.held_back == 1 and total.decisions == 5


def test_the_same_history_and_seed_give_the_same_verdict():
    history = as_history(counts(9))
    registrations = register(history, decisions(range(20)), first_on=FIRST)
    first = judge_portfolio(history, registrations, as_of=STOP, draws=99, seed=4)
    again = judge_portfolio(
        history.sample(frac=1, random_state=1), registrations, as_of=STOP, draws=99, seed=4
    )

    assert first == again


@settings(max_examples=60, deadline=None)
@example(ids={"\x00"}, share=0.5, seed=0)
@given(st.sets(st.text(min_size=1, max_size=5), max_size=40), st.floats(0, 0.5), st.integers(0, 99))
def test_the_draw_of_the_held_back_is_the_same_whatever_the_order(ids, share, seed):
    one, other = sorted(ids), sorted(ids, reverse=True)
    held = hold_back(one, share, seed)

    assert held == hold_back(other, share, seed)
    assert set(held) <= ids
    assert abs(len(held) - share * len(ids)) < 1


def test_the_draw_holds_back_the_right_share_and_everyone_alike():
    ids = [f"s{number}" for number in range(5)]
    drawn = [hold_back(ids, 0.15, seed) for seed in range(2000)]
    each = [sum(name in held for held in drawn) / 2000 for name in ids]

    assert np.allclose(each, 0.15, atol=0.035)


def test_what_cannot_be_is_refused():
    history = as_history(counts(1, n=40))
    with pytest.raises(ValueError, match="share"):
        hold_back(["a"], 0.6, 1)
    with pytest.raises(ValueError, match="twice"):
        hold_back(["a", "a"], 0.1, 1)
    with pytest.raises(ValueError, match="twice"):
        register(history, decisions([1, 1]), first_on=FIRST)
    with pytest.raises(ValueError, match="units"):
        register(history.assign(units=-1.0), decisions([1]), first_on=FIRST)


def test_what_was_held_back_is_judged_at_its_old_price():
    history = as_history(counts(2))
    registrations = register(history, decisions([0], 5.0, 9.0), first_on=FIRST, held_back=["d0"])
    done = [replace(registrations[0], is_held_back=False, unit_profit_after=5.0)]

    (held,), (kept,) = (judge(history, found, as_of=STOP) for found in (registrations, done))
    assert held.profit == kept.profit and held.is_held_back
