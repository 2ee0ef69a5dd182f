"""Demand kept between runs: same day, weeks later, changed by webhooks, of another version; and its evidence."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from shopify_app.advice import demand as demand_advice
from shopify_app.advice import inputs as advice_inputs
from shopify_app.advice.work_out import MODEL_VERSION
from shopify_app.analytics.demand.learned import LearnedDemand
from shopify_app.db import demand_states, suggestion_runs, suggestions
from shopify_app.db.connection import transaction
from shopify_app.usecases.suggestions import explain, suggest
from shopify_app.usecases.suggestions.read_inputs import read_inputs
from tests.kept_worlds import installed


def kept(shop):
    with transaction(shop.shop_id) as conn:
        fit = demand_states.newest_fit(conn, shop.shop_id)
        return fit, fit and demand_states.states_of(conn, shop.shop_id, fit.closed_on)


@pytest.fixture
def shop(world):
    return installed(world)


@pytest.fixture
def inputs(shop):
    """On the day on which the shop's own week closed."""
    return on(shop, kept(shop)[0].closed_on)


def on(shop, day):
    """The shop as a run on a day would see it."""
    with transaction(shop.shop_id) as conn:
        return read_inputs(conn, shop, day)


def brought_up(inputs, fit, states, version=MODEL_VERSION):
    return demand_advice.brought_up(inputs, fit, states, seed=0, version=version)


def earlier(inputs, weeks):
    """The same shop some weeks ago."""
    weekly = inputs.weekly[inputs.weekly["weeks_ago"] >= weeks].copy()
    weekly["weeks_ago"] -= weeks
    return replace(inputs, as_of=inputs.as_of - timedelta(days=7 * weeks), weekly=weekly)


def test_a_run_keeps_a_state_of_every_tracked_variant(shop, inputs):
    fit, states = kept(shop)

    tracked = inputs.variants.loc[inputs.variants["is_tracked"], "variant_id"]
    assert [one.variant_id for one in states] == sorted(tracked)
    assert (fit.fitted_on, fit.model_version) == (fit.closed_on, MODEL_VERSION)


def test_on_the_same_day_nothing_is_fitted_and_nothing_is_written_for_what_did_not_change(
    shop, monkeypatch
):
    fit, states = kept(shop)
    monkeypatch.setattr(demand_advice, "_fitted", None)
    with transaction(shop.shop_id) as conn:
        card = next(one for one in suggestions.cards(conn, shop.shop_id) if one.kind == "restock")
        run = suggestion_runs.inputs_of(conn, shop.shop_id, card.evidence.run_id)

    known, again, moved = brought_up(on(shop, run.as_of), fit, states)

    assert (again, moved) == (fit, [])
    before = advice_inputs.from_bytes(run.inputs).demand.forecast
    np.testing.assert_allclose(known.forecast.mean, before.mean, rtol=1e-4)


def test_only_a_variant_whose_weeks_changed_is_followed_anew(inputs, shop, monkeypatch):
    fit, states = kept(shop)
    weekly = inputs.weekly.copy()
    tracked = [one.variant_id for one in states]
    place = weekly.index[weekly["variant_id"].isin(tracked) & (weekly["units"] > 0)][0]
    weekly.loc[place, "units"] += 5
    variant = int(weekly.loc[place, "variant_id"])
    monkeypatch.setattr(demand_advice, "_fitted", None)

    known, _, moved = brought_up(replace(inputs, weekly=weekly), fit, states)

    assert [one.variant_id for one in moved] == [variant]
    assert [one.mark for one in moved] != [one.mark for one in states if one.variant_id == variant]
    unchanged = brought_up(inputs, fit, states)[0].forecast
    differs = (known.forecast.mean != unchanged.mean).any(axis=1)
    assert known.forecast.series_ids[differs].tolist() == [variant]


def test_a_fingerprint_tells_each_change_of_a_history_and_not_the_order_of_its_rows(inputs):
    weekly, promoted, variants = inputs.weekly, inputs.promoted, inputs.variants
    ids = np.sort(variants.loc[variants["is_tracked"], "variant_id"].to_numpy("int64"))
    sold = weekly["variant_id"].isin(ids) & (weekly["units"] > 0) & (weekly["in_stock"] == 1)
    place = weekly.index[sold & weekly["weeks_ago"].between(0, 40)][0]
    variant, week = weekly.loc[place, ["variant_id", "weeks_ago"]].astype("int64")
    week_on_promotion = pd.DataFrame(
        {"variant_id": [variant], "weeks_ago": [week], "on_promotion": [0.5]}
    ).astype(promoted.dtypes)

    def changed(**values):
        other = weekly.copy()
        for name, value in values.items():
            other[name] = other[name].astype(float)
            other.loc[place, name] = value
        return replace(inputs, weekly=other)

    def differing(other):
        found = demand_advice._fingerprints(other, ids, since=0)
        return ids[found != demand_advice._fingerprints(inputs, ids, since=0)].tolist()

    retyped = variants.copy()
    retyped.loc[retyped["variant_id"] == variant, "product_type"] = "Of another kind"
    units = float(weekly.loc[place, "units"])
    for other in (
        changed(units=units + 1),
        changed(in_stock=0.5),
        changed(units=0.5, in_stock=units),
        changed(weeks_ago=week + 1),
        replace(inputs, promoted=pd.concat([promoted, week_on_promotion])),
        replace(inputs, variants=retyped),
    ):
        assert differing(other) == [variant]
    assert (
        differing(
            replace(inputs, weekly=weekly[::-1], variants=variants.astype({"product_type": object}))
        )
        == []
    )


@pytest.mark.parametrize("weeks", [1, 3])
def test_whole_weeks_later_every_state_moves_on_without_a_fit(inputs, weeks, monkeypatch):
    then = earlier(inputs, weeks)
    _, fit, states = brought_up(then, None, [])
    monkeypatch.setattr(demand_advice, "_fitted", None)

    known, after, moved = brought_up(inputs, fit, states)

    assert (after.fitted_on, after.closed_on) == (then.as_of, inputs.as_of)
    assert len(moved) == len(states)
    assert known.closes == weeks
    monkeypatch.undo()
    fresh = brought_up(inputs, None, [])[0].forecast
    far = np.abs(known.forecast.mean - fresh.mean) / (fresh.mean + 0.1)
    assert np.median(far) < 0.25
    with_demand = replace(inputs, demand=known)
    assert all(demand_advice.comes_out_again(with_demand, one.variant_id) for one in moved)


def test_one_week_after_the_other_is_the_same_as_two_at_once(inputs):
    _, fit, states = brought_up(earlier(inputs, 2), None, [])

    _, fit_between, states_between = brought_up(earlier(inputs, 1), fit, states)
    one_by_one, _, rows = brought_up(inputs, fit_between, states_between)
    at_once, _, same_rows = brought_up(inputs, fit, states)

    np.testing.assert_allclose(one_by_one.forecast.mean, at_once.forecast.mean, rtol=1e-6)
    assert [one.mark for one in rows] == [one.mark for one in same_rows]


@pytest.mark.parametrize("why", ["version", "day", "too long ago", "layout", "horizon"])
def test_what_cannot_be_gone_on_from_is_fitted_anew(inputs, why):
    _, fit, states = brought_up(earlier(inputs, 1), None, [])
    version = MODEL_VERSION
    if why == "version":
        version = "another"
    elif why == "day":
        fit = replace(fit, fitted_on=fit.fitted_on - timedelta(days=1))
    elif why == "too long ago":
        fit = replace(fit, fitted_on=fit.fitted_on - timedelta(weeks=9))
    elif why == "layout":
        states = [replace(one, state=b"\xff" + one.state[1:]) for one in states]
    else:
        fit = replace(fit, horizon=1)

    known, after, _ = brought_up(inputs, fit, states, version)

    assert known.closes == 0
    assert after.fitted_on == inputs.closed_on


@pytest.fixture
def closed(shop, inputs):
    """A week before the last close, and what a run on that day kept."""
    day = inputs.as_of - timedelta(days=7)
    _, fit, states = brought_up(on(shop, day), None, [])
    return day, fit, states


@pytest.mark.parametrize("days", [1, 3, 6])
def test_between_two_closes_a_night_fits_nothing_and_writes_nothing(
    shop, closed, days, monkeypatch
):
    day, fit, states = closed
    night = on(shop, day + timedelta(days=days))
    monkeypatch.setattr(demand_advice, "_fitted", None)
    monkeypatch.setattr(demand_advice, "_followed_in_batches", lambda *_: [])

    known, again, moved = brought_up(night, fit, states)

    assert (again, moved) == (fit, [])
    assert 0 < night.part_week[0] < 1
    monkeypatch.undo()
    with_demand = replace(night, demand=known)
    assert all(demand_advice.comes_out_again(with_demand, one.variant_id) for one in states)


def test_the_days_since_the_last_close_are_heard(shop, closed):
    day, fit, states = closed
    night = on(shop, day + timedelta(days=4))
    variant = int(known_best(night))
    louder = night.closed.copy()
    part = (louder["variant_id"] == variant) & (louder["weeks_ago"] < 0)
    louder.loc[part, "units"] += 400

    quiet = brought_up(night, fit, states)[0].forecast
    loud = brought_up(replace(night, closed=louder), fit, states)[0].forecast

    row = quiet.series_ids == variant
    assert (loud.mean[row] > 1.05 * quiet.mean[row]).all()
    np.testing.assert_array_equal(loud.mean[~row], quiet.mean[~row])


def known_best(inputs):
    """The variant that sold most since the last close."""
    part = inputs.closed[inputs.closed["weeks_ago"] < 0]
    return part.loc[part["units"].idxmax(), "variant_id"]


def test_on_the_day_of_a_close_the_part_week_has_become_a_week(shop, inputs, closed):
    day, fit, states = closed
    nights = [
        brought_up(on(shop, day + timedelta(days=days)), fit, states)[0].forecast.mean[:, :4].sum()
        for days in range(7)
    ]

    after = brought_up(inputs, fit, states)[0]

    assert after.closes == 1
    assert np.abs(np.diff([*nights, after.forecast.mean[:, :4].sum()])).max() < 0.15 * nights[0]


def test_a_large_shop_learns_of_some_and_follows_the_rest_in_batches(inputs, monkeypatch):
    whole = brought_up(inputs, None, [])[0].forecast
    monkeypatch.setattr(demand_advice, "BATCH", max(len(whole.series_ids) * 2 // 3, 2))

    parts, _, moved = brought_up(inputs, None, [])

    np.testing.assert_array_equal(parts.forecast.series_ids, whole.series_ids)
    assert len(moved) == len(whole.series_ids)
    assert parts.forecast.mean.sum() == pytest.approx(whole.mean.sum(), rel=0.25)


def test_a_shop_that_tracks_nothing_has_no_demand_to_keep(inputs):
    assert (
        brought_up(replace(inputs, variants=inputs.variants.assign(is_tracked=False)), None, [])
        is None
    )


def test_a_forecast_that_its_history_does_not_give_is_found_out(shop):
    with transaction(shop.shop_id) as conn:
        card = next(one for one in suggestions.cards(conn, shop.shop_id) if one.kind == "restock")
        run = suggestion_runs.inputs_of(conn, shop.shop_id, card.evidence.run_id)
    inputs = advice_inputs.from_bytes(run.inputs)
    assert demand_advice.comes_out_again(inputs, card.variant_id)
    forged = replace(inputs.demand.forecast, mean=inputs.demand.forecast.mean * 1.1)
    inputs = replace(inputs, demand=replace(inputs.demand, forecast=forged))

    assert not demand_advice.comes_out_again(inputs, card.variant_id)
    assert advice_inputs.digest(inputs) != run.inputs_sha256


def test_suggestions_from_states_explain_themselves(shop):
    suggest.refresh_suggestions(shop.shop_id)

    with transaction(shop.shop_id) as conn:
        cards = [one for one in suggestions.cards(conn, shop.shop_id) if one.kind == "restock"]
    assert cards
    for card in cards:
        found = explain.explain(shop.shop_id, card.id)
        assert found.matches, found.differences


def with_sales_promoted(inputs):
    """The same shop with four weeks in sixteen on promotion, each variant its own, at three times the sales."""

    def is_promoted(frame):
        week = (inputs.closed_on.toordinal() // 7) - frame["weeks_ago"]
        return (week + frame["variant_id"] // 4 * 5) % 16 < 4

    def lifted(frame):
        return frame.assign(units=np.where(is_promoted(frame), 3 * frame["units"], frame["units"]))

    every = pd.MultiIndex.from_product(
        [inputs.variants["variant_id"], range(-1, 100)], names=["variant_id", "weeks_ago"]
    ).to_frame(index=False)
    promoted = every[is_promoted(every)].assign(on_promotion=1.0)
    return replace(
        inputs,
        weekly=lifted(inputs.weekly),
        closed=lifted(inputs.closed),
        promoted=promoted.reset_index(drop=True),
    )


def test_promotions_are_taken_out_of_what_closes_and_every_number_comes_out_again(shop, inputs):
    day = inputs.as_of - timedelta(days=14)
    _, fit, states = brought_up(with_sales_promoted(on(shop, day)), None, [])
    learned = LearnedDemand.from_bytes(fit.learned)
    assert learned.lift.during > 0.5

    for days in (0, 3, 7, 11):
        night = with_sales_promoted(on(shop, day + timedelta(days=days)))
        known, after, moved = brought_up(night, fit, states)
        assert after.fitted_on == fit.fitted_on
        assert len(moved) == (len(states) if days >= 7 else 0)
        with_demand = replace(night, demand=known)
        assert all(demand_advice.comes_out_again(with_demand, one.variant_id) for one in states)


def test_a_week_that_turns_out_to_be_promoted_is_followed_anew(shop, inputs):
    _, fit, states = brought_up(inputs, None, [])
    variant = states[0].variant_id
    told = pd.DataFrame({"variant_id": [variant], "weeks_ago": [5], "on_promotion": [1.0]})

    _, _, moved = brought_up(replace(inputs, promoted=told), fit, states)

    assert [one.variant_id for one in moved] == [variant]
