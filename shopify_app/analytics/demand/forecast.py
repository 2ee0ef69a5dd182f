"""Forecasts of demand, not of sales: what every product will be asked for, and how sure that is.

In:  a long history (`forecast_demand`).
Out: a `DemandForecast`: a distribution of the total of any run of coming periods.
Method: what moves the whole shop (season, holidays, level) is a factor of its own (`common_factor`);
each series is followed by two banks of filters (`filters`), mixed by what the shop's past says of
them, and corrected by what its products do after each pattern (`pattern_correction`). Totals are
negative binomial with a dispersion learned from rolling forecasts, and their levels are held to
where past totals really fell (`pooling`). A period counts by the share of it in which the product
could be bought: a stock-out is censored, not a zero.
Symbols: M mean of a total, K its dispersion: variance M + K M^2.
Source: Harvey & Fernandes (1989), JBES 7, 407-417; Montero-Manso & Hyndman (2021), IJF 37,
1632-1653; the parts name their own.
Weak: a product's own season, where it is not its group's, is seen only through last year's same
weeks; a first Christmas is foreseen from the calendar alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.analytics import negative_binomial as nb
from shopify_app.analytics.demand import pooling
from shopify_app.analytics.demand.common_errors import CommonErrors, common_errors
from shopify_app.analytics.demand.common_factor import common_factor
from shopify_app.analytics.demand.filters import LEAST_EXPOSURE, FilterState, follow, joined
from shopify_app.analytics.demand.launches import (
    LaunchCurve,
    first_seen,
    launch_curve,
    launch_factors,
)
from shopify_app.analytics.demand.pattern_correction import (
    Correction,
    fit_correction,
    pattern_features,
)
from shopify_app.analytics.demand.pooling import LEVELS, Dispersion, SharedDispersion, Windows
from shopify_app.analytics.demand.promotions import (
    NO_LIFT,
    Lift,
    earns_its_place,
    promotion_lift,
    usual_factor,
)
from shopify_app.analytics.demand.rate_priors import launch_priors
from shopify_app.analytics.panel import Panel, as_panel

LEARNED_SPANS: Final = {"D": (1, 7, 14, 28), "W": (1, 2, 4, 8, 13), "M": (1, 2, 4, 6)}
"""Lengths, in periods, of the totals whose distribution is learned; between them, interpolated."""

SPANS: Final = (1, 2, 4, 8)
"""Spans of a forecast that names none."""

LEARNED_SPAN: Final = {"D": 28, "W": 4, "M": 4}
"""Length of the total by which filter banks are weighed and the correction is fitted."""

BLOCK: Final = {"D": 7, "W": 1, "M": 1}
"""Periods in one filter step: days are aggregated to weeks, and shared out by weekday."""

SEASON_BLOCKS: Final = {"D": 52, "W": 52, "M": 12}
"""Filter steps in a year."""

MOMENTS: Final = 24
"""Number of past moments (forecast origins) at which the forecasts are tried."""

YOUNG_BLOCKS: Final = 20
"""Age in blocks up to which a launch counts for the prior of the next launches."""

WATCHED_BLOCKS: Final = 6
"""First blocks of a history in which a first sale is no launch: the product may have been there before."""

CLOSES: Final = 9
"""Blocks that may close before a new fit: the common factor is foreseen so much further than asked."""

CHUNK: Final = 2_500
"""Series worked on at once, for the memory."""

LEARNED_SERIES: Final = 6_000
"""Series learned from at most, drawn by chance."""

LEARNED_WINDOWS: Final = 40_000
"""Windows learned from at most, drawn by chance."""


@dataclass(frozen=True, slots=True)
class DemandForecast:
    """Distribution of each series' demand in the coming periods, were it in stock throughout.

    Attributes
    ----------
    series_ids : array (n,)
    mean : array (n, horizon)
        Expected units in each coming period.
    dispersion : array (n, spans)
        K of totals over each of `spans`: their variance is M + K M^2.
    alive : array (n,)
        Probability that the series still sells at all.
    spans : tuple of int
    levels : array (spans, classes, len(LEVELS))
        Recalibrated levels: the model's levels that covered `LEVELS` of the shop's past totals.

    Examples
    --------
    Two a week for three weeks, Poisson (K = 0): six expected, and none with probability e^-6.

    >>> forecast = DemandForecast(
    ...     np.array(["a"]), np.full((1, 3), 2.0), np.zeros((1, 2)), np.ones(1), spans=(1, 3)
    ... )
    >>> forecast.total()[0].tolist(), round(float(forecast.cdf(np.zeros(1))[0]), 5)
    ([6.0], 0.00248)
    """

    series_ids: np.ndarray
    mean: np.ndarray
    dispersion: np.ndarray
    alive: np.ndarray
    spans: tuple[int, ...] = SPANS
    levels: np.ndarray | None = None

    def total(self, *, first: int = 1, last: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(M, K) of the total over periods first..last, counted from 1, each (n,).

        Raises
        ------
        ValueError
            If the run is empty or leaves the horizon.
        """
        last = int(self.mean.shape[1] if last is None else last)
        if not 1 <= first <= last <= self.mean.shape[1]:
            raise ValueError(f"periods {first}..{last} are not within 1..{self.mean.shape[1]}")
        low, high, share = self._between(last - first + 1)
        # K of a span that was not learned: linear between its neighbours, in log length.
        dispersion = (1 - share) * self.dispersion[:, low] + share * self.dispersion[:, high]
        return self.mean[:, first - 1 : last].sum(axis=1), dispersion

    def quantile(
        self, levels: Sequence[float], *, first: int = 1, last: int | None = None
    ) -> np.ndarray:
        """Quantiles (n, k) of the total over periods first..last, at the recalibrated levels."""
        last = int(self.mean.shape[1] if last is None else last)
        mean, dispersion = self.total(first=first, last=last)
        # Recalibration (Gneiting et al. 2007): ask the model for the level that has covered the
        # one wanted.
        wanted = self._model_levels(np.asarray(levels, float), mean, last - first + 1)
        return nb.quantile(wanted, mean[:, None], dispersion[:, None])

    def cdf(self, units: np.ndarray, *, first: int = 1, last: int | None = None) -> np.ndarray:
        """P(total over periods first..last <= units), shape (n,), recalibrated."""
        last = int(self.mean.shape[1] if last is None else last)
        mean, dispersion = self.total(first=first, last=last)
        model = nb.cdf(units, mean, dispersion)
        if self.levels is None:
            return model
        found = np.empty(len(mean))
        classes, table = self._level_table(mean, last - first + 1)
        for number, row in enumerate(table):
            members = classes == number
            # The same map backwards: the model's probability becomes the share that the past
            # held.
            held = np.concatenate([[0.0], LEVELS, [1.0]])
            found[members] = np.interp(model[members], np.concatenate([[0.0], row, [1.0]]), held)
        return found

    def _between(self, length: int) -> tuple[int, int, float]:
        """(lower span, upper span, share of the upper) of a length, interpolated on a log scale."""
        position = float(np.interp(np.log(length), np.log(self.spans), np.arange(len(self.spans))))
        low = int(position)
        return low, min(low + 1, len(self.spans) - 1), position - low

    def _level_table(self, mean: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """(class of each series, recalibrated levels of each class) for totals over `length` periods."""
        assert self.levels is not None  # noqa: S101 -- both callers looked
        low, high, share = self._between(length)
        table = (1 - share) * self.levels[low] + share * self.levels[high]
        return pooling.rate_class(mean / length), table

    def _model_levels(self, levels: np.ndarray, mean: np.ndarray, length: int) -> np.ndarray:
        """The model's levels (n, k) that cover the levels asked for."""
        if self.levels is None:
            return np.broadcast_to(levels[None, :], (len(mean), len(levels)))
        classes, table = self._level_table(mean, length)
        ends = np.concatenate([[0.0], LEVELS, [1.0]])
        rows = [np.interp(levels, ends, np.concatenate([[0.0], row, [1.0]])) for row in table]
        return np.minimum(np.array(rows), 1 - pooling.EXTREME)[classes]


@dataclass(frozen=True, slots=True)
class Shared:
    """Parameters that a shop's series share.

    Attributes
    ----------
    weights : array (components, classes of rate), combination weights of the two filter banks
    correction : the pattern correction, a factor on the rate
    spans : lengths, in periods, of the totals whose distribution was learned
    dispersions : shared dispersion, one a span
    errors : common errors, one a span
    levels : array (spans, classes of rate, len(LEVELS)), recalibrated levels
    """

    weights: np.ndarray
    correction: Correction
    spans: tuple[int, ...]
    dispersions: tuple[SharedDispersion, ...]
    errors: tuple[CommonErrors, ...]
    levels: np.ndarray


@dataclass(frozen=True, slots=True)
class Past:
    """A shop's history with its common factor, launches and promotions worked out: what a fit follows.

    Attributes
    ----------
    ids : array (n,), series
    first : datetime64, start of the first period
    names : array (groups,), names of the groups
    units, exposure : array (n, T)
    groups : array (n,) of int, codes
    prior : array (n, 2), gamma (shape, rate) of each series' rate
    factor : array (groups, T), common factor of the known periods
    coming : array (groups, moments, horizon), common factor foreseen after each moment
    factor_variance : array (groups, moments, horizon), variance of its running mean log
    curve : launch curve
    launched : array (n,), period of the launch; -1 if it was not seen
    lift : array (n, T), multiplier of promotions by `effects`; None without any
    moments : array of int, blocks known at each moment looked at; the last is now
    """

    ids: np.ndarray
    first: np.datetime64
    names: np.ndarray
    units: np.ndarray
    exposure: np.ndarray
    groups: np.ndarray
    prior: np.ndarray
    factor: np.ndarray
    coming: np.ndarray
    factor_variance: np.ndarray
    curve: LaunchCurve
    launched: np.ndarray
    lift: np.ndarray | None
    moments: np.ndarray
    period: str
    effects: Lift = NO_LIFT

    @property
    def block(self) -> int:
        """Number of periods in one filter step."""
        return BLOCK[self.period]

    def blocks(self, part: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(units, effective exposure) of some series by block (n, blocks)."""
        time = self.exposure[part].astype(float) * self.factor[self.groups[part]]
        time *= launch_factors(
            self.curve.without_spike, self.launched[part], np.arange(time.shape[1]), self.block
        )
        if self.lift is not None:
            time *= self.lift[part]
        shape = (len(time), -1, self.block)
        units = self.curve.units_without_spike(self.units[part], self.launched[part])
        return (
            units.reshape(shape).sum(axis=2),
            time.reshape(shape).mean(axis=2),
        )

    def ages(self, known: int) -> np.ndarray:
        """Age in blocks of what is young after `known` periods (n,); -1 for all else."""
        age = (known - self.launched) // self.block
        is_young = (self.launched >= 0) & (age >= 0) & (age < len(self.curve))
        return np.where(is_young, age, -1)

    def multipliers(self, number: int, span: int) -> np.ndarray:
        """Multipliers (n, span) on each series' rate in the periods after a moment: common factor, promotions, launch curve."""
        known = self.moments[number] * self.block
        multipliers = self.coming[:, number, :span][self.groups]
        ahead = np.arange(known, known + span)
        if self.lift is not None:
            multipliers = multipliers * usual_factor(self.lift, self.exposure, known)[:, None]
        return multipliers * launch_factors(self.curve.factors, self.launched, ahead, self.block)

    def windows(self, span: int, rate: np.ndarray) -> Windows:
        """`Windows`: totals over `span` periods from each past moment at which they are known.

        `rate` (moments, n) is what was foreseen, units a period at a factor of 1.
        """
        known = self.moments[:-1] * self.block
        usable = np.flatnonzero(known + span <= self.units.shape[1])
        shape = (len(usable), len(self.units))
        actual, exposure = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        foreseen = np.zeros(shape, np.float32)
        for row, number in enumerate(usable.tolist()):
            window = slice(known[number], known[number] + span)
            time = self.exposure[:, window]
            actual[row] = self.units[:, window].sum(axis=1)
            exposure[row] = time.mean(axis=1)
            foreseen[row] = rate[number] * self.multipliers(number, span).sum(axis=1)
        ages = np.empty(shape, np.int16)
        for row, begin in enumerate(known[usable]):
            ages[row] = self.ages(begin)
        return Windows(foreseen, actual, exposure, known[usable], ages, span)


@dataclass(frozen=True, slots=True)
class DemandFit:
    """A forecast with what it was made of: the past, the shared parameters, the filters' states."""

    past: Past
    shared: Shared
    filters: FilterState
    dispersions: tuple[Dispersion, ...]
    forecast: DemandForecast


def forecast_demand(
    history: pd.DataFrame,
    *,
    horizon: int,
    period: str = "W",
    as_of: object | None = None,
    events: pd.DataFrame | None = None,
    seed: int = 0,
) -> DemandForecast:
    """The `DemandForecast` of every series of a history.

    Parameters
    ----------
    history : DataFrame
        `series_id, period (start, datetime64), units` and optional `in_stock` (share of the period in
        which it could be bought), `group` (whose series share a prior and a common factor), `on_promotion`.
    horizon : int
        Coming periods, >= 1.
    period : {"D", "W", "M"}
    as_of : date, optional
        Periods that start on or after it are not looked at.
    events : DataFrame, optional
        `period, factor`: known multipliers of everybody's demand, past or coming.
    seed : int
        Draws which series and windows of a large shop are learned from.

    Raises
    ------
    ValueError
        For a history that cannot be one (`panel.as_panel`), or a horizon below 1.

    Examples
    --------
    Three products that sold 2, 5 and 9 units in each of nine weeks; the first and the last lean a
    little toward the shop's mean, and four weeks of the second are 12 to 29 units at 80 %:

    >>> weeks = np.datetime64("2026-01-05", "s") + np.arange(9) * np.timedelta64(7, "D")
    >>> history = pd.DataFrame({"series_id": np.repeat(["a", "b", "c"], 9)})
    >>> history["period"], history["units"] = np.tile(weeks, 3), np.repeat([2, 5, 9], 9)
    >>> forecast = forecast_demand(history, horizon=4)
    >>> forecast.mean[:, 0].round(1).tolist()
    [2.2, 5.0, 8.8]
    >>> forecast.quantile([0.1, 0.9], last=4)[1].tolist()
    [12.0, 29.0]
    """
    if horizon < 1:
        raise ValueError(f"horizon must be >= 1, got {horizon}")
    panel = as_panel(history, period=period, as_of=as_of)
    if not len(panel.series_ids):
        return DemandForecast(np.array([]), np.zeros((0, horizon)), np.zeros((0, 4)), np.zeros(0))
    return fit(past_of(panel, period, horizon, events), horizon=horizon, seed=seed).forecast


def fit(past: Past, *, horizon: int, seed: int = 0, shared: Shared | None = None) -> DemandFit:
    """The `DemandFit` of a history, with parameters learned from itself or given (`shared`).

    Parameters
    ----------
    past : what `past_of` made of a history
    shared : parameters learned of the shop's other series; without it they are learned of these

    Examples
    --------
    >>> weeks = np.datetime64("2026-01-05", "s") + np.arange(9) * np.timedelta64(7, "D")
    >>> history = pd.DataFrame({"series_id": np.repeat(["a", "b", "c"], 9)})
    >>> history["period"], history["units"] = np.tile(weeks, 3), np.repeat([2, 5, 9], 9)
    >>> found = fit(past_of(as_panel(history, period="W"), "W", 4), horizon=4)
    >>> found.forecast.mean[:, 0].round(1).tolist(), found.shared.spans
    ([2.2, 5.0, 8.8], (1, 2))
    """
    rng = np.random.default_rng(seed)
    components, alive, filters = _components(past)
    chosen = _chosen(len(past.units), rng)
    if shared is None:
        weights = _weights(past, components, chosen)
        rate = mixed(components, weights)
        correction = _learn(past, rate, chosen, rng)
        spans = _spans(past, horizon)
    else:
        weights, correction, spans = shared.weights, shared.correction, shared.spans
        rate = mixed(components, weights)
    for part in parts(len(past.units)):
        rate[:, part] *= correction.factor(_features(past, part, rate))
    # M = rate now x multipliers ahead. From here on: how far totals scatter around it.
    mean = rate[-1][:, None] * past.multipliers(len(past.moments) - 1, horizon)
    found: list[Dispersion] = []
    errors: list[CommonErrors] = []
    levels = np.empty((len(spans), len(pooling.CLASSES) + 1, len(LEVELS)))
    for number, span in enumerate(spans):
        windows = past.windows(span, rate)
        if shared is None:
            errors.append(common_errors(windows, past.groups, past.factor_variance[:, :, span - 1]))
        else:
            errors.append(shared.errors[number])
        # What missed everybody at a past moment is a common error: it must not widen each series'
        # own.
        moves = errors[-1].of(len(windows.actual), past.groups)
        windows = replace(windows, moves=moves)
        now = mean[:, : min(span, horizon)].mean(axis=1) * span
        given = None if shared is None else shared.dispersions[number]
        classes, ages = pooling.rate_class(now / span), past.ages(past.units.shape[1])
        common = errors[-1].variance[past.groups]
        found.append(pooling.dispersion_of(windows, now, classes, ages, given, common))
        if shared is None:
            most = LEARNED_WINDOWS
            levels[number] = pooling.held_levels(windows, found[-1], most=most, rng=rng)
    if shared is None:
        known = tuple(one.shared for one in found)
        shared = Shared(weights, correction, spans, known, tuple(errors), levels)
    dispersion = np.stack([one.values() for one in found], axis=1)
    forecast = DemandForecast(past.ids, mean, dispersion, alive, spans, shared.levels)
    return DemandFit(past, shared, filters, tuple(found), forecast)


def past_of(panel: Panel, period: str, horizon: int, events: pd.DataFrame | None = None) -> Past:
    """The `Past` of a panel: common factor, launches and promotions worked out, the factor foreseen past `horizon`."""
    block = BLOCK[period]
    # Whole blocks only: the oldest days that fill no week are left out.
    spare = panel.units.shape[1] % block if panel.units.shape[1] > block else 0
    units = panel.units[:, spare:].astype(np.float32)
    exposure = panel.exposure[:, spare:].astype(np.float32)
    if units.shape[1] < block:  # less than a week of days: the days before are unknown
        gap = ((0, 0), (block - units.shape[1], 0))
        units, exposure = np.pad(units, gap), np.pad(exposure, gap)
    exposure[exposure < LEAST_EXPOSURE] = 0.0
    units[exposure == 0] = 0.0
    length = units.shape[1]
    span = LEARNED_SPAN[period]
    ahead = max(horizon, *LEARNED_SPANS[period]) + CLOSES * block
    starts = _starts(panel.periods[-1], length, ahead, period)
    known, coming = _event_factors(starts, length, events, period)
    moments = _moments(length // block, -(-span // block))
    common = common_factor(
        units,
        exposure * known[None, :].astype(np.float32),
        panel.groups,
        starts,
        period=period,
        moments=moments * block,
    )
    foreseen = common.foreseen.copy()
    # Known events belong to the future from now; past origins are judged without those to come.
    foreseen[:, -1] *= coming[None, :]
    factor = common.past * known[None, :]
    effects, lift = _lift(units, exposure, factor[panel.groups], panel.promoted)
    launched = first_seen(exposure, WATCHED_BLOCKS * block)
    curve = launch_curve(units, exposure, factor[panel.groups], launched, block)
    prior = _priors(units, exposure, factor, panel.groups, launched, curve, lift, block)
    return Past(
        panel.series_ids,
        starts[0],
        panel.group_names,
        units,
        exposure,
        panel.groups,
        prior,
        factor,
        foreseen,
        common.variance,
        curve,
        launched,
        lift,
        moments,
        period,
        effects,
    )


def _lift(
    units: np.ndarray, exposure: np.ndarray, multipliers: np.ndarray, promoted: np.ndarray | None
) -> tuple[Lift, np.ndarray | None]:
    """(promotion effects, their multiplier of each period (n, T)); no effects and None where they foresee nothing better."""
    if promoted is None or not promoted.any():
        return NO_LIFT, None
    shown = np.zeros(units.shape, np.float32)
    length = min(promoted.shape[1], units.shape[1])
    shown[:, -length:] = promoted[:, -length:]
    effective = exposure * multipliers
    effects = promotion_lift(units, effective, shown)
    factors = effects.factors(shown)
    if not earns_its_place(units, effective, factors):
        return NO_LIFT, None
    return effects, factors.astype(np.float32)


def _priors(
    units: np.ndarray,
    exposure: np.ndarray,
    factor: np.ndarray,
    groups: np.ndarray,
    launched: np.ndarray,
    curve: LaunchCurve,
    lift: np.ndarray | None,
    block: int,
) -> np.ndarray:
    """Gamma (shape, rate) of each series' rate (n, 2), launches apart from what was always there."""
    periods = np.arange(units.shape[1])
    time, young_time = np.empty(len(units)), np.empty(len(units))
    young_sold, sold = np.empty(len(units)), np.empty(len(units))
    for part in parts(len(units)):
        effective = exposure[part] * factor[groups[part]]
        effective *= launch_factors(curve.without_spike, launched[part], periods, block)
        if lift is not None:
            effective *= lift[part]
        is_young = periods[None, :] < (launched[part] + YOUNG_BLOCKS * block)[:, None]
        time[part] = effective.sum(axis=1)
        young_time[part] = (effective * is_young).sum(axis=1)
        kept_units = curve.units_without_spike(units[part], launched[part])
        young_sold[part] = (kept_units * is_young).sum(axis=1)
        sold[part] = kept_units.sum(axis=1)
    return launch_priors(sold, time, (young_sold, young_time), groups, launched >= 0)


def parts(n: int) -> Iterator[slice]:
    """Slices of at most `CHUNK` series, so that memory does not grow with the shop."""
    for begin in range(0, n, CHUNK):
        yield slice(begin, min(begin + CHUNK, n))


def _moments(blocks: int, ahead: int) -> np.ndarray:
    """Blocks known at each forecast origin, oldest first; now last."""
    first = max(min(8, blocks // 3), 1)
    past = np.arange(blocks - ahead, first - 1, -1)
    step = 2 if len(past) > MOMENTS else 1
    return np.append(np.sort(past[::step][:MOMENTS]), blocks)


def _starts(last: np.datetime64, length: int, ahead: int, period: str) -> np.ndarray:
    """Starts of the known periods and of those to come."""
    steps = np.arange(1 - length, ahead + 1)
    if period == "M":
        return (last.astype("datetime64[M]") + steps).astype("datetime64[D]")
    return last.astype("datetime64[D]") + steps * BLOCK_DAYS[period]


BLOCK_DAYS: Final = {"D": 1, "W": 7}
"""Days in a period, where that is fixed."""


def _event_factors(
    starts: np.ndarray, length: int, events: pd.DataFrame | None, period: str
) -> tuple[np.ndarray, np.ndarray]:
    """(multipliers of the known periods (T,), of those to come), from a frame of events."""
    factors = np.ones(len(starts))
    if events is not None and not events.empty:
        unit = "datetime64[M]" if period == "M" else "datetime64[D]"
        days = events["period"].to_numpy("datetime64[s]").astype(unit)
        at = np.searchsorted(starts.astype(unit), days, side="right") - 1
        inside = (at >= 0) & (days <= starts[-1].astype(unit))
        np.multiply.at(factors, at[inside], events["factor"].to_numpy(float)[inside])
    return factors[:length], factors[length:]


def _spans(past: Past, horizon: int) -> tuple[int, ...]:
    """Spans whose totals the history has seen at least three times."""
    longest = max(past.units.shape[1] // 3, 1)
    given = LEARNED_SPANS[past.period]
    wanted = [span for span in given if span <= longest and (span <= horizon or span == given[0])]
    above = [span for span in given if horizon < span <= longest]
    return tuple(wanted + above[:1])


def _components(past: Past) -> tuple[np.ndarray, np.ndarray, FilterState]:
    """(rates of the two filter banks (2, moments, n), a period; alive (n,); the filters' state)."""
    ahead = -(-LEARNED_SPAN[past.period] // past.block)
    n, count = len(past.units), len(past.moments)
    components = np.empty((2, count, n), np.float32)
    alive = np.empty(n)
    states: list[FilterState] = []
    for part in parts(n):
        units, exposure = past.blocks(part)
        prior = past.prior[part] / np.array([1.0, past.block])
        found, state = follow(units, exposure, prior, past.moments, ahead)
        components[0, :, part], components[1, :, part] = found.filtered, found.smoothed
        alive[part] = found.alive[-1]
        states.append(state)
    components /= past.block
    return components, alive, joined(states)


def _chosen(n: int, rng: np.random.Generator) -> np.ndarray:
    """Row numbers of the series to learn from."""
    if n <= LEARNED_SERIES:
        return np.arange(n)
    return np.sort(rng.choice(n, LEARNED_SERIES, replace=False))


def _weights(past: Past, components: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Combination weights (components, classes of rate), from some series."""
    span = LEARNED_SPAN[past.period]
    classes = pooling.rate_class(components[0, -1])
    windows = past.windows(span, components[0]).of(chosen)
    used = len(windows.actual)
    if not used:  # too short a past to have foreseen anything
        return np.full((len(components), len(pooling.CLASSES) + 1), 1 / len(components))
    multipliers = np.stack(
        [past.multipliers(number, span)[chosen].sum(axis=1) for number in range(used)]
    )
    totals = components[:, :used, chosen] * multipliers[None]
    return pooling.component_weights(totals, windows, classes[chosen])


def mixed(components: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rates (..., n): components (components, ..., n) combined by the weights of their class of rate."""
    newest = components[0].reshape(-1, components.shape[-1])[-1]
    shares = weights.astype(np.float32)[:, pooling.rate_class(newest)]
    rate = shares[0] * components[0]
    for share, component in zip(shares[1:], components[1:], strict=True):
        rate += share * component
    return rate


def _learn(
    past: Past, rate: np.ndarray, chosen: np.ndarray, rng: np.random.Generator
) -> Correction:
    """The pattern correction, fitted on some series."""
    span = LEARNED_SPAN[past.period]
    windows = past.windows(span, rate).of(chosen)
    now = rate[-1, chosen].astype(float) * span
    # The correction is fitted before dispersions are: its rows need weights, so K is taken at
    # this rate first.
    classes, ages = pooling.rate_class(now / span), past.ages(past.units.shape[1])[chosen]
    dispersion = pooling.dispersion_of(windows, now, classes, ages).values()
    features = _features(past, chosen, rate)[: len(windows.actual)]
    known = past.moments[:-1]
    # Number of windows that do not overlap, for the correction's shrinkage.
    separate = (known[-1] - known[0]) * past.block / span + 1.0 if len(known) else 0.0
    return fit_correction(features, windows, dispersion, past.groups[chosen], separate, rng)


def _features(past: Past, part: slice | np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Pattern features (moments, n, k) of some series."""
    units, exposure = past.blocks(part)
    return pattern_features(
        units,
        exposure,
        rate[:, part].astype(float) * past.block,
        past.moments,
        season=SEASON_BLOCKS[past.period],
        ahead=-(-LEARNED_SPAN[past.period] // past.block),
    )
