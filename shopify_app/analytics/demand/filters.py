"""The rate at which each series sells: two banks of filters, as a state that each period moves a step on.

In:  what is believed beforehand (`start`), then units and exposure of one period after another.
Out: rates, units a period were it in stock, from a state (`rates`) or at several moments (`follow`).
Methods: (1) gamma-Poisson discount filters that differ in how fast they forget and how readily they
take a product for dead, weighted by their discounted predictive likelihood; (2) exponential
smoothing at several speeds, weighted by the squared error of the totals they foresaw.
A step reads nothing but the state: O(1) a series, whatever the length of its history.
Source: Harvey & Fernandes (1989), "Time series models for count or qualitative observations",
JBES 7, 407-417; West & Harrison, *Bayesian Forecasting and Dynamic Models* (1997), ch. 14;
Petropoulos & Kourentzes (2015), "Forecast combinations for intermittent demand", JORS 66, 914-924.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from shopify_app.analytics.demand import state_rows

FORGETTING: Final = (0.5, 0.7, 0.85, 0.92, 0.96, 0.99)
"""Discount factors delta: weight of a period's counts against those of the period after it."""

DEATH_HAZARDS: Final = (0.0, 0.01, 0.04)
"""Hazards h: probability, in each period, that a product stops selling for good."""

MODELS: Final = np.array([(forget, hazard) for forget in FORGETTING for hazard in DEATH_HAZARDS])
"""(delta, h) of each discount filter, one row a filter."""

PRIOR_FOR_GOOD: Final = 0.1
"""Share of the group's prior that is never discounted; the rest fades as the series' own counts grow."""

REVIVAL: Final = 0.02
"""Probability, in each period, that a product taken for dead sells again."""

LEAST_CHANCE_GONE: Final = 1e-20
"""Floor of the probability of being dead, so that even the filter of hazard 0 gives up what sold well and fell
silent."""

SCORE_MEMORY: Final = 0.99
"""Discount factor of the log predictive likelihood."""

LEAST_EXPOSURE: Final = 0.05
"""Share of a period in stock below which the period is taken as censored whole."""

SPEEDS: Final = (0.02, 0.05, 0.1, 0.2, 0.35)
"""Smoothing constants alpha of exponential smoothing: weight of the newest period."""

ERROR_MEMORY: Final = 0.98
"""Discount factor of the smoothers' squared error."""

SHARPNESS: Final = 4.0
"""Exponent of a smoother's weight, error ** -SHARPNESS."""

VERSION: Final = 1
"""Version of the byte layout of a state."""

AT_ONCE: Final = 2_048
"""Series moved on together, few enough for their state to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates and probabilities of life at each moment.

    Attributes
    ----------
    filtered, smoothed : array (moments, n), or (n,) of one moment
        Units a period, by either bank; the filtered one already counts that the series may be dead.
    alive : array like them
        Probability that the series still sells.
    """

    filtered: np.ndarray
    smoothed: np.ndarray
    alive: np.ndarray


@dataclass(frozen=True, slots=True)
class FilterState:
    """The filters' state: all they know of n series after `known` periods.

    Attributes
    ----------
    known : int
        Periods followed; the same for all.
    prior : array (2, n), shape and rate of the gamma prior
    a, b, gone, score : array (len(MODELS), n)
        Gamma shape a and rate b beyond the prior's lasting part; probability of being dead (kept instead of
        that of life, which float32 would round to 1); discounted log predictive likelihood.
    level, error : array (len(SPEEDS), n), level and discounted squared error of each smoother
    seen_time : array (n,), sum of exposure so far
    earlier : array (span, len(SPEEDS), n), levels before each of the newest periods, oldest first
    newest : array (2, span, n), units and exposure of the newest periods, oldest first
    steps : array (4, n)
        Sums of squared steps, units and periods on sale; units of the last period, NaN if not on sale.
    """

    known: int
    prior: np.ndarray
    a: np.ndarray
    b: np.ndarray
    gone: np.ndarray
    score: np.ndarray
    level: np.ndarray
    error: np.ndarray
    seen_time: np.ndarray
    earlier: np.ndarray
    newest: np.ndarray
    steps: np.ndarray

    @property
    def span(self) -> int:
        """Number of periods in the totals whose squared error weighs the smoothers."""
        return self.newest.shape[1]

    def __len__(self) -> int:
        """Number of series."""
        return self.prior.shape[1]

    def of(self, series: slice | np.ndarray) -> "FilterState":
        """The state of the chosen series."""
        return FilterState(self.known, *(array[..., series] for array in self.arrays()))

    def kept(self) -> "FilterState":
        """The state in float32, the precision it is kept in."""
        return FilterState(self.known, *(array.astype(np.float32) for array in self.arrays()))

    def arrays(self) -> list[np.ndarray]:
        """The state's arrays in the order of its fields; their last axis is the series."""
        return [getattr(self, field.name) for field in fields(self)[1:]]


def joined(states: list[FilterState]) -> FilterState:
    """One state of several: different series after the same number of periods, side by side.

    Raises
    ------
    ValueError
        If they are not of one moment.
    """
    if len({state.known for state in states}) != 1:
        raise ValueError("states of different moments cannot stand side by side")
    if len(states) == 1:
        return states[0]
    each = zip(*(state.arrays() for state in states), strict=True)
    return FilterState(states[0].known, *(np.concatenate(parts, axis=-1) for parts in each))


def to_rows(state: FilterState) -> list[bytes]:
    """One row of bytes a series, of one fixed layout."""
    return state_rows.pack(VERSION, state.known, state.arrays())


def from_rows(rows: list[bytes], span: int) -> FilterState:
    """The state of rows, bit for bit as it was packed.

    Raises
    ------
    ValueError
        If a row is of another version, length or moment than the rest.
    """
    known, arrays = state_rows.unpack(VERSION, rows, shapes(span))
    return FilterState(known, *arrays)


def shapes(span: int) -> list[tuple[int, ...]]:
    """Shapes of a state's arrays without their last axis, the series."""
    bank, speeds = (len(MODELS),), len(SPEEDS)
    smoothers = [(speeds,), (speeds,), (), (span, speeds), (2, span), (4,)]
    return [(2,), bank, bank, bank, bank, *smoothers]


def start(prior: np.ndarray, span: int, dtype: type = np.float32) -> FilterState:
    """The state before the first period: priors alone.

    Parameters
    ----------
    prior : array (n, 2)
        Gamma shape and rate of each series' group.
    span : int
        Periods of the totals by which the smoothers are judged.
    dtype : float32 to be kept, float64 to follow a whole history
    """
    n, models, speeds = len(prior), len(MODELS), len(SPEEDS)
    believed = np.ascontiguousarray(prior.T, dtype)
    fading = believed * dtype(1 - PRIOR_FOR_GOOD)
    level = believed[0] / np.maximum(believed[1], 1e-9)
    steps = np.zeros((4, n), dtype)
    steps[3] = np.nan
    return FilterState(
        0,
        believed,
        np.tile(fading[0], (models, 1)),
        np.tile(fading[1], (models, 1)),
        np.zeros((models, n), dtype),
        np.zeros((models, n), dtype),
        np.tile(level, (speeds, 1)),
        np.zeros((speeds, n), dtype),
        np.zeros(n, dtype),
        np.zeros((span, speeds, n), dtype),
        np.zeros((2, span, n), dtype),
        steps,
    )


def advance(state: FilterState, units: np.ndarray, exposure: np.ndarray) -> FilterState:
    """The state one period later; `units` and `exposure` (n,) are that period's."""
    if len(state) <= AT_ONCE:
        return _advanced(state, units, exposure)
    parts = (slice(begin, begin + AT_ONCE) for begin in range(0, len(state), AT_ONCE))
    return joined([_advanced(state.of(part), units[part], exposure[part]) for part in parts])


def _advanced(state: FilterState, units: np.ndarray, exposure: np.ndarray) -> FilterState:
    dtype = state.a.dtype
    y = units.astype(dtype)
    e = np.where(exposure < LEAST_EXPOSURE, 0.0, exposure).astype(dtype)
    seen = e > 0
    a, b, gone, score = _filtered(state, y, e, seen)
    level = _smoothed(state, y, e)
    newest = np.concatenate([state.newest[:, 1:], np.stack([y, e])[:, None]], axis=1)
    earlier = np.concatenate([state.earlier[1:], state.level[None]])
    error = state.error
    if state.known + 1 >= state.span:
        # The total of the last `span` periods against the level from before them.
        units_so_far, time = newest.sum(axis=1)
        gap = units_so_far - earlier[0] * time
        judged = time > 0.5 * state.span
        error = dtype.type(ERROR_MEMORY) * error + np.where(judged, gap * gap, dtype.type(0))
    squares, total, count, before = state.steps
    stepped = np.where(seen & (~np.isnan(before)), y - before, dtype.type(0))
    steps = np.stack(
        [
            squares + stepped * stepped,
            total + y * seen,
            count + seen,
            np.where(seen, y, dtype.type(np.nan)),
        ]
    )
    return FilterState(
        state.known + 1,
        state.prior,
        a,
        b,
        gone,
        score,
        level,
        error,
        state.seen_time + e,
        earlier,
        newest,
        steps,
    )


def _filtered(
    state: FilterState, y: np.ndarray, e: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(a, b, gone, score) of the discount filters one period later."""
    dtype = state.a.dtype.type
    forget, hazard = MODELS.astype(dtype).T[:, :, None]
    shape, rate = _posterior(state)
    # One-step forecast: posterior mean a / b, times the probability of life, times exposure.
    f = np.maximum(shape / rate * (1 - state.gone) * e, dtype(1e-9))
    # Poisson log likelihood y log f - f; log y! is the same for all filters and left out.
    score = dtype(SCORE_MEMORY) * state.score + y * np.log(f) - f
    # P(alive and sells nothing): the gamma-Poisson's P(0) = (b / (b + e))^a. A sale proves life.
    lives = (1 - state.gone) * np.exp(-shape * np.log1p(e / rate))
    chance_gone = np.maximum(state.gone, dtype(LEAST_CHANCE_GONE))
    died = np.where(y > 0, dtype(0), chance_gone / (lives + chance_gone))
    gone = died * dtype(1 - REVIVAL) + (1 - died) * hazard
    # Harvey & Fernandes (1989): a <- delta a + y, b <- delta b + e; a period that was likely dead
    # counts little toward the rate.
    a, b = forget * state.a + y, forget * state.b + e * np.maximum(1 - gone, dtype(0.05))
    if seen.all():
        return a, b, gone, score
    pairs = ((a, state.a), (b, state.b), (gone, state.gone), (score, state.score))
    a, b, gone, score = (np.where(seen, new, old) for new, old in pairs)
    return a, b, gone, score


def _posterior(state: FilterState) -> tuple[np.ndarray, np.ndarray]:
    """Gamma (shape, rate) of each filter, the undiscounted part of the prior included."""
    lasting = state.prior * state.prior.dtype.type(PRIOR_FOR_GOOD)
    return state.a + lasting[0], state.b + lasting[1]


def _smoothed(state: FilterState, y: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Levels of the smoothers one period later."""
    dtype = state.level.dtype.type
    # Young series learn as an average does, whatever their speed.
    least = 1 / (state.seen_time + e + 1)
    speed = np.maximum(np.array(SPEEDS, dtype)[:, None], least) * np.minimum(e, dtype(1))
    # Without exposure the speed is 0: the level stays.
    return state.level + speed * (y / np.maximum(e, dtype(LEAST_EXPOSURE)) - state.level)


def rates(state: FilterState) -> Rates:
    """Rates (n,) of a state: each bank's weighted mean, and the probability of life."""
    shape, rate = _posterior(state)
    tempered = state.score / _erratic(state)
    # Bayesian model averaging over the bank; subtracting the maximum keeps exp in range.
    weights = np.exp(tempered - tempered.max(axis=0))
    weights *= (1 - state.gone) / weights.sum(axis=0)
    small = state.error.dtype.type(1e-6)
    error = (state.error + small) / (state.error.min(axis=0) + small)
    trusted = error**-SHARPNESS
    smoothed = (trusted * state.level).sum(axis=0) / trusted.sum(axis=0)
    return Rates((weights * (shape / rate)).sum(axis=0), smoothed, weights.sum(axis=0))


def _erratic(state: FilterState) -> np.ndarray:
    """Variance-to-mean ratio of a series (n,), at least 1.

    From squared differences of neighbours (von Neumann), so that a change of level is no noise; log scores
    are divided by it (tempered likelihood).
    """
    squares, total, count, _ = state.steps
    periods = np.maximum(count, 1)
    mean = np.maximum(total / periods, 1e-3)
    noise = squares / (2 * np.maximum(periods - 1, 1))
    return np.maximum(noise / mean, 1.0)


def follow(
    units: np.ndarray, exposure: np.ndarray, prior: np.ndarray, moments: np.ndarray, span: int
) -> tuple[Rates, FilterState]:
    """Rates at each of `moments`, and the state at the last of them in the precision it is kept in.

    Parameters
    ----------
    units, exposure : array (n, T)
    prior : array (n, 2)
        Gamma shape and rate of each series' group.
    moments : array of int
        Numbers of periods known, ascending, at most T.
    span : int
        Periods of the totals whose squared error weighs the smoothers.
    """
    found = np.empty((3, len(moments), len(units)))
    ends: list[FilterState] = []
    for begin in range(0, max(len(units), 1), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        state = start(prior[part], span, np.float64)
        for number, known in enumerate(moments.tolist()):
            while state.known < known:
                state = _advanced(state, units[part, state.known], exposure[part, state.known])
            one = rates(state)
            found[:, number, part] = one.filtered, one.smoothed, one.alive
        ends.append(state.kept())
    return Rates(found[0], found[1], found[2]), joined(ends)
