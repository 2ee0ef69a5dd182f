"""Online update: demand one period on, without a new fit; parameters stay, each series' state moves a step.

In:  a fit, then the units and exposure of each period that closes.
Out: `LearnedDemand` and `DemandStates` of a fit; after each close the states and a `DemandForecast`.
Method: the filters and the totals behind the corrections move on in O(1) a series; what moves
everybody is as foreseen at the fit. Other series are followed by what was learned of some
(`follow_history`): new ones, changed ones, or one batch of many.
Source: Harvey & Fernandes (1989), JBES 7, 407-417 (the recursion); the parts name their own.
Weak: a turn of the whole shop since the fit is seen as each series' own; dispersions and levels are the
fit's; promotions are expected to go on as `marks` say, which whoever knows of them brings up to date
(`usual_promotions`).
"""

from dataclasses import replace
from typing import Final

import numpy as np

from shopify_app.analytics.demand import filters, pooling
from shopify_app.analytics.demand import forecast as demand
from shopify_app.analytics.demand.filters import LEAST_EXPOSURE
from shopify_app.analytics.demand.forecast import BLOCK_DAYS, DemandFit, DemandForecast, Past
from shopify_app.analytics.demand.launches import first_seen, launch_factors
from shopify_app.analytics.demand.learned import DemandStates, LearnedDemand, beside
from shopify_app.analytics.demand.pattern_correction import LOOKED_BACK, YOUNG, newest_features
from shopify_app.analytics.demand.pooling import Dispersion
from shopify_app.analytics.demand.promotions import NO_LIFT, usual_factor
from shopify_app.analytics.panel import Panel

AT_ONCE: Final = 4_096
"""Series closed together, so that memory does not grow with the shop."""


def learned_of(fit: DemandFit) -> LearnedDemand:
    """The `LearnedDemand` of a fit: its shared parameters."""
    past = fit.past
    count = np.bincount(past.groups, minlength=len(past.names)) + 1e-9
    share = count / count.sum()

    def with_others(factor: np.ndarray) -> np.ndarray:
        # For groups not known at the fit: the geometric mean over groups, weighted by their size.
        others = np.exp(np.tensordot(share, np.log(factor), axes=1))
        return np.concatenate([factor, others[None]])

    return LearnedDemand(
        past.period,
        past.first,
        past.moments,
        past.names,
        with_others(past.factor),
        with_others(past.coming),
        past.curve,
        _prior_table(past),
        np.array([one.most for one in fit.dispersions]),
        fit.shared,
        past.effects,
    )


def _prior_table(past: Past) -> np.ndarray:
    """Prior of each group's series (groups + 1, 2, 2): always there, launched."""
    found = np.full((len(past.names) + 1, 2, 2), np.nan)
    kind = (past.launched >= 0).astype(int)
    for number in (0, 1):
        if (kind == number).any():
            found[:, number] = past.prior[kind == number].mean(axis=0)
    found = np.where(np.isnan(found), found[:, ::-1], found)
    _, rows = np.unique(past.groups * 2 + kind, return_index=True)
    found[past.groups[rows], kind[rows]] = past.prior[rows]
    return found


def states_of(fit: DemandFit) -> DemandStates:
    """The `DemandStates` of a fit: the state of each series."""
    past, block = fit.past, fit.past.block
    known, n = int(past.moments[-1]), len(past.ids)
    newest = np.zeros((2, LOOKED_BACK, n), np.float32)
    marks = np.zeros((5, n), np.float32)
    marks[0], marks[1], marks[4] = past.groups, past.launched, 1.0
    if past.lift is not None:
        marks[4] = usual_factor(past.lift, past.exposure, known * block)
    kept = min(known, LOOKED_BACK)
    for part in demand.parts(n):
        units, exposure = past.blocks(part)
        seen = exposure > 0
        marks[2, part] = np.where(seen.any(axis=1), np.argmax(seen, axis=1), -1)
        sold = units > 0
        last = known - np.argmax(sold[:, ::-1], axis=1)
        marks[3, part] = np.where(sold.any(axis=1), last, 0)
        newest[0, LOOKED_BACK - kept :, part] = (units * seen)[:, known - kept :].T
        newest[1, LOOKED_BACK - kept :, part] = exposure[:, known - kept :].T
    errors = np.array(
        [[one.excess for one in fit.dispersions], [one.squares for one in fit.dispersions]]
    )
    return DemandStates(past.ids, fit.filters, marks, newest, errors.astype(np.float32))


def follow_history(
    learned: LearnedDemand, panel: Panel, *, horizon: int, closes: int = 0
) -> tuple[DemandStates, DemandForecast]:
    """(states, forecast) of series followed from their first period with parameters learned before.

    Parameters
    ----------
    panel : Panel
        Histories up to the fit's last period, or `closes` blocks later.
    horizon : int
        Coming periods, within what the fit foresaw.
    closes : int
        Blocks closed since the fit.

    Raises
    ------
    ValueError
        If the panel goes on after the periods known, or the fit did not foresee so far.
    """
    past = _past_as_learned(learned, panel, closes)
    _check_reach(learned, horizon, closes)
    found = demand.fit(past, horizon=horizon, shared=learned.shared)
    return states_of(found), found.forecast


def _past_as_learned(learned: LearnedDemand, panel: Panel, closes: int) -> Past:
    """The `Past` of a panel, on the time line and with the parameters of what was learned."""
    block, n = learned.block, len(panel.series_ids)
    later = closes * block
    length = learned.past.shape[1] + later
    column = _columns(learned, panel.periods)
    if len(column) and column[-1] >= length:
        raise ValueError("the history goes on after the periods known")
    units, exposure = np.zeros((n, length), np.float32), np.ones((n, length), np.float32)
    inside = column >= 0
    units[:, column[inside]] = panel.units[:, inside]
    exposure[:, column[inside]] = panel.exposure[:, inside]
    if len(column):
        exposure[:, : max(column[0], 0)] = 0.0
    # As at the fit: a period hardly in stock is censored whole.
    exposure[exposure < LEAST_EXPOSURE] = 0.0
    units[exposure == 0] = 0.0
    lift = None
    if learned.lift != NO_LIFT and panel.promoted is not None:
        promoted = np.zeros_like(units)
        promoted[:, column[inside]] = panel.promoted[:, inside]
        lift = learned.lift.factors(promoted).astype(np.float32)
    groups = learned.groups_of(panel.group_names)[panel.groups]
    launched = first_seen(exposure, demand.WATCHED_BLOCKS * block)
    coming = learned.coming.copy()
    # Weeks already closed move from the factor's future to its past; the far end repeats its last
    # value.
    coming[:, -1] = np.pad(coming[:, -1, later:], ((0, 0), (0, later)), mode="edge")
    return Past(
        panel.series_ids,
        learned.first,
        np.append(learned.names, ""),
        units,
        exposure,
        groups,
        learned.priors[groups, (launched >= 0).astype(int)],
        np.concatenate([learned.past, learned.coming[:, -1, :later]], axis=1),
        coming,
        np.zeros((len(learned.names) + 1, 0, 0)),
        learned.curve,
        launched,
        lift,
        np.append(learned.moments[:-1], learned.known + closes),
        learned.period,
        learned.lift,
    )


def _columns(learned: LearnedDemand, periods: np.ndarray) -> np.ndarray:
    """Column of each period on the time line of what was learned."""
    if learned.period == "M":
        months = periods.astype("datetime64[M]") - learned.first.astype("datetime64[M]")
        return months.astype(int)
    days = (periods.astype("datetime64[D]") - learned.first.astype("datetime64[D]")).astype(int)
    return days // BLOCK_DAYS[learned.period]


def _check_reach(learned: LearnedDemand, horizon: int, closes: int) -> None:
    """Nothing; raises `ValueError` if the fit's common factor ends before the horizon."""
    if horizon + closes * learned.block > learned.coming.shape[2]:
        raise ValueError(f"{closes} closes after a fit, {horizon} periods were not foreseen")


def close_period(
    learned: LearnedDemand,
    states: DemandStates,
    units: np.ndarray,
    exposure: np.ndarray,
    *,
    horizon: int,
) -> tuple[DemandStates, DemandForecast]:
    """(states one block later, the forecast from there).

    Parameters
    ----------
    states : DemandStates
        Of all of the shop's series, or of some.
    units, exposure : array (n, block), or (n,) where a block is one period
        What was sold, and the share of each period in which it could be bought, 0..1, times what promotions
        multiplied it by (`learned.lift`).
    horizon : int
        Coming periods.

    Raises
    ------
    ValueError
        If the fit did not foresee so far: it is time for a new one.

    Examples
    --------
    A week closes with the usual sales: the forecast stays where it was, one period on.

    >>> import pandas as pd
    >>> from shopify_app.analytics.panel import as_panel
    >>> weeks = np.datetime64("2026-01-05", "s") + np.arange(9) * np.timedelta64(7, "D")
    >>> history = pd.DataFrame({"series_id": np.repeat(["a", "b", "c"], 9)})
    >>> history["period"], history["units"] = np.tile(weeks, 3), np.repeat([2, 5, 9], 9)
    >>> found = demand.fit(demand.past_of(as_panel(history, period="W"), "W", 4), horizon=4)
    >>> learned, states = learned_of(found), states_of(found)
    >>> states, forecast = close_period(
    ...     learned, states, np.array([2.0, 5.0, 9.0]), np.ones(3), horizon=4
    ... )
    >>> states.filters.known, forecast.mean[:, 0].round().tolist()
    (10, [2.0, 5.0, 9.0])
    """
    block = learned.block
    _check_reach(learned, horizon, states.filters.known + 1 - learned.known)
    units, exposure = units.reshape(-1, block), exposure.reshape(-1, block)
    closed: list[DemandStates] = []
    forecasts: list[DemandForecast] = []
    for begin in range(0, max(len(states), 1), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        one = _closed(learned, states.of(part), units[part], exposure[part])
        closed.append(one)
        forecasts.append(forecast_from(learned, one, horizon=horizon))
    return beside(closed), together(forecasts)


def usual_promotions(
    learned: LearnedDemand, states: DemandStates, promoted: np.ndarray, in_stock: np.ndarray
) -> DemandStates:
    """The states with the usual promotion multiplier of the newest periods known.

    Parameters
    ----------
    promoted, in_stock : array (n, periods)
        Shares of the newest periods, oldest first.
    """
    if learned.lift == NO_LIFT:
        return states
    length = promoted.shape[1]
    periods = states.filters.known * learned.block - length + np.arange(length)
    born = states.marks[2] * learned.block
    there = (born >= 0)[:, None] & (periods[None, :] >= born[:, None])
    exposure = np.where(in_stock < LEAST_EXPOSURE, 0.0, in_stock) * there
    marks = states.marks.copy()
    marks[4] = usual_factor(learned.lift.factors(promoted), exposure, length)
    return replace(states, marks=marks)


def _closed(
    learned: LearnedDemand, states: DemandStates, units: np.ndarray, exposure: np.ndarray
) -> DemandStates:
    """The states of some series one block later."""
    block, known = learned.block, states.filters.known
    groups, launched = states.marks[0].astype(int), states.marks[1].astype(int)
    at = known * block + np.arange(block)
    there = exposure >= LEAST_EXPOSURE
    # A series that is on sale for the first time was watched from before: this is its launch.
    fresh = (launched < 0) & (states.marks[2] < 0) & there.any(axis=1)
    launched = np.where(fresh, at[0] + np.argmax(there, axis=1), launched)
    e = np.where(exposure < LEAST_EXPOSURE, 0.0, exposure).astype(np.float32)
    units = np.where(e > 0, units, 0.0).astype(np.float32)
    sold = (
        learned.curve.units_without_spike(units, launched, int(at[0]))
        .astype(np.float32)
        .sum(axis=1)
    )
    begin = (known - learned.known) * block
    factor = learned.coming[:, -1, begin : begin + block].astype(np.float32)[groups]
    factor *= _of_launches(learned, learned.curve.without_spike, launched, at)
    # Effective exposure of the block: share in stock x common factor x launch factor.
    time = (e * factor).mean(axis=1)
    moved = filters.advance(states.filters, sold, time)
    # The window of newest blocks slides by one: the features of tomorrow look no further back.
    newest = np.concatenate([states.newest[:, 1:], np.stack([sold, time])[:, None]], axis=1)
    marks = states.marks.copy()
    marks[1] = launched
    marks[2] = np.where((marks[2] < 0) & (time > 0), known, marks[2])
    marks[3] = np.where(sold > 0, known + 1, marks[3])
    return replace(states, filters=moved, marks=marks, newest=newest)


def _of_launches(
    learned: LearnedDemand, curve: np.ndarray, launched: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Launch factors (n, periods) of what is young; (1, 1) where nothing is."""
    young = launched >= at[0] - len(curve) * learned.block
    if not young.any():
        return np.ones((1, 1), np.float32)
    found = np.ones((len(launched), len(at)), np.float32)
    found[young] = launch_factors(curve, launched[young], at, learned.block)
    return found


def forecast_from(learned: LearnedDemand, states: DemandStates, *, horizon: int) -> DemandForecast:
    """The `DemandForecast` of states.

    Raises
    ------
    ValueError
        If the fit did not foresee so far.
    """
    known, block = states.filters.known, learned.block
    _check_reach(learned, horizon, known - learned.known)
    found = filters.rates(states.filters)
    components = np.stack([found.filtered, found.smoothed]) / np.float32(block)
    rate = demand.mixed(components, learned.shared.weights)
    rate *= learned.shared.correction.factor(_features(learned, states, rate))
    groups, launched = states.marks[0].astype(int), states.marks[1].astype(int)
    begin = (known - learned.known) * block
    factor = learned.coming[:, -1, begin : begin + horizon][groups]
    at = known * block + np.arange(horizon)
    mean = (
        factor
        * (rate * states.marks[4])[:, None]
        * _of_launches(learned, learned.curve.factors, launched, at)
    )
    age = (known * block - launched) // block
    ages = np.where((launched >= 0) & (age < len(learned.curve)), age, -1)
    dispersion = _dispersions(learned, states, mean, ages)
    shared = learned.shared
    return DemandForecast(states.ids, mean, dispersion, found.alive, shared.spans, shared.levels)


def _features(learned: LearnedDemand, states: DemandStates, rate: np.ndarray) -> np.ndarray:
    """Pattern features (n, k) of states."""
    known, born = states.filters.known, states.marks[2]
    age = np.where(born == 0, YOUNG[-1] + 1, known - np.where(born < 0, known, born))
    return newest_features(
        states.newest[0],
        states.newest[1],
        rate * np.float32(learned.block),
        known,
        known - states.marks[3],
        age,
        season=demand.SEASON_BLOCKS[learned.period],
        ahead=-(-demand.LEARNED_SPAN[learned.period] // learned.block),
    )


def _dispersions(
    learned: LearnedDemand, states: DemandStates, mean: np.ndarray, ages: np.ndarray
) -> np.ndarray:
    """K (n, spans) of the totals to come."""
    horizon = mean.shape[1]
    found = np.empty((len(mean), len(learned.shared.spans)))
    for number, span in enumerate(learned.shared.spans):
        now = mean[:, : min(span, horizon)].mean(axis=1) * span
        shared = learned.shared.dispersions[number]
        # Own excess and squares are the fit's; the class is that of today's rate.
        pooled = shared.of(pooling.rate_class(now / span), ages)
        excess, squares = states.errors[:, number]
        most = float(learned.most[number])
        common = learned.shared.errors[number].variance[states.marks[0].astype(int)]
        known = Dispersion(excess, squares, shared, pooled, now, most, common)
        found[:, number] = known.values()
    return found


def together(forecasts: list[DemandForecast]) -> DemandForecast:
    """One forecast of several: parts of a shop, one below the other."""
    if len(forecasts) == 1:
        return forecasts[0]
    return replace(
        forecasts[0],
        series_ids=np.concatenate([one.series_ids for one in forecasts]),
        mean=np.concatenate([one.mean for one in forecasts]),
        dispersion=np.concatenate([one.dispersion for one in forecasts]),
        alive=np.concatenate([one.alive for one in forecasts]),
    )
