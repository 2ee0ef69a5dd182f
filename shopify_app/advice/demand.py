"""A shop's demand brought up to a day: by states that move on where they can, by a new fit where not.

    a week of the shop's own has closed   every variant's state moves on a step           O(variants)
    any other night                       what webhooks changed is followed anew, all else stands
    another version, a longer horizon, half the shop changed, `REFIT_WEEKS` closes        a new fit

States stand at the shop's last close. The days since are a part week: it moves a copy of the states, and
the forecast is read from today on (`_from_today`). A fit learns of at most `BATCH` variants and follows the others a batch at a time, so that memory does
not grow with the shop. Nothing is read or written here.
"""

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from pandas.util import hash_pandas_object

from shopify_app.advice.history import weekly_history
from shopify_app.advice.inputs import Inputs
from shopify_app.advice.known_demand import KnownDemand
from shopify_app.advice.restock import horizon_weeks
from shopify_app.analytics import demand
from shopify_app.analytics.demand import DemandForecast
from shopify_app.analytics.demand import state as demand_state
from shopify_app.analytics.demand.forecast_rows import rows_of
from shopify_app.analytics.demand.learned import DemandStates, LearnedDemand, beside
from shopify_app.analytics.demand.promotions import NO_LIFT, USUAL_PERIODS
from shopify_app.analytics.panel import Panel, as_panel
from shopify_app.domain.demand_state import DemandFit, DemandState

BATCH: Final = 10_000
"""Variants followed at once, for the memory."""

REFIT_WEEKS: Final = 4
"""Closes after which a shop is fitted anew."""

MARKED_WEEKS: Final = 52
"""Newest weeks that a fingerprint covers: a change in them is noticed before the next fit."""

MOST_CHANGED: Final = 0.5
"""Share of changed variants above which the parameters learned are no longer of this shop."""

SAME: Final = 1e-4
"""Relative tolerance of a forecast that is followed anew on the day of a fit."""

NEARLY: Final = 0.02
"""Relative tolerance after closes: the oldest weeks have left the history that a run sees, not the states."""

_Standing = tuple[LearnedDemand, DemandStates, DemandForecast]
"""(parameters learned, states, forecast) of a shop at its last close."""


def brought_up(
    inputs: Inputs,
    fit: DemandFit | None,
    states: list[DemandState],
    *,
    seed: int,
    version: str,
) -> tuple[KnownDemand, DemandFit, list[DemandState]] | None:
    """Demand as of the inputs' day, and the fit and changed states to keep; None if nothing is tracked.

    Parameters
    ----------
    fit, states : what was kept last
    version : of the models; states of another are not gone on from
    """
    variants = inputs.variants
    ids = np.sort(variants.loc[variants["is_tracked"], "variant_id"].to_numpy("int64"))
    if not len(ids):
        return None
    reach = horizon_weeks(inputs) + 1
    closes = _closes(fit, inputs.closed_on, reach, version)
    gone_on = None
    if fit is not None and closes is not None:
        gone_on = _gone_on(inputs, fit, states, ids, reach, closes)
    if fit is None or gone_on is None:
        learned, found, forecast = _fitted(inputs, ids, reach, seed)
        kept = DemandFit(inputs.closed_on, inputs.closed_on, version, reach, learned.to_bytes())
        changed, closes = np.ones(len(ids), bool), 0
    else:
        (learned, found, forecast), changed = gone_on
        kept = replace(fit, closed_on=inputs.closed_on)
    marks = _fingerprints(inputs, ids, since=0)
    rows = found.of(changed).to_rows()
    moved = [
        DemandState(int(variant), int(mark), row)
        for variant, mark, row in zip(ids[changed], marks[changed], rows, strict=True)
    ]
    today = _from_today(inputs, learned, found, forecast)
    return KnownDemand(today, kept.learned, closes or 0), kept, moved


def goes_on(fit: DemandFit, inputs: Inputs, version: str) -> bool:
    """True if a fit's states can be of use on the inputs' day."""
    if not inputs.variants["is_tracked"].any():
        return False
    return _closes(fit, inputs.closed_on, horizon_weeks(inputs) + 1, version) is not None


def comes_out_again(inputs: Inputs, variant_id: int) -> bool:
    """True if a variant's forecast follows from its history and the parameters learned, as a run kept them."""
    known = inputs.demand
    if known is None or variant_id not in known.forecast.series_ids:
        return True
    row = known.forecast.series_ids == variant_id
    learned = LearnedDemand.from_bytes(known.learned)
    reach = known.forecast.mean.shape[1] + 1
    states, again = _followed(inputs, np.array([variant_id]), learned, reach, known.closes)
    again = _from_today(inputs, learned, states, again)
    near = SAME if known.closes == 0 else NEARLY
    return np.allclose(again.mean[0], known.forecast.mean[row][0], rtol=near, atol=near)


def _closes(fit: DemandFit | None, closed_on: date, horizon: int, version: str) -> int | None:
    """Weeks since a fit from which a shop may go on; None: it is time for a new one."""
    if fit is None or fit.model_version != version or fit.horizon < horizon:
        return None
    weeks, days_over = divmod((closed_on - fit.fitted_on).days, 7)
    if days_over or not 0 <= weeks <= REFIT_WEEKS or fit.closed_on > closed_on:
        return None
    return weeks


def _gone_on(
    inputs: Inputs,
    fit: DemandFit,
    states: list[DemandState],
    ids: np.ndarray,
    horizon: int,
    closes: int,
) -> tuple[_Standing, np.ndarray] | None:
    """((parameters, states, forecast), True for variants whose states changed); None if a new fit is due after all."""
    steps = (inputs.closed_on - fit.closed_on).days // 7
    kept = {one.variant_id: one for one in states}
    before = _fingerprints(inputs, ids, since=steps)
    stands = np.array(
        [
            (row := kept.get(int(v))) is not None and row.mark == m
            for v, m in zip(ids, before, strict=True)
        ]
    )
    if stands.mean() < 1 - MOST_CHANGED:
        return None
    try:
        learned = LearnedDemand.from_bytes(fit.learned)
        rows = [kept[int(variant)].state for variant in ids[stands]]
        found = DemandStates.from_rows(ids[stands], rows, learned)
    except ValueError:  # kept by another version of the layout
        return None
    for weeks_ago in range(steps - 1, -1, -1):
        units, in_stock = _week(inputs.closed_weeks, ids[stands], weeks_ago)
        lift = _lifts(inputs, learned, ids[stands], range(weeks_ago, weeks_ago - 1, -1))[:, -1]
        found, _ = demand_state.close_period(
            learned, found, units, in_stock * lift, horizon=horizon
        )
    found = _with_usual_promotions(inputs, learned, found) if steps else found
    parts = [(found, demand_state.forecast_from(learned, found, horizon=horizon))]
    parts += _followed_in_batches(inputs, ids[~stands], learned, horizon, closes)
    found, forecast = _in_order(parts)
    return (learned, found, forecast), ~stands if steps == 0 else np.ones(len(ids), bool)


def _fitted(inputs: Inputs, ids: np.ndarray, horizon: int, seed: int) -> _Standing:
    """(parameters, states, forecast) of a new fit: learned of some variants, the others followed by it."""
    chosen = ids
    if len(ids) > BATCH:
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.choice(ids, BATCH, replace=False))
    panel = _closed_panel(inputs, chosen)
    fit = demand.fit(demand.past_of(panel, "W", horizon), horizon=horizon, seed=seed)
    learned = demand_state.learned_of(fit)
    parts = [(demand_state.states_of(fit), fit.forecast)]
    del fit, panel
    others = np.setdiff1d(ids, chosen, assume_unique=True)
    parts += _followed_in_batches(inputs, others, learned, horizon, 0)
    return learned, *_in_order(parts)


def _closed_panel(inputs: Inputs, ids: np.ndarray) -> Panel:
    """The closed weeks of some variants."""
    history = weekly_history(
        inputs, what="units", variants=ids, closed=True, promoted=inputs.promoted
    )
    return as_panel(history, period="W")


def _followed_in_batches(
    inputs: Inputs, ids: np.ndarray, learned: LearnedDemand, horizon: int, closes: int
) -> list[tuple[DemandStates, DemandForecast]]:
    batches = (ids[begin : begin + BATCH] for begin in range(0, len(ids), BATCH))
    return [_followed(inputs, batch, learned, horizon, closes) for batch in batches]


def _followed(
    inputs: Inputs, ids: np.ndarray, learned: LearnedDemand, horizon: int, closes: int
) -> tuple[DemandStates, DemandForecast]:
    """(states, forecast) of variants followed anew with the parameters learned."""
    panel = _closed_panel(inputs, ids)
    return demand_state.follow_history(learned, panel, horizon=horizon, closes=closes)


def _in_order(
    parts: list[tuple[DemandStates, DemandForecast]],
) -> tuple[DemandStates, DemandForecast]:
    """Parts of a shop as one, by variant."""
    found = beside([states for states, _ in parts])
    forecast = demand_state.together([forecast for _, forecast in parts])
    order = np.argsort(found.ids)
    return found.of(order), rows_of(forecast, order)


def _from_today(
    inputs: Inputs, learned: LearnedDemand, states: DemandStates, forecast: DemandForecast
) -> DemandForecast:
    """The forecast of weeks from today on, one shorter than that from the last close.

    The part week moves a copy of the states by its exposure; what that says of the rate goes for the rest
    of the week too. A week from today is the rest of the shop's week and the beginning of the next.
    """
    share, part = inputs.part_week
    horizon = forecast.mean.shape[1] - 1
    if not share:
        return replace(forecast, mean=forecast.mean[:, :horizon])
    units, in_stock = _week(part, states.ids, -1)
    time = share * in_stock * _lifts(inputs, learned, states.ids, range(-1, -2, -1))[:, -1]
    _, later = demand_state.close_period(learned, states, units, time, horizon=horizon)
    before = forecast.mean[:, 1]
    moved = np.where(before > 0, later.mean[:, 0] / np.where(before > 0, before, 1.0), 1.0)
    weeks = np.concatenate([forecast.mean[:, :1] * moved[:, None], later.mean], axis=1)
    return replace(later, mean=(1 - share) * weeks[:, :-1] + share * weeks[:, 1:])


def _with_usual_promotions(
    inputs: Inputs, learned: LearnedDemand, states: DemandStates
) -> DemandStates:
    """States that expect promotions to go on as in the newest weeks."""
    if learned.lift == NO_LIFT:
        return states
    ago = range(USUAL_PERIODS, -1, -1)
    in_stock = [_week(inputs.closed_weeks, states.ids, weeks_ago)[1] for weeks_ago in ago]
    promoted = _promoted(inputs, states.ids, ago)
    return demand_state.usual_promotions(learned, states, promoted, np.stack(in_stock, axis=1))


def _lifts(inputs: Inputs, learned: LearnedDemand, ids: np.ndarray, ago: range) -> np.ndarray:
    """Multiplier of promotions in some weeks (n, weeks)."""
    if learned.lift == NO_LIFT:
        return np.ones((len(ids), len(ago)))
    with_before = range(ago.start + 1, ago.stop, -1)
    return learned.lift.factors(_promoted(inputs, ids, with_before))[:, 1:]


def _promoted(inputs: Inputs, ids: np.ndarray, ago: range) -> np.ndarray:
    """Share on promotion (n, weeks) of some weeks, oldest first."""
    told = inputs.promoted[inputs.promoted["weeks_ago"].isin(list(ago))]
    table = told.pivot(index="variant_id", columns="weeks_ago", values="on_promotion")
    return table.reindex(index=ids, columns=list(ago)).fillna(0.0).to_numpy(float)


def _week(weekly: pd.DataFrame, ids: np.ndarray, weeks_ago: int) -> tuple[np.ndarray, np.ndarray]:
    """(units, share in stock) (n,) of one week."""
    week = weekly[weekly["weeks_ago"] == weeks_ago]
    week = week.set_index("variant_id").reindex(ids)
    return (
        week["units"].fillna(0.0).to_numpy(float),
        week["in_stock"].fillna(1.0).to_numpy(float),
    )


def _fingerprints(inputs: Inputs, ids: np.ndarray, *, since: int) -> np.ndarray:
    """64-bit fingerprint (n,) of each variant's newest weeks, `since` weeks ago and before.

    The sum of pandas' hashes of a variant's weeks: the day, the units, the shares in stock and on
    promotion. Another pandas may hash otherwise: no state then agrees with its history, and each
    shop is fitted anew once.
    """
    weekly = inputs.closed_weeks
    told = weekly[(weekly["units"] > 0) | (weekly["in_stock"] < 1)]
    kinds = inputs.variants.set_index("variant_id")["product_type"].reindex(ids)
    found = _hashed(kinds.astype(object).map(str))
    for table, names in ((told, ["units", "in_stock"]), (inputs.promoted, ["on_promotion"])):
        newest = table["weeks_ago"].between(since, since + MARKED_WEEKS - 1)
        weeks = table[newest & table["variant_id"].isin(ids)]
        day = inputs.closed_on.toordinal() - 7 * weeks["weeks_ago"].astype("int64")
        place = np.searchsorted(ids, weeks["variant_id"].to_numpy("int64"))
        np.add.at(found, place, _hashed(weeks[names].astype(float).assign(day=day)))
    return found.view(np.int64)


def _hashed(rows: pd.Series | pd.DataFrame) -> np.ndarray:
    """A hash (n,) of each row."""
    return hash_pandas_object(rows, index=False).to_numpy().copy()
